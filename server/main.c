/* fmixd: masks and mixed batches over HTTP. */
#include "auth.h"
#include "config.h"
#include "crash.h"
#include "daemon.h"
#include "descriptors.h"
#include "healthcheck.h"
#include "import/import.h"
#include "process.h"
#include "selftest.h"
#include "supervisor.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

/* What did not reach stdout, be it for a full disk, must not look as if it had. */
static bool is_written(void) {
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    fprintf(stderr, "fmixd: cannot write to stdout: %s\n", strerror(errno));
    return false;
}

static void reload(fmixd *d) {
    supervisor_reloading();
    fmixd_reload(d, stderr);
    supervisor_tell("READY=1");
}

/* SIGHUP reloads; the first other signal ends it. */
static void wait_for_end(fmixd *d, const sigset_t *signals) {
    int number;
    while (sigwait(signals, &number) == 0 && number == SIGHUP)
        reload(d);
}

static int serve(config *c) {
    /* Clients that vanish are no reason to end, nor are signals without a meaning here, which some
     * supervisors send to have logs opened anew. */
    static const int ignored[] = {SIGPIPE, SIGUSR1, SIGUSR2};
    sigset_t signals;
    /* Blocked before any thread starts, so that only sigwait sees them. */
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        signal(ignored[i], SIG_IGN);
    if (!descriptors_fit(c, stderr))
        return 1;

    fmixd *d = fmixd_start(c, NULL, stderr);
    if (!d)
        return process_shall_end() ? 0 : 1; /* it was told while data sets were read */
    printf("listening on %s://%s\n", c->tls_cert[0] ? "https" : "http", fmixd_address(d));
    if (!is_written()) {
        fmixd_stop(d, 0);
        return 1;
    }
    supervisor_tell("READY=1");
    wait_for_end(d, &signals);
    supervisor_tell("STOPPING=1");

    /* A second one ends the delay. */
    sigdelset(&signals, SIGHUP);
    const struct timespec delay = {.tv_sec = (time_t)c->drain};
    fmixd_drain(d);
    sigtimedwait(&signals, NULL, &delay);
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
