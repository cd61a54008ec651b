/*
 * kernels.h - the inner loops of masks and mixing, built once for each instruction set
 *
 * kernels_template.h holds the loops in C. It names the operations that C cannot express (widening
 * products of lanes, packing the results of comparisons), and each build defines them. Builds
 * differ in fused multiplication and in the order of sums, so their doubles differ. Masks do not
 * differ, because a bound that holds for every build (drawing.c) decides them. Words, counts and
 * bits are the same in every build, and so are resized pixels.
 */
#ifndef FMIX_KERNELS_H
#define FMIX_KERNELS_H

#include "taps.h"
#include "words.h"

/* Arrays that `words` and `normals` work on have room for so many elements more. */
#define FMIX_KERNELS_PAD 16

/* Working memory of `resize_along`: the bytes of a line's pixels low … high-1, and of a resized
 * line, each rounded up to a multiple of FMIX_RESIZE_LINES, times FMIX_RESIZE_LINES. */
#define FMIX_RESIZE_LINES 16
typedef struct fmix_resize_work {
    unsigned char *columns, *resized;
} fmix_resize_work;

typedef struct fmix_kernels {
    const char *name;
    bool (*runs)(void); /* true if this machine can run the kernels */

    /* Words of blocks first … first+n-1, even words to u and odd words to v, so that u[j], v[j] are
     * the two words of spectrum bin 2*first + j (STREAM §3). Writes 2n words each, rounded up to
     * FMIX_KERNELS_PAD. */
    void (*words)(const fmix_key *key, uint64_t index, uint32_t first, size_t n, uint32_t *u,
                  uint32_t *v);

    /* x: n complex numbers w sqrt(-2 ln((u+1)/2^32)) e^(2 pi i v / 2^32), each within
     * FMIX_NORMALS_BOUND times w times its radius. Returns the sum of w times radius. Reads and
     * writes up to the next multiple of FMIX_KERNELS_PAD, where w must be 0 for the sum to be of
     * use. */
    double (*normals)(const double *w, const uint32_t *u, const uint32_t *v, size_t n, double *x);

    /* The k-th and the (k+1)-th largest of g[0] … g[n-1], 1 <= k < n, without NaN. work has room
     * for n values and FMIX_KERNELS_PAD. */
    void (*rank_pair)(const double *g, size_t n, size_t k, double *work, double *kth, double *next);

    /* Writes whether g >= low: as bytes of 0 and 1, or as bits, the first in the highest. */
    void (*bytes)(const double *g, size_t n, double low, unsigned char *out);
    void (*bits)(const double *g, size_t n, double low, unsigned char *out);

    /* n elements: a where mask is 1, b where mask is 0. `size`, their bytes, is 1, 2 or 4. */
    void (*choose)(const unsigned char *mask, size_t n, size_t size, const unsigned char *a,
                   const unsigned char *b, unsigned char *out);

    /* m a + (1-m) b, m = weight 2^-32, to the nearest. The weight is not a multiple of 2^24, so no
     * result is half way. */
    void (*blend_u8)(uint32_t weight, size_t n, const unsigned char *a, const unsigned char *b,
                     unsigned char *out);

    /* Resizes each of `lines` lines, `stride` bytes apart, of pixels of `channels` bytes. `from` is
     * pixel taps->low of the first line. `to` has room for `lines` lines, rounded up to a multiple
     * of FMIX_RESIZE_LINES, of `pitch` bytes: a multiple of FMIX_RESIZE_LINES. */
    void (*resize_along)(const fmix_taps *taps, unsigned channels, const unsigned char *from,
                         size_t stride, uint32_t lines, const fmix_resize_work *work,
                         unsigned char *to, size_t pitch);

    /* Writes line i: the weighted sum of lines, `stride` apart, of `bytes` bytes. `from` is line
     * taps->low. */
    void (*resize_across)(const fmix_taps *taps, uint32_t i, const unsigned char *from,
                          size_t stride, size_t bytes, unsigned char *to);
} fmix_kernels;

/* The radius is within 2^-42, the turn within 2^-41 as a complex number, and three products round.
 */
#define FMIX_NORMALS_BOUND 0x1p-40

/* The builds, one file each. */
extern const fmix_kernels fmix_kernels_plain, fmix_kernels_v3, fmix_kernels_v4;

/* The best kernels that this machine runs; all kernels, best first, NULL past the last. */
const fmix_kernels *fmix_kernels_best(void);
const fmix_kernels *fmix_kernels_nth(size_t n);

#endif
