/*
 * method.h - the methods: one table row each, in method.c
 */
#ifndef FMIX_METHOD_H
#define FMIX_METHOD_H

#include "mask.h"

/* What a method can blend where it does not just choose. */
typedef enum fmix_blends {
    FMIX_BLENDS_ANYTHING, /* moves elements */
    FMIX_BLENDS_NUMBERS,  /* floats and U8, or anything that is to float */
    FMIX_BLENDS_FLOATS,   /* floats, or U8 that is to float */
} fmix_blends;

typedef struct fmix_method_row {
    const char *name;
    /* Of methods with masks: what of a row follows from its lambda, and the mask itself. */
    void (*place)(const fmix_plan *plan, uint64_t t, fmix_row *row);
    fmix_status (*draw)(const fmix_drawing *d, uint64_t t, const fmix_row *row, fmix_mask *out);
    bool spectrum;
    /* Of the others: one row of x and its partner's, `values` elements each, to out. */
    void (*blend)(const fmix_kernels *kernels, const fmix_batch *batch, const fmix_row *row,
                  uint64_t values, const unsigned char *a, const unsigned char *b,
                  unsigned char *out);
    bool fixed; /* the data's weight stands here; else it is lambda. A weight that is the method's
                   own says nothing of this row, so the label stays the row's. */
    double weight;
    fmix_blends blends;
} fmix_method_row;

/* NULL past the last. */
const fmix_method_row *fmix_method_row_of(fmix_method method);

#endif
