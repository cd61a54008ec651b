#include "policy.h"
#include "words.h"

/* A list has at most 2^32-1 entries, so the sum does not overflow. */
uint64_t fmix_policy_sum(unsigned count, const uint32_t *weights) {
    uint64_t sum = 0;
    for (unsigned i = 0; i < count; i++)
        sum += weights[i];
    return sum <= UINT32_MAX ? sum : 0;
}

/* The first i with (weight_0 + … + weight_i) * 2^32 > word * sum. The sum is below 2^32. */
unsigned fmix_policy_draw(uint32_t word, unsigned count, const uint32_t *weights, uint64_t sum) {
    uint64_t passed = weights[0];
    unsigned i = 0;
    while (i + 1 < count && (passed << 32) <= word * sum)
        passed += weights[++i];
    return i;
}

fmix_status fmix_policy(fmix_policy_kind kind, uint64_t seed, uint64_t batch, unsigned count,
                        const uint32_t *weights, unsigned *choice) {
    if (count == 0)
        return FMIX_ERROR_RANGE;
    if (kind == FMIX_POLICY_ALTERNATE) {
        *choice = (unsigned)(batch % count);
        return FMIX_OK;
    }
    uint64_t sum = fmix_policy_sum(count, weights);
    if (kind != FMIX_POLICY_RANDOM || sum == 0)
        return FMIX_ERROR_RANGE;
    fmix_key key;
    uint32_t w[4];
    fmix_status status = fmix_key_derive(seed, FMIX_DOMAIN_POLICY, &key);
    if (status != FMIX_OK)
        return status;
    fmix_words_block(&key, batch, 0, w);
    *choice = fmix_policy_draw(w[0], count, weights, sum);
    return FMIX_OK;
}
