#include "call.h"

void outcome_free(outcome *o) {
    source_free(o->source);
    buffer_free(&o->text);
    if (o->shared.release)
        o->shared.release(o->shared.of);
    o->source = NULL;
    o->shared = (view){.bytes = NULL};
}
