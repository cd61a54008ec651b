#include "unit.h"

#include <unistd.h>

#include "api/resource.h"
#include "http/route.h"

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
    static const int known[] = {200, 204, 206, 304, 400, 401, 403, 404, 405, 406, 408, 411, 412,
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

static void bounds_rise_and_are_what_they_are_called(void **state) {
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

/* ---- as they are written ---- */

static config settings;

static server_state *service_new(void) {
    server_state *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->config = &settings;
    s->context = unit_context();
    budget_init(&s->budget, UINT64_MAX, 1);
    metrics_init(&s->metrics);
    const jobs_settings line = {.threads = 1, .limit = 8, .payer = &s->budget};
    assert_non_null(s->jobs = jobs_new(&line));
    assert_non_null(s->log = log_new(STDERR_FILENO, LOG_OFF));
    memset(s->golden, 'f', sizeof s->golden - 1);
    return s;
}

static void service_free(server_state *s) {
    log_free(s->log);
    jobs_free(s->jobs);
    fmix_context_free(s->context);
    budget_destroy(&s->budget);
    metrics_destroy(&s->metrics);
    free(s);
}

static resource_result ask(server_state *s) {
    resource_request c = {.server = s};
    resource_result out = {0};
    metrics_get(&c, &out);
    return out;
}

static char *text_of(resource_result *out) {
    assert_int_equal(out->problem.status, 0);
    assert_true(buffer_add(&out->text, "", 1));
    return (char *)out->text.bytes;
}

static void holds(const char *text, const char *line) {
    if (!strstr(text, line))
        fail_msg("without: %s", line);
}

static void buckets_are_written_cumulated_under_their_labels(void **state) {
    (void)state;
    server_state *s = service_new();
    unsigned npz = format_number(&format_npz);
    count(&s->metrics, 0, 200, npz, 100000, 300);
    count(&s->metrics, 0, 200, npz, 100001, 300);
    count(&s->metrics, 0, 200, npz, 90000000000, 0);
    count(&s->metrics, 0, 200, format_number(&format_raw), 1, UINT64_C(1) << 33);
    metrics_refuse(&s->metrics, REFUSAL_MEMORY);
    resource_result out = ask(s);
    const char *text = text_of(&out);
#define NPZ "{route=\"/v1/masks\",code=\"200\",format=\"npz\""
#define RAW "{route=\"/v1/masks\",code=\"200\",format=\"raw\""
    holds(text, "\nfmixd_request_duration_seconds_bucket" NPZ ",le=\"0.0001\"} 1\n");
    holds(text, "\nfmixd_request_duration_seconds_bucket" NPZ ",le=\"0.00025\"} 2\n");
    holds(text, "\nfmixd_request_duration_seconds_bucket" NPZ ",le=\"60\"} 2\n");
    holds(text, "\nfmixd_request_duration_seconds_bucket" NPZ ",le=\"+Inf\"} 3\n");
    holds(text, "\nfmixd_request_duration_seconds_count" NPZ "} 3\n");
    holds(text, "\nfmixd_request_duration_seconds_sum" NPZ "} 90.0002");
    holds(text, "\nfmixd_response_size_bytes_bucket" NPZ ",le=\"256\"} 1\n");
    holds(text, "\nfmixd_response_size_bytes_bucket" NPZ ",le=\"1024\"} 3\n");
    holds(text, "\nfmixd_response_size_bytes_sum" NPZ "} 600\n");
    holds(text, "\nfmixd_response_size_bytes_bucket" RAW ",le=\"4294967296\"} 0\n");
    holds(text, "\nfmixd_response_size_bytes_sum" RAW "} 8589934592\n");
    holds(text, "\nfmixd_requests_total{route=\"/v1/masks\",code=\"200\"} 4\n");
    holds(text, "\nfmixd_refused_total{reason=\"memory\"} 1\n");
    assert_null(strstr(text, "code=\"404\""));
    buffer_free(&out.text);
    service_free(s);
}

static void every_series_at_its_longest_fits(void **state) {
    (void)state;
    server_state *s = service_new();
    _Atomic uint64_t *cells = (_Atomic uint64_t *)s->metrics.requests;
    for (size_t i = 0; i < sizeof s->metrics.requests / sizeof *cells; i++)
        atomic_store(&cells[i], UINT64_MAX / METRICS_COLUMNS / METRICS_BUCKETS);
    resource_result out = ask(s);
    assert_false(out.text.failed);
    size_t longest = 0, used = out.text.length;
    for (const char *line = text_of(&out), *end; (end = strchr(line, '\n')); line = end + 1)
        longest = (size_t)(end - line) > longest ? (size_t)(end - line) : longest;
    assert_true(longest < 160);
    assert_true(used < METRICS_HELD);
    buffer_free(&out.text);
    assert_int_equal(s->metrics.texts.held, 0);
    service_free(s);
}

static void metrics_beyond_the_memory_of_their_readers_are_503(void **state) {
    (void)state;
    server_state *s = service_new();
    assert_true(budget_take(&s->metrics.texts, METRICS_HELD - 1000));
    resource_result out = ask(s);
    assert_int_equal(out.problem.status, 503);
    assert_true(out.starved);
    buffer_free(&out.text);
    budget_give(&s->metrics.texts, METRICS_HELD - 1000);
    out = ask(s);
    assert_int_equal(out.problem.status, 0);
    buffer_free(&out.text);
    service_free(s);
}

static void names_of_routes_leave_room_for_the_line(void **state) {
    (void)state;
    for (unsigned i = 0; i < METRICS_ROUTES; i++)
        assert_true(strlen(route_name(i)) <= 40);
}

RUN(T(each_status_has_its_column_and_others_share_one), T(only_answers_have_series_by_format),
    T(routes_do_not_share_counters), T(a_bound_belongs_to_the_bucket_below_it),
    T(bounds_rise_and_are_what_they_are_called), T(threads_lose_no_count),
    T(buckets_are_written_cumulated_under_their_labels), T(every_series_at_its_longest_fits),
    T(metrics_beyond_the_memory_of_their_readers_are_503),
    T(names_of_routes_leave_room_for_the_line))
