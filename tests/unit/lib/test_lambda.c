#include "unit.h"

#include "exact.h"
#include "lambda.h"

static void drawn_lambda_is_that_of_the_contract(void **state) {
    (void)state;
    fmix_context *context = unit_context();
    fmix_key key;
    assert_ok(fmix_key_derive(0, FMIX_DOMAIN_LAMBDA, &key));
    assert_true(fmix_lambda_draw(context, &key, 1, 0) == 2133785041u);
    fmix_context_free(context);
}

static void fast_and_exact_lambda_agree_for_every_alpha(void **state) {
    (void)state;
    static const double alphas[] = {0.01, 0.013, 0.05, 0.2, 0.5, 1, 1.7, 4, 20, 300, 1000};
    fmix_context *context = unit_context();
    fmix_key key;
    assert_ok(fmix_key_derive(11, FMIX_DOMAIN_LAMBDA, &key));
    for (size_t a = 0; a < sizeof alphas / sizeof *alphas; a++)
        for (uint64_t t = 0; t < 1500; t++) {
            uint32_t w[4];
            fmix_words_block(&key, t, 0, w);
            assert_true(fmix_lambda_draw(context, &key, alphas[a], t) ==
                        fmix_exact_lambda(w[0], w[1], alphas[a]));
        }
    fmix_context_free(context);
}

static void float64_leaves_few_roundings_to_mpfr_but_some(void **state) {
    (void)state;
    fmix_context *context = unit_context();
    fmix_counters counters;
    fmix_key key;
    assert_ok(fmix_key_derive(12, FMIX_DOMAIN_LAMBDA, &key));
    for (uint64_t t = 0; t < 200000; t++)
        fmix_lambda_draw(context, &key, 1, t);
    fmix_context_counters(context, &counters);
    /* 2 * 2^-46 * 2^32 = 1 in 8192 expected: 24 */
    assert_in_range(counters.lambda_exact, 6, 60);
    fmix_context_free(context);
}

static void words_at_the_ends_give_one_half_or_stay_in_range(void **state) {
    (void)state;
    /* u = 1: q = 1; v = 1/4, 3/4: the cosine is 0 */
    assert_true(fmix_exact_lambda(UINT32_MAX, 12345, 0.3) == FMIX_LAMBDA_ONE / 2);
    assert_true(fmix_exact_lambda(99, UINT32_C(1) << 30, 0.3) == FMIX_LAMBDA_ONE / 2);
    assert_true(fmix_exact_lambda(99, UINT32_C(3) << 30, 0.3) == FMIX_LAMBDA_ONE / 2);
    assert_true(fmix_exact_lambda(0, 0, 0.01) == FMIX_LAMBDA_ONE);
    assert_true(fmix_exact_lambda(0, UINT32_C(1) << 31, 0.01) == 0);
    /* x = 1/2 + sqrt(1-u)/2 for alpha = 1, v = 0; u = 3/4 */
    assert_true(fmix_exact_lambda((UINT32_C(3) << 30) - 1, 0, 1) == UINT32_C(3) << 30);
}

static void given_lambda_rounds_to_nearest_ties_to_even(void **state) {
    (void)state;
    assert_true(fmix_lambda_round(0) == 0);
    assert_true(fmix_lambda_round(1) == FMIX_LAMBDA_ONE);
    assert_true(fmix_lambda_round(0.5) == FMIX_LAMBDA_ONE / 2);
    assert_true(fmix_lambda_round(0x0.5p-32) == 0);
    assert_true(fmix_lambda_round(0x0.8p-32) == 0);
    assert_true(fmix_lambda_round(0x0.80000001p-32) == 1);
    assert_true(fmix_lambda_round(0x1.8p-32) == 2);
    assert_true(fmix_lambda_round(0x2.8p-32) == 2);
    assert_true(fmix_lambda_round(0x1.fffffffffffffp-1) == FMIX_LAMBDA_ONE);
    assert_true(fmix_lambda_round(5e-324) == 0);
}

RUN(T(drawn_lambda_is_that_of_the_contract), T(fast_and_exact_lambda_agree_for_every_alpha),
    T(float64_leaves_few_roundings_to_mpfr_but_some),
    T(words_at_the_ends_give_one_half_or_stay_in_range),
    T(given_lambda_rounds_to_nearest_ties_to_even))
