#include "shutdown.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

/* The default action ends the process, so the parent sees which signal it was. The first process of
 * a container has no default action: it exits with the status that a shell would report. */
static void on_signal(int number) {
    raise(number);
    _exit(128 + number);
}

void shutdown_at_once(void) {
    static const int numbers[] = {SIGTERM, SIGINT};
    const struct sigaction action = {.sa_handler = on_signal,
                                     .sa_flags = (int)(SA_RESETHAND | SA_NODEFER)};
    struct sigaction before;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(numbers[i], &action, NULL);
}

bool shutdown_requested(void) {
    sigset_t pending;
    return sigpending(&pending) == 0 &&
           (sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1);
}
