#include "route.h"

#include <stdio.h>
#include <string.h>

/* The characters of a captured segment; shard names have =, and + and ~ for comma and point. */
#define SEGMENT "=+~abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

/* The rest of a path after a pattern; NULL: the path does not begin with the pattern. */
static const char *match_prefix(const char *pattern, const char *path, route_match *out) {
    for (unsigned n = 0; *pattern; n++) {
        const char *brace = strchr(pattern, '{');
        size_t plain = brace ? (size_t)(brace - pattern) : strlen(pattern);
        if (strncmp(path, pattern, plain) != 0)
            return NULL;
        path += plain;
        pattern += plain;
        if (!brace)
            break;
        size_t length = strspn(path, SEGMENT);
        if (length == 0 || length > ROUTE_CAPTURE)
            return NULL;
        memcpy(out->captured[n], path, length);
        out->captured[n][length] = 0;
        path += length;
        pattern = strchr(pattern, '}') + 1;
    }
    return path;
}

/* Returns true if the path is the row's path, or that path with a suffix that names one of its
 * formats. */
static bool matches(const route *r, const char *path, route_match *out) {
    const char *rest = match_prefix(r->path, path, out);
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
    const route *row;
    for (unsigned i = 0; (row = route_row(i)) != NULL && used < room; i++)
        used += (size_t)snprintf(out + used, room - used, "%s%s", i ? ", " : "", row->path);
}

static void explain_missing(const char *path, problem *p) {
    char formats[200], paths[320];
    route_match unused;
    const route *row;
    for (unsigned i = 0; (row = route_row(i)) != NULL; i++) {
        const char *rest = match_prefix(row->path, path, &unused);
        if (row->formats && rest && *rest == '.') {
            format_list(row->formats, formats, sizeof formats);
            problem_add(p, 404, NULL, "%s is not available as '%.20s'; its formats are: %s",
                        row->path, rest + 1, formats);
            return;
        }
    }
    list_paths(paths, sizeof paths);
    problem_add(p, 404, NULL, "unknown path %.80s; the paths are: %s", path, paths);
}

bool route_is_open(const char *path, const char *method) {
    route_match unused;
    bool open = is_options(method);
    const route *row;
    for (unsigned i = 0; (row = route_row(i)) != NULL; i++)
        open |= row->open && matches(row, path, &unused);
    return open;
}

bool route_find(const char *path, const char *method, route_match *out, problem *p) {
    const route *row;
    for (unsigned i = 0; (row = route_row(i)) != NULL; i++) {
        if (!matches(row, path, out))
            continue;
        out->route = row;
        out->number = i;
        if (allows(row, method))
            return true;
        snprintf(p->allow, sizeof p->allow, "%s", route_methods(row));
        problem_add(p, 405, NULL, "%s supports %s, not %.20s", row->path, p->allow, method);
        return false;
    }
    out->route = NULL;
    out->number = ROUTE_NONE;
    if (is_options(method) && strcmp(path, "*") == 0)
        return true;
    explain_missing(path, p);
    return false;
}
