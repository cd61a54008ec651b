#include "pairing.h"

/* Fisher-Yates shuffle or, with `below` 0, Sattolo's, which leaves no element in place. */
static void shuffle(fmix_word_reader *words, uint32_t n, uint32_t below, int64_t *out) {
    for (uint32_t i = n - 1; i >= 1; i--) {
        uint32_t j = fmix_words_below(words, i + below);
        int64_t kept = out[i];
        out[i] = out[j];
        out[j] = kept;
    }
}

void fmix_pairing_permute(const fmix_key *key, uint64_t index, uint32_t n, int64_t *out) {
    fmix_word_reader words = {.key = key, .index = index};
    for (uint32_t i = 0; i < n; i++)
        out[i] = i;
    shuffle(&words, n, 1, out);
}

static fmix_status draw(fmix_pairing_kind kind, uint64_t seed, uint64_t batch, uint32_t n,
                        int64_t *out) {
    fmix_key key;
    fmix_status status = fmix_key_derive(seed, FMIX_DOMAIN_PAIRING, &key);
    if (status != FMIX_OK)
        return status;
    fmix_word_reader words = {.key = &key, .index = batch};
    shuffle(&words, n, kind == FMIX_PAIRING_PERMUTATION, out);
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
    case FMIX_PAIRING_DERANGEMENT:
        return draw(kind, seed, batch, n, out);
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
