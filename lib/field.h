/*
 * field.h - G of one sample as the contract defines it: a sum over bins (STREAM §3)
 *
 * Two pixels are compared by the sum of their difference, bin by bin:
 *
 *   G[n] - G[m] = Re sum_j X_j (e^(2 pi i p_n) - e^(2 pi i p_m)),  p = sum_d b_d n_d / N_d
 *
 * A bin whose two phases differ by a whole number cancels, and integers find such bins. This makes
 * close calls cheap: with delta = 10 on 16x1024 the 16 pixels of a column differ by 2^-60 of G, but
 * only in bins that are that small themselves, so the difference keeps all its digits.
 */
#ifndef FMIX_FIELD_H
#define FMIX_FIELD_H

#include "bins.h"
#include "words.h"

/* Asks a caller whether to end the work early; a NULL function never does. */
typedef struct fmix_cancellation {
    bool (*cancelled)(void *user);
    void *user;
} fmix_cancellation;

typedef struct fmix_field {
    const fmix_spectrum_params *params;
    double total; /* sum of the weights of the bins: values that differ by less than 2^-256 of it
                     are equal */
    const fmix_key *key;
    uint64_t t;
    fmix_cancellation cancellation;
} fmix_field;

#define FMIX_TIE_BITS 256

/* Calls visit for every bin with its two words, in order. A visit takes so many steps of some 50
 * ns, by which the times are chosen to ask whether to cancel. False: cancelled. */
typedef void fmix_bin_visit(void *user, const fmix_bin *bin, const uint32_t words[2]);
bool fmix_field_each(const fmix_field *field, uint64_t steps, fmix_bin_visit *visit, void *user);
bool fmix_field_is_cancelled(const fmix_field *field);

/* Two pixels to compare: G[pixel] with G[pivot]. */
typedef struct fmix_pair {
    uint32_t pixel, pivot;
} fmix_pair;

#endif
