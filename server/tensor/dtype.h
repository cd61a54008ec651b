/*
 * dtype.h - element types of tensors, one row each
 */
#ifndef DTYPE_H
#define DTYPE_H

#include "lib/fmix.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum dtype {
    DTYPE_F32,
    DTYPE_U8,
    DTYPE_I64,
    DTYPE_F64,
    DTYPE_BOOL, /* one byte, 0 or 1 */
    DTYPE_I8,
    DTYPE_I16,
    DTYPE_I32,
    DTYPE_F16,
    DTYPE_BF16,
    DTYPE_COUNT,             /* of those that samples and answers may have */
    DTYPE_U16 = DTYPE_COUNT, /* only labels that are read may have these */
    DTYPE_U32,
    DTYPE_U64,
    DTYPE_READ
} dtype;

typedef struct dtype_row {
    const char *name;        /* in parameters and headers */
    const char *descr;       /* in npy headers; NULL: NumPy has no such type */
    const char *safetensors; /* in safetensors headers */
    size_t size;
    fmix_dtype library; /* FMIX_DTYPES where the library has no such type */
} dtype_row;

extern const dtype_row dtype_table[DTYPE_READ];

/* The name of a type that samples may have; NULL past the last. */
const char *dtype_name(unsigned number);

bool dtype_floats(dtype type);

/* Reverses the bytes of each whole element. */
void dtype_reverse(dtype type, void *bytes, size_t length);

/* Bytes of elements from the machine's order to the little-endian one of answers and uploads, or
 * back: on most machines there is nothing to do. */
void dtype_swap(dtype type, void *bytes, size_t length);

/* A little-endian element of a floating type as the float64 that it is; of another type but BOOL as
 * an integer, modulo 2^64. */
double dtype_real(dtype type, const unsigned char *at);
int64_t dtype_integer(dtype type, const unsigned char *at);

/* The type of an npy header's descr: little-endian, or of one byte. */
bool dtype_of_descr(const char *descr, dtype *out);

#endif
