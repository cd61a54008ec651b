#include "openapi.h"
#include "base/json_build.h"
#include "params/query_kinds.h"
#include "routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The schemas of answers without formats, and of refusals. */
static const struct {
    const char *name, *schema;
} schemas[] = {
    {"Problem",
     "{\"type\":\"object\",\"required\":[\"type\",\"title\",\"status\",\"detail\",\"errors\"],"
     "\"properties\":{\"type\":{\"const\":\"about:blank\"},\"title\":{\"type\":\"string\"},"
     "\"status\":{\"type\":\"integer\",\"minimum\":400,\"maximum\":599},"
     "\"detail\":{\"type\":\"string\"},\"errors\":{\"type\":\"array\",\"maxItems\":8,"
     "\"items\":{\"type\":\"object\",\"required\":[\"detail\"],\"additionalProperties\":false,"
     "\"properties\":{\"detail\":{\"type\":\"string\"},\"parameter\":{\"type\":\"string\"}}}}}}"},
    {"Tensors", "{\"type\":\"object\",\"description\":\"each tensor as nested lists; seed, index "
                "and step, which may exceed 2^53, as text\",\"additionalProperties\":{\"anyOf\":["
                "{\"type\":\"array\"},{\"type\":\"string\",\"pattern\":\"^[0-9]+$\"}]}}"},
    {"Dataset",
     "{\"type\":\"object\",\"required\":[\"name\",\"count\",\"shape\",\"dtype\",\"layout\","
     "\"heads\",\"digest\"],\"properties\":{\"name\":{\"type\":\"string\"},"
     "\"count\":{\"type\":\"integer\",\"minimum\":1},\"shape\":{\"description\":\"of a row; null "
     "where each row has a dimension of its own\",\"type\":\"array\",\"items\":{\"type\":"
     "[\"integer\",\"null\"],\"minimum\":1}},\"dtype\":{\"type\":\"string\"},"
     "\"layout\":{\"enum\":[\"channels_first\",\"channels_last\",\"none\"]},"
     "\"heads\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
     "\"required\":[\"name\",\"kind\",\"classes\"],\"properties\":{\"name\":{\"type\":\"string\"},"
     "\"kind\":{\"enum\":[\"numbers\",\"rows\",\"values\"]},\"classes\":{\"type\":\"integer\"},"
     "\"class_names\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}}}},"
     "\"dense\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
     "\"required\":[\"name\",\"dtype\",\"shape\",\"layout\"],\"properties\":{\"name\":"
     "{\"type\":\"string\"},\"dtype\":{\"type\":\"string\"},\"shape\":{\"type\":\"array\","
     "\"items\":{\"type\":\"integer\",\"minimum\":1}},"
     "\"layout\":{\"enum\":[\"channels_first\",\"channels_last\",\"none\"]}}}},"
     "\"neighbours\":{\"description\":\"of each row\",\"type\":\"integer\",\"minimum\":1},"
     "\"lengths\":{\"description\":\"of rows that have lengths of their own\",\"type\":\"object\","
     "\"required\":[\"least\",\"most\",\"total\"],\"properties\":{\"least\":{\"type\":"
     "\"integer\"},\"most\":{\"type\":\"integer\"},\"total\":{\"type\":\"integer\"}}},"
     "\"images\":{\"description\":\"of rows that are pictures with sides of their own\",\"type\":"
     "\"object\",\"required\":[\"store\",\"channels\"],\"properties\":{\"store\":{\"enum\":"
     "[\"files\",\"pixels\"]},\"channels\":{\"enum\":[1,3]}}},"
     "\"digest\":{\"type\":\"string\",\"pattern\":\"^[0-9a-f]{64}$\"}}}"},
    {"Datasets", "{\"type\":\"object\",\"required\":[\"datasets\"],\"properties\":{\"datasets\":"
                 "{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/Dataset\"}}}}"},
    {"Shards", "{\"type\":\"object\",\"required\":[\"urls\",\"shards\",\"samples\","
               "\"samples_per_shard\",\"digest\"],"
               "\"properties\":{\"urls\":{\"type\":\"string\"},\"shards\":{\"type\":\"integer\"},"
               "\"samples\":{\"type\":\"integer\"},\"samples_per_shard\":{\"type\":\"integer\"},"
               "\"digest\":{\"type\":\"string\"}}}"},
    {"Version", "{\"type\":\"object\",\"required\":[\"stream\",\"version\",\"golden\"],"
                "\"properties\":{\"stream\":{\"const\":1},\"version\":{\"type\":\"string\"},"
                "\"golden\":{\"type\":\"string\",\"pattern\":\"^[0-9a-f]{32}$\"}}}"},
    {"Document", "{\"type\":\"object\",\"required\":[\"openapi\",\"info\",\"paths\"],"
                 "\"properties\":{\"openapi\":{\"const\":\"3.1.0\"},"
                 "\"info\":{\"type\":\"object\"},\"paths\":{\"type\":\"object\"}}}"},
};
#define SCHEMAS (sizeof schemas / sizeof *schemas)

