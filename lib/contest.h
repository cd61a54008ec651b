/*
 * contest.h - ordering pixels whose values the transform cannot tell apart (STREAM §3)
 *
 * Two pixels are compared by the sum of their difference, bin by bin:
 *
 *   G[n] - G[m] = Re sum_j c_j f_j^-delta Z_j (e^(2 pi i p_n) - e^(2 pi i p_m)),  p = sum_d b_d n_d
 * / N_d
 *
 * A bin whose two phases differ by a whole number cancels, and is left out in integers. That is
 * what makes close calls cheap: with delta = 10 on 16x1024 a column's 16 pixels differ by 2^-60 of
 * G, but only in bins that are themselves that small, so the difference has all its digits.
 */
#ifndef FMIX_CONTEST_H
#define FMIX_CONTEST_H

#include "context.h"
#include "shape.h"
#include "words.h"

typedef struct fmix_contest {
    fmix_context *context;
    fmix_sides sides, periods;
    double delta;
    double total; /* sum of c_j f_j^-delta: what differs by less than 2^-256 of it is equal */
    const fmix_key *key;
    uint64_t t;
    const struct fmix_scratch *scratch; /* whose owner may cancel; NULL: nobody */
} fmix_contest;

/* Calls each with every bin of the half spectrum and its two words, in flat order; false:
 * cancelled. */
typedef void fmix_bin(void *user, const uint32_t bin[3], const uint32_t words[2]);
bool fmix_contest_each_bin(const fmix_contest *contest, fmix_bin *each, void *user);

/* Reorders pixels (flat indices, all different) so that the first `need` of the n are the largest.
 */
fmix_status fmix_contest_settle(const fmix_contest *contest, uint32_t *pixels, size_t n,
                                size_t need);

/* What the two ways to sum share: the phase of a bin at a pixel, in units of 1/denominator. */
typedef struct fmix_phase {
    uint64_t step[3]; /* of one bin along each side */
} fmix_phase;

/* The least common multiple of the sides, at most their product. */
uint64_t fmix_phase_denominator(const fmix_sides *sides);
fmix_phase fmix_phase_of(const fmix_sides *sides, uint64_t denominator, uint32_t pixel);

static inline uint64_t fmix_phase_at(const fmix_phase *p, uint64_t denominator, uint32_t b0,
                                     uint32_t b1, uint32_t b2) {
    /* each product is under 2^48 */
    return (b0 * p->step[0] + b1 * p->step[1] + b2 * p->step[2]) % denominator;
}

/* e^(2 pi i p / denominator) = table[p mod FINE] * table[FINE + p / FINE] */
#define FMIX_PHASE_FINE UINT64_C(4096)

#endif
