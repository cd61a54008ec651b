/*
 * blend.h - the arithmetic of mixing (STREAM §8), one sample at a time
 */
#ifndef FMIX_BLEND_H
#define FMIX_BLEND_H

#include "kernels.h"

/* Where mask (a byte a position, 0 or 1) is 1 the bytes of a, else those of b; `size` bytes a
 * position. Moves bytes: NaN and infinities pass untouched. */
void fmix_blend_select(const fmix_kernels *kernels, const unsigned char *mask, uint64_t positions,
                       size_t size, const unsigned char *a, const unsigned char *b,
                       unsigned char *out);

/* Of n elements in memory, aligned or not: m*a + (1-m)*b in float64, each product and the sum
 * rounded, then once to the type; u8 to the nearest, half to even (between a and b, so never
 * outside its range). Every NaN that comes of it is 0x7fc00000: which payload and sign survive an
 * operation differs between CPUs, and between the vector body of a loop and its tail. */
void fmix_blend_f32(double m, uint64_t n, const void *a, const void *b, void *out);
void fmix_blend_u8(const fmix_kernels *kernels, double m, uint64_t n, const unsigned char *a,
                   const unsigned char *b, unsigned char *out);

/* The same for elements of any types but BITS, rounded once to out_type. */
void fmix_blend_any(double m, uint64_t n, fmix_dtype type, const void *a, const void *b,
                    fmix_dtype out_type, void *out);

/* (a + b) / 2 of the same. */
void fmix_blend_average(uint64_t n, fmix_dtype type, const void *a, const void *b,
                        fmix_dtype out_type, void *out);

/* BC+: each sample less its mean, g its standard deviation (ddof 0), q = g_b r / (g_b r + g_a (1 -
 * r)), or 1/2 for 0/0; (q a + (1 - q) b) / sqrt(q^2 + (1 - q)^2). Every operation in float64 and
 * rounded, sums over eight lanes, then once to out_type. */
void fmix_blend_standardised(double r, uint64_t n, fmix_dtype type, const void *a, const void *b,
                             fmix_dtype out_type, void *out);

/* A sample by a soft mask, one weight a position, which every channel shares: m*a + (1-m)*b as
 * above, and where m is 0 or 1 the bytes of one of them, converted if the types differ. */
void fmix_blend_soft(const double *weights, uint64_t positions, const fmix_batch *batch,
                     const void *a, const void *b, void *out);

#endif
