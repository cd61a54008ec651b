#include "words.h"
#include "vector.h"

#include <sodium.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

static void store_le64(unsigned char *out, uint64_t value) {
    for (int i = 0; i < 8; i++)
        out[i] = (unsigned char)(value >> (8 * i));
}

static uint32_t load_le32(const unsigned char *in) {
    return (uint32_t)in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 24;
}

/* sodium_init takes a lock each time. */
static bool sodium_is_ready(void) {
    static atomic_bool ready;
    if (!atomic_load_explicit(&ready, memory_order_acquire)) {
        if (sodium_init() < 0)
            return false;
        atomic_store_explicit(&ready, true, memory_order_release);
    }
    return true;
}

fmix_status fmix_key_derive(uint64_t seed, fmix_domain domain, fmix_key *out) {
    static const unsigned char personal[crypto_generichash_blake2b_PERSONALBYTES] =
        "fmixd-stream-v1";
    unsigned char salt[crypto_generichash_blake2b_SALTBYTES] = {0};
    unsigned char message[8];
    unsigned char digest[16];

    if (!sodium_is_ready())
        return FMIX_ERROR_LIBRARY;
    store_le64(salt, (uint64_t)domain);
    store_le64(message, seed);
    if (crypto_generichash_blake2b_salt_personal(digest, sizeof digest, message, sizeof message,
                                                 NULL, 0, salt, personal) != 0)
        return FMIX_ERROR_LIBRARY;
    out->k[0] = load_le32(digest);
    out->k[1] = load_le32(digest + 4);
    return FMIX_OK;
}

static inline void philox(uint32_t c[4], uint32_t k0, uint32_t k1) {
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        uint64_t p0 = (uint64_t)PHILOX_MULTIPLIER_0 * c[0];
        uint64_t p1 = (uint64_t)PHILOX_MULTIPLIER_1 * c[2];
        uint32_t c1 = c[1], c3 = c[3];
        c[0] = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c[1] = (uint32_t)p1;
        c[2] = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c[3] = (uint32_t)p0;
        k0 += PHILOX_WEYL_0;
        k1 += PHILOX_WEYL_1;
    }
}

void fmix_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
    memcpy(out, counter, 4 * sizeof *out);
    philox(out, key[0], key[1]);
}

FMIX_CLONES
void fmix_philox_lanes(const uint32_t key[2], uint32_t c[4][FMIX_PHILOX_LANES]) {
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        for (int l = 0; l < FMIX_PHILOX_LANES; l++) {
            uint64_t p0 = (uint64_t)PHILOX_MULTIPLIER_0 * c[0][l];
            uint64_t p1 = (uint64_t)PHILOX_MULTIPLIER_1 * c[2][l];
            uint32_t c1 = c[1][l], c3 = c[3][l];
            c[0][l] = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
            c[1][l] = (uint32_t)p1;
            c[2][l] = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
            c[3][l] = (uint32_t)p0;
        }
        k0 += PHILOX_WEYL_0;
        k1 += PHILOX_WEYL_1;
    }
}

void fmix_words_block(const fmix_key *key, uint64_t index, uint64_t block, uint32_t out[4]) {
    out[0] = (uint32_t)block;
    out[1] = (uint32_t)(block >> 32);
    out[2] = (uint32_t)index;
    out[3] = (uint32_t)(index >> 32);
    philox(out, key->k[0], key->k[1]);
}

static uint32_t next_word(fmix_word_reader *r) {
    if (r->next % 4 == 0)
        fmix_words_block(r->key, r->index, r->next / 4, r->block);
    return r->block[r->next++ % 4];
}

uint32_t fmix_words_below(fmix_word_reader *reader, uint32_t m) {
    uint64_t limit = (UINT64_C(1) << 32) - (UINT64_C(1) << 32) % m;
    uint32_t w = next_word(reader);
    while (w >= limit)
        w = next_word(reader);
    return w % m;
}
