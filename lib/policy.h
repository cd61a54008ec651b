/*
 * policy.h - drawing from a list by weights (STREAM §7)
 */
#ifndef FMIX_POLICY_H
#define FMIX_POLICY_H

#include "fmix.h"

/* The sum of the weights; 0 if they are all 0 or their sum passes 2^32-1, which is refused. */
uint64_t fmix_policy_sum(unsigned count, const uint32_t *weights);

/* The place in the list that a word chooses; `sum` is that of fmix_policy_sum, and is not 0. */
unsigned fmix_policy_draw(uint32_t word, unsigned count, const uint32_t *weights, uint64_t sum);

#endif
