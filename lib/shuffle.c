#include "words.h"

#define LANES FMIX_PHILOX_LANES

/* Half the number of bits of a sample's number, rounded up, at least 4. */
static unsigned half_bits(uint64_t samples) {
    unsigned length = 0;
    for (uint64_t last = samples - 1; last; last >>= 1)
        length++;
    return length < 8 ? 4 : (length + 1) / 2;
}

/* Eight Feistel rounds over 2 * bits bits: a permutation, whatever the round function is. Halves
 * have at most 24 bits, as FMIX_MAX_SAMPLES says. */
static void feistel(const fmix_key *key, uint64_t epoch, unsigned bits, uint64_t p[LANES]) {
    const uint32_t mask = (UINT32_C(1) << bits) - 1;
    for (uint32_t round = 0; round < 8; round++) {
        uint32_t c[4][LANES];
        for (unsigned l = 0; l < LANES; l++) {
            c[0][l] = (uint32_t)p[l] & mask;
            c[1][l] = round;
            c[2][l] = (uint32_t)epoch;
            c[3][l] = (uint32_t)(epoch >> 32);
        }
        fmix_philox_lanes(key->k, c);
        for (unsigned l = 0; l < LANES; l++) {
            uint64_t left = p[l] >> bits, right = p[l] & mask;
            p[l] = right << bits | (left ^ (c[0][l] & mask));
        }
    }
}

/* Places on their way through the network: lane l computes out[to[l]], or nothing. */
typedef struct lanes {
    uint64_t p[LANES], to[LANES];
    bool busy[LANES];
    unsigned count; /* of busy lanes */
} lanes;

static void board(lanes *w, uint64_t first, uint64_t n, uint64_t *next) {
    for (unsigned l = 0; l < LANES && *next < n; l++)
        if (!w->busy[l]) {
            w->p[l] = first + *next;
            w->to[l] = (*next)++;
            w->busy[l] = true;
            w->count++;
        }
}

static void leave(lanes *w, uint64_t samples, uint64_t *out) {
    for (unsigned l = 0; l < LANES; l++)
        if (w->busy[l] && w->p[l] < samples) {
            out[w->to[l]] = w->p[l];
            w->busy[l] = false;
            w->count--;
        }
}

/* Repeats the permutation until each value is below `samples`: at most 4 times on average, or 256
 * times for a tiny set. */
static void permute(const fmix_key *key, uint64_t epoch, uint64_t samples, uint64_t first,
                    uint64_t n, uint64_t *out) {
    unsigned bits = half_bits(samples);
    uint64_t next = 0;
    lanes w = {.count = 0};
    for (board(&w, first, n, &next); w.count > 0; board(&w, first, n, &next)) {
        feistel(key, epoch, bits, w.p);
        leave(&w, samples, out);
    }
}

fmix_status fmix_shuffle(uint64_t seed, uint64_t epoch, uint64_t samples, uint64_t first,
                         uint64_t n, uint64_t *out) {
    fmix_key key;
    if (samples == 0 || samples > FMIX_MAX_SAMPLES || n > samples || first > samples - n)
        return FMIX_ERROR_RANGE;
    fmix_status status = fmix_key_derive(seed, FMIX_DOMAIN_SHUFFLE, &key);
    if (status != FMIX_OK)
        return status;
    if (samples > 1)
        permute(&key, epoch, samples, first, n, out);
    else if (n == 1)
        out[0] = 0;
    return FMIX_OK;
}
