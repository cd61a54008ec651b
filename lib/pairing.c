#include "words.h"

/* Reads the words of one stream in order. */
typedef struct reader {
    const fmix_key *key;
    uint64_t index, next;
    uint32_t block[4];
} reader;

static uint32_t next_word(reader *r) {
    if (r->next % 4 == 0)
        fmix_words_block(r->key, r->index, r->next / 4, r->block);
    return r->block[r->next++ % 4];
}

/* A uniform number below m. Words in the incomplete last multiple of m are skipped. */
static uint32_t draw(reader *r, uint32_t m) {
    uint64_t limit = (UINT64_C(1) << 32) - (UINT64_C(1) << 32) % m;
    uint32_t w = next_word(r);
    while (w >= limit)
        w = next_word(r);
    return w % m;
}

/* Fisher-Yates shuffle or, with `below` 0, Sattolo's, which leaves no element in place. */
static fmix_status shuffle(uint64_t seed, uint64_t batch, uint32_t n, uint32_t below,
                           int64_t *out) {
    fmix_key key;
    fmix_status status = fmix_key_derive(seed, FMIX_DOMAIN_PAIRING, &key);
    if (status != FMIX_OK)
        return status;
    reader r = {.key = &key, .index = batch};
    for (uint32_t i = n - 1; i >= 1; i--) {
        uint32_t j = draw(&r, i + below);
        int64_t t = out[i];
        out[i] = out[j];
        out[j] = t;
    }
    return FMIX_OK;
}

fmix_status fmix_pairing(fmix_pairing_kind kind, uint64_t seed, uint64_t batch, uint32_t n,
                         int64_t *out) {
    if (n == 0 || n > FMIX_MAX_BATCH)
        return FMIX_ERROR_RANGE;
    for (uint32_t i = 0; i < n; i++)
        out[i] = kind == FMIX_PAIRING_FLIP   ? n - 1 - i
                 : kind == FMIX_PAIRING_ROLL ? (i + n - 1) % n
                                             : i;
    switch (kind) {
    case FMIX_PAIRING_PERMUTATION:
        return shuffle(seed, batch, n, 1, out);
    case FMIX_PAIRING_DERANGEMENT:
        return shuffle(seed, batch, n, 0, out);
    case FMIX_PAIRING_FLIP:
    case FMIX_PAIRING_ROLL:
    case FMIX_PAIRING_NONE:
        return FMIX_OK;
    case FMIX_PAIRING_OTHER_CLASS:
    case FMIX_PAIRING_SAME_CLASS:
    case FMIX_PAIRING_NEIGHBOUR:
        break;
    }
    return FMIX_ERROR_RANGE;
}