/* The statuses of refusals, and the routes that refuse with them. */
static const struct {
    int status;
    bool computing; /* only routes with formats */
    bool uploading; /* only routes with a body */
    bool guarded;   /* only routes that require a token when tokens are set */
    bool named;     /* only routes with a name in the path */
} statuses[] = {
    {.status = 400},
    {.status = 401, .guarded = true},
    {.status = 404, .named = true},
    {.status = 406, .computing = true},
    {.status = 409, .named = true},
    {.status = 412, .computing = true},
    {.status = 413, .computing = true},
    {.status = 415, .uploading = true},
    {.status = 416, .computing = true},
    {.status = 429, .computing = true},
    {.status = 500},
    {.status = 503},
};
#define STATUSES (sizeof statuses / sizeof *statuses)

static json_t *reference(const char *kind, const char *name) {
    char text[120];
    snprintf(text, sizeof text, "#/components/%s/%s", kind, name);
    return json_pack("{ss}", "$ref", text);
}

/* ---- parameters ---- */

/* Adds the default in its type. n and steps have no default here: a missing n depends on the
 * resource, and without steps the answer has no leading side. */
static json_t *with_default(json_t *schema, const query_parameter *row) {
    if (!row->fallback || row == &query_table[QUERY_N] || row == &query_table[QUERY_STEPS])
        return schema;
    return json_set(schema, "default", query_kind_default(row));
}

static json_t *parameter_of(const query_parameter *row) {
    json_t *p = json_pack("{ss ss ss sb}", "name", row->name, "in", "query", "description",
                          row->meaning, "required", row == &query_table[QUERY_SHAPE]);
    if (query_kinds[row->kind].is_list)
        p = json_set(json_set(p, "style", json_string("form")), "explode", json_false());
    return json_set(p, "schema", with_default(query_kind_schema(row), row));
}

static json_t *all_parameters(void) {
    json_t *all = json_object();
    for (unsigned i = 0; i < QUERY_COUNT; i++)
        all = json_set(all, query_table[i].name, parameter_of(&query_table[i]));
    return all;
}

/* ---- paths ---- */

static json_t *formats_of(format_set set) {
    json_t *list = json_array();
    for (unsigned i = 0; format_table[i]; i++)
        if (format_table[i]->kind & set)
            list = json_append(list, json_string(format_table[i]->name));
    return list;
}

static json_t *captured(const char *name, size_t length, json_t *schema) {
    return json_pack("{ss# ss sb so}", "name", name, length, "in", "path", "required", 1, "schema",
                     schema);
}

