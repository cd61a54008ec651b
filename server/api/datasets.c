/* What data sets there are. */
#include "hosted.h"

static void release_all(void *of) {
    description_release(of);
}

void datasets_get(call *c, outcome *out) {
    description *all = shelf_describe(c->service->shelf);
    out->status = 200;
    out->shared = (view){all->text.bytes, all->text.length, release_all, all};
}

static void release(void *of) {
    dataset_release(of);
}

void dataset_get(call *c, outcome *out) {
    dataset *d = hosted_find(c, &out->problem);
    if (!d)
        return;
    out->status = 200;
    out->shared = (view){d->description.bytes, d->description.length, release, d};
}
