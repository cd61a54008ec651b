/*
 * view.h - the sides of a random view's window
 */
#ifndef FMIX_VIEW_PRIVATE_H
#define FMIX_VIEW_PRIVATE_H

#include "exact.h"

/* The extent to the nearest integer, ties to even. */
uint64_t fmix_extent_round(const fmix_extent *extent);

#endif
