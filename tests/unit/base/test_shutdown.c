#include "unit.h"

#include "base/shutdown.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs the action in a child, whose signals have their default actions: how the child ended. */
static int end_of(void (*action)(void)) {
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGTERM, SIG_DFL);
        signal(SIGINT, SIG_DFL);
        action();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void block_and_raise(int number) {
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, number);
    sigprocmask(SIG_BLOCK, &one, NULL);
    raise(number);
}

static void expect_request_after(int number) {
    if (shutdown_requested())
        _exit(1);
    block_and_raise(number);
    _exit(shutdown_requested() ? 0 : 2);
}

static void await_sigterm(void) {
    expect_request_after(SIGTERM);
}

static void await_sigint(void) {
    expect_request_after(SIGINT);
}

static void await_sighup(void) {
    expect_request_after(SIGHUP);
}

static void a_blocked_sigterm_or_sigint_requests_a_shutdown_and_sighup_does_not(void **state) {
    (void)state;
    assert_int_equal(end_of(await_sigterm), 0);
    assert_int_equal(end_of(await_sigint), 0);
    assert_int_equal(WEXITSTATUS(end_of(await_sighup)), 2);
}

/* ThreadSanitizer delays the signal that the handler raises, so the handler goes on and exits, as
 * in the first process of a container. */
static void assert_ended_by(int status, int number) {
#ifdef __SANITIZE_THREAD__
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 128 + number);
#else
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == number);
#endif
}

static void end_by_sigterm(void) {
    shutdown_at_once();
    raise(SIGTERM);
}

static void end_by_sigint(void) {
    shutdown_at_once();
    raise(SIGINT);
}

static void the_parent_sees_the_signal_that_ended_the_process(void **state) {
    (void)state;
    assert_ended_by(end_of(end_by_sigterm), SIGTERM);
    assert_ended_by(end_of(end_by_sigint), SIGINT);
}

/* As nohup and shells start a process in the background. */
static void ignore_sigint_and_raise_it(void) {
    signal(SIGINT, SIG_IGN);
    shutdown_at_once();
    raise(SIGINT);
}

static void a_signal_that_was_ignored_at_start_stays_ignored(void **state) {
    (void)state;
    int status = end_of(ignore_sigint_and_raise_it);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

RUN(T(a_blocked_sigterm_or_sigint_requests_a_shutdown_and_sighup_does_not),
    T(the_parent_sees_the_signal_that_ended_the_process),
    T(a_signal_that_was_ignored_at_start_stays_ignored))
