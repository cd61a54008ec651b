/*
 * slabs.h - memory of slices, kept from one answer for the next
 *
 * What malloc gives back to the kernel after each answer would be faulted in again for the next:
 * an eighth of the cost of an image batch. Any thread may call.
 */
#ifndef SLABS_H
#define SLABS_H

#include <pthread.h>
#include <stddef.h>

#define SLABS_MOST  32
#define SLABS_LEAST (64u << 10) /* bytes of one that is worth keeping */

typedef struct slab {
    unsigned char *bytes;
    size_t room;
} slab;

typedef struct slabs {
    pthread_mutex_t lock;
    slab kept[SLABS_MOST];
    unsigned count;
    size_t held, cap; /* bytes of those kept */
} slabs;

void slabs_init(slabs *s, size_t cap);
void slabs_destroy(slabs *s);

/* Room for so many bytes, and at most for twice as many; no bytes: no memory. s may be NULL: then
 * nothing is kept. */
slab slabs_take(slabs *s, size_t bytes);
/* One that was taken, or an empty one. */
void slabs_give(slabs *s, slab one);

#endif
