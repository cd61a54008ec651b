/*
 * memory.h - memory for arrays of doubles, and sizes that do not overflow
 */
#ifndef FMIX_MEMORY_H
#define FMIX_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* *out = a * b; false: the product overflows. */
static inline bool fmix_multiply(size_t a, size_t b, size_t *out) {
    if (b != 0 && a > SIZE_MAX / b)
        return false;
    *out = a * b;
    return true;
}

/* Memory aligned to 64 bytes, as FFTW's vector code needs. NULL: no memory, or the size overflows.
 * fmix_aligned_free takes NULL. */
double *fmix_aligned_new(size_t doubles);
void fmix_aligned_free(double *memory);

#endif
