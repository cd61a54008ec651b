#include "broken_list.h"

#include "base/process.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void usage_is_that_of_the_process(void **state) {
    (void)state;
    enum { BYTES = 64 << 20, FILES = 20 };
    process_usage before, after;
    struct rlimit limit;
    int fds[FILES];
    process_measure("/proc/self", &before);
    unsigned char *block = malloc(BYTES);
    assert_non_null(block);
    for (int i = 0; i < FILES; i++)
        assert_true((fds[i] = open("/dev/null", O_RDONLY)) >= 0);
    for (int turn = 0; turn < 10; turn++)
        for (volatile unsigned char *at = block; at < block + BYTES; at++)
            *at = (unsigned char)turn;
    process_measure("/proc/self", &after);
    for (int i = 0; i < FILES; i++)
        close(fds[i]);
    free(block);
    assert_true(after.open_fds - before.open_fds == FILES);
    assert_true(after.resident_bytes - before.resident_bytes >= 0.9 * BYTES);
    assert_true(after.resident_bytes <= after.virtual_bytes);
    assert_true(after.private_bytes - before.private_bytes >= 0.9 * BYTES);
    assert_true(after.private_bytes < after.resident_bytes);
    assert_true(after.cpu_seconds > before.cpu_seconds);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_true(limit.rlim_cur == RLIM_INFINITY ? isinf(after.max_fds)
                                                : after.max_fds == (double)limit.rlim_cur);
}

static void a_value_that_cannot_be_measured_is_nan_and_the_rest_are_measured(void **state) {
    (void)state;
    process_usage u;
    process_measure("/nowhere", &u);
    assert_true(isnan(u.resident_bytes) && isnan(u.virtual_bytes) && isnan(u.open_fds));
    assert_true(u.cpu_seconds >= 0 && u.max_fds > 0);
    char path[400];
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = 0;
    process_measure(path, &u);
    assert_true(isnan(u.resident_bytes) && isnan(u.open_fds));
    broken_list_at = 3; /* some descriptors are not all */
    process_measure("/proc/self", &u);
    assert_true(isnan(u.open_fds) && u.resident_bytes > 0);
}

static void without_a_free_descriptor_memory_is_nan(void **state) {
    (void)state;
    struct rlimit limit, none;
    process_usage u;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){0, limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    process_measure("/proc/self", &u);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_true(isnan(u.resident_bytes) && isnan(u.open_fds));
    assert_true(u.cpu_seconds >= 0 && u.max_fds == 0);
}

/* The usage that is read from this statm. */
static process_usage usage_of(const char *text) {
    char directory[] = "/tmp/fmixd-process-XXXXXX", path[64];
    process_usage u;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/statm", directory);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    process_measure(directory, &u);
    unlink(path);
    rmdir(directory);
    return u;
}

static void memory_is_counted_in_pages(void **state) {
    (void)state;
    double page = (double)sysconf(_SC_PAGESIZE);
    process_usage u = usage_of("81758 2756 1000 1 0 20000 0\n");
    assert_true(u.virtual_bytes == 81758 * page && u.resident_bytes == 2756 * page);
    assert_true(u.private_bytes == 1756 * page);
    static const char *const wrong[] = {"", "12", "x y", "12 y", "12 3", "12 3 z"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        u = usage_of(wrong[i]);
        assert_true(isnan(u.virtual_bytes) && isnan(u.resident_bytes) && isnan(u.private_bytes));
    }
}

RUN(T(usage_is_that_of_the_process),
    T(a_value_that_cannot_be_measured_is_nan_and_the_rest_are_measured),
    T(without_a_free_descriptor_memory_is_nan), T(memory_is_counted_in_pages))
