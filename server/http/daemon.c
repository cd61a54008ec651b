#include "daemon.h"
#include "accept_gate.h"
#include "api/golden_pictures.h"
#include "api/openapi.h"
#include "base/clock.h"
#include "base/message.h"
#include "base/shutdown.h"
#include "compute/tuner.h"
#include "connection.h"
#include "datasets/catalog_scanner.h"
#include "epoll_removal.h"
#include "fd_limit.h"
#include "http_hooks.h"
#include "listen.h"
#include "ops/memory_shares.h"
#include "ops/mhd_version.h"
#include "ops/sd_notify.h"
#include "ops/selftest.h"
#include "request.h"
#include "tls.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LINGERING_CLOSE_BYTES        (256u << 20) /* that a refused client may still send */
#define LINGERING_CLOSE_MILLISECONDS 5000

/* Of refused bodies. An I/O thread reads and drops two gigabytes in a second, or 7,000 bodies. */
#define REFUSAL_LEAST   (16u << 10)
#define REFUSAL_EACH    (256u << 10)
#define REFUSAL_BURST   (64u << 20)
#define REFUSAL_RATE    (32u << 20) /* bytes a second */
#define REFUSAL_LONGEST (2 * CLOCK_SECOND)

#define TIMEOUT_SLACK_SECONDS 60 /* by which the monitor may be late on a busy machine */

/* At the end, the time for: */
#define OPEN_MILLISECONDS   5000 /* I/O threads to open the connections that they have accepted */
#define POLL_MILLISECONDS   10   /* a connection to end, when all are in use */
#define SETTLE_MILLISECONDS 1000 /* the first bytes of new connections */
#define SIGNAL_MILLISECONDS 100  /* a second signal to be noticed */
#define CUT_MILLISECONDS    1000 /* abandoned requests to end */
#define SLICE_MILLISECONDS  1000 /* slices that run to end */

struct fmixd {
    fmixd *next; /* in `unfinished` */
    config config;
    http_state http;
    send_filter filter;
    struct MHD_Daemon *library;
    FILE *errors;
    tls *tls; /* NULL: not encrypted */
    tuner *tuner;
    catalog_scanner *scanner;
    int listener;
    bool inherited; /* the listener is systemd's, which keeps it open */
    char address[CONFIG_ADDRESS + 8];
};

/* ---- what libmicrohttpd calls ---- */

static void *on_target(void *of, const char *target, struct MHD_Connection *connection) {
    fmixd *d = of;
    return request_new(&d->http, connection, target);
}

static enum MHD_Result on_request(void *of, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *body,
                                  size_t *length, void **state) {
    (void)of;
    (void)connection;
    if (!*state)
        return MHD_NO; /* out of memory in on_target */
    return request_step(*state, path, method, version, body, length);
}

static void on_completed(void *of, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode how) {
    (void)of;
    (void)connection;
    if (*state)
        request_end(*state, how);
    *state = NULL;
}

/* Version 1.0.1 does not call on_completed for a request whose chunk extension exceeds the
 * connection's memory. */
static void end_forgotten(fmixd *d, int fd) {
    request *r = inflight_find(&d->http.inflight, fd);
    if (r)
        request_forget(r);
}

static void on_connection(void *of, struct MHD_Connection *connection, void **state,
                          enum MHD_ConnectionNotificationCode what) {
    fmixd *d = of;
    (void)state;
    int fd = connection_socket(connection);
    bool starts = what == MHD_CONNECTION_NOTIFY_STARTED;
    atomic_fetch_add(&d->http.server.metrics.connections, starts ? 1 : -1);
    if (starts) {
        send_filter_set(&d->filter); /* this is the connection's I/O thread */
        connection_monitor_open(d->http.monitor, fd);
        accept_gate_opened();
        if (d->tls)
            tls_begin(d->tls, connection_session(connection));
    } else {
        end_forgotten(d, fd);
        connection_monitor_close(d->http.monitor, fd);
    }
}

/* ---- start and end ---- */

static bool explain(const fmixd *d, const char *what) {
    message_print(d->errors, "fmixd: %s\n", what);
    return false;
}

/* Seconds of libmicrohttpd's own timeout, for connections that the monitor does not know. The
 * monitor must come first for the others: it sends 408, and libmicrohttpd does not. */
static uint64_t timeout_of(const config *c) {
    uint64_t longest = c->idle > c->upload ? c->idle : c->upload;
    longest = longest > c->head ? longest : c->head;
    return (longest > c->stall ? longest : c->stall) + TIMEOUT_SLACK_SECONDS;
}

