#include "unit.h"

#include "http/fd_limit.h"
#include "http/lingering_close.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { IO_THREADS = 2, OTHERS = 24 + 2 * IO_THREADS + LINGERING_CLOSE_PLACES };

/* The connections that fd_limit_fit leaves in a process with these limits; 0: refused. said: the
 * message. */
static uint64_t left_of(uint64_t connections, rlim_t soft, rlim_t hard, char *said, size_t room) {
    struct {
        uint64_t connections;
        char said[256];
    } result = {0};
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct rlimit limit = {soft, hard};
        config c = {.connections = connections, .io_threads = IO_THREADS};
        FILE *errors = fmemopen(result.said, sizeof result.said, "w");
        bool good = setrlimit(RLIMIT_NOFILE, &limit) == 0 && fd_limit_fit(&c, errors);
        fclose(errors);
        result.connections = good ? c.connections : 0;
        _exit(write(ends[1], &result, sizeof result) != sizeof result);
    }
    assert_int_equal(read(ends[0], &result, sizeof result), sizeof result);
    waitpid(child, NULL, 0);
    close(ends[0]);
    close(ends[1]);
    snprintf(said, room, "%s", result.said);
    return result.connections;
}

static void the_limit_is_raised_as_far_as_it_may_be(void **state) {
    (void)state;
    char said[256];
    assert_int_equal(left_of(200, 64, 1000, said, sizeof said), 200);
    assert_string_equal(said, "");
}

static void connections_are_as_many_as_descriptors_allow(void **state) {
    (void)state;
    char said[256];
    assert_int_equal(left_of(200, 64, 200, said, sizeof said), 200 - OTHERS);
    assert_string_equal(said,
                        "fmixd: the process may open only 200 file descriptors, so connections "
                        "is 108, not 200\n");
    assert_int_equal(left_of(200, OTHERS + 16, OTHERS + 16, said, sizeof said), 16);
}

static void too_few_for_the_fewest_connections_are_refused(void **state) {
    (void)state;
    char said[256];
    assert_int_equal(left_of(200, 64, OTHERS + 15, said, sizeof said), 0);
    assert_string_equal(
        said, "fmixd: the process may open only 107 file descriptors; it needs at least 108\n");
}

RUN(T(the_limit_is_raised_as_far_as_it_may_be), T(connections_are_as_many_as_descriptors_allow),
    T(too_few_for_the_fewest_connections_are_refused))
