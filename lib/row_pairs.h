/*
 * row_pairs.h - two rows of a half spectrum as one row of a full one
 *
 * Let a and b be two rows that belong to real values, of n bins each, of which n/2+1 are stored.
 * The row a + ib then belongs to the values of a + i times those of b: one complex transform gives
 * both. The imaginary parts of bins that are their own mirrors do not count, as in FFTW.
 */
#ifndef FMIX_ROW_PAIRS_H
#define FMIX_ROW_PAIRS_H

#include <stddef.h>

/* a, b: n/2+1 interleaved complex bins. z: n of a + ib. */
void fmix_rows_join(const double *a, const double *b, size_t n, double *z);

/* z: n complex values. a, b: their real and their imaginary parts. */
void fmix_rows_split(const double *z, size_t n, double *a, double *b);

#endif
