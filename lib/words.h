/*
 * words.h - the random words of STREAM §1: Philox4x32-10 under a key per seed and domain
 */
#ifndef FMIX_WORDS_H
#define FMIX_WORDS_H

#include "fmix.h"

typedef enum fmix_domain {
    FMIX_DOMAIN_LAMBDA = 1,
    FMIX_DOMAIN_SPECTRUM = 2,
    FMIX_DOMAIN_BOX = 3,
    FMIX_DOMAIN_PAIRING = 4,
    FMIX_DOMAIN_SHUFFLE = 5,
    FMIX_DOMAIN_AUGMENT = 6,
    FMIX_DOMAIN_POLICY = 7,
    FMIX_DOMAIN_VIEW = 8,
    FMIX_DOMAIN_CHOICE = 9,
    FMIX_DOMAIN_PARTNER = 10,
    FMIX_DOMAIN_BUCKET = 11,
} fmix_domain;

typedef struct fmix_key {
    uint32_t k[2];
} fmix_key;

/* The key of STREAM §1. Fails only if libsodium does not start. */
fmix_status fmix_key_derive(uint64_t seed, fmix_domain domain, fmix_key *out);

/* Words 4*block … 4*block+3 of the stream at `index`. */
void fmix_words_block(const fmix_key *key, uint64_t index, uint64_t block, uint32_t out[4]);

/* Reads the words of one stream in order. Set `key` and `index`; the rest begins as 0. */
typedef struct fmix_word_reader {
    const fmix_key *key;
    uint64_t index, next;
    uint32_t block[4];
} fmix_word_reader;

/* A uniform number below m, which is at least 1 (STREAM §5). Words in the incomplete last multiple
 * of m are skipped. */
uint32_t fmix_words_below(fmix_word_reader *reader, uint32_t m);

/* Of Philox4x32-10: its rounds, multipliers, and what the keys grow by in each round. */
#define PHILOX_ROUNDS       10
#define PHILOX_MULTIPLIER_0 UINT32_C(0xD2511F53)
#define PHILOX_MULTIPLIER_1 UINT32_C(0xCD9E8D57)
#define PHILOX_WEYL_0       UINT32_C(0x9E3779B9)
#define PHILOX_WEYL_1       UINT32_C(0xBB67AE85)

/* Philox4x32-10 itself, for known-answer tests. */
void fmix_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* The same for many counters side by side, which is five times as fast: word i of counter l is
 * c[i][l], before and after. */
#define FMIX_PHILOX_LANES 16
void fmix_philox_lanes(const uint32_t key[2], uint32_t c[4][FMIX_PHILOX_LANES]);

#endif
