/*
 * soft.h - FMix masks with a soft edge, decided (STREAM §3)
 */
#ifndef FMIX_SOFT_H
#define FMIX_SOFT_H

#include "drawing.h"

/* h for a mask of this many ones: ranks ones-h … ones+h-1 fall from 1 to 0; below 2 it is hard. */
uint64_t fmix_soft_half(const fmix_plan *plan, uint64_t ones);

/* The weights of sample t in scratch->work; half >= 2. */
fmix_status fmix_soft_draw(const fmix_drawing *d, uint64_t t, uint64_t ones, uint64_t half);

#endif
