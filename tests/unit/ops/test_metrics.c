#include "unit.h"

#include "ops/metrics.h"

#include <stdio.h>

/* Counted once, of these kinds. */
static void count(metrics *m, unsigned row, int status, unsigned number, uint64_t nanoseconds,
                  uint64_t bytes) {
    metrics_count(m, &(metrics_request){row, status, number, {nanoseconds, bytes}});
}

static metrics *metrics_new(void) {
    metrics *m = calloc(1, sizeof *m);
    assert_non_null(m);
    metrics_init(m);
    return m;
}

static void metrics_free(metrics *m) {
    metrics_destroy(m);
    free(m);
}

static uint64_t counted(metrics *m, unsigned row, unsigned column, metrics_kind kind) {
    uint64_t n = 0;
    for (unsigned i = 0; i < METRICS_BUCKETS; i++)
        n += atomic_load(&m->requests[row][column][kind].counts[i]);
    return n;
}

/* The one column of this row that counted. */
static unsigned column_counted(metrics *m, unsigned row) {
    unsigned found = METRICS_COLUMNS;
    for (unsigned c = 0; c < METRICS_COLUMNS; c++)
        if (counted(m, row, c, METRICS_SIZE)) {
            assert_int_equal(found, METRICS_COLUMNS);
            found = c;
        }
    assert_true(found < METRICS_COLUMNS);
    return found;
}

static void each_status_has_its_column_and_others_share_one(void **state) {
    (void)state;
    static const int known[] = {200, 204, 206, 304, 400, 401, 404, 405, 406, 408, 409, 411, 412,
                                413, 414, 415, 416, 417, 429, 431, 499, 500, 501, 503, 505};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        char code[8];
        metrics *m = metrics_new();
        count(m, 3, known[i], 0, 1, 1);
        snprintf(code, sizeof code, "%d", known[i]);
        assert_string_equal(metrics_code(column_counted(m, 3)), code);
        metrics_free(m);
    }
    metrics *m = metrics_new();
    count(m, 3, 418, 0, 1, 1);
    count(m, 3, 999, 0, 1, 1);
    assert_string_equal(metrics_code(column_counted(m, 3)), "other");
    metrics_free(m);
}

static void only_answers_have_series_by_format(void **state) {
    (void)state;
    static const struct {
        int status;
        const char *code;
        bool formatted;
    } table[] = {{200, "200", true},  {206, "206", true},  {304, "304", true},   {499, "499", true},
                 {404, "404", false}, {503, "503", false}, {418, "other", false}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        for (unsigned number = 0; number <= METRICS_FORMATS; number++) {
            metrics *m = metrics_new();
            bool one = table[i].formatted && number < METRICS_FORMATS;
            count(m, 1, table[i].status, number, 1, 1);
            unsigned c = column_counted(m, 1);
            assert_string_equal(metrics_code(c), table[i].code);
            assert_int_equal(metrics_format(c), one ? number : 0);
            assert_true(metrics_row(c) < METRICS_STATUSES);
            metrics_free(m);
        }
}

static void routes_do_not_share_counters(void **state) {
    (void)state;
    metrics *m = metrics_new();
    for (unsigned row = 0; row < METRICS_ROUTES; row++)
        for (unsigned i = 0; i <= row; i++)
            count(m, row, 200, 0, 1, 1);
    for (unsigned row = 0; row < METRICS_ROUTES; row++)
        assert_int_equal(counted(m, row, column_counted(m, row), METRICS_DURATION), row + 1);
    metrics_free(m);
}

static void a_bound_belongs_to_the_bucket_below_it(void **state) {
    (void)state;
    for (unsigned kind = 0; kind < METRICS_KINDS; kind++) {
        const metrics_scale *scale = &metrics_scales[kind];
        for (unsigned i = 0; i < scale->buckets; i++) {
            metrics *m = metrics_new();
            uint64_t most = scale->bounds[i].most, past = most + (i + 1 < scale->buckets);
            count(m, 0, 200, 0, most, most);
            count(m, 0, 200, 0, past, past);
            metrics_histogram *h = &m->requests[0][column_counted(m, 0)][kind];
            assert_int_equal(atomic_load(&h->counts[i]), past == most ? 2 : 1);
            if (past != most)
                assert_int_equal(atomic_load(&h->counts[i + 1]), 1);
            assert_true(atomic_load(&h->sum) == most + past);
            metrics_free(m);
        }
    }
}

static void bounds_rise_and_equal_their_labels(void **state) {
    (void)state;
    for (unsigned kind = 0; kind < METRICS_KINDS; kind++) {
        const metrics_scale *scale = &metrics_scales[kind];
        assert_true(scale->buckets <= METRICS_BUCKETS);
        for (unsigned i = 0; i + 1 < scale->buckets; i++) {
            double said = atof(scale->bounds[i].le) / scale->unit;
            assert_true(scale->bounds[i].most < scale->bounds[i + 1].most);
            assert_true((uint64_t)(said + 0.5) == scale->bounds[i].most);
        }
        assert_true(scale->bounds[scale->buckets - 1].most == UINT64_MAX);
        assert_string_equal(scale->bounds[scale->buckets - 1].le, "+Inf");
    }
}

enum { THREADS = 4, TIMES = 20000 };

static void *count_many(void *of) {
    for (int i = 0; i < TIMES; i++) {
        count(of, 0, 503, 0, 3, 5);
        metrics_refuse(of, REFUSAL_QUEUE);
    }
    return NULL;
}

static void threads_lose_no_count(void **state) {
    (void)state;
    metrics *m = metrics_new();
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_many, m), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    unsigned c = column_counted(m, 0);
    assert_true(counted(m, 0, c, METRICS_DURATION) == THREADS * TIMES);
    assert_true(atomic_load(&m->requests[0][c][METRICS_DURATION].sum) == 3 * THREADS * TIMES);
    assert_true(atomic_load(&m->requests[0][c][METRICS_SIZE].sum) == 5 * THREADS * TIMES);
    assert_true(atomic_load(&m->refused[REFUSAL_QUEUE]) == THREADS * TIMES);
    metrics_free(m);
}

RUN(T(each_status_has_its_column_and_others_share_one), T(only_answers_have_series_by_format),
    T(routes_do_not_share_counters), T(a_bound_belongs_to_the_bucket_below_it),
    T(bounds_rise_and_equal_their_labels), T(threads_lose_no_count))
