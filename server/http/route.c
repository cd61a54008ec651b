#include "route.h"

#include <stdio.h>
#include <string.h>

#define TEXT "text/plain; charset=utf-8"
#define JSON "application/json"

static const route table[] = {
    {"/v1/masks", "GET", masks_get, NULL,
     GROUP_SEED | GROUP_INDEX | GROUP_SAMPLE | GROUP_LAMBDA | GROUP_MASK | GROUP_METHOD |
         GROUP_SHAPE | GROUP_SHEET | GROUP_OUTPUT,
     FORMAT_ARRAYS | FORMAT_IMAGES, .meaning = "masks of FMix or CutMix"},
    {"/v1/plans", "GET", plans_get, NULL,
     GROUP_SEED | GROUP_INDEX | GROUP_SAMPLE | GROUP_BATCH | GROUP_STEPS | GROUP_LAMBDA |
         GROUP_MASK | GROUP_METHOD | GROUP_POLICY | GROUP_PAIRING | GROUP_SHAPE | GROUP_PARTS,
     FORMAT_ARRAYS, .meaning = "who is mixed with whom, by which masks"},
    {"/v1/mix", "POST", mix_post, mix_weight,
     GROUP_SEED | GROUP_INDEX | GROUP_BATCH | GROUP_LAMBDA | GROUP_MASK | GROUP_METHOD |
         GROUP_POLICY | GROUP_PAIRING | GROUP_PARTS | GROUP_UPLOAD | GROUP_MIXED | GROUP_SHEET,
     FORMAT_ARRAYS | FORMAT_IMAGES, .meaning = "the uploaded batch, mixed"},
    {"/v1/datasets", "GET", datasets_get, NULL, .media = JSON, .schema = "Datasets",
     .meaning = "the data sets that are served"},
    {"/v1/datasets/{name}", "GET", dataset_get, NULL, .media = JSON, .schema = "Dataset",
     .meaning = "one of them"},
    {"/v1/datasets/{name}/batches/{step}", "GET", batch_get, NULL,
     GROUP_SEED | GROUP_SAMPLE | GROUP_LAMBDA | GROUP_MASK | GROUP_METHOD | GROUP_POLICY |
         GROUP_PAIRING | GROUP_PARTS | GROUP_MIXED | GROUP_EPOCH | GROUP_SHEET,
     FORMAT_ARRAYS | FORMAT_IMAGES, .meaning = "a batch of a data set's epoch, mixed"},
    {"/v1/datasets/{name}/shards", "GET", shards_get, NULL, SHARD_GROUPS, .media = JSON,
     .schema = "Shards", .meaning = "an epoch as WebDataset shards: where they are"},
    {"/v1/shards/{shard}", "GET", shard_get, NULL, 0, FORMAT_RECORDS, .meaning = "one of them"},
    {"/livez", "GET", health_live, NULL, .media = TEXT, .open = true,
     .meaning = "whether the process answers"},
    {"/readyz", "GET", health_ready, NULL, .media = TEXT, .open = true,
     .meaning = "whether it wants requests"},
    {"/startupz", "GET", health_live, NULL, .media = TEXT, .open = true,
     .meaning = "whether it has started"},
    {"/metrics", "GET", metrics_get, NULL, .media = "text/plain; version=0.0.4; charset=utf-8",
     .meaning = "counters for Prometheus"},
    {"/version", "GET", version_get, NULL, .media = JSON, .schema = "Version",
     .meaning = "stream, version, build, libraries, CPU, golden digest"},
    {"/openapi.json", "GET", openapi_get, NULL, .media = JSON, .schema = "Document",
     .meaning = "this document"},
    {"/", "GET", web_page, NULL, .media = "text/html; charset=utf-8", .open = true,
     .meaning = "a page that shows masks and mixtures"},
    {"/preview.css", "GET", web_style, NULL, .media = "text/css; charset=utf-8", .open = true,
     .meaning = "how that page looks"},
    {"/preview.js", "GET", web_script, NULL, .media = "text/javascript; charset=utf-8",
     .open = true, .meaning = "what that page does"},
};
#define ROWS (sizeof table / sizeof *table)
_Static_assert(ROWS <= ROUTE_NONE, "each route has its counters");

