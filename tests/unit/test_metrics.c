#include "unit.h"

#include "metrics.h"

static void each_status_has_its_column_and_others_share_one(void **state) {
    (void)state;
    static const int known[] = {200, 206, 304, 400, 404, 405, 406, 411,
                                413, 414, 415, 416, 431, 499, 500, 503};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        metrics m = {0};
        metrics_request(&m, 3, known[i]);
        for (unsigned column = 0; column < METRICS_STATUSES; column++)
            assert_int_equal(atomic_load(&m.requests[3][column]),
                             metrics_status(column) == known[i]);
    }
    metrics m = {0};
    metrics_request(&m, 3, 418);
    metrics_request(&m, 3, 999);
    for (unsigned column = 0; column < METRICS_STATUSES - 1; column++)
        assert_int_equal(atomic_load(&m.requests[3][column]), metrics_status(column) ? 0 : 2);
}

static void routes_do_not_share_counters(void **state) {
    (void)state;
    metrics m = {0};
    for (unsigned route = 0; route < METRICS_ROUTES; route++)
        for (unsigned i = 0; i <= route; i++)
            metrics_request(&m, route, 200);
    for (unsigned route = 0; route < METRICS_ROUTES; route++)
        assert_int_equal(atomic_load(&m.requests[route][0]), route + 1);
}

enum { THREADS = 4, TIMES = 20000 };

static void *count_many(void *of) {
    for (int i = 0; i < TIMES; i++)
        metrics_request(of, 0, 503);
    return NULL;
}

static void threads_lose_no_count(void **state) {
    (void)state;
    metrics m = {0};
    pthread_t threads[THREADS];
    uint64_t sum = 0;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_many, &m), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (unsigned column = 0; column < METRICS_STATUSES; column++)
        sum += atomic_load(&m.requests[0][column]);
    assert_true(sum == THREADS * TIMES);
}

RUN(T(each_status_has_its_column_and_others_share_one), T(routes_do_not_share_counters),
    T(threads_lose_no_count))
