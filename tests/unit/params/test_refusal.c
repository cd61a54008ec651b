#include "unit.h"

#include "params/refusal.h"

static void every_refusal_says_whether_to_come_again_and_is_counted_by_its_reason(void **state) {
    (void)state;
    static const struct {
        jobs_verdict why;
        int status;
        problem_reason reason;
        const char *word;
    } rows[] = {{JOBS_FULL, 503, PROBLEM_QUEUE, "at once"},
                {JOBS_LATE, 503, PROBLEM_PATIENCE, "too late"},
                {JOBS_SHARE, 429, PROBLEM_SHARE, "share"},
                {JOBS_MEMORY, 503, PROBLEM_MEMORY, "memory"},
                {JOBS_NEVER, 413, PROBLEM_LARGE, "memory"},
                {JOBS_LOST, 503, PROBLEM_INTERNAL, "cut short"}};
    const jobs_settings settings = {.threads = 1, .limit = 1};
    jobs *line = jobs_new(&settings);
    assert_non_null(line);
    assert_int_equal(sizeof rows / sizeof *rows, JOBS_VERDICTS - 1);
    for (unsigned i = 0; i < JOBS_VERDICTS - 1; i++) {
        problem p = {0};
        problem_add(&p, 400, "before", "what was said before is not said any more");
        refusal_explain(line, rows[i].why, &p);
        assert_int_equal(p.status, rows[i].status);
        assert_int_equal(p.reason, rows[i].reason);
        assert_int_equal(p.retry_after, rows[i].status != 413);
        assert_int_equal(p.count, 1);
        assert_non_null(strstr(p.errors[0].detail, rows[i].word));
        assert_int_equal(strstr(p.errors[0].detail, "; try again in 1 s") != NULL,
                         rows[i].status != 413);
    }
    jobs_free(line);
}

RUN(T(every_refusal_says_whether_to_come_again_and_is_counted_by_its_reason))
