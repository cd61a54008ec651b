/*
 * method_row.h - what the library must know of a method: one row of the table in method.c
 *
 * A plan carries its method's row, so that what draws and mixes need not know the table.
 */
#ifndef FMIX_METHOD_ROW_H
#define FMIX_METHOD_ROW_H

#include "kernels.h"

struct fmix_drawing;
struct fmix_mask;

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
    fmix_status (*draw)(const struct fmix_drawing *d, uint64_t t, const fmix_row *row,
                        struct fmix_mask *out);
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

#endif
