/*
 * io_scratch.h - what an I/O thread keeps to compute small jobs itself
 *
 * Each thread has its own, which ends with the thread.
 */
#ifndef IO_SCRATCH_H
#define IO_SCRATCH_H

#include "lib/fmix.h"

#include <pthread.h>
#include <stdbool.h>

typedef struct io_scratch io_scratch;

/* Creates the key under which each thread keeps its io_scratch. False: the process has no key left.
 */
bool io_scratch_key_new(pthread_key_t *out);
/* Frees the calling thread's io_scratch, and the key. Other threads have ended. */
void io_scratch_key_free(pthread_key_t key);

/* The calling thread's own. NULL: there is not enough memory. */
io_scratch *io_scratch_get(pthread_key_t key);

/* Counts a job. Returns the number of jobs in a row that had the same key as the job before. */
unsigned io_scratch_repeats(io_scratch *s, const void *key);

/* NULL: there is not enough memory. */
fmix_scratch *io_scratch_memory(io_scratch *s);

#endif
