/*
 * convert.h - elements of any type to float64 and, rounded once, back (STREAM §8)
 */
#ifndef FMIX_CONVERT_H
#define FMIX_CONVERT_H

#include "fmix.h"

/* Elements in memory, aligned or not, in the host's byte order. Exact but for i64 past 2^53, which
 * is rounded to nearest. Not for BITS. */
void fmix_load(fmix_dtype type, const void *from, uint64_t n, double *out);

/* To nearest, half to even, directly from float64. Integers saturate, and NaN gives 0; every NaN of
 * a floating type is that type's canonical one (positive, quiet, no payload). BOOL is an
 * integer of 0 or 1. Not for BITS. */
void fmix_store(fmix_dtype type, const double *from, uint64_t n, void *out);

/* What fmix_load gives; but of U8 that is to become a floating type, v/255 rounded to that. */
void fmix_load_for(fmix_dtype type, fmix_dtype out_type, const void *from, uint64_t n, double *out);

/* n elements of one type to another; between equal types byte for byte. */
void fmix_convert(fmix_dtype type, const void *from, uint64_t n, fmix_dtype out_type, void *out);

#endif