static connection_limits limits_of(fmixd *d) {
    const config *c = &d->config;
    return (connection_limits){.milliseconds = {[CONNECTION_IDLE] = 1000 * c->idle,
                                                [CONNECTION_HEAD] = 1000 * c->head,
                                                [CONNECTION_BODY] = 1000 * c->upload,
                                                [CONNECTION_REPLY] = 1000 * c->stall},
                               .rate = c->rate,
                               .late = http_hooks_late,
                               .user = &d->http};
}

static struct MHD_Daemon *start_http(fmixd *d, int fd) {
    unsigned pool = (unsigned)d->config.io_threads;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME;
    struct MHD_OptionItem options[] = {
        {MHD_OPTION_LISTEN_SOCKET, fd, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)d->config.connections, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, MEMORY_SHARES_POOL, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)timeout_of(&d->config), NULL},
        {MHD_OPTION_STRICT_FOR_CLIENT, mhd_version_can_be_strict(), NULL},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_target, d},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, d},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, d},
        {pool > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, pool, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem plain[] = {{MHD_OPTION_END, 0, NULL}};
    struct MHD_OptionItem encrypted[] = {
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (char[]){TLS_PRIORITIES}},
        {MHD_OPTION_HTTPS_MEM_CERT, 0, d->tls ? tls_cert_text(d->tls) : NULL},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, d->tls ? tls_key_text(d->tls) : NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    return MHD_start_daemon(d->tls ? flags | MHD_USE_TLS : flags, 0, NULL, NULL, on_request, d,
                            MHD_OPTION_ARRAY, options, MHD_OPTION_ARRAY, d->tls ? encrypted : plain,
                            MHD_OPTION_END);
}

/* The helper threads and the listener. Slices do not use them. */
static void free_helpers(fmixd *d) {
    catalog_scanner_free(d->scanner);
    connection_monitor_free(d->http.monitor);
    lingering_close_free(d->http.lingering);
    refusal_holds_free(d->http.holds);
    tuner_free(d->tuner);
    if (d->listener >= 0)
        close(d->listener);
    d->scanner = NULL;
    d->http.monitor = NULL;
    d->http.lingering = NULL;
    d->http.holds = NULL;
    d->tuner = NULL;
    d->listener = -1;
}

static void free_all(fmixd *d) {
    server_state *s = &d->http.server;
    free_helpers(d);
    jobs_free(s->jobs);
    catalog_free(s->catalog);
    buffer_free(&s->document);
    fmix_context_free(s->context);
    auth_free(s->auth);
    tls_free(d->tls);
    buffer_pool_destroy(&s->buffer_pool);
    budget_destroy(&s->budget);
    metrics_destroy(&s->metrics);
    inflight_destroy(&d->http.inflight);
    log_free(s->log);
    free(d);
}

/* The tokens, and the certificate. */
static bool start_credentials(fmixd *d) {
    const config *c = &d->config;
    if (!(d->http.server.auth = auth_new(c->tokens, d->errors)))
        return false;
    if (!c->tls_cert[0] && !c->tls_key[0])
        return true;
    d->tls = tls_new(c->tls_cert, c->tls_key, d->errors);
    if (d->tls)
        atomic_store(&d->http.server.metrics.tls_ends, tls_ends(d->tls));
    return d->tls;
}

/* As the table of settings lists the choices. */
static dataset_verify verify_of(const config *c) {
    static const dataset_verify kinds[] = {DATASET_VERIFY_LAZY, DATASET_VERIFY_START,
                                           DATASET_VERIFY_OFF, DATASET_VERIFY_START};
    return kinds[c->verify];
}

/* Everything but the sockets. */
static bool start_parts(fmixd *d, const jobs_hooks *hooks) {
    const config *c = &d->config;
    server_state *s = &d->http.server;
    const connection_limits limits = limits_of(d);
    const jobs_settings pool = {.threads = (unsigned)c->threads,
                                .limit = (unsigned)c->queue,
                                .patience = 1e6 * (double)c->patience,
                                .payer = &s->budget,
                                .buffer_pool = &s->buffer_pool,
                                .hooks = hooks ? *hooks : (jobs_hooks){0}};
    golden_pictures decoder = golden_pictures_check(golden_pictures_read, d->errors);
    s->misdecodes = decoder == GOLDEN_PICTURES_OTHER; /* all else is served */
    return decoder != GOLDEN_PICTURES_STARVED &&
           fmix_context_new((size_t)c->cache, &s->context) == FMIX_OK &&
           (s->jobs = jobs_new(&pool)) && (d->http.monitor = connection_monitor_new(&limits)) &&
           (d->http.lingering =
                lingering_close_new(LINGERING_CLOSE_BYTES, LINGERING_CLOSE_MILLISECONDS)) &&
           (d->http.holds = refusal_holds_new()) && openapi_write(&s->document) &&
           selftest_run(s->context, s->golden, d->errors) &&
           (s->catalog = catalog_new(c->data, verify_of(c), d->errors)) &&
           (d->scanner = catalog_scanner_new(s->catalog, d->errors)) &&
           (d->tuner = tuner_new(s->context, c->wisdom, d->errors));
}

