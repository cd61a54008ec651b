/*
 * phase.h - the phase of a bin at a pixel, sum_d b_d n_d / N_d, in integers
 */
#ifndef FMIX_PHASE_H
#define FMIX_PHASE_H

#include "shape.h"

/* A pixel's phases, in units of 1/denominator. */
typedef struct fmix_phase {
    uint64_t step[3]; /* phase of one bin along each side */
} fmix_phase;

/* The least common multiple of the sides, at most their product. */
uint64_t fmix_phase_denominator(const fmix_sides *sides);
fmix_phase fmix_phase_of(const fmix_sides *sides, uint64_t denominator, uint32_t pixel);

static inline uint64_t fmix_phase_at(const fmix_phase *p, uint64_t denominator,
                                     const uint32_t bin[3]) {
    /* each product is under 2^48 */
    return (bin[0] * p->step[0] + bin[1] * p->step[1] + bin[2] * p->step[2]) % denominator;
}

/* e^(2 pi i p / denominator) = table[p mod FINE] * table[FINE + p / FINE] */
#define FMIX_PHASE_FINE UINT64_C(4096)

#endif
