#include "buffer_pool.h"
#include "large_memory.h"

#include <stdlib.h>

void buffer_pool_init(buffer_pool *s, size_t cap) {
    *s = (buffer_pool){.cap = cap};
    pthread_mutex_init(&s->lock, NULL);
}

void buffer_pool_destroy(buffer_pool *s) {
    for (unsigned i = 0; i < s->count; i++)
        free(s->kept[i].bytes);
    pthread_mutex_destroy(&s->lock);
}

/* With the lock held. Prefers the buffer that was given last: it is most likely in a cache. */
static pooled_buffer find(buffer_pool *s, size_t bytes, size_t most) {
    for (unsigned i = s->count; i-- > 0;) {
        pooled_buffer one = s->kept[i];
        if (one.room < bytes || one.room > most)
            continue;
        for (s->count--; i < s->count; i++)
            s->kept[i] = s->kept[i + 1];
        s->held -= one.room;
        return one;
    }
    return (pooled_buffer){0};
}

pooled_buffer buffer_pool_take(buffer_pool *s, size_t bytes) {
    pooled_buffer one = {0};
    if (s && bytes >= BUFFER_POOL_LEAST) {
        pthread_mutex_lock(&s->lock);
        one = find(s, bytes, 2 * bytes);
        one.excess = one.bytes ? one.room - bytes : 0;
        s->held += one.excess;
        pthread_mutex_unlock(&s->lock);
    }
    if (!one.bytes) {
        one.bytes = malloc(bytes);
        large_memory_ask_huge(one.bytes, bytes);
        one.room = one.bytes ? bytes : 0;
    }
    return one;
}

pooled_buffer buffer_pool_find(buffer_pool *s, size_t bytes) {
    pooled_buffer one = {0};
    if (s && bytes >= BUFFER_POOL_LEAST) {
        pthread_mutex_lock(&s->lock);
        one = find(s, bytes, bytes + bytes / 4);
        pthread_mutex_unlock(&s->lock);
    }
    return one;
}

/* With the lock held. Moves the buffers that were given longest ago to `out` until `room` bytes
 * fit, and returns how many. */
static unsigned make_room(buffer_pool *s, size_t room, pooled_buffer *out) {
    unsigned n = 0;
    while (n < s->count && (s->count - n == BUFFER_POOL_MOST || room > s->cap - s->held)) {
        s->held -= s->kept[n].room;
        out[n] = s->kept[n];
        n++;
    }
    for (unsigned i = n; i < s->count; i++)
        s->kept[i - n] = s->kept[i];
    s->count -= n;
    return n;
}

void buffer_pool_give(buffer_pool *s, pooled_buffer one) {
    pooled_buffer freed[BUFFER_POOL_MOST];
    unsigned n = 0;
    if (s && one.room >= BUFFER_POOL_LEAST) {
        pthread_mutex_lock(&s->lock);
        s->held -= one.excess;
        if (one.room <= s->cap / 4 * 3) /* larger buffers would drive out all others */
            n = make_room(s, one.room, freed);
        if (one.room <= s->cap / 4 * 3 && s->count < BUFFER_POOL_MOST &&
            one.room <= s->cap - s->held) {
            one.excess = 0;
            s->kept[s->count++] = one;
            s->held += one.room;
            one.bytes = NULL;
        }
        pthread_mutex_unlock(&s->lock);
    }
    large_memory_free(one.bytes, one.room);
    for (unsigned i = 0; i < n; i++)
        large_memory_free(freed[i].bytes, freed[i].room);
}
