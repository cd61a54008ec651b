/* The report of a process that crashes, as its parent sees it. */
#include "unit.h"

#include "base/crash.h"
#include "compute/answer.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* A sanitizer reports a crash itself, before a signal handler could. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

/* Only programs with a sanitizer have this function. */
extern void __sanitizer_set_report_path(const char *path) __attribute__((weak));

/* AddressSanitizer reports a write past the end, the kernel a write to NULL. */
static void access_badly(void) {
#ifdef __SANITIZE_ADDRESS__
    void *where = malloc(1);
#else
    void *where = NULL;
#endif
    void *(*volatile set)(void *, int, size_t) = memset; /* hidden from the optimiser */
    set(where, 0, 2);
}

/* Runs `crash` in a child with the handlers installed. Returns how the child ended; out: its
 * stderr. */
static int end_of(void (*crash)(void), char *out, size_t room) {
    int pipe_fds[2], status;
    size_t got = 0;
    assert_int_equal(pipe(pipe_fds), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(pipe_fds[1], STDERR_FILENO);
        if (__sanitizer_set_report_path)
            __sanitizer_set_report_path("stderr"); /* and not to a file, for which a test fails */
        signal(SIGSEGV, SIG_DFL);                  /* cmocka's handlers */
        signal(SIGABRT, SIG_DFL);
        crash_install();
        crash();
        _exit(0);
    }
    close(pipe_fds[1]);
    for (ssize_t n; (n = read(pipe_fds[0], out + got, room - 1 - got)) > 0;)
        got += (size_t)n;
    out[got] = 0;
    close(pipe_fds[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void crash_for_a_request(void) {
    crash_work_for("POST /v1/mix.png?parts=masks");
    access_badly();
}

static void give_up(void) {
    crash_work_for("GET /v1/masks.npy");
    crash_work_for(NULL);
    abort();
}

static void *crash_for_another(void *unused) {
    crash_work_for("GET /of-the-other-thread");
    crash_for_a_request();
    return unused;
}

static void crash_on_a_thread(void) {
    pthread_t thread;
    crash_work_for("GET /of-the-first-thread");
    pthread_create(&thread, NULL, crash_for_another, NULL);
    pthread_join(thread, NULL);
}

/* Without an end, as the compiler must not see. */
static int overflow(volatile int *depth) {
    volatile int deeper[1024] = {*depth + 1};
    return *depth < 0 ? 0 : overflow(deeper) + deeper[0];
}

static void *overflow_for_a_request(void *unused) {
    volatile int depth = 0;
    crash_work_for("POST /v1/mix.npy?deep");
    overflow(&depth);
    return unused;
}

static void overflow_on_a_thread(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, overflow_for_a_request, NULL);
    pthread_join(thread, NULL);
}

static fmix_status fill_from_nothing(const void *self, fmix_scratch *scratch, uint64_t first,
                                     uint64_t n, void *out) {
    (void)self, (void)scratch, (void)first, (void)n, (void)out;
    access_badly();
    return FMIX_OK;
}

static void ignore(void *user) {
    (void)user;
}

static void crash_in_a_slice(void) {
    const jobs_settings settings = {.threads = 1, .limit = 1};
    const job_waiter waiter = {.suspend = ignore, .resume = ignore};
    jobs *pool = jobs_new(&settings);
    tensor_source *s = tensor_source_new(1);
    problem p = {0};
    refusal why;
    tensor_source_add(s, "x", DTYPE_U8, 0, NULL, 1e9, fill_from_nothing, NULL);
    answer *a = answer_new(pool, s, &format_raw, &waiter, &p);
    answer_describe(a, "GET /of-an-answer");
    answer_start(a, &why);
    pause();
}

static void a_slice_that_crashes_names_its_request(void **state) {
    (void)state;
    char text[65536];
    end_of(crash_in_a_slice, text, sizeof text);
    assert_non_null(strstr(text, "fmixd: this thread was working on: GET /of-an-answer\n"));
}

static void a_crash_names_its_signal_and_its_request(void **state) {
    (void)state;
    char text[65536];
    int status = end_of(crash_for_a_request, text, sizeof text);
    assert_non_null(
        strstr(text, "fmixd: this thread was working on: POST /v1/mix.png?parts=masks\n"));
    if (SANITIZED)
        return; /* the sanitizer reports the signal, and exits */
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    assert_non_null(strstr(text, "fmixd: crashed by SIGSEGV\n"));
}

static void a_thread_that_crashes_without_a_request_says_so(void **state) {
    (void)state;
    char text[65536];
    int status = end_of(give_up, text, sizeof text);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_string_equal(
        text, "fmixd: crashed by SIGABRT\nfmixd: this thread was not working on a request\n");
}

static void the_report_names_the_request_of_the_thread_that_crashed(void **state) {
    (void)state;
    char text[65536];
    end_of(crash_on_a_thread, text, sizeof text);
    assert_non_null(strstr(text, "POST /v1/mix.png?parts=masks"));
    assert_null(strstr(text, "first-thread"));
}

static void a_stack_that_overflows_is_reported_too(void **state) {
    (void)state;
    char text[65536];
    end_of(overflow_on_a_thread, text, sizeof text);
    assert_non_null(strstr(text, "fmixd: this thread was working on: POST /v1/mix.npy?deep\n"));
}

static void setting_a_request_returns_the_one_before(void **state) {
    (void)state;
    assert_null(crash_work_for("one"));
    assert_string_equal(crash_work_for("two"), "one");
    assert_string_equal(crash_work_for(NULL), "two");
}

RUN(T(a_crash_names_its_signal_and_its_request), T(a_thread_that_crashes_without_a_request_says_so),
    T(the_report_names_the_request_of_the_thread_that_crashed),
    T(a_slice_that_crashes_names_its_request), T(a_stack_that_overflows_is_reported_too),
    T(setting_a_request_returns_the_one_before))
