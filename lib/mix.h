/*
 * mix.h - the methods, one table row each
 */
#ifndef FMIX_MIX_H
#define FMIX_MIX_H

#include "fmix.h"

/* Sets weight and lambda_effective of a row of a method without masks, from its lambda. */
void fmix_method_weigh(fmix_method method, fmix_row *row);

#endif
