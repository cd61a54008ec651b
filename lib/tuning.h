/*
 * tuning.h - which shapes are worth a measured plan, and measuring them
 */
#ifndef FMIX_TUNING_H
#define FMIX_TUNING_H

#include "transform.h"

#include <pthread.h>

/* How many shapes can wait. A shape that finds the queue full comes again when it is next used. */
#define FMIX_TUNING_MOST 16

/* The shapes that wait to be measured, the first one first. All but `lock` zero at the start. */
typedef struct fmix_tuning {
    pthread_mutex_t lock;
    fmix_shape wanted[FMIX_TUNING_MOST];
    unsigned count;
} fmix_tuning;

/* Tells that the transform ran so many times. Queues its shape once that is worth it. */
void fmix_tuning_used(fmix_tuning *tuning, const fmix_transform *transform, uint64_t times);

/* How often measuring a shape may run out of time, as where other threads have the processors. The
 * last plan then counts as measured. */
#define FMIX_TUNING_ATTEMPTS 5

/* Takes the next shape from the queue and measures it, if its transform is still cached. A shape
 * for which time ran out goes to the end of the queue. *tuned: a shape was measured; *more: others
 * waited before. */
fmix_status fmix_tuning_next(fmix_tuning *tuning, fmix_cache *cache, double seconds, bool *tuned,
                             bool *more);

#endif
