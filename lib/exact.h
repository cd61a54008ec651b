/*
 * exact.h - decisions that float64 and double-double leave open; only exact.c and exact_view.c use
 * MPFR
 *
 * GMP aborts the process when it cannot allocate. The allocations here are a few numbers of under
 * 150 bytes for each pixel, and a table of two numbers for each of at most 8,193 phases: that is
 * little where pixels are contested by chance, and fmix_plan_memory counts it where whole lines
 * are.
 */
#ifndef FMIX_EXACT_H
#define FMIX_EXACT_H

#include "field.h"

/* MPFR's version. */
const char *fmix_exact_library(void);

/* L of STREAM §2 for words w0, w1. The precision rises until the rounding is certain. */
uint64_t fmix_exact_lambda(uint32_t w0, uint32_t w1, double alpha);

/* Compares G at each pixel with G at its pivot: 1 larger, -1 smaller, 0 equal in the sense of
 * STREAM §3. */
fmix_status fmix_exact_orders(const fmix_field *field, const fmix_pair *pairs, size_t n,
                              int *orders);

/* The grey level of each pixel, given the pixels where G is smallest and largest. */
fmix_status fmix_exact_levels(const fmix_field *field, uint32_t lowest, uint32_t highest,
                              const uint32_t *pixels, size_t n, unsigned char *levels);

/* A side of a random view's window, in real arithmetic (STREAM §9): sqrt(pixels * a * r) or, where
 * `upright`, sqrt(pixels * a / r), with a = area[0] + (area[1] - area[0]) * words[0]/2^32 and
 * r = ratio[0] * (ratio[1]/ratio[0])^(words[1]/2^32). */
typedef struct fmix_extent {
    uint64_t pixels; /* at most 2^40 */
    const double *area, *ratio;
    const uint32_t *words;
    bool upright;
} fmix_extent;

/* The extent to the nearest integer, ties to even: that is below or below + 1. */
uint64_t fmix_exact_extent(const fmix_extent *extent, uint64_t below);

/* Frees what MPFR caches for the calling thread. */
void fmix_exact_thread_end(void);

#endif