/* Takes the socket of systemd, if there is one, or the address, so that one in use is told before
 * data sets are checked. False: explained. */
static bool start_socket(fmixd *d) {
    if (!sd_notify_socket(&d->listener, d->errors))
        return false;
    d->inherited = d->listener >= 0;
    if (!d->inherited)
        d->listener = listen_bind(d->config.listen, d->address, sizeof d->address, d->errors);
    else if (!listen_name(d->listener, d->address, sizeof d->address))
        return explain(d, "cannot determine the address of the inherited socket");
    return d->listener >= 0;
}

/* The log comes first, since the other parts write messages. NULL: explained. */
static fmixd *make(const config *c, FILE *errors) {
    memory_shares_configure_heap();
    fmixd *d = calloc(1, sizeof *d);
    log_lines *log = d ? log_new(STDERR_FILENO, (log_kind)c->log) : NULL;
    if (!log) {
        message_print(errors ? errors : stderr, "fmixd: out of memory\n");
        free(d);
        return NULL;
    }
    inflight_init(&d->http.inflight);
    d->config = *c;
    d->listener = -1;
    d->errors = errors ? errors : log_messages(log);
    d->http.server.log = log;
    d->http.server.config = &d->config;
    d->filter = (send_filter){.replaces = http_hooks_replace,
                              .shortens = http_hooks_shorten,
                              .stands_for = http_hooks_find,
                              .breaks = http_hooks_break,
                              .user = &d->http};
    d->http.pace = (refusal_pace){.least = REFUSAL_LEAST,
                                  .each = REFUSAL_EACH,
                                  .burst = REFUSAL_BURST,
                                  .rate = REFUSAL_RATE,
                                  .longest = REFUSAL_LONGEST};
    d->http.server.document = buffer_of(OPENAPI_MOST);
    metrics_init(&d->http.server.metrics);
    const memory_shares parts = memory_shares_divide(&d->config, d->errors);
    budget_init(&d->http.server.budget, parts.requests, (unsigned)c->threads);
    buffer_pool_init(&d->http.server.buffer_pool, (size_t)parts.buffer_pool);
    return d;
}

static bool start_all(fmixd *d, const jobs_hooks *hooks) {
    if (!fd_limit_fit(&d->config, d->errors) || !start_credentials(d) || !start_socket(d))
        return false;
    if (!start_parts(d, hooks))
        return explain(d, "could not start");
    /* Last: a client that waited for the parts could have asked another replica. */
    if (!d->inherited && !listen_begin(d->listener, d->address, d->errors))
        return false;
    return (d->library = start_http(d, d->listener)) || explain(d, "could not start");
}

fmixd *fmixd_start(const config *c, const jobs_hooks *hooks, FILE *errors) {
    fmixd *d = make(c, errors);
    if (d && start_all(d, hooks)) {
        log_flush(d->http.server.log); /* messages before "listening on" */
        return d;
    }
    if (d)
        free_all(d);
    return NULL;
}

const char *fmixd_address(const fmixd *d) {
    return d->address;
}

/* Revoking a token must not wait for data sets, so they are read last, by another thread. */
void fmixd_reload(fmixd *d) {
    if (!auth_reload(d->http.server.auth, d->errors))
        message_print(d->errors, "fmixd: tokens: the previous tokens stay in force\n");
    if (d->tls && !tls_reload(d->tls, d->errors))
        message_print(d->errors,
                      "fmixd: tls_cert, tls_key: the previous certificate stays in force\n");
    if (d->tls)
        atomic_store(&d->http.server.metrics.tls_ends, tls_ends(d->tls));
    catalog_scanner_ask(d->scanner);
}

void fmixd_drain(fmixd *d) {
    atomic_store(&d->http.server.draining, true);
    catalog_scanner_end(d->scanner);
}

