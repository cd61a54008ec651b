/*
 * passes.h - the two passes of resizing: lines made narrower or wider, then fewer or more
 */
#ifndef FMIX_PASSES_H
#define FMIX_PASSES_H

#include "taps.h"

/* Lines are taken so many at a time, and rows of `to` have a multiple of so many bytes. */
#define FMIX_PASS_LINES 16

/* Working memory of a pass along lines: bytes of all taps' pixels, and of all resized pixels, each
 * rounded up to FMIX_PASS_LINES, times FMIX_PASS_LINES. */
typedef struct fmix_pass_work {
    unsigned char *columns, *resized;
} fmix_pass_work;

/* Resizes each of `lines` lines, `stride` bytes apart, of pixels of `channels` bytes. `from` is
 * pixel taps->low of the first line. `to` has room for `lines` lines, rounded up to a multiple of
 * FMIX_PASS_LINES, of `pitch` bytes: a multiple of FMIX_PASS_LINES. */
void fmix_pass_along(const fmix_taps *taps, unsigned channels, const unsigned char *from,
                     size_t stride, uint32_t lines, const fmix_pass_work *work, unsigned char *to,
                     size_t pitch);

/* Writes line i: the weighted sum of lines, `stride` apart, of `bytes` bytes each. `from` is line
 * taps->low. */
void fmix_pass_across(const fmix_taps *taps, uint32_t i, const unsigned char *from, size_t stride,
                      size_t bytes, unsigned char *to);

#endif
