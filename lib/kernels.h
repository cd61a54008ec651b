/*
 * kernels.h - the loops that a mask's time goes into, built once for each instruction set
 *
 * kernels_template.h holds them in C; what of it has no words in C (widening products of lanes,
 * packing the outcome of comparisons) it names, and each build says. Fused multiplication and order
 * of sums differ between builds, so their doubles do; masks do not, for a bound that holds for all
 * (drawing.c) decides them. Words, counts and bits are the same everywhere.
 */
#ifndef FMIX_KERNELS_H
#define FMIX_KERNELS_H

#include "words.h"

/* Arrays that `words` and `normals` work on have room for this many elements more. */
#define FMIX_KERNELS_PAD 16

typedef struct fmix_kernels {
    const char *name;
    bool (*runs)(void); /* on this machine */

    /* Words of blocks first … first+n-1, dealt in turn: even words to u, odd words to v, so that
     * u[j], v[j] are the two words of spectrum bin 2*first + j (STREAM §3). Writes 2n words each,
     * rounded up to FMIX_KERNELS_PAD. */
    void (*words)(const fmix_key *key, uint64_t index, uint32_t first, size_t n, uint32_t *u,
                  uint32_t *v);

    /* x: n complex numbers w sqrt(-2 ln((u+1)/2^32)) e^(2 pi i v / 2^32), each within
     * FMIX_NORMALS_BOUND times w times its radius. Returns the sum of w times radius. Reads and
     * writes up to the next multiple of FMIX_KERNELS_PAD: w there is 0. */
    double (*normals)(const double *w, const uint32_t *u, const uint32_t *v, size_t n, double *x);

    /* The k-th and the (k+1)-th largest of g[0] … g[n-1], 1 <= k < n; no NaN. work: n values and
     * FMIX_KERNELS_PAD. */
    void (*rank_pair)(const double *g, size_t n, size_t k, double *work, double *kth, double *next);

    /* Where g >= low: as bytes of 0 and 1, or as bits, the first in the highest. */
    void (*bytes)(const double *g, size_t n, double low, unsigned char *out);
    void (*bits)(const double *g, size_t n, double low, unsigned char *out);

    /* n elements of a where mask is 1, of b where it is 0; `size`, their bytes, is 1, 2 or 4. */
    void (*choose)(const unsigned char *mask, size_t n, size_t size, const unsigned char *a,
                   const unsigned char *b, unsigned char *out);

    /* m a + (1-m) b, m = weight 2^-32, to the nearest; no multiple of 2^24 is a weight, so that
     * nothing is half way. */
    void (*blend_u8)(uint32_t weight, size_t n, const unsigned char *a, const unsigned char *b,
                     unsigned char *out);
} fmix_kernels;

/* Radius 2^-42, sine and cosine 2^-41 each (so at most sqrt 2 that together), three products. */
#define FMIX_NORMALS_BOUND 0x1p-40

/* The builds, each a file. */
extern const fmix_kernels fmix_kernels_plain, fmix_kernels_v3, fmix_kernels_v4;

/* The best that this machine runs; all there are, best first, NULL past the last. */
const fmix_kernels *fmix_kernels_best(void);
const fmix_kernels *fmix_kernels_nth(size_t n);

#endif
