/*
 * shape.h - the sides of a mask, and of its half spectrum (STREAM §3)
 */
#ifndef FMIX_SHAPE_H
#define FMIX_SHAPE_H

#include "fmix.h"

/* The sides aligned to the back, so that [2] is the last. Missing sides in front are 1. */
typedef struct fmix_sides {
    uint32_t n[3];
} fmix_sides;

fmix_sides fmix_shape_sides(const fmix_shape *shape);

/* Bins of the half spectrum: sides … , floor(last/2)+1. */
static inline uint64_t fmix_shape_bins(const fmix_shape *shape) {
    fmix_sides s = fmix_shape_sides(shape);
    return (uint64_t)s.n[0] * s.n[1] * (s.n[2] / 2 + 1);
}

/* The signed number of bin b on a side of n. */
static inline int64_t fmix_signed_bin(uint32_t b, uint32_t n) {
    return b <= n / 2 ? (int64_t)b : (int64_t)b - (int64_t)n;
}

/* True if a bin with this last coordinate is its own mirror along the last side. */
static inline bool fmix_self_mirrored(uint32_t last, uint32_t n) {
    return last == 0 || 2 * (uint64_t)last == n;
}

/* The divisor of a bin's signed number along each side: the side, or 1. */
fmix_sides fmix_shape_periods(const fmix_shape *shape, fmix_frequency frequency);

#endif
