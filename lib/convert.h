/*
 * convert.h - elements of any type to float64 and, rounded once, back (STREAM §8)
 */
#ifndef FMIX_CONVERT_H
#define FMIX_CONVERT_H

#include "fmix.h"

/* Reads elements, aligned or not, in the host's byte order. Exact, except for i64 past 2^53, which
 * is rounded to nearest. Not for BITS. */
void fmix_load(fmix_dtype type, const void *from, uint64_t n, double *out);

/* Writes elements, rounded directly from float64 to nearest, half to even. Integers saturate, and
 * NaN gives 0. Every NaN of a floating type is the canonical NaN of that type (positive, quiet, no
 * payload). BOOL is an integer of 0 or 1. Not for BITS. */
void fmix_store(fmix_dtype type, const double *from, uint64_t n, void *out);

/* As fmix_load; but U8 that is to become a floating type gives v/255, rounded to that type. */
void fmix_load_for(fmix_dtype type, fmix_dtype out_type, const void *from, uint64_t n, double *out);

/* Writes table[in[0]], table[in[step]], … to out[0], out[step], …, n elements of 2, 4 or 8 bytes.
 */
void fmix_look_up(const void *table, uint64_t size, const void *in, uint64_t n, uint64_t step,
                  void *out);

/* Converts n elements to another type. Between equal types elements are copied byte for byte. */
void fmix_convert(fmix_dtype type, const void *from, uint64_t n, fmix_dtype out_type, void *out);

#endif
