#include "unit.h"

#include "choice.h"

static const fmix_method three[FMIX_MAX_METHODS] = {FMIX_METHOD_FMIX, FMIX_METHOD_CUTMIX,
                                                    FMIX_METHOD_MIXUP};

static fmix_chooser chooser_of(uint64_t seed, const fmix_choice *choice) {
    fmix_chooser c;
    assert_ok(fmix_chooser_init(&c, seed, choice));
    return c;
}

static void choices_are_those_of_the_contract(void **state) {
    (void)state;
    static const uint32_t weights[] = {1, 2, 1};
    static const unsigned mixed[8] = {0, 0, 0, 0, 1, 1, 0, 0};
    static const unsigned method[8] = {1, 1, 2, 1, 1, 2, 2, 0};
    const fmix_choice prob = {.count = 3, .methods = three, .prob_given = true, .prob = 0.5};
    const fmix_choice each = {.count = 3, .methods = three, .weights = weights, .by_sample = true};
    fmix_choice both = each;
    both.prob_given = true;
    both.prob = 0.5;
    const fmix_chooser p = chooser_of(0, &prob), s = chooser_of(0, &each), b = chooser_of(0, &both);
    for (uint64_t t = 0; t < 8; t++) {
        assert_int_equal(fmix_chooser_place(&p, 0, t) != FMIX_UNMIXED, mixed[t]);
        assert_int_equal(fmix_chooser_place(&s, 0, t), method[t]);
        assert_int_equal(fmix_chooser_place(&b, 0, t), mixed[t] ? method[t] : FMIX_UNMIXED);
    }
}

static void the_share_of_mixed_rows_is_prob(void **state) {
    (void)state;
    enum { N = 100000 };
    static const double probs[] = {0, 0x1p-32, 0.001, 0.1, 0.5, 0.9, 1};
    for (size_t i = 0; i < sizeof probs / sizeof *probs; i++) {
        double p = probs[i], mixed = 0, off;
        const fmix_choice choice = {.count = 1, .methods = three, .prob_given = true, .prob = p};
        const fmix_chooser c = chooser_of(21 + i, &choice);
        for (uint64_t t = 0; t < N; t++)
            mixed += fmix_chooser_place(&c, 0, t) != FMIX_UNMIXED;
        off = mixed / N - p;
        assert_true(off * off <= 16 * p * (1 - p) / N); /* four standard errors */
    }
}

static void prob_is_rounded_to_the_nearest_with_ties_to_even(void **state) {
    (void)state;
    static const struct {
        double prob;
        uint64_t below;
    } table[] = {{0, 0},       {1, FMIX_LAMBDA_ONE}, {0.5, FMIX_LAMBDA_ONE / 2},
                 {0x1p-33, 0}, {0x3p-33, 2},         {0x1.000002p-33, 1},
                 {0x5p-33, 2}, {0x1p-32, 1},         {1 - 0x1p-33, FMIX_LAMBDA_ONE}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const fmix_choice choice = {
            .count = 1, .methods = three, .prob_given = true, .prob = table[i].prob};
        assert_true(chooser_of(0, &choice).below == table[i].below);
    }
}

static void a_row_is_mixed_below_prob_and_not_at_it(void **state) {
    (void)state;
    fmix_key key;
    uint32_t w[4];
    assert_ok(fmix_key_derive(4, FMIX_DOMAIN_CHOICE, &key));
    for (uint64_t t = 0; t < 1000; t++) {
        fmix_words_block(&key, t, 0, w);
        fmix_choice choice = {
            .count = 1, .methods = three, .prob_given = true, .prob = w[0] * 0x1p-32};
        const fmix_chooser at = chooser_of(4, &choice);
        choice.prob = (w[0] + 1.0) * 0x1p-32;
        const fmix_chooser above = chooser_of(4, &choice);
        assert_int_equal(fmix_chooser_place(&at, 0, t), FMIX_UNMIXED);
        assert_int_equal(fmix_chooser_place(&above, 0, t), 0);
    }
}

static void methods_of_samples_follow_their_weights_whatever_prob_is(void **state) {
    (void)state;
    enum { N = 100000 };
    static const uint32_t weights[] = {1, 0, 5, 2};
    static const fmix_method methods[4] = {0, 1, 2, 3};
    fmix_choice choice = {.count = 4, .methods = methods, .weights = weights, .by_sample = true};
    const fmix_chooser all = chooser_of(5, &choice);
    choice.prob_given = true;
    choice.prob = 0.25;
    const fmix_chooser some = chooser_of(5, &choice);
    unsigned seen[4] = {0}, mixed[4] = {0}, sum = 0;
    for (uint64_t t = 0; t < N; t++) {
        unsigned place = fmix_chooser_place(&all, 0, t), part = fmix_chooser_place(&some, 0, t);
        seen[place]++;
        assert_true(part == place || part == FMIX_UNMIXED);
        if (part != FMIX_UNMIXED) {
            mixed[part]++;
            sum++;
        }
    }
    assert_int_equal(seen[1] + mixed[1], 0);
    for (int i = 0; i < 4; i++) { /* four standard errors are at most 640, and 320 of the mixed */
        assert_true(labs((long)seen[i] - (long)(N / 8 * weights[i])) < 640);
        assert_true(labs((long)mixed[i] - (long)(sum / 8 * weights[i])) < 330);
    }
}

