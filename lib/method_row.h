/*
 * method_row.h - all that the library knows of a method: one row of the table in method.c
 *
 * A plan carries the row of its method, so code that draws and mixes does not depend on the table.
 */
#ifndef FMIX_METHOD_ROW_H
#define FMIX_METHOD_ROW_H

#include "kernels.h"

struct fmix_drawing;
struct fmix_mask;

/* The element types that a method can mix where it does more than choose. */
typedef enum fmix_blends {
    FMIX_BLENDS_ANYTHING, /* any type: the method moves elements */
    FMIX_BLENDS_NUMBERS,  /* floats and U8, or any type with a floating out_dtype */
    FMIX_BLENDS_FLOATS,   /* floats, or U8 with a floating out_dtype */
} fmix_blends;

typedef struct fmix_method_row {
    const char *name;
    /* For methods with masks: `place` sets what follows from the lambda of a row, `draw` draws the
     * mask. */
    void (*place)(const fmix_plan *plan, uint64_t t, fmix_row *row);
    fmix_status (*draw)(const struct fmix_drawing *d, uint64_t t, const fmix_row *row,
                        struct fmix_mask *out);
    bool spectrum;
    /* For the other methods: blends one row of x with its partner's, `values` elements each. */
    void (*blend)(const fmix_kernels *kernels, const fmix_batch *batch, const fmix_row *row,
                  uint64_t values, const unsigned char *a, const unsigned char *b,
                  unsigned char *out);
    bool fixed; /* the method has its own weight of the data, `weight`; else the weight is lambda.
                   The method's own weight says nothing about a row, so the row keeps its label. */
    double weight;
    fmix_blends blends;
} fmix_method_row;

#endif