static bool has_room(const fmixd *d) {
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(d->library, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
    return info && info->num_connections < d->config.connections;
}

static void pause_for(unsigned milliseconds) {
    const struct timespec pause = {.tv_nsec = milliseconds * 1000000L};
    nanosleep(&pause, NULL);
}

static bool has_backlog(int fd) {
    struct pollfd listener = {.fd = fd, .events = POLLIN};
    return poll(&listener, 1, 0) == 1 && (listener.revents & POLLIN);
}

/* Accepts one connection and waits until its I/O thread has opened it: libmicrohttpd 0.9.75 checks
 * the limit of connections before it hands a connection to a thread, and a thread that finds the
 * limit exceeded deadlocks. False: the thread did not open the connection in time. */
static bool accept_one(fmixd *d, int fd) {
    connection_monitor *m = d->http.monitor;
    struct sockaddr_storage peer;
    socklen_t size;
    int client = listen_accept(fd, &peer, &size);
    if (client < 0) { /* the backlog is empty, or there is no descriptor for a connection now */
        pause_for(POLL_MILLISECONDS);
        return true;
    }
    connection_monitor_expect(m, client);
    bool added = MHD_add_connection(d->library, client, (struct sockaddr *)&peer, size) == MHD_YES;
    if (added && connection_monitor_arrived(m, client, SETTLE_MILLISECONDS))
        return true;
    connection_monitor_close(m, client); /* no longer expected */
    return !added;
}

/* Milliseconds until a time, at most `most`; 0 once another signal asks the process to end. */
static unsigned left_until(uint64_t end, unsigned most) {
    uint64_t now = clock_milliseconds(), left = end > now ? end - now : 0;
    return shutdown_requested() ? 0 : left < most ? (unsigned)left : most;
}

/* Waits until the monitor knows every connection that an I/O thread has accepted. */
static void await_opened(uint64_t end) {
    uint64_t most = clock_milliseconds() + OPEN_MILLISECONDS;
    while (accept_gate_is_passed() && left_until(end < most ? end : most, 1) > 0)
        pause_for(1);
}

/* Closing the listener would reset the connections in its backlog, so they are accepted first; if
 * all connections are in use, each waits for a connection to end. The backlog of an inherited
 * socket is left to the next process. The descriptor stays open: I/O threads may use it until they
 * are joined (microhttpd.h, MHD_quiesce_daemon). */
static void stop_listening(fmixd *d, uint64_t end) {
    epoll_removal_allow_twice(d->listener);
    accept_gate_close(d->listener);
    MHD_quiesce_daemon(d->library);
    await_opened(end);
    bool going = !d->inherited;
    if (going)
        listen_shut(d->listener);
    while (going && has_backlog(d->listener) && left_until(end, 1) > 0) {
        if (has_room(d))
            going = accept_one(d, d->listener);
        else
            pause_for(POLL_MILLISECONDS);
    }
    if (!d->inherited)
        shutdown(d->listener, SHUT_RDWR);
    /* The first requests of new connections may still be on the way. */
    connection_monitor_settle(d->http.monitor, left_until(end, SETTLE_MILLISECONDS));
}

/* Waits for the requests in flight, in short intervals, so that another signal is noticed. */
static bool finish(fmixd *d, uint64_t end) {
    bool finished = inflight_wait(&d->http.inflight, 0);
    for (unsigned n; !finished && (n = left_until(end, SIGNAL_MILLISECONDS)) > 0;)
        finished = inflight_wait(&d->http.inflight, n);
    return finished;
}

/* Daemons that a running slice still uses; kept until the process ends. */
static fmixd *unfinished;

/* A slice cannot be interrupted: libdeflate may take a minute over one hostile member of an upload.
 * Nobody waits for the slice's result any more, so the process ends without it. */
static void keep_unfinished(fmixd *d) {
    log_flush(d->http.server.log);
    d->next = unfinished;
    unfinished = d;
}

bool fmixd_stop(fmixd *d, unsigned seconds) {
    const uint64_t end = clock_milliseconds() + UINT64_C(1000) * seconds;
    fmixd_drain(d);
    stop_listening(d, end);
    bool finished = finish(d, end);
    if (!finished) {
        inflight_abandon(&d->http.inflight);
        inflight_wait(&d->http.inflight, CUT_MILLISECONDS);
    }
    MHD_stop_daemon(d->library);
    accept_gate_close(-1); /* another listener may get this one's descriptor */
    epoll_removal_allow_twice(-1);
    free_helpers(d);
    if (jobs_stop(d->http.server.jobs, SLICE_MILLISECONDS))
        free_all(d);
    else
        keep_unfinished(d);
    return finished;
}
