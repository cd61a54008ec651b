#include "buffer_pool.h"
#include "large_memory.h"

#include <stdlib.h>

void buffer_pool_init(buffer_pool *p, size_t cap) {
    *p = (buffer_pool){.cap = cap};
    pthread_mutex_init(&p->lock, NULL);
}

void buffer_pool_destroy(buffer_pool *p) {
    for (unsigned i = 0; i < p->count; i++)
        free(p->kept[i].bytes);
    pthread_mutex_destroy(&p->lock);
}

/* With the lock held. Prefers the buffer that was given last: it is most likely in a cache. */
static pooled_buffer find(buffer_pool *p, size_t bytes, size_t most) {
    for (unsigned i = p->count; i-- > 0;) {
        pooled_buffer one = p->kept[i];
        if (one.room < bytes || one.room > most)
            continue;
        for (p->count--; i < p->count; i++)
            p->kept[i] = p->kept[i + 1];
        p->held -= one.room;
        return one;
    }
    return (pooled_buffer){0};
}

pooled_buffer buffer_pool_take(buffer_pool *p, size_t bytes) {
    pooled_buffer one = {0};
    if (p && bytes >= BUFFER_POOL_LEAST) {
        pthread_mutex_lock(&p->lock);
        one = find(p, bytes, 2 * bytes);
        one.excess = one.bytes ? one.room - bytes : 0;
        p->held += one.excess;
        pthread_mutex_unlock(&p->lock);
    }
    if (!one.bytes) {
        one.bytes = malloc(bytes);
        large_memory_ask_huge(one.bytes, bytes);
        one.room = one.bytes ? bytes : 0;
    }
    return one;
}

pooled_buffer buffer_pool_find(buffer_pool *p, size_t bytes) {
    pooled_buffer one = {0};
    if (p && bytes >= BUFFER_POOL_LEAST) {
        pthread_mutex_lock(&p->lock);
        one = find(p, bytes, bytes + bytes / 4);
        pthread_mutex_unlock(&p->lock);
    }
    return one;
}

/* With the lock held. Moves the buffers that were given longest ago to `out` until `room` bytes
 * fit, and returns how many. */
static unsigned make_room(buffer_pool *p, size_t room, pooled_buffer *out) {
    unsigned n = 0;
    while (n < p->count && (p->count - n == BUFFER_POOL_MOST || room > p->cap - p->held)) {
        p->held -= p->kept[n].room;
        out[n] = p->kept[n];
        n++;
    }
    for (unsigned i = n; i < p->count; i++)
        p->kept[i - n] = p->kept[i];
    p->count -= n;
    return n;
}

void buffer_pool_give(buffer_pool *p, pooled_buffer one) {
    pooled_buffer freed[BUFFER_POOL_MOST];
    unsigned n = 0;
    if (p && one.room >= BUFFER_POOL_LEAST) {
        pthread_mutex_lock(&p->lock);
        p->held -= one.excess;
        if (one.room <= p->cap / 4 * 3) /* larger buffers would drive out all others */
            n = make_room(p, one.room, freed);
        if (one.room <= p->cap / 4 * 3 && p->count < BUFFER_POOL_MOST &&
            one.room <= p->cap - p->held) {
            one.excess = 0;
            p->kept[p->count++] = one;
            p->held += one.room;
            one.bytes = NULL;
        }
        pthread_mutex_unlock(&p->lock);
    }
    large_memory_free(one.bytes, one.room);
    for (unsigned i = 0; i < n; i++)
        large_memory_free(freed[i].bytes, freed[i].room);
}