const route *route_row(unsigned number) {
    return number < ROWS ? &table[number] : NULL;
}

const char *route_name(unsigned number) {
    return number < ROWS ? table[number].path : "none";
}

/* And what shards are named with: `=` and what stands for a comma and a point. */
#define NAMED "=+~abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

/* What is left of a path behind a pattern, or NULL: it does not begin so. */
static const char *behind(const char *pattern, const char *path, route_match *out) {
    for (unsigned n = 0; *pattern; n++) {
        const char *brace = strchr(pattern, '{');
        size_t plain = brace ? (size_t)(brace - pattern) : strlen(pattern);
        if (strncmp(path, pattern, plain) != 0)
            return NULL;
        path += plain;
        pattern += plain;
        if (!brace)
            break;
        size_t length = strspn(path, NAMED);
        if (length == 0 || length > ROUTE_CAPTURE)
            return NULL;
        memcpy(out->captured[n], path, length);
        out->captured[n][length] = 0;
        path += length;
        pattern = strchr(pattern, '}') + 1;
    }
    return path;
}

/* Whether path names the row, with or without a suffix that is one of its formats. */
static bool matches(const route *r, const char *path, route_match *out) {
    const char *rest = behind(r->path, path, out);
    out->suffix = NULL;
    if (!rest)
        return false;
    if (*rest == 0)
        return true;
    if (*rest != '.' || !r->formats)
        return false;
    out->suffix = format_by_name(rest + 1, strlen(rest + 1), r->formats);
    return out->suffix != NULL;
}

static bool is_options(const char *method) {
    return strcmp(method, "OPTIONS") == 0;
}

static bool allows(const route *r, const char *method) {
    return is_options(method) || strcmp(method, r->method) == 0 ||
           (strcmp(r->method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

static void list_paths(char *out, size_t room) {
    size_t used = 0;
    for (size_t i = 0; i < ROWS && used < room; i++)
        used += (size_t)snprintf(out + used, room - used, "%s%s", i ? ", " : "", table[i].path);
}

static void explain_missing(const char *path, problem *p) {
    char formats[200], paths[320];
    route_match unused;
    for (size_t i = 0; i < ROWS; i++) {
        const char *rest = behind(table[i].path, path, &unused);
        if (table[i].formats && rest && *rest == '.') {
            format_list(table[i].formats, formats, sizeof formats);
            problem_add(p, 404, NULL, "%s has no format '%.20s'; it has: %s", table[i].path,
                        rest + 1, formats);
            return;
        }
    }
    list_paths(paths, sizeof paths);
    problem_add(p, 404, NULL, "there is no %.80s; there are: %s", path, paths);
}

const char *route_methods(const route *r) {
    return !r                              ? "GET, HEAD, POST, OPTIONS"
           : strcmp(r->method, "GET") == 0 ? "GET, HEAD, OPTIONS"
                                           : "POST, OPTIONS";
}

bool route_is_open(const char *path, const char *method) {
    route_match unused;
    bool open = is_options(method);
    for (unsigned i = 0; i < ROWS; i++)
        open |= table[i].open && matches(&table[i], path, &unused);
    return open;
}

bool route_find(const char *path, const char *method, route_match *out, problem *p) {
    for (unsigned i = 0; i < ROWS; i++) {
        if (!matches(&table[i], path, out))
            continue;
        out->route = &table[i];
        out->number = i;
        if (allows(&table[i], method))
            return true;
        snprintf(p->allow, sizeof p->allow, "%s", route_methods(&table[i]));
        problem_add(p, 405, NULL, "%s takes %s, not %.20s", table[i].path, p->allow, method);
        return false;
    }
    out->route = NULL;
    out->number = ROUTE_NONE;
    if (is_options(method) && strcmp(path, "*") == 0)
        return true;
    explain_missing(path, p);
    return false;
}
