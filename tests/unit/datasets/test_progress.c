#include "folder.h"
#include "held_clock.h"

#include "datasets/progress.h"

/* The two ends of a terminal. */
typedef struct terminal {
    int reader;
    FILE *writer;
} terminal;

static terminal open_terminal(void) {
    terminal t = {.reader = posix_openpt(O_RDWR | O_NOCTTY)};
    assert_true(t.reader >= 0 && grantpt(t.reader) == 0 && unlockpt(t.reader) == 0);
    t.writer = fopen(ptsname(t.reader), "w");
    assert_non_null(t.writer);
    return t;
}

/* What was written since the last call; a line of it ends in "\r\n". */
static const char *shown(terminal *t) {
    static char text[8192];
    fflush(t->writer);
    ssize_t length = read(t->reader, text, sizeof text - 1);
    text[length > 0 ? length : 0] = 0;
    return text;
}

static void close_terminal(terminal *t) {
    fclose(t->writer);
    close(t->reader);
}

static void elsewhere_each_tenth_is_a_line(void **state) {
    (void)state;
    progress p = progress_of(folder_errors, 1000);
    for (uint64_t rows = 1; rows <= 1000; rows++)
        progress_show(&p, rows);
    unsigned lines = 0;
    assert_true(folder_said("fmixd: import: 10 %, 100 rows\nfmixd: import: 20 %, 200 rows\n"));
    assert_true(folder_said("fmixd: import: 100 %, 1000 rows\n"));
    for (const char *at = folder_text; (at = strchr(at, '\n')); at++)
        lines++;
    assert_int_equal(lines, 10);
}

static void without_an_expected_number_nothing_is_shown(void **state) {
    (void)state;
    progress p = progress_of(folder_errors, 0);
    progress_show(&p, 5);
    progress_break(&p);
    fflush(folder_errors);
    assert_int_equal(folder_length, 0);
}

static void a_break_elsewhere_prints_nothing(void **state) {
    (void)state;
    progress p = progress_of(folder_errors, 10);
    progress_show(&p, 5);
    fflush(folder_errors);
    size_t before = folder_length;
    progress_break(&p);
    fflush(folder_errors);
    assert_int_equal(folder_length, before);
}

static void a_terminal_sees_a_bar_that_grows_in_its_line(void **state) {
    (void)state;
    terminal t = open_terminal();
    progress p = progress_of(t.writer, 1000);
    progress_show(&p, 500);
    assert_string_equal(shown(&t), "\r####################....................  50 %");
    progress_show(&p, 1000);
    assert_string_equal(shown(&t), "\r######################################## 100 %\r\n");
    close_terminal(&t);
}

static void a_break_ends_the_line_of_a_bar_that_is_not_full(void **state) {
    (void)state;
    terminal t = open_terminal();
    progress p = progress_of(t.writer, 100);
    progress_show(&p, 10);
    shown(&t);
    progress_break(&p);
    assert_string_equal(shown(&t), "\r\n");
    progress_break(&p); /* no bar is there any more */
    progress_show(&p, 11);
    assert_int_equal(shown(&t)[0], '\r');
    close_terminal(&t);
}

static void after_two_seconds_the_rate_and_the_time_left_are_told(void **state) {
    (void)state;
    held_clock_stop();
    progress p = progress_of(folder_errors, 1000);
    p.before = 100; /* by an earlier import */
    held_clock_pass(1999);
    progress_show(&p, 200);
    held_clock_pass(2001);
    progress_show(&p, 500);
    held_clock_pass(996000);
    progress_show(&p, 600);
    progress_show(&p, 1000);
    held_clock_run();
    assert_true(folder_said("fmixd: import: 20 %, 200 rows\n"));
    assert_true(folder_said("fmixd: import: 50 %, 500 rows, 100 rows/s, 5 s left\n"));
    assert_true(folder_said("fmixd: import: 60 %, 600 rows, 0.5 rows/s, 13 min left\n"));
    assert_true(folder_said("fmixd: import: 100 %, 1000 rows, 0.9 rows/s\n"));
}

RUN(IN_FOLDER(after_two_seconds_the_rate_and_the_time_left_are_told),
    IN_FOLDER(elsewhere_each_tenth_is_a_line),
    IN_FOLDER(without_an_expected_number_nothing_is_shown),
    IN_FOLDER(a_break_elsewhere_prints_nothing), T(a_terminal_sees_a_bar_that_grows_in_its_line),
    T(a_break_ends_the_line_of_a_bar_that_is_not_full))
