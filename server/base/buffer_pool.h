/*
 * slabs.h - memory of slices and of bodies, kept from one request for the next
 *
 * What malloc gives back to the kernel after each answer would be faulted in again for the next:
 * an eighth of the cost of an image batch, most of an upload's. The last ones given are kept. Any
 * thread may call.
 */
#ifndef BUFFER_POOL_H
#define BUFFER_POOL_H

#include <pthread.h>
#include <stddef.h>

#define BUFFER_POOL_MOST  32
#define BUFFER_POOL_LEAST (64u << 10) /* bytes of one that is worth keeping */

typedef struct pooled_buffer {
    unsigned char *bytes;
    size_t room;
    size_t over; /* of that, what was not asked for, and counts as kept */
} pooled_buffer;

typedef struct buffer_pool {
    pthread_mutex_t lock;
    pooled_buffer kept[BUFFER_POOL_MOST];
    unsigned count;
    size_t held, cap; /* bytes of those kept, and what is over of those taken */
} buffer_pool;

void buffer_pool_init(buffer_pool *s, size_t cap);
void buffer_pool_destroy(buffer_pool *s);

/* Room for so many bytes, and at most for twice as many; no bytes: no memory. s may be NULL: then
 * nothing is kept. */
pooled_buffer buffer_pool_take(buffer_pool *s, size_t bytes);
/* One that is kept and has room for so many bytes, and at most for a quarter more: whoever takes it
 * counts all of it. No bytes: there is none. */
pooled_buffer buffer_pool_find(buffer_pool *s, size_t bytes);
/* One that was taken or found, or mallocated, or an empty one. */
void buffer_pool_give(buffer_pool *s, pooled_buffer one);

#endif
