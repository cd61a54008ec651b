/*
 * slabs.h - memory of slices and of bodies, kept from one request for the next
 *
 * What malloc gives back to the kernel after each answer would be faulted in again for the next:
 * an eighth of the cost of an image batch, most of an upload's. The last ones given are kept. Any
 * thread may call.
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
    size_t over; /* of that, what was not asked for, and counts as kept */
} slab;

typedef struct slabs {
    pthread_mutex_t lock;
    slab kept[SLABS_MOST];
    unsigned count;
    size_t held, cap; /* bytes of those kept, and what is over of those taken */
} slabs;

void slabs_init(slabs *s, size_t cap);
void slabs_destroy(slabs *s);

/* Room for so many bytes, and at most for twice as many; no bytes: no memory. s may be NULL: then
 * nothing is kept. */
slab slabs_take(slabs *s, size_t bytes);
/* One that is kept and has room for so many bytes, and at most for a quarter more: whoever takes it
 * counts all of it. No bytes: there is none. */
slab slabs_find(slabs *s, size_t bytes);
/* One that was taken or found, or mallocated, or an empty one. */
void slabs_give(slabs *s, slab one);

#endif
