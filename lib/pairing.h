/*
 * pairing.h - the permutation of STREAM §5
 */
#ifndef FMIX_PAIRING_H
#define FMIX_PAIRING_H

#include "words.h"

/* Writes a permutation of 0 … n-1, drawn from the words at `index`; n >= 1. */
void fmix_pairing_permute(const fmix_key *key, uint64_t index, uint32_t n, int64_t *out);

#endif
