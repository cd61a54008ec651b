#include "routes.h"

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
     FORMAT_ARRAYS, .meaning = "the pairing, the masks and lambda of one or more batches"},
    {"/v1/mix", "POST", mix_post, mix_weight,
     GROUP_SEED | GROUP_INDEX | GROUP_BATCH | GROUP_LAMBDA | GROUP_MASK | GROUP_METHOD |
         GROUP_POLICY | GROUP_PAIRING | GROUP_PARTS | GROUP_UPLOAD | GROUP_MIXED | GROUP_VIEW |
         GROUP_FLIP | GROUP_SHEET,
     FORMAT_ARRAYS | FORMAT_IMAGES, .meaning = "the uploaded batch, mixed"},
    {"/v1/datasets", "GET", datasets_get, NULL, .media = JSON, .schema = "Datasets",
     .meaning = "the data sets that are served"},
    {"/v1/datasets/{name}", "GET", dataset_get, NULL, .media = JSON, .schema = "Dataset",
     .meaning = "a data set: its rows, labels and digest"},
    {"/v1/datasets/{name}/batches/{step}", "GET", batch_get, batch_weight,
     GROUP_SEED | GROUP_SAMPLE | GROUP_LAMBDA | GROUP_MASK | GROUP_METHOD | GROUP_POLICY |
         GROUP_PAIRING | GROUP_PARTS | GROUP_MIXED | GROUP_EPOCH | GROUP_VIEW | GROUP_FLIP |
         GROUP_SHEET,
     FORMAT_ARRAYS | FORMAT_IMAGES, .meaning = "a batch of a data set's epoch, mixed"},
    {"/v1/datasets/{name}/shards", "GET", shards_get, shards_weight, SHARD_GROUPS, .media = JSON,
     .schema = "Shards", .meaning = "the URLs of an epoch as WebDataset shards"},
    {"/v1/shards/{shard}", "GET", shard_get, shard_weight, 0, FORMAT_RECORDS,
     .meaning = "a WebDataset shard: a batch of an epoch, mixed"},
    {"/livez", "GET", health_live, NULL, .media = TEXT, .open = true,
     .meaning = "whether the process answers"},
    {"/readyz", "GET", health_ready, NULL, .media = TEXT, .open = true,
     .meaning = "whether the process accepts requests"},
    {"/startupz", "GET", health_live, NULL, .media = TEXT, .open = true,
     .meaning = "whether the process has started"},
    {"/metrics", "GET", metrics_get, NULL, .media = "text/plain; version=0.0.4; charset=utf-8",
     .meaning = "counters for Prometheus"},
    {"/version", "GET", version_get, NULL, .media = JSON, .schema = "Version",
     .meaning = "stream, version, build, libraries, CPU, golden digest"},
    {"/openapi.json", "GET", openapi_get, NULL, .media = JSON, .schema = "Document",
     .meaning = "this document"},
    {"/", "GET", web_page, NULL, .media = "text/html; charset=utf-8", .open = true,
     .meaning = "the preview page, which shows masks and mixtures"},
    {"/preview.css", "GET", web_style, NULL, .media = "text/css; charset=utf-8", .open = true,
     .meaning = "the style of the preview page"},
    {"/preview.js", "GET", web_script, NULL, .media = "text/javascript; charset=utf-8",
     .open = true, .meaning = "the script of the preview page"},
};
#define ROWS (sizeof table / sizeof *table)
_Static_assert(ROWS <= ROUTE_NONE, "each route has its counters");

const route *route_row(unsigned number) {
    return number < ROWS ? &table[number] : NULL;
}

const char *route_name(unsigned number) {
    return number < ROWS ? table[number].path : "none";
}

const char *route_methods(const route *r) {
    return !r                              ? "GET, HEAD, POST, OPTIONS"
           : strcmp(r->method, "GET") == 0 ? "GET, HEAD, OPTIONS"
                                           : "POST, OPTIONS";
}
