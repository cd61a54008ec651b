/* What a process says before it ends by a signal, seen from the process that began it. */
#include "unit.h"

#include "base/crash.h"
#include "compute/answer.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* Sanitizers report by themselves what is not for a signal handler. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

/* A sanitizer that finds it reports it, and the kernel does so elsewhere. */
static void access_badly(void) {
#ifdef __SANITIZE_ADDRESS__
    void *where = malloc(1);
#else
    void *where = NULL;
#endif
    void *(*volatile set)(void *, int, size_t) = memset; /* which no compiler looks into */
    set(where, 0, 2);
}

/* Runs it in a child with our handlers, and gives what it wrote on stderr and how it ended. */
static int end_of(void (*crash)(void), char *out, size_t room) {
    int pipe_fds[2], status;
    size_t got = 0;
    assert_int_equal(pipe(pipe_fds), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(pipe_fds[1], STDERR_FILENO);
        signal(SIGSEGV, SIG_DFL); /* cmocka's handlers */
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

static void a_slice_that_crashes_names_the_request_it_is_of(void **state) {
    (void)state;
    char text[65536];
    end_of(crash_in_a_slice, text, sizeof text);
    assert_non_null(strstr(text, "fmixd: this thread worked for: GET /of-an-answer\n"));
}

static void a_crash_names_its_signal_and_its_request(void **state) {
    (void)state;
    char text[65536];
    int status = end_of(crash_for_a_request, text, sizeof text);
    assert_non_null(strstr(text, "fmixd: this thread worked for: POST /v1/mix.png?parts=masks\n"));
    if (SANITIZED)
        return; /* the sanitizer reports the signal, and ends by exit */
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    assert_non_null(strstr(text, "fmixd: crashed by SIGSEGV\n"));
}

static void a_thread_that_works_for_nobody_says_so(void **state) {
    (void)state;
    char text[65536];
    int status = end_of(give_up, text, sizeof text);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_string_equal(text,
                        "fmixd: crashed by SIGABRT\nfmixd: this thread worked for no request\n");
}

static void the_request_is_that_of_the_thread_that_crashed(void **state) {
    (void)state;
    char text[65536];
    end_of(crash_on_a_thread, text, sizeof text);
    assert_non_null(strstr(text, "POST /v1/mix.png?parts=masks"));
    assert_null(strstr(text, "first-thread"));
}

static void work_is_handed_back_as_it_was(void **state) {
    (void)state;
    assert_null(crash_work_for("one"));
    assert_string_equal(crash_work_for("two"), "one");
    assert_string_equal(crash_work_for(NULL), "two");
}

RUN(T(a_crash_names_its_signal_and_its_request), T(a_thread_that_works_for_nobody_says_so),
    T(the_request_is_that_of_the_thread_that_crashed),
    T(a_slice_that_crashes_names_the_request_it_is_of), T(work_is_handed_back_as_it_was))
