/* fmixd: masks and mixed batches over HTTP. */
#include "access/auth.h"
#include "api/golden_pictures.h"
#include "api/reference.h"
#include "base/clock.h"
#include "base/crash.h"
#include "base/message.h"
#include "base/process.h"
#include "base/shutdown.h"
#include "http/daemon.h"
#include "import/import.h"
#include "import/inspect.h"
#include "ops/config.h"
#include "ops/healthcheck.h"
#include "ops/nearest.h"
#include "ops/sd_notify.h"
#include "ops/selftest.h"
#include "ops/usage.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HEAR_MILLISECONDS 100 /* between two checks for a signal */

/* Output that was not written, for example to a full disk, must not count as success. */
static bool is_written(void) {
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    message_print(stderr, "fmixd: cannot write to stdout: %s\n", strerror(errno));
    return false;
}

/* The exit status. */
static int finish(bool good) {
    return is_written() && good ? 0 : 1;
}

/* systemd waits for READY before it sends another SIGHUP, which may withdraw a token. So READY is
 * sent as soon as tokens and certificates are in force, before data sets are read. */
static void reload(fmixd *d) {
    sd_notify_reloading();
    fmixd_reload(d);
    sd_notify_send("READY=1");
}

/* SIGHUP reloads. The first other signal ends the wait. */
static void wait_for_end(fmixd *d, const sigset_t *signals) {
    int number;
    while (sigwait(signals, &number) == 0 && number == SIGHUP)
        reload(d);
}

/* Keeps serving for `seconds`, or until a second signal. systemd now waits for the end, so
 * reloads are not reported. */
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

/* Blocks the signals before a thread starts, so that only sigwait receives them. */
static void take_signals(sigset_t *heard) {
    /* SIGPIPE means that a client has left. Some supervisors send SIGUSR1 or SIGUSR2 to have logs
     * reopened. */
    static const int ignored[] = {SIGPIPE, SIGUSR1, SIGUSR2};
    sigemptyset(heard);
    sigaddset(heard, SIGTERM);
    sigaddset(heard, SIGINT);
    sigaddset(heard, SIGHUP);
    pthread_sigmask(SIG_BLOCK, heard, NULL);
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        signal(ignored[i], SIG_IGN);
}

/* Waits until stdout takes output. False: a signal asks the process to end. */
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
        return shutdown_requested() ? 0 : 1; /* a signal came while data sets were read */
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

static int selftest(const config *c) {
    (void)c;
    fmix_context *context = NULL;
    char golden[33];
    fmix_status status = fmix_context_new(0, &context);
    if (status != FMIX_OK) {
        message_print(stderr, "fmixd: %s\n", fmix_status_text(status));
        return 1;
    }
    bool good = selftest_run(context, golden, stderr);
    good &= golden_pictures_check(golden_pictures_read, stderr) == GOLDEN_PICTURES_GOOD;
    fmix_context_free(context);
    if (good)
        printf("stream %d golden %s\n", FMIX_STREAM, golden);
    return finish(good);
}

static int token_usage(FILE *out) {
    fputs("Usage: fmixd token NAME\n"
          "Print a new access token, and below it the line for the tokens file.\n",
          out);
    return out == stdout ? finish(true) : 2;
}

static int print_reference(const config *c) {
    (void)c;
    buffer text = buffer_of(REFERENCE_MOST);
    bool made = reference_write(&text);
    if (!made)
        message_print(stderr, "fmixd: out of memory\n");
    bool good = made && fwrite(text.bytes, 1, text.length, stdout) == text.length;
    buffer_free(&text);
    return finish(good);
}

static int make_token(int argc, char **argv) {
    if (argc == 3 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0))
        return token_usage(stdout);
    if (argc != 3 || argv[2][0] == '-')
        return token_usage(stderr);
    return auth_make(argv[2], stdout, stderr) ? 0 : 1;
}

static int print_usage(void) {
    usage_print(stdout);
    return finish(true);
}

static int print_version(const config *c) {
    (void)c;
    printf("fmixd %s, stream %d\n", FMIXD_VERSION, FMIX_STREAM);
    return finish(true);
}

static int print_config(const config *c) {
    config_print(c, stdout);
    return finish(true);
}

static int print_settings(const config *c) {
    (void)c;
    usage_table(stdout);
    return finish(true);
}

static int check_health(const config *c) {
    return healthcheck_run(c->listen, c->tls_cert[0] != 0, stderr) ? 0 : 1;
}

/* Commands that take settings. The first is the default. */
static const struct {
    const char *name;
    int (*run)(const config *c);
} commands[] = {
    {"serve", serve},         {"config", print_config},     {"healthcheck", check_health},
    {"selftest", selftest},   {"settings", print_settings}, {"version", print_version},
    {"api", print_reference},
};
#define COMMANDS (sizeof commands / sizeof *commands)

static const char *command_name(size_t number) {
    static const char *const others[] = {"import", "info", "verify", "token", "help", NULL};
    return number < COMMANDS ? commands[number].name : others[number - COMMANDS];
}

static int unknown_command(const char *name) {
    const char *near = nearest(name, strlen(name), command_name);
    if (near)
        message_print(stderr, "fmixd: unknown command '%.40s'; did you mean %s?\n", name, near);
    else
        message_print(stderr, "fmixd: unknown command '%.40s'; see fmixd --help\n", name);
    return 2;
}

/* Runs the command with the settings from argv[first] on. */
static int run(size_t command, int argc, char **argv, int first) {
    config c;
    switch (config_load(argc, argv, first, &c, stderr)) {
    case CONFIG_HELP:
        return print_usage();
    case CONFIG_VERSION:
        return print_version(NULL);
    case CONFIG_BAD:
        return 2;
    case CONFIG_OK:
        break;
    }
    return commands[command].run(&c);
}

static int inspect(int argc, char **argv) {
    int status = inspect_command(argc, argv, stdout, stderr);
    return status ? status : finish(true);
}

int main(int argc, char **argv) {
    crash_install();
    process_take_streams();
    shutdown_at_once();
    if (argc < 2 || argv[1][0] == '-')
        return run(0, argc, argv, 1);
    if (strcmp(argv[1], "help") == 0)
        return print_usage();
    if (strcmp(argv[1], "token") == 0)
        return make_token(argc, argv);
    if (strcmp(argv[1], "import") == 0)
        return import_command(argc - 1, argv + 1, stdout, stderr);
    if (inspect_knows(argv[1]))
        return inspect(argc - 1, argv + 1);
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return run(i, argc, argv, 2);
    return unknown_command(argv[1]);
}
