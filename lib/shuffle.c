#include "words.h"

/* Half the number of bits of a sample's number, rounded up, at least 4. */
static unsigned half_bits(uint64_t samples) {
    unsigned length = 0;
    for (uint64_t last = samples - 1; last; last >>= 1)
        length++;
    return length < 8 ? 4 : (length + 1) / 2;
}

/* Eight Feistel rounds over 2 * bits bits: a permutation, whatever the round function is. */
static uint64_t feistel(const fmix_key *key, uint64_t epoch, unsigned bits, uint64_t p) {
    const uint64_t mask = (UINT64_C(1) << bits) - 1;
    uint64_t left = p >> bits, right = p & mask;
    for (uint32_t round = 0; round < 8; round++) {
        const uint32_t counter[4] = {(uint32_t)right, round, (uint32_t)epoch,
                                     (uint32_t)(epoch >> 32)};
        uint32_t w[4];
        fmix_philox(counter, key->k, w);
        uint64_t next = left ^ (w[0] & mask);
        left = right;
        right = next;
    }
    return left << bits | right;
}

/* Repeats the permutation until the value is below `samples`: at most 4 times on average, or 256
 * times for a tiny set. */
fmix_status fmix_shuffle(uint64_t seed, uint64_t epoch, uint64_t samples, uint64_t first,
                         uint64_t n, uint64_t *out) {
    fmix_key key;
    if (samples == 0 || samples > FMIX_MAX_SAMPLES || n > samples || first > samples - n)
        return FMIX_ERROR_RANGE;
    fmix_status status = fmix_key_derive(seed, FMIX_DOMAIN_SHUFFLE, &key);
    if (status != FMIX_OK)
        return status;
    unsigned bits = half_bits(samples);
    for (uint64_t i = 0; i < n; i++) {
        uint64_t p = first + i;
        if (samples > 1)
            do
                p = feistel(&key, epoch, bits, p);
            while (p >= samples);
        out[i] = p;
    }
    return FMIX_OK;
}
