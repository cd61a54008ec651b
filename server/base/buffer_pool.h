/*
 * buffer_pool.h - memory of slices and bodies, kept from one request for the next
 *
 * malloc returns large memory to the kernel after each answer, and the next answer would fault it
 * in again: an eighth of the time of an image batch, most of the time of an upload. The pool keeps
 * the buffers that were given last. Any thread may call.
 */
#ifndef BUFFER_POOL_H
#define BUFFER_POOL_H

#include <pthread.h>
#include <stddef.h>

#define BUFFER_POOL_MOST  32          /* buffers kept */
#define BUFFER_POOL_LEAST (64u << 10) /* bytes of the smallest buffer kept */

typedef struct pooled_buffer {
    unsigned char *bytes;
    size_t room;
    size_t excess; /* room beyond what was asked for, which the pool counts as held */
} pooled_buffer;

typedef struct buffer_pool {
    pthread_mutex_t lock;
    pooled_buffer kept[BUFFER_POOL_MOST];
    unsigned count;
    size_t held, cap; /* bytes of the buffers kept, and the excess of those in use */
} buffer_pool;

void buffer_pool_init(buffer_pool *p, size_t cap);
void buffer_pool_destroy(buffer_pool *p);

/* A buffer with room for `bytes`, and at most for twice as many. Its bytes are NULL where there is
 * not enough memory. A NULL pool keeps nothing. */
pooled_buffer buffer_pool_take(buffer_pool *p, size_t bytes);
/* A kept buffer with room for `bytes`, and at most for a quarter more; the caller accounts for all
 * of its room. Its bytes are NULL where the pool keeps no such buffer. */
pooled_buffer buffer_pool_find(buffer_pool *p, size_t bytes);
/* Gives a buffer back that was taken or found, or that malloc gave, or an empty one. */
void buffer_pool_give(buffer_pool *p, pooled_buffer one);

#endif
