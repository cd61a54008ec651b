#include "io_scratch.h"

#include <stdlib.h>

struct io_scratch {
    fmix_scratch *memory;
    const void *key; /* of the last job */
    unsigned repeats;
};

static void end(void *of) {
    io_scratch *s = of;
    if (s)
        fmix_scratch_free(s->memory);
    free(s);
}

bool io_scratch_keys(pthread_key_t *out) {
    return pthread_key_create(out, end) == 0;
}

void io_scratch_end(pthread_key_t keys) {
    end(pthread_getspecific(keys));
    pthread_key_delete(keys);
}

io_scratch *io_scratch_get(pthread_key_t keys) {
    io_scratch *s = pthread_getspecific(keys);
    if (s)
        return s;
    s = calloc(1, sizeof *s);
    if (s && pthread_setspecific(keys, s) != 0) {
        free(s);
        s = NULL;
    }
    return s;
}

unsigned io_scratch_repeats(io_scratch *s, const void *key) {
    s->repeats = s->key == key ? s->repeats + 1 : 0;
    s->key = key;
    return s->repeats;
}

fmix_scratch *io_scratch_memory(io_scratch *s) {
    if (!s->memory && fmix_scratch_new(&s->memory) != FMIX_OK)
        s->memory = NULL;
    return s->memory;
}
