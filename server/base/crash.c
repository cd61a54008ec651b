#include "crash.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

/* Of a handler: the kernel saves up to 11 KB of registers on it. */
#define STACK_BYTES (32u << 10)

static _Thread_local const char *volatile in_work;

/* A thread whose stack has overflowed can only run a handler on another stack. A sanitizer gives
 * its threads one, and frees it itself. */
static void use_own_stack(void) {
    static _Thread_local bool done;
    static _Thread_local char stack[STACK_BYTES];
    const stack_t own = {.ss_sp = stack, .ss_size = sizeof stack};
    stack_t before;
    if (!done && sigaltstack(NULL, &before) == 0 && (before.ss_flags & SS_DISABLE))
        sigaltstack(&own, NULL);
    done = true;
}

const char *crash_work_for(const char *request) {
    const char *before = in_work;
    use_own_stack();
    in_work = request;
    return before;
}

/* A signal handler may call write, and few other functions (signal-safety(7)). */
static void write_text(const char *text) {
    ssize_t written = write(STDERR_FILENO, text, strlen(text));
    (void)written; /* a failure cannot be reported */
}

static const struct {
    int number;
    const char *name;
} fatal[] = {
    {SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"},   {SIGFPE, "SIGFPE"},
    {SIGILL, "SIGILL"},   {SIGABRT, "SIGABRT"}, {SIGSYS, "SIGSYS"},
};
#define FATAL (sizeof fatal / sizeof *fatal)

static void write_request(void) {
    const char *request = in_work;
    write_text(request ? "fmixd: this thread was working on: "
                       : "fmixd: this thread was not working on a request");
    write_text(request ? request : "");
    write_text("\n");
}

void crash_report(int signal_number) {
    write_text("fmixd: crashed by ");
    for (size_t i = 0; i < FATAL; i++)
        if (fatal[i].number == signal_number)
            write_text(fatal[i].name);
    write_text("\n");
    write_request();
}

/* SA_RESETHAND has restored the default action, so raising the signal again ends the process. */
static void on_crash(int number) {
    crash_report(number);
    raise(number);
}

/* Only programs with a sanitizer have this function. */
extern void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

void crash_install(void) {
    const struct sigaction action = {.sa_handler = on_crash,
                                     .sa_flags = (int)SA_RESETHAND | SA_NODEFER | SA_ONSTACK};
    struct sigaction before;
    if (__sanitizer_set_death_callback)
        __sanitizer_set_death_callback(write_request);
    for (size_t i = 0; i < FATAL; i++)
        if (sigaction(fatal[i].number, NULL, &before) == 0 && before.sa_handler == SIG_DFL)
            sigaction(fatal[i].number, &action, NULL);
}
