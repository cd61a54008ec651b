/* GET /v1/datasets and /v1/datasets/NAME: descriptions of data sets. */
#include "requested_dataset.h"

static void release_all(void *of) {
    description_release(of);
}

void datasets_get(resource_request *request, resource_result *out) {
    description *all = catalog_describe(request->server->catalog);
    out->status = 200;
    out->shared = (view){all->text.bytes, all->text.length, release_all, all};
}

static void release(void *of) {
    dataset_release(of);
}

void dataset_get(resource_request *request, resource_result *out) {
    dataset *d = requested_dataset_find(request, &out->problem);
    if (!d)
        return;
    out->status = 200;
    out->shared = (view){d->description.bytes, d->description.length, release, d};
}
