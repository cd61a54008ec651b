#include "resource.h"

void resource_result_free(resource_result *o) {
    tensor_source_free(o->source);
    buffer_free(&o->text);
    if (o->shared.release)
        o->shared.release(o->shared.of);
    o->source = NULL;
    o->shared = (view){.bytes = NULL};
}