static void without_switch_a_batch_has_the_method_of_its_policy(void **state) {
    (void)state;
    static const uint32_t weights[] = {3, 1, 2};
    for (unsigned kind = FMIX_POLICY_ALTERNATE; kind <= FMIX_POLICY_RANDOM; kind++) {
        const fmix_choice choice = {
            .count = 3, .methods = three, .policy = (fmix_policy_kind)kind, .weights = weights};
        const fmix_chooser c = chooser_of(17, &choice);
        for (uint64_t batch = 0; batch < 300; batch++) {
            unsigned expected;
            assert_ok(fmix_policy((fmix_policy_kind)kind, 17, batch, 3, weights, &expected));
            for (uint64_t t = 0; t < 5; t++)
                assert_int_equal(fmix_chooser_place(&c, batch, t), expected);
            for (unsigned place = 0; place < 5; place++)
                assert_int_equal(fmix_chooser_allows(&c, batch, place), place == expected);
        }
    }
}

static void a_choice_knows_what_a_batch_can_have_and_whether_rows_differ(void **state) {
    (void)state;
    fmix_choice choice = {.count = 3, .methods = three, .by_sample = true};
    fmix_chooser c = chooser_of(0, &choice);
    assert_true(fmix_chooser_varies(&c) && fmix_chooser_allows(&c, 9, 2));
    assert_false(fmix_chooser_allows(&c, 9, 3) || fmix_chooser_allows(&c, 9, FMIX_UNMIXED));
    choice.scope = FMIX_SCOPE_BATCH;
    c = chooser_of(0, &choice);
    assert_false(fmix_chooser_varies(&c));
    choice = (fmix_choice){.count = 1, .methods = three, .by_sample = true};
    c = chooser_of(0, &choice);
    assert_false(fmix_chooser_varies(&c));
    choice.prob_given = true;
    c = chooser_of(0, &choice);
    assert_true(fmix_chooser_varies(&c) && fmix_chooser_allows(&c, 9, FMIX_UNMIXED));
}

static void numbers_out_of_range_are_refused(void **state) {
    (void)state;
    static const uint32_t none[] = {0, 0, 0}, many[] = {UINT32_MAX, 1, 0};
    double nan = 0;
    nan /= nan;
    const fmix_choice table[] = {
        {.count = 0, .methods = three},
        {.count = FMIX_MAX_METHODS + 1, .methods = three},
        {.count = 3, .methods = three, .prob_given = true, .prob = -0x1p-60},
        {.count = 3, .methods = three, .prob_given = true, .prob = 1 + 0x1p-52},
        {.count = 3, .methods = three, .prob_given = true, .prob = nan},
        {.count = 3, .methods = three, .scope = (fmix_scope)(FMIX_SCOPE_PAIR + 1)},
        {.count = 3, .methods = three, .policy = (fmix_policy_kind)(FMIX_POLICY_RANDOM + 1)},
        {.count = 3, .methods = three, .by_sample = true, .weights = none},
        {.count = 3, .methods = three, .by_sample = true, .weights = many},
        {.count = 3, .methods = three, .policy = FMIX_POLICY_RANDOM, .weights = none},
    };
    fmix_chooser c;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_int_equal(fmix_chooser_init(&c, 0, &table[i]), FMIX_ERROR_RANGE);
    const fmix_choice ignored = {.count = 3, .methods = three, .weights = none, .prob = 7};
    const fmix_choice each = {
        .count = 3, .methods = three, .by_sample = true, .policy = (fmix_policy_kind)9};
    assert_ok(fmix_chooser_init(&c, 0, &ignored)); /* what nothing draws from is not looked at */
    assert_ok(fmix_chooser_init(&c, 0, &each));
}

RUN(T(choices_are_those_of_the_contract), T(the_share_of_mixed_rows_is_prob),
    T(prob_is_rounded_to_the_nearest_with_ties_to_even), T(a_row_is_mixed_below_prob_and_not_at_it),
    T(methods_of_samples_follow_their_weights_whatever_prob_is),
    T(without_switch_a_batch_has_the_method_of_its_policy),
    T(a_choice_knows_what_a_batch_can_have_and_whether_rows_differ),
    T(numbers_out_of_range_are_refused))
