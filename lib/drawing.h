/*
 * drawing.h - drawing samples of a plan in one thread
 */
#ifndef FMIX_DRAWING_H
#define FMIX_DRAWING_H

#include "field.h"
#include "plan.h"
#include "scratch.h"
#include "transform.h"

/* State shared by the samples of one plan while they are drawn: begun and ended once for many. */
typedef struct fmix_drawing {
    const fmix_plan *plan;
    fmix_scratch *scratch;
    const struct fmix_weights *weights; /* only for methods with a spectrum */
    const fmix_transform *transform;
    void *weights_entry, *transform_entry;
} fmix_drawing;

/* For a plan of a method with masks. Call fmix_drawing_end whatever this returns. */
fmix_status fmix_drawing_begin(fmix_drawing *d, const fmix_plan *plan, fmix_scratch *scratch);
void fmix_drawing_end(fmix_drawing *d);

/* Writes G of sample t to scratch->g, each value within *bound of the exact value. Only for methods
 * with a spectrum. */
void fmix_drawing_values(const fmix_drawing *d, uint64_t t, double *bound);

/* The exact G of sample t. */
fmix_field fmix_drawing_field(const fmix_drawing *d, uint64_t t);

/* The distance within which two values with this bound are contested. */
double fmix_drawing_width(const fmix_drawing *d, double bound);

#endif
