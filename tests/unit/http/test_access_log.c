#include "unit.h"

#include "http/access_log.h"
#include "http/route.h"

#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

typedef struct fixture {
    server_state server;
    trace trace;
    int ends[2];
    char line[LOG_LINE + 1];
} fixture;

static fixture f;

static void begin(void) {
    f = (fixture){.line = ""};
    assert_int_equal(pipe(f.ends), 0);
    metrics_init(&f.server.metrics);
    f.server.log = log_new(f.ends[1], LOG_JSON);
    assert_non_null(f.server.log);
    trace_begin(&f.trace);
}

static void write_record(access_record record) {
    record.trace = &f.trace;
    record.method = "GET";
    record.target = "/v1/masks";
    record.peer = "192.0.2.7";
    record.client = "";
    access_log_write(&f.server, &record);
    log_flush(f.server.log);
    ssize_t n = read(f.ends[0], f.line, LOG_LINE);
    assert_true(n > 0);
    f.line[n] = 0;
}

static void end(void) {
    log_free(f.server.log);
    metrics_destroy(&f.server.metrics);
    close(f.ends[0]);
    close(f.ends[1]);
}

static uint64_t count_of(unsigned row, const char *code, unsigned number) {
    for (unsigned column = 0; column < METRICS_COLUMNS; column++)
        if (strcmp(metrics_code(column), code) == 0 && metrics_format(column) == number) {
            uint64_t count = 0;
            for (unsigned i = 0; i < METRICS_BUCKETS; i++)
                count += f.server.metrics.requests[row][column][METRICS_SIZE].counts[i];
            return count;
        }
    return 0;
}

static void an_answer_is_logged_and_counted_with_its_format(void **state) {
    (void)state;
    const problem none = {0};
    begin();
    write_record((access_record){
        .route = 0, .format = &format_npy, .problem = &none, .status = 200, .bytes = 44});
    assert_non_null(strstr(f.line, f.trace.id));
    assert_non_null(strstr(f.line, "\"192.0.2.7\""));
    assert_non_null(strstr(f.line, "\"npy\""));
    assert_non_null(strstr(f.line, "44"));
    assert_non_null(strstr(f.line, route_name(0)));
    assert_int_equal(count_of(0, "200", format_number(&format_npy)), 1);
    for (unsigned i = 0; i < REFUSALS; i++)
        assert_int_equal(f.server.metrics.refused[i], 0);
    end();
}

/* A problem is JSON, whichever format the request asked for. */
static void a_refusal_is_counted_by_its_reason_and_has_no_format(void **state) {
    (void)state;
    const problem full = {.status = 503, .reason = REFUSAL_QUEUE};
    begin();
    write_record(
        (access_record){.route = 0, .format = &format_npy, .problem = &full, .status = 503});
    assert_non_null(strstr(f.line, refusal_name(REFUSAL_QUEUE)));
    assert_null(strstr(f.line, "\"npy\""));
    assert_int_equal(f.server.metrics.refused[REFUSAL_QUEUE], 1);
    assert_int_equal(count_of(0, "503", format_number(NULL)), 1);
    end();
}

static void a_request_without_a_route_is_counted_apart(void **state) {
    (void)state;
    const problem missing = {.status = 404, .reason = REFUSAL_REQUEST};
    begin();
    write_record((access_record){.route = ROUTE_NONE, .problem = &missing, .status = 404});
    assert_int_equal(count_of(ROUTE_NONE, "404", format_number(NULL)), 1);
    end();
}

RUN(T(an_answer_is_logged_and_counted_with_its_format),
    T(a_refusal_is_counted_by_its_reason_and_has_no_format),
    T(a_request_without_a_route_is_counted_apart))
