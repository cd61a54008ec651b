/*
 * rank.h - the k-th largest of many values, in linear time
 */
#ifndef FMIX_RANK_H
#define FMIX_RANK_H

#include <stddef.h>

/* The k-th and the (k+1)-th largest of g[0] … g[n-1], 1 <= k < n; no NaN. work: n values. */
void fmix_rank_pair(const double *g, size_t n, size_t k, double *work, double *kth, double *next);

#endif
