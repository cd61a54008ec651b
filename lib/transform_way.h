/*
 * transform_way.h - the ways from half spectrum to values that FFTW's plans offer
 *
 * FFTW's own transform from complex to real reads each row alone, and its code for short rows has
 * no vectors. A complex transform of two rows at once (row_pairs.h) has. Which way is faster
 * depends on shape and machine.
 */
#ifndef FMIX_TRANSFORM_WAY_H
#define FMIX_TRANSFORM_WAY_H

#include "shape.h"

#include <fftw3.h>

typedef enum fmix_way_kind {
    FMIX_WAY_PAIRS,
    FMIX_WAY_WHOLE, /* FFTW's transform from complex to real: any shape */
    FMIX_WAY_KINDS
} fmix_way_kind;

typedef struct fmix_way {
    fftw_plan whole;        /* of WHOLE: x to g */
    fftw_plan columns;      /* of PAIRS: along all sides but the last, in x */
    fftw_plan rows;         /* of PAIRS: `batch` complex rows, g to x */
    size_t side;            /* elements of a row */
    size_t pairs, batch;    /* of rows; batch divides pairs */
    struct fmix_way *older; /* a slower way that a run may still use */
} fmix_way;

/* True if the shape can have, and may gain by, this way. */
bool fmix_way_serves(fmix_way_kind kind, const fmix_shape *shape);

/* Plans a way that serves the shape for arrays like x and g; false: FFTW makes no such plan. The
 * caller orders every call but fmix_way_run. */
bool fmix_way_plan(fmix_way_kind kind, unsigned flags, const fmix_shape *shape, double *x,
                   double *g, fmix_way *out);
bool fmix_way_is_planned(const fmix_way *way);
void fmix_way_drop(fmix_way *way); /* its plans, if it has any */

/* x: interleaved complex bins of the half spectrum, destroyed. g: the elements. */
void fmix_way_run(const fmix_way *way, double *x, double *g);

#endif