/* The parameters of the path, with the format if it is a suffix, and of the query. */
static json_t *parameters_of(const route *r, const char *path) {
    json_t *list = json_array();
    for (const char *at = path; (at = strchr(at, '{')) != NULL; at++) {
        size_t length = strcspn(at + 1, "}");
        bool suffix = strncmp(at, "{format}", 8) == 0, step = strncmp(at, "{step}", 6) == 0;
        json_t *schema =
            suffix ? json_set(json_pack("{ss}", "type", "string"), "enum", formats_of(r->formats))
            : step ? json_pack("{ss si ss}", "type", "integer", "minimum", 0, "format", "uint64")
                   : json_pack("{ss ss si}", "type", "string", "pattern", "^[A-Za-z0-9_=+~-]+$",
                               "maxLength", ROUTE_CAPTURE);
        list = json_append(list, captured(at + 1, length, schema));
    }
    for (unsigned i = 0; i < QUERY_COUNT; i++)
        if (query_table[i].group & r->groups)
            list = json_append(list, reference("parameters", query_table[i].name));
    return list;
}

static json_t *content_of(const route *r) {
    json_t *content = json_object();
    if (!r->formats)
        return json_set(content, r->media,
                        r->schema ? json_pack("{so}", "schema", reference("schemas", r->schema))
                                  : json_object());
    for (unsigned i = 0; format_table[i]; i++)
        if (format_table[i]->kind & r->formats)
            content = json_set(content, format_table[i]->media_type,
                               format_table[i] == &format_json
                                   ? json_pack("{so}", "schema", reference("schemas", "Tensors"))
                                   : json_object());
    return content;
}

static json_t *refused(int status) {
    json_t *headers = json_object();
    if (status == 429 || status == 503)
        headers =
            json_set(headers, "Retry-After", json_pack("{s{ss}}", "schema", "type", "integer"));
    if (status == 401)
        headers =
            json_set(headers, "WWW-Authenticate", json_pack("{s{ss}}", "schema", "type", "string"));
    return json_pack("{ss so s{s{so}}}", "description", problem_title(status), "headers", headers,
                     "content", "application/problem+json", "schema",
                     reference("schemas", "Problem"));
}

static json_t *answers_of(const route *r) {
    bool post = strcmp(r->method, "POST") == 0, named = strchr(r->path, '{') != NULL;
    json_t *all = json_object();
    all =
        json_set(all, "200",
                 json_pack("{ss so so}", "description", r->meaning, "headers",
                           json_pack("{s{s{si}}}", "X-Fmix-Stream", "schema", "const", FMIX_STREAM),
                           "content", content_of(r)));
    if (r->formats && !post) {
        all = json_set(all, "206",
                       json_pack("{ss so}", "description", "the range of bytes that Range names",
                                 "content", content_of(r)));
        all =
            json_set(all, "304", json_pack("{ss}", "description", "If-None-Match names its ETag"));
    }
    for (unsigned i = 0; i < STATUSES; i++) {
        char status[8];
        if ((statuses[i].computing && !r->formats) || (statuses[i].uploading && !post) ||
            (statuses[i].guarded && r->open) || (statuses[i].named && !named))
            continue;
        snprintf(status, sizeof status, "%d", statuses[i].status);
        all = json_set(all, status, reference("responses", status));
    }
    /* Refusals that do not depend on the route: 405, 408, 411, 414, 431 … */
    return json_set(all, "default", reference("responses", "default"));
}

static json_t *all_refusals(void) {
    json_t *all = json_object();
    for (unsigned i = 0; i < STATUSES; i++) {
        char status[8];
        snprintf(status, sizeof status, "%d", statuses[i].status);
        all = json_set(all, status, refused(statuses[i].status));
    }
    return json_set(all, "default", refused(0));
}

/* Every format that the server reads may be uploaded. */
static json_t *body_of(void) {
    json_t *content = json_object();
    for (unsigned i = 0; format_table[i]; i++)
        if (format_table[i]->read)
            content = json_set(content, format_table[i]->media_type, json_object());
    return json_pack("{ss sb so}", "description",
                     "x and, in a format of several arrays, y, dense, x2, y2 and dense2",
                     "required", 1, "content", content);
}

