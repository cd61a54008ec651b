#include "slabs.h"

#include <stdlib.h>

void slabs_init(slabs *s, size_t cap) {
    *s = (slabs){.cap = cap};
    pthread_mutex_init(&s->lock, NULL);
}

void slabs_destroy(slabs *s) {
    for (unsigned i = 0; i < s->count; i++)
        free(s->kept[i].bytes);
    pthread_mutex_destroy(&s->lock);
}

/* With the lock held. The one given last first: it is the likeliest in a cache. */
static slab find(slabs *s, size_t bytes) {
    for (unsigned i = s->count; i-- > 0;) {
        slab one = s->kept[i];
        if (one.room < bytes || one.room / 2 > bytes)
            continue;
        for (s->count--; i < s->count; i++)
            s->kept[i] = s->kept[i + 1];
        s->held -= one.room;
        return one;
    }
    return (slab){0};
}

slab slabs_take(slabs *s, size_t bytes) {
    slab one = {0};
    if (s && bytes >= SLABS_LEAST) {
        pthread_mutex_lock(&s->lock);
        one = find(s, bytes);
        pthread_mutex_unlock(&s->lock);
    }
    if (!one.bytes) {
        one.bytes = malloc(bytes);
        one.room = one.bytes ? bytes : 0;
    }
    return one;
}

void slabs_give(slabs *s, slab one) {
    if (s && one.room >= SLABS_LEAST) {
        pthread_mutex_lock(&s->lock);
        if (s->count < SLABS_MOST && one.room <= s->cap - s->held) {
            s->kept[s->count++] = one;
            s->held += one.room;
            one.bytes = NULL;
        }
        pthread_mutex_unlock(&s->lock);
    }
    free(one.bytes);
}
