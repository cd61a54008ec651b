#include "unit.h"

#include "ops/log.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static void add_by(log_lines *l, const char *client, const char *target) {
    trace t = {.id = "me"};
    const log_entry e = {.trace = &t,
                         .method = "GET",
                         .target = target,
                         .route = "/v1/masks",
                         .peer = "::1",
                         .client = client,
                         .format = "npy",
                         .status = 200,
                         .bytes = 12};
    clock_gettime(CLOCK_MONOTONIC, &t.begun);
    log_request(l, &e);
}

static void add(log_lines *l, const char *target) {
    add_by(l, "", target);
}

/* Reads a whole file as text, and returns its length. */
static size_t contents(int fd, char *out, size_t room) {
    ssize_t n = pread(fd, out, room - 1, 0);
    assert_true(n >= 0);
    out[n] = 0;
    return (size_t)n;
}

static log_lines *log_on(int fd, log_kind kind) {
    log_lines *l = log_new(fd, kind);
    assert_non_null(l);
    return l;
}

/* Logs a request with this target, by a client or without a token. Returns the number of lost
 * lines. */
static uint64_t line_by(const char *client, log_kind kind, const char *target, char *out,
                        size_t room) {
    int fd = memfd_create("log", 0);
    log_lines *l = log_on(fd, kind);
    add_by(l, client, target);
    uint64_t lost = log_dropped(l);
    if (kind != LOG_OFF && !lost)
        UNIT_UNTIL(contents(fd, out, room) > 0);
    log_free(l);
    contents(fd, out, room);
    close(fd);
    return lost;
}

static uint64_t line_of(log_kind kind, const char *target, char *out, size_t room) {
    return line_by("", kind, target, out, room);
}

static void a_client_that_is_known_is_named(void **state) {
    (void)state;
    char line[1000] = "";
    line_by("alice", LOG_JSON, "/", line, sizeof line);
    assert_non_null(strstr(line, ",\"peer\":\"::1\",\"client\":\"alice\","));
    memset(line, 0, sizeof line);
    line_by("", LOG_JSON, "/", line, sizeof line);
    assert_null(strstr(line, "client"));
    memset(line, 0, sizeof line);
    line_by("alice", LOG_TEXT, "/", line, sizeof line);
    assert_non_null(strstr(line, " alice@::1 me GET / "));
}

static void quotes_and_controls_are_escaped(void **state) {
    (void)state;
    char line[1000] = "";
    line_of(LOG_JSON, "/a\"\\\n\x7f\xff", line, sizeof line);
    assert_non_null(strstr(line, ",\"target\":\"/a\\u0022\\u005c\\u000a\\u007f\\u00ff\","));
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
    line_of(LOG_TEXT, "/a\nb", line, sizeof line);
    assert_non_null(strstr(line, " ::1 me GET /a\\u000ab 200 12 bytes "));
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

static void a_line_too_long_is_left_out_whole_and_counted(void **state) {
    (void)state;
    static char target[4000], line[8000];
    memset(target, 'x', sizeof target - 1);
    assert_int_equal(line_of(LOG_JSON, target, line, sizeof line), 1);
    assert_string_equal(line, "");
}

static void off_writes_nothing(void **state) {
    (void)state;
    char line[1000] = "";
    assert_int_equal(line_of(LOG_OFF, "/", line, sizeof line), 0);
    assert_string_equal(line, "");
}

enum { THREADS = 4, EACH = 5000 };

static void *add_many(void *of) {
    for (int i = 0; i < EACH; i++)
        add(of, "/v1/masks.npy?shape=32x32&n=128&seed=7");
    return NULL;
}

static uint64_t count_lines(const char *text) {
    uint64_t lines = 0;
    while ((text = strchr(text, '\n'))) {
        text++;
        lines++;
    }
    return lines;
}

static void lines_of_many_threads_are_whole_and_all_written_or_counted(void **state) {
    (void)state;
    static char all[THREADS * EACH * 200];
    pthread_t threads[THREADS];
    int fd = memfd_create("log", 0);
    log_lines *l = log_on(fd, LOG_TEXT);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, l), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    uint64_t lines = log_dropped(l);
    UNIT_UNTIL(contents(fd, all, sizeof all) && lines + count_lines(all) == THREADS * EACH);
    log_free(l);
    for (char *at = all, *end; *at; at = end + 1, lines++) {
        end = strchr(at, '\n');
        assert_non_null(end);
        assert_int_equal(memcmp(end - 3, " ms", 3), 0);
    }
    assert_int_equal(lines, THREADS * EACH);
    close(fd);
}