/* get_v1_datasets_name_batches_step */
static json_t *operation_name(const route *r, bool suffixed) {
    char name[120];
    int used = snprintf(name, sizeof name, "%s", strcmp(r->method, "POST") == 0 ? "post" : "get");
    for (const char *at = r->path; *at && used < 100; at++)
        if (*at != '{' && *at != '}')
            name[used++] = *at == '/' || *at == '.' ? '_' : *at;
    snprintf(name + used, sizeof name - (size_t)used, "%s", suffixed ? "_as" : "");
    return json_string(name);
}

static json_t *operation_of(const route *r, const char *path, bool suffixed) {
    json_t *o = json_pack("{ss so so so}", "summary", r->meaning, "operationId",
                          operation_name(r, suffixed), "parameters", parameters_of(r, path),
                          "responses", answers_of(r));
    if (strcmp(r->method, "POST") == 0)
        o = json_set(o, "requestBody", body_of());
    /* An empty alternative: a token is required only when the server has tokens. */
    return json_set(o, "security", r->open ? json_array() : json_pack("[{} {s[]}]", "token"));
}

static json_t *with_path(json_t *paths, const route *r, bool suffixed) {
    char path[200];
    snprintf(path, sizeof path, "%s%s", r->path, suffixed ? ".{format}" : "");
    return json_set(paths, path,
                    json_set(json_object(), strcmp(r->method, "POST") == 0 ? "post" : "get",
                             operation_of(r, path, suffixed)));
}

static json_t *all_paths(void) {
    json_t *paths = json_object();
    const route *r;
    for (unsigned i = 0; (r = route_row(i)) != NULL; i++) {
        paths = with_path(paths, r, false);
        if (r->formats)
            paths = with_path(paths, r, true);
    }
    return paths;
}

static json_t *document(void) {
    json_t *info = json_pack(
        "{ss ss ss s{ss ss}}", "title", "fmixd", "version", FMIXD_VERSION, "description",
        "FMix, CutMix and MixUp: the same request gets the same bytes on every server. The "
        "suffix of the path chooses the format, or else Accept. HEAD works wherever GET works.",
        "license", "name", "MIT", "identifier", "MIT");
    return json_pack("{ss so s[{ss}] so}", "openapi", "3.1.0", "info", info, "servers", "url", "/",
                     "paths", all_paths());
}

static json_t *components(void) {
    json_t *security = json_pack("{s{ss ss}}", "token", "type", "http", "scheme", "bearer");
    return json_pack("{so so so}", "parameters", all_parameters(), "responses", all_refusals(),
                     "securitySchemes", security);
}

/* Writes an object without its last brace, so that more members may follow. Takes the object. */
static bool write_open(json_t *object, buffer *out) {
    bool good = json_print(object, JSON_COMPACT, out);
    json_decref(object);
    if (good)
        out->length--;
    return good;
}

/* Schemas are kept as text, since jansson 2.14 aborts if memory runs out while it parses. */
static void write_schemas(buffer *out) {
    for (unsigned i = 0; i < SCHEMAS; i++) {
        buffer_print(out, "%s\"%s\":", i ? "," : "", schemas[i].name);
        buffer_text(out, schemas[i].schema);
    }
}

bool openapi_write(buffer *out) {
    bool good = write_open(document(), out) && buffer_text(out, ",\"components\":") &&
                write_open(components(), out) && buffer_text(out, ",\"schemas\":{");
    if (good)
        write_schemas(out);
    return good && buffer_text(out, "}}}\n");
}

void openapi_get(resource_request *request, resource_result *out) {
    out->status = 200;
    out->shared = (view){.bytes = request->server->document.bytes,
                         .length = request->server->document.length};
}
