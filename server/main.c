/* fmixd: masks and mixed batches over HTTP. */
#include "access/auth.h"
#include "base/clock.h"
#include "base/crash.h"
#include "base/message.h"
#include "base/process.h"
#include "base/shutdown.h"
#include "http/daemon.h"
#include "import/import.h"
#include "ops/config.h"
#include "ops/healthcheck.h"
#include "ops/sd_notify.h"
#include "ops/selftest.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HEAR_MILLISECONDS 100 /* in which a signal is heard while something is waited for */

/* What did not reach stdout, be it for a full disk, must not look as if it had. */
static bool is_written(void) {
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    message_print(stderr, "fmixd: cannot write to stdout: %s\n", strerror(errno));
    return false;
}

/* systemd waits for READY before it sends another SIGHUP, which may take back a token: so it is
 * told as soon as tokens and certificates are in force, not when all data sets are read. */
static void reload(fmixd *d) {
    sd_notify_reloading();
    fmixd_reload(d);
    sd_notify_send("READY=1");
}

/* SIGHUP reloads; the first other signal ends it. */
static void wait_for_end(fmixd *d, const sigset_t *signals) {
    int number;
    while (sigwait(signals, &number) == 0 && number == SIGHUP)
        reload(d);
}

/* Still serving, until that time has passed or a second signal asks to end. What systemd waits for
 * by now is the end, so of a reload it is told nothing. */
static void drain(fmixd *d, const sigset_t *signals, uint64_t seconds) {
    const uint64_t end = clock_nanoseconds() + seconds * CLOCK_SECOND;
    int number = 0;
    fmixd_drain(d);
    for (uint64_t now; (now = clock_nanoseconds()) < end;) {
        const struct timespec left = {.tv_sec = (time_t)((end - now) / CLOCK_SECOND),
                                      .tv_nsec = (long)((end - now) % CLOCK_SECOND)};
        number = sigtimedwait(signals, NULL, &left);
        if (number == SIGHUP)
            fmixd_reload(d);
        else if (number > 0)
            return;
    }
}

/* Blocked before any thread starts, so that only sigwait sees them. */
static void take_signals(sigset_t *heard) {
    /* Clients that vanish are no reason to end, nor are signals without a meaning here, which some
     * supervisors send to have logs opened anew. */
    static const int ignored[] = {SIGPIPE, SIGUSR1, SIGUSR2};
    sigemptyset(heard);
    sigaddset(heard, SIGTERM);
    sigaddset(heard, SIGINT);
    sigaddset(heard, SIGHUP);
    pthread_sigmask(SIG_BLOCK, heard, NULL);
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        signal(ignored[i], SIG_IGN);
}

/* Where nobody reads what was printed before, it is waited for in a way that a signal ends. */
static bool can_print(void) {
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    while (poll(&out, 1, HEAR_MILLISECONDS) == 0 && !shutdown_requested())
        ;
    return !shutdown_requested();
}

static int serve(const config *c) {
    sigset_t signals;
    take_signals(&signals);
    fmixd *d = fmixd_start(c, NULL, NULL);
    if (!d)
        return shutdown_requested() ? 0 : 1; /* it was told while data sets were read */
    if (can_print())
        printf("listening on %s://%s\n", c->tls_cert[0] ? "https" : "http", fmixd_address(d));
    if (!is_written()) {
        fmixd_stop(d, 0);
        return 1;
    }
    sd_notify_send("READY=1");
    wait_for_end(d, &signals);
    sd_notify_send("STOPPING=1");
    drain(d, &signals, c->drain);
    fmixd_stop(d, (unsigned)c->deadline);
    return 0;
}

static int selftest(void) {
    fmix_context *context = NULL;
    char golden[33];
    if (fmix_context_new(0, &context) != FMIX_OK)
        return 1;
    bool good = selftest_run(context, golden, stderr);
    fmix_context_free(context);
    if (good)
        printf("stream %d golden %s\n", FMIX_STREAM, golden);
    return good && is_written() ? 0 : 1;
}

/* fmixd token NAME: no settings. */
static int make_token(int argc, char **argv) {
    if (argc != 3 || argv[2][0] == '-') {
        fprintf(stderr,
                "usage: fmixd token NAME\nprints a new token, and below it the line for the "
                "file that the setting tokens names\n");
        return 2;
    }
    return auth_make(argv[2], stdout, stderr) ? 0 : 1;
}

int main(int argc, char **argv) {
    crash_install();
    process_take_streams();
    shutdown_at_once();
    static const char *const commands[] = {"serve",    "config",  "healthcheck",
                                           "selftest", "version", "settings"};
    enum { SERVE, CONFIG, HEALTHCHECK, SELFTEST, VERSION, SETTINGS, COMMANDS } command = SERVE;
    int first = 1;
    config c;
    if (argc > 1 && strcmp(argv[1], "token") == 0)
        return make_token(argc, argv);
    if (argc > 1 && strcmp(argv[1], "import") == 0)
        return import_command(argc - 1, argv + 1, stderr);
    for (unsigned i = 0; argc > 1 && i < COMMANDS; i++)
        if (strcmp(argv[1], commands[i]) == 0) {
            command = i;
            first = 2;
        }
    switch (config_load(argc, argv, first, &c, stderr)) {
    case CONFIG_HELP:
        config_usage(stdout);
        return is_written() ? 0 : 1;
    case CONFIG_BAD:
        return 2;
    case CONFIG_OK:
        break;
    }
    switch (command) {
    case CONFIG:
        config_print(&c, stdout);
        return is_written() ? 0 : 1;
    case HEALTHCHECK:
        return healthcheck_run(c.listen, c.tls_cert[0] != 0, stderr) ? 0 : 1;
    case SELFTEST:
        return selftest();
    case SETTINGS:
        config_table(stdout);
        return is_written() ? 0 : 1;
    case VERSION:
        printf("fmixd %s, stream %d\n", FMIXD_VERSION, FMIX_STREAM);
        return is_written() ? 0 : 1;
    default:
        return serve(&c);
    }
}
