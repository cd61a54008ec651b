#include "unit.h"

#include "api/routes.h"

#include <stdio.h>
#include <unistd.h>

/* Counted once, of these kinds. */
static void count(metrics *m, unsigned row, int status, unsigned number, uint64_t nanoseconds,
                  uint64_t bytes) {
    metrics_count(m, &(metrics_request){row, status, number, {nanoseconds, bytes}});
}

static config settings;

static server_state *server_new(void) {
    server_state *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->config = &settings;
    s->context = unit_context();
    budget_init(&s->budget, UINT64_MAX, 1);
    metrics_init(&s->metrics);
    const jobs_settings pool = {.threads = 1, .limit = 8, .payer = &s->budget};
    assert_non_null(s->jobs = jobs_new(&pool));
    assert_non_null(s->log = log_new(STDERR_FILENO, LOG_OFF));
    assert_non_null(s->catalog = catalog_new("", DATASET_VERIFY_LAZY, stderr));
    memset(s->golden, 'f', sizeof s->golden - 1);
    return s;
}

static void server_free(server_state *s) {
    log_free(s->log);
    catalog_free(s->catalog);
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
    server_state *s = server_new();
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
    server_free(s);
}

static void every_series_at_its_longest_fits(void **state) {
    (void)state;
    server_state *s = server_new();
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
    server_free(s);
}

static void with_the_budget_of_pages_used_up_the_page_is_503(void **state) {
    (void)state;
    server_state *s = server_new();
    assert_true(budget_take((budget_payer){.from = &s->metrics.texts}, METRICS_HELD - 1000));
    resource_result out = ask(s);
    assert_int_equal(out.problem.status, 503);
    assert_int_equal(out.problem.reason, REFUSAL_MEMORY);
    assert_int_equal(out.problem.retry_after, 1);
    buffer_free(&out.text);
    budget_give((budget_payer){.from = &s->metrics.texts}, METRICS_HELD - 1000);
    out = ask(s);
    assert_int_equal(out.problem.status, 0);
    buffer_free(&out.text);
    server_free(s);
}

static void names_of_routes_leave_room_for_the_line(void **state) {
    (void)state;
    for (unsigned i = 0; i < METRICS_ROUTES; i++)
        assert_true(strlen(route_name(i)) <= 40);
}

RUN(T(buckets_are_written_cumulated_under_their_labels), T(every_series_at_its_longest_fits),
    T(with_the_budget_of_pages_used_up_the_page_is_503), T(names_of_routes_leave_room_for_the_line))
