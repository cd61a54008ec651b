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

bool io_scratch_key_new(pthread_key_t *out) {
    return pthread_key_create(out, end) == 0;
}

void io_scratch_key_free(pthread_key_t key) {
    end(pthread_getspecific(key));
    pthread_key_delete(key);
}

io_scratch *io_scratch_get(pthread_key_t key) {
    io_scratch *s = pthread_getspecific(key);
    if (s)
        return s;
    s = calloc(1, sizeof *s);
    if (s && pthread_setspecific(key, s) != 0) {
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
