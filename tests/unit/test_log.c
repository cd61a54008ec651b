#include "unit.h"

#include "log.h"

/* The line of a request with this target. */
static void line_of(log_kind kind, const char *target, char *out, size_t room) {
    trace t = {.id = "me"};
    const log_entry e = {.trace = &t,
                         .method = "GET",
                         .target = target,
                         .route = "/v1/masks",
                         .peer = "::1",
                         .format = "npy",
                         .status = 200,
                         .bytes = 12};
    FILE *file = fmemopen(out, room, "w");
    clock_gettime(CLOCK_MONOTONIC, &t.begun);
    log_request(file, kind, &e);
    fclose(file);
}

static void quotes_and_controls_are_escaped(void **state) {
    (void)state;
    char line[1000] = "";
    line_of(LOG_JSON, "/a\"\\\n\x7f\xff", line, sizeof line);
    assert_non_null(strstr(line, ",\"target\":\"/a\\u0022\\u005c\\u000a\\u007f\\u00ff\","));
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
    memset(line, 0, sizeof line);
    line_of(LOG_TEXT, "/a\nb", line, sizeof line);
    assert_non_null(strstr(line, " ::1 me GET /a\\u000ab 200 12 bytes "));
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

static void a_line_too_long_is_left_out_whole(void **state) {
    (void)state;
    static char target[4000], line[8000];
    memset(target, 'x', sizeof target - 1);
    line_of(LOG_JSON, target, line, sizeof line);
    assert_string_equal(line, "");
}

static void off_writes_nothing(void **state) {
    (void)state;
    char line[1000] = "";
    line_of(LOG_OFF, "/", line, sizeof line);
    assert_string_equal(line, "");
}

RUN(T(quotes_and_controls_are_escaped), T(a_line_too_long_is_left_out_whole), T(off_writes_nothing))
