/*
 * soft.h - drawing FMix masks with a soft edge (STREAM §3)
 */
#ifndef FMIX_SOFT_H
#define FMIX_SOFT_H

#include "drawing.h"

/* h of STREAM §3 for a mask with so many ones: the weights of ranks ones-h … ones+h-1 fall from 1
 * to 0. Below 2 the mask is hard. */
uint64_t fmix_soft_half(const fmix_plan *plan, uint64_t ones);

/* Writes the weights of sample t to scratch->work; half >= 2. */
fmix_status fmix_soft_draw(const fmix_drawing *d, uint64_t t, uint64_t ones, uint64_t half);

#endif
