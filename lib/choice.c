#include "choice.h"
#include "lambda.h"
#include "policy.h"

static bool is_valid(const fmix_choice *c) {
    return c->count >= 1 && c->count <= FMIX_MAX_METHODS &&
           (!c->prob_given || (c->prob >= 0 && c->prob <= 1)) &&
           (unsigned)c->scope <= FMIX_SCOPE_PAIR &&
           (c->by_sample || (unsigned)c->policy <= FMIX_POLICY_RANDOM);
}

/* True if methods are drawn by weights, which must then be valid. */
static bool weighs(const fmix_choice *c) {
    return c->by_sample || c->policy == FMIX_POLICY_RANDOM;
}

fmix_status fmix_chooser_init(fmix_chooser *chooser, uint64_t seed, const fmix_choice *choice) {
    if (!is_valid(choice))
        return FMIX_ERROR_RANGE;
    *chooser = (fmix_chooser){.count = choice->count,
                              .policy = choice->policy,
                              .by_sample = choice->by_sample,
                              .prob_given = choice->prob_given,
                              .scope = choice->scope};
    for (unsigned i = 0; i < choice->count; i++)
        chooser->weights[i] = choice->weights ? choice->weights[i] : 1;
    chooser->sum = fmix_policy_sum(choice->count, chooser->weights);
    if (weighs(choice) && chooser->sum == 0)
        return FMIX_ERROR_RANGE;
    if (choice->prob_given)
        chooser->below = fmix_lambda_round(choice->prob);
    fmix_status status = fmix_key_derive(seed, FMIX_DOMAIN_POLICY, &chooser->policy_key);
    if (status == FMIX_OK)
        status = fmix_key_derive(seed, FMIX_DOMAIN_CHOICE, &chooser->choice_key);
    return status;
}

bool fmix_chooser_varies(const fmix_chooser *chooser) {
    bool draws = chooser->prob_given || (chooser->by_sample && chooser->count > 1);
    return draws && chooser->scope != FMIX_SCOPE_BATCH;
}

static unsigned place_of_batch(const fmix_chooser *c, uint64_t batch) {
    uint32_t w[4];
    if (c->policy == FMIX_POLICY_ALTERNATE)
        return (unsigned)(batch % c->count);
    fmix_words_block(&c->policy_key, batch, 0, w);
    return fmix_policy_draw(w[0], c->count, c->weights, c->sum);
}

bool fmix_chooser_allows(const fmix_chooser *chooser, uint64_t batch, unsigned place) {
    if (place == FMIX_UNMIXED)
        return chooser->prob_given;
    return place < chooser->count &&
           (chooser->by_sample || place == place_of_batch(chooser, batch));
}

unsigned fmix_chooser_place(const fmix_chooser *chooser, uint64_t batch, uint64_t t) {
    uint32_t w[4] = {0};
    if (chooser->prob_given || chooser->by_sample)
        fmix_words_block(&chooser->choice_key, t, 0, w);
    if (chooser->prob_given && w[0] >= chooser->below)
        return FMIX_UNMIXED;
    return chooser->by_sample
               ? fmix_policy_draw(w[1], chooser->count, chooser->weights, chooser->sum)
               : place_of_batch(chooser, batch);
}
