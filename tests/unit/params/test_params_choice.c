#include "unit.h"

#include "params/choice.h"

/* A query of name, value, name, value … NULL. */
static query query_of(const char *const *pairs) {
    query q;
    problem p = {0};
    query_init(&q);
    for (; *pairs; pairs += 2)
        query_take(&q, ~0u, pairs[0], strlen(pairs[0]), pairs[1], strlen(pairs[1]), &p);
    assert_int_equal(p.status, 0);
    return q;
}

#define QUERY(...) query_of((const char *const[]){__VA_ARGS__, NULL})

static void choices_that_mean_something_are_taken(void **state) {
    (void)state;
    const query good[] = {
        QUERY("prob", "0"),
        QUERY("prob", "0.5", "method", "fmix,mixup", "switch", "sample"),
        QUERY("method", "mixup,cutmix", "alpha", "0.2,1"),
        QUERY("method", "mixup,cutmix", "alpha", "0.2"),
        QUERY("scope", "pair", "pairing", "flip"),
        QUERY("switch", "sample", "method", "fmix,mixup", "weights", "0,1"),
        QUERY("switch", "batch", "policy", "random"),
        QUERY("weights", "1,2,3"), /* policy=alternate ignores weights, as ever */
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        problem p = {0};
        assert_true(choice_check(&good[i], &p));
        assert_int_equal(p.status, 0);
    }
}

static void choices_without_meaning_name_their_parameter_and_a_way_out(void **state) {
    (void)state;
    const struct {
        query q;
        const char *parameter, *advice;
    } bad[] = {
        {QUERY("alpha", "0.2,1"), "alpha", "one alpha for all"},
        {QUERY("method", "mixup,cutmix,fmix", "alpha", "0.2,1"), "alpha", "3 methods"},
        {QUERY("scope", "pair"), "scope", "add pairing=flip"},
        {QUERY("scope", "pair", "pairing", "roll"), "scope", "add pairing=flip"},
        {QUERY("switch", "sample", "policy", "random"), "policy", "leave policy out"},
        {QUERY("switch", "sample", "policy", "alternate"), "policy", "switch=batch"},
        {QUERY("switch", "sample", "method", "fmix,mixup", "weights", "1"), "weights",
         "one weight for each"},
        {QUERY("policy", "random", "method", "fmix,mixup", "weights", "0,0"), "weights", "sum"},
        {QUERY("switch", "sample", "method", "fmix,mixup", "weights", "4294967295,1"), "weights",
         "2^32-1"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        problem p = {0};
        assert_false(choice_check(&bad[i].q, &p));
        assert_int_equal(p.status, 400);
        assert_string_equal(p.errors[0].parameter, bad[i].parameter);
        assert_non_null(strstr(p.errors[0].detail, bad[i].advice));
    }
}

static void rows_differ_in_method_where_some_are_unmixed_or_each_has_its_own(void **state) {
    (void)state;
    const struct {
        query q;
        bool varies;
    } table[] = {
        {QUERY("method", "fmix,mixup"), false},
        {QUERY("method", "fmix,mixup", "switch", "sample"), true},
        {QUERY("method", "fmix", "switch", "sample"), false},
        {QUERY("prob", "1"), false},
        {QUERY("prob", "0.99"), true},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_int_equal(choice_varies(&table[i].q), table[i].varies);
}

static fmix_method method_at(const query *q, uint64_t batch) {
    fmix_choice choice;
    assert_true(choice_of_batch(q, batch, &choice));
    assert_int_equal(choice.count, 1);
    return choice.methods[0];
}

static void a_list_alternates_batch_by_batch(void **state) {
    (void)state;
    query q = QUERY("method", "fmix,mixup,none");
    assert_int_equal(method_at(&q, 0), FMIX_METHOD_FMIX);
    assert_int_equal(method_at(&q, 1), FMIX_METHOD_MIXUP);
    assert_int_equal(method_at(&q, 5), FMIX_METHOD_NONE);
    q = QUERY("method", "bc", "policy", "random");
    assert_int_equal(method_at(&q, 77), FMIX_METHOD_BC);
    q = QUERY("method", "fmix,mixup", "policy", "random", "weights", "0,4");
    for (uint64_t batch = 0; batch < 20; batch++)
        assert_int_equal(method_at(&q, batch), FMIX_METHOD_MIXUP);
}

static void a_batch_that_has_one_method_has_the_alpha_of_it(void **state) {
    (void)state;
    fmix_choice choice;
    query q = QUERY("method", "mixup,cutmix", "alpha", "0.25,4");
    assert_true(choice_of_batch(&q, 1, &choice));
    assert_int_equal(choice.methods[0], FMIX_METHOD_CUTMIX);
    assert_true(choice.alphas[0] == 4);
    q = QUERY("method", "mixup,cutmix", "alpha", "0.25");
    assert_true(choice_of_batch(&q, 1, &choice));
    assert_null(choice.alphas);
}

static void where_rows_switch_a_batch_keeps_every_method(void **state) {
    (void)state;
    fmix_choice choice;
    query q = QUERY("method", "mixup,cutmix", "switch", "sample", "weights", "3,1", "prob", "0.5");
    assert_true(choice_of_batch(&q, 1, &choice));
    assert_true(choice.count == 2 && choice.by_sample && choice.weights[0] == 3);
    assert_true(choice.prob_given && choice.prob == 0.5);
    q = QUERY("weights", "0");
    choice_of(&q, &choice);
    assert_null(choice.weights); /* which a list in turn ignores */
}

RUN(T(choices_that_mean_something_are_taken),
    T(choices_without_meaning_name_their_parameter_and_a_way_out),
    T(a_list_alternates_batch_by_batch), T(a_batch_that_has_one_method_has_the_alpha_of_it),
    T(where_rows_switch_a_batch_keeps_every_method),
    T(rows_differ_in_method_where_some_are_unmixed_or_each_has_its_own))
