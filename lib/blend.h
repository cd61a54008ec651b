/*
 * blend.h - the arithmetic of mixing (STREAM §8), one sample at a time
 */
#ifndef FMIX_BLEND_H
#define FMIX_BLEND_H

#include "kernels.h"

/* Where mask (one byte a position, 0 or 1) is 1 the bytes of a, elsewhere those of b; `size` bytes
 * a position. The function moves bytes, so NaN and infinities pass unchanged. */
void fmix_blend_select(const fmix_kernels *kernels, const unsigned char *mask, uint64_t positions,
                       size_t size, const unsigned char *a, const unsigned char *b,
                       unsigned char *out);

/* For n elements, aligned or not: m*a + (1-m)*b in float64. Each product and the sum is rounded,
 * and the result is rounded once to the type, half to even. u8 results lie between a and b, so
 * never outside the range. Every NaN result is 0x7fc00000, because which payload and sign survive
 * an operation differs between CPUs, and between the vector body of a loop and its tail. */
void fmix_blend_f32(double m, uint64_t n, const void *a, const void *b, void *out);
void fmix_blend_u8(const fmix_kernels *kernels, double m, uint64_t n, const unsigned char *a,
                   const unsigned char *b, unsigned char *out);

/* The same for elements of any type but BITS, rounded once to out_type. */
void fmix_blend_any(double m, uint64_t n, fmix_dtype type, const void *a, const void *b,
                    fmix_dtype out_type, void *out);

/* (a + b) / 2, for the same elements. */
void fmix_blend_average(uint64_t n, fmix_dtype type, const void *a, const void *b,
                        fmix_dtype out_type, void *out);

/* BC+ subtracts from each sample its mean. g is a standard deviation (ddof 0), q = g_b r / (g_b r +
 * g_a (1 - r)), or 1/2 for 0/0. The result is (q a + (1 - q) b) / sqrt(q^2 + (1 - q)^2). Every
 * operation is in float64 and rounded, sums run over eight lanes, and the result is rounded once to
 * out_type. */
void fmix_blend_standardised(double r, uint64_t n, fmix_dtype type, const void *a, const void *b,
                             fmix_dtype out_type, void *out);

/* Blends a sample by a soft mask, which has one weight a position, shared by every channel: m*a +
 * (1-m)*b as above. Where m is 0 or 1 the bytes of b or a are copied, and converted if the types
 * differ. */
void fmix_blend_soft(const double *weights, uint64_t positions, const fmix_batch *batch,
                     const void *a, const void *b, void *out);

#endif
