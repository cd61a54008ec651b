#include "unit.h"

#include "http/cache_rules.h"

static void an_answer_that_never_changes_is_kept_for_a_year_without_revalidation(void **state) {
    (void)state;
    assert_string_equal(cache_rule(FRESH_FOR_EVER, false), "public, max-age=31536000, immutable");
}

static void an_answer_that_may_be_replaced_is_revalidated_each_time(void **state) {
    (void)state;
    assert_string_equal(cache_rule(FRESH_UNTIL_REPLACED, false), "public, no-cache");
}

static void shared_caches_do_not_keep_answers_that_need_a_token(void **state) {
    (void)state;
    for (freshness f = 0; f < FRESHNESS_KINDS; f++)
        assert_null(strstr(cache_rule(f, true), "public"));
}

static void an_answer_without_a_validator_is_not_stored(void **state) {
    (void)state;
    assert_string_equal(cache_rule(FRESH_NEVER, false), "no-store");
    assert_string_equal(cache_rule(FRESH_NEVER, true), "no-store");
}

RUN(T(an_answer_that_never_changes_is_kept_for_a_year_without_revalidation),
    T(an_answer_that_may_be_replaced_is_revalidated_each_time),
    T(shared_caches_do_not_keep_answers_that_need_a_token),
    T(an_answer_without_a_validator_is_not_stored))