/* Returns true if a line that was added just before the end is written whole. */
static bool is_written_at_the_end(void) {
    char text[1000];
    int fd = memfd_create("log", 0);
    log_lines *l = log_on(fd, LOG_TEXT);
    add(l, "/last");
    log_free(l);
    size_t length = contents(fd, text, sizeof text);
    close(fd);
    return length > 0 && text[length - 1] == '\n' && strstr(text, " GET /last ");
}

/* The log waits a second at most, in which a busy machine may not run its thread. */
static void queued_lines_are_written_at_the_end(void **state) {
    (void)state;
    UNIT_UNTIL(is_written_at_the_end());
}

static void a_reader_that_does_not_read_does_not_delay_callers(void **state) {
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    log_lines *l = log_on(ends[1], LOG_JSON);
    for (int i = 0; i < 20000; i++)
        add(l, "/");
    assert_true(log_dropped(l) > 0);
    log_free(l); /* gives up, or this would never end */
    close(ends[0]);
    close(ends[1]);
}

static void lines_for_a_full_disk_are_counted(void **state) {
    (void)state;
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_true(full >= 0);
    log_lines *l = log_on(full, LOG_JSON);
    for (int i = 0; i < 100; i++)
        add(l, "/");
    UNIT_UNTIL(log_dropped(l) == 100);
    log_free(l);
    close(full);
}

/* A file that may have 100 bytes stands for a disk that is full amid a line. */
static void a_line_after_a_torn_one_begins_anew(void **state) {
    (void)state;
    char text[1000];
    struct rlimit before, small;
    int fd = memfd_create("log", 0);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 100;
    log_lines *l = log_on(fd, LOG_TEXT);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    add(l, "/one");
    add(l, "/two");
    UNIT_UNTIL(log_dropped(l) >= 1);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    add(l, "/three");
    UNIT_UNTIL(contents(fd, text, sizeof text) > 101 && strstr(text + 101, " me GET /three 200 "));
    assert_int_equal(text[100], '\n');
    log_free(l);
    close(fd);
}

static void a_pipe_gets_whole_lines(void **state) {
    (void)state;
    static char all[PIPE_BUF + 1];
    int ends[2];
    ssize_t n;
    assert_int_equal(pipe2(ends, O_DIRECT), 0); /* each write is one read */
    log_lines *l = log_on(ends[1], LOG_TEXT);
    for (int i = 0; i < 300; i++)
        add(l, "/v1/masks");
    log_free(l);
    close(ends[1]);
    while ((n = read(ends[0], all, sizeof all)) > 0)
        assert_int_equal(all[n - 1], '\n');
    close(ends[0]);
}

RUN(T(quotes_and_controls_are_escaped), T(a_line_too_long_is_left_out_whole_and_counted),
    T(off_writes_nothing), T(lines_of_many_threads_are_whole_and_all_written_or_counted),
    T(queued_lines_are_written_at_the_end), T(a_reader_that_does_not_read_does_not_delay_callers),
    T(lines_for_a_full_disk_are_counted), T(a_line_after_a_torn_one_begins_anew),
    T(a_pipe_gets_whole_lines), T(a_client_that_is_known_is_named))
