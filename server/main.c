/* fmixd: masks and mixed batches over HTTP. */
#include "config.h"
#include "daemon.h"
#include "healthcheck.h"
#include "selftest.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

/* A descriptor for every connection that the settings allow, as far as the system does. */
static void raise_descriptor_limit(uint64_t connections) {
    struct rlimit limit;
    rlim_t wanted = (rlim_t)connections + 64;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < wanted)
        fprintf(stderr, "fmixd: only %llu descriptors are allowed, too few for %llu connections\n",
                (unsigned long long)limit.rlim_cur, (unsigned long long)connections);
}

static int serve(const config *c) {
    sigset_t signals;
    int number;
    /* Blocked before any thread starts, so that only sigwait sees them. */
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit(c->connections);

    fmixd *d = fmixd_start(c, NULL, stderr);
    if (!d)
        return 1;
    printf("listening on http://%s\n", fmixd_address(d));
    fflush(stdout);
    sigwait(&signals, &number);

    /* A second signal ends the delay. */
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
    return good ? 0 : 1;
}

int main(int argc, char **argv) {
    static const char *const commands[] = {"serve", "config", "healthcheck", "selftest", "version"};
    enum { SERVE, CONFIG, HEALTHCHECK, SELFTEST, VERSION, COMMANDS } command = SERVE;
    int first = 1;
    config c;
    for (unsigned i = 0; argc > 1 && i < COMMANDS; i++)
        if (strcmp(argv[1], commands[i]) == 0) {
            command = i;
            first = 2;
        }
    switch (config_load(argc, argv, first, &c, stderr)) {
    case CONFIG_HELP:
        config_usage(stdout);
        return 0;
    case CONFIG_BAD:
        return 2;
    case CONFIG_OK:
        break;
    }
    switch (command) {
    case CONFIG:
        config_print(&c, stdout);
        return 0;
    case HEALTHCHECK:
        return healthcheck_run(c.listen, stderr) ? 0 : 1;
    case SELFTEST:
        return selftest();
    case VERSION:
        printf("fmixd %s, stream %d\n", FMIXD_VERSION, FMIX_STREAM);
        return 0;
    default:
        return serve(&c);
    }
}
