#include "unit.h"

#include "params/problem.h"
#include "params/refusal.h"

static void every_refusal_of_a_job_says_why_and_when_to_try_again(void **state) {
    (void)state;
    static const struct {
        refusal why;
        int status;
        const char *word;
    } rows[] = {{REFUSAL_QUEUE, 503, "queue is full"},
                {REFUSAL_PATIENCE, 503, "miss its deadline"},
                {REFUSAL_SHARE, 429, "share"},
                {REFUSAL_MEMORY, 503, "memory"},
                {REFUSAL_INTERNAL, 503, "truncated"}};
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        problem p = {0};
        problem_add(&p, 400, "before", "what was said before is not said any more");
        refusal_explain(rows[i].why, 7, &p);
        assert_int_equal(p.status, rows[i].status);
        assert_int_equal(p.reason, rows[i].why);
        assert_int_equal(p.retry_after, 7);
        assert_int_equal(p.count, 1);
        assert_non_null(strstr(p.errors[0].detail, rows[i].word));
        assert_non_null(strstr(p.errors[0].detail, "; try again in 7 s"));
    }
}

static void a_request_that_can_never_fit_is_413_without_retry(void **state) {
    (void)state;
    problem p = {0};
    refusal_explain(REFUSAL_LARGE, 7, &p);
    assert_int_equal(p.status, 413);
    assert_int_equal(p.reason, REFUSAL_LARGE);
    assert_int_equal(p.retry_after, 0);
    assert_null(strstr(p.errors[0].detail, "try again"));
}

static void every_refusal_has_a_name_of_its_own(void **state) {
    (void)state;
    for (refusal i = REFUSAL_NONE + 1; i < REFUSALS; i++) {
        assert_non_null(refusal_name(i));
        for (refusal j = REFUSAL_NONE + 1; j < i; j++)
            assert_string_not_equal(refusal_name(i), refusal_name(j));
    }
}

RUN(T(every_refusal_of_a_job_says_why_and_when_to_try_again),
    T(a_request_that_can_never_fit_is_413_without_retry), T(every_refusal_has_a_name_of_its_own))
