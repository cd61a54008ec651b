#include "daemon.h"
#include "headers.h"
#include "listen.h"
#include "log.h"
#include "range.h"
#include "recipe.h"
#include "reply.h"
#include "route.h"
#include "selftest.h"
#include "watch.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define IDLE_SECONDS 60
#define DRAIN                                                                                      \
    (1u << 20) /* bytes past the cap that are read and dropped, so that the client sees its 413 */
#define CONNECTION_MEMORY (64u << 10) /* headers, and a piece of a body at a time */

typedef struct request request;

struct fmixd {
    config config;
    service service;
    struct MHD_Daemon *http;
    watch *watch;
    char address[CONFIG_ADDRESS + 8];
    pthread_mutex_t lock; /* of the list of requests, and of what follows */
    pthread_cond_t ended;
    request *requests;
    bool stopping; /* no answer is begun any more */
};

struct request {
    fmixd *owner;
    request *next, *previous;
    struct MHD_Connection *connection;
    call call;
    route_match match;
    outcome outcome;
    answer *answer;
    char etag[RECIPE_ETAG];
    uint64_t first, total;  /* of a range; no total: all is sent */
    int status;             /* replied */
    int bad_path;           /* the status it gets, or 0 */
    const char *bad_target; /* why, or NULL */
    trace trace;
    char method[16], target[256]; /* what the log says of it */
    uint64_t sent;
    bool begun, handled, head, refused, not_modified;
};

/* ---- a request's life ---- */

/* A request begins with its target, before libmicrohttpd decodes it. */
static void *on_target(void *of, const char *target, struct MHD_Connection *connection) {
    fmixd *d = of;
    request *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->owner = d;
    r->connection = connection;
    r->bad_target = guard_target(target);
    trace_begin(&r->trace);
    snprintf(r->target, sizeof r->target, "%s", target);
    size_t path = strcspn(target, "?");
    bool slash = memmem(target, path, "%2F", 3) || memmem(target, path, "%2f", 3);
    r->bad_path = memmem(target, path, "%00", 3) ? 400 : slash ? 404 : 0;
    r->match.number = ROUTE_NONE;
    r->call.service = &d->service;
    r->call.body = buffer_paid((size_t)d->config.body, &d->service.budget);
    pthread_mutex_lock(&d->lock);
    r->next = d->requests;
    if (r->next)
        r->next->previous = r;
    d->requests = r;
    pthread_mutex_unlock(&d->lock);
    atomic_fetch_add(&d->service.metrics.in_flight, 1);
    return r;
}

static void log_it(const request *r) {
    char peer[64];
    log_kind kind = (log_kind)r->owner->config.log;
    headers_peer(r->connection, peer, sizeof peer);
    log_request(stderr, kind,
                &(log_entry){&r->trace, r->method, r->target, route_name(r->match.number), peer,
                             r->status, r->sent});
}

static void on_completed(void *of, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode how) {
    fmixd *d = of;
    request *r = *state;
    (void)connection;
    if (!r)
        return;
    *state = NULL;
    if (how != MHD_REQUEST_TERMINATED_COMPLETED_OK)
        r->status = 499;
    metrics_request(&d->service.metrics, r->match.number, r->status);
    log_it(r);
    pthread_mutex_lock(&d->lock);
    *(r->previous ? &r->previous->next : &d->requests) = r->next;
    if (r->next)
        r->next->previous = r->previous;
    pthread_cond_broadcast(&d->ended);
    pthread_mutex_unlock(&d->lock);
    if (r->answer)
        answer_abandon(r->answer);
    answer_release(r->answer);
    buffer_free(&r->call.body);
    buffer_free(&r->outcome.text);
    free(r);
    atomic_fetch_sub(&d->service.metrics.in_flight, 1);
}

static int descriptor(struct MHD_Connection *connection) {
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

static void on_connection(void *of, struct MHD_Connection *connection, void **state,
                          enum MHD_ConnectionNotificationCode what) {
    fmixd *d = of;
    (void)state;
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        watch_open(d->watch, descriptor(connection));
    else
        watch_close(d->watch, descriptor(connection));
}

static void suspend(void *of) {
    request *r = of;
    MHD_suspend_connection(r->connection);
    watch_add(r->owner->watch, descriptor(r->connection), r->answer);
}

static void resume(void *of) {
    request *r = of;
    watch_remove(r->owner->watch, descriptor(r->connection));
    MHD_resume_connection(r->connection);
}

/* ---- what the request says ---- */

static enum MHD_Result take_parameter(void *of, enum MHD_ValueKind kind, const char *key,
                                      size_t key_size, const char *value, size_t value_size) {
    request *r = of;
    (void)kind;
    query_take(&r->call.query, r->call.groups, key, key_size, value, value_size,
               &r->outcome.problem);
    return MHD_YES;
}

static void choose_format(request *r) {
    const route *row = r->match.route;
    r->call.format = r->match.suffix;
    if (!row->formats || r->call.format)
        return;
    buffer accept = headers_list(r->connection, MHD_HTTP_HEADER_ACCEPT);
    r->call.format = format_accepted((const char *)accept.bytes, row->formats);
    buffer_free(&accept);
    if (!r->call.format) {
        char list[200];
        format_list(row->formats, list, sizeof list);
        problem_add(&r->outcome.problem, 406, "Accept", "%s answers as: %s", row->path, list);
    }
}

/* True: the body that is announced is too large even to be read and dropped. */
static bool announces_too_much(request *r) {
    const char *length = headers_find(r->connection, MHD_HTTP_HEADER_CONTENT_LENGTH);
    uint64_t bytes = length ? strtoull(length, NULL, 10) : 0;
    if (bytes <= r->owner->config.body) {
        if (length)
            r->call.body.cap = (size_t)bytes; /* it grows to that and not to twice as much */
        return false;
    }
    problem_add(&r->outcome.problem, 413, "body",
                "the body has %.20s bytes; at most %" PRIu64 " are taken", length,
                r->owner->config.body);
    return bytes - r->owner->config.body > DRAIN;
}

/* Everything that can be refused before the body is. */
static void begin(request *r, const char *path, const char *method, const char *version) {
    problem *p = &r->outcome.problem;
    r->begun = true;
    snprintf(r->method, sizeof r->method, "%s", method);
    headers_trace(r->connection, &r->trace);
    if (r->bad_target)
        problem_add(p, 400, NULL, "%s", r->bad_target);
    r->refused = r->bad_target || !headers_check(r->connection, method, version, p);
    if (r->refused)
        return;
    r->head = strcmp(method, "HEAD") == 0;
    if (r->bad_path) {
        problem_add(p, r->bad_path, NULL, "the path holds an encoded %s",
                    r->bad_path == 400 ? "NUL, %00" : "slash, %2F, which no path here does");
        return;
    }
    if (!route_find(guard_path(path), method, &r->match, p))
        return;
    r->call.groups = r->match.route->groups;
    r->call.content_type = headers_find(r->connection, MHD_HTTP_HEADER_CONTENT_TYPE);
    query_init(&r->call.query);
    MHD_get_connection_values_n(r->connection, MHD_GET_ARGUMENT_KIND, take_parameter, r);
    choose_format(r);
}

/* Memory or a place is what is missing: worth another try. */
static void turn_away(request *r) {
    problem *p = &r->outcome.problem;
    *p = (problem){.retry_after = jobs_retry_after(r->owner->service.jobs)};
    problem_add(p, 503, NULL,
                "the answers in work take all the places, or all the memory, there are; try again "
                "in %u s",
                p->retry_after);
}

static void take_body(request *r, const char *bytes, size_t length) {
    if (r->outcome.problem.status || strcmp(r->match.route->method, "POST") != 0)
        return; /* read and dropped, so that the connection can be used again */
    if (buffer_add(&r->call.body, bytes, length))
        return;
    if (r->call.body.starved)
        turn_away(r);
    else
        problem_add(&r->outcome.problem, 413, "body",
                    "the body is larger than the %" PRIu64 " bytes that are taken",
                    r->owner->config.body);
    buffer_free(&r->call.body);
}

/* ---- the answer ---- */

/* A source from a GET has a validator; if the client has the answer already, that is all. */
static void validate(request *r) {
    const source *s = r->outcome.source;
    if (!s->recipe)
        return;
    recipe_etag(s->recipe, r->match.route->path, r->call.format->name, r->call.format->version,
                r->etag);
    buffer tags = headers_list(r->connection, MHD_HTTP_HEADER_IF_NONE_MATCH);
    r->not_modified = recipe_etag_matches((const char *)tags.bytes, r->etag);
    buffer_free(&tags);
}

/* RFC 9110 §13.1.5: a range of the answer that the client has a part of, or of any. Weak tags and
 * dates never match. */
static bool wants_range(const request *r) {
    const char *tag = headers_find(r->connection, MHD_HTTP_HEADER_IF_RANGE);
    return r->etag[0] && !r->head && !r->not_modified && r->call.format->lay_out &&
           (!tag || strcmp(tag, r->etag) == 0);
}

static void take_range(request *r, answer *a) {
    uint64_t total = answer_length(a), count;
    if (!wants_range(r))
        return;
    buffer text = headers_list(r->connection, MHD_HTTP_HEADER_RANGE);
    range_kind kind = range_parse((const char *)text.bytes, total, &r->first, &count);
    buffer_free(&text);
    if (kind == RANGE_ALL)
        return;
    r->total = total;
    if (kind == RANGE_PART)
        answer_range(a, r->first, count);
    else
        problem_add(&r->outcome.problem, 416, "Range", "the answer has %" PRIu64 " bytes", total);
}

/* From here on abandon_all sees the answer; after it, none is begun. */
static void install(request *r, answer *a) {
    fmixd *d = r->owner;
    pthread_mutex_lock(&d->lock);
    bool too_late = d->stopping;
    if (!too_late)
        r->answer = a;
    pthread_mutex_unlock(&d->lock);
    if (!too_late)
        return;
    answer_release(a);
    r->outcome.problem.retry_after = 1;
    problem_add(&r->outcome.problem, 503, NULL, "this replica is stopping");
}

static void handle(request *r) {
    outcome *o = &r->outcome;
    r->handled = true;
    if (o->problem.status)
        return;
    r->match.route->handler(&r->call, o);
    if (o->starved && o->problem.status)
        turn_away(r);
    if (!o->source)
        return;
    validate(r);
    const answer_waiter waiter = {suspend, resume, r};
    answer *a = answer_new(r->owner->service.jobs, o->source, r->call.format, &waiter, &o->problem);
    o->source = NULL;
    if (!a)
        return;
    take_range(r, a);
    install(r, a);
}

static reply reply_of(request *r) {
    service *s = &r->owner->service;
    return (reply){.connection = r->connection,
                   .bytes = &s->metrics.bytes,
                   .sent = &r->sent,
                   .trace = &r->trace,
                   .close = r->refused || atomic_load(&s->draining),
                   .head = r->head,
                   .vary = r->match.route && r->match.route->formats && !r->match.suffix,
                   .etag = r->etag[0] ? r->etag : NULL,
                   .ranges = r->etag[0] && r->call.format->lay_out,
                   .first = r->first,
                   .total = r->total};
}

static enum MHD_Result send_problem(request *r) {
    reply with = reply_of(r);
    r->status = r->outcome.problem.status;
    return reply_problem(&with, &r->outcome.problem);
}

/* Asks how the answer stands; replies, or stays suspended. */
static enum MHD_Result send_answer(request *r) {
    problem *p = &r->outcome.problem;
    reply with = reply_of(r);
    switch (r->head ? ANSWER_READY : answer_start(r->answer)) {
    case ANSWER_WAIT:
        return MHD_YES;
    case ANSWER_READY:
        r->status = r->total ? 206 : 200;
        return reply_answer(&with, r->answer);
    case ANSWER_BUSY:
        turn_away(r);
        break;
    case ANSWER_FAILED:
        if (answer_abandoned(r->answer))
            return MHD_NO; /* nobody is left to be told */
        problem_add(p, 500, NULL, "the answer could not be computed: out of memory");
        break;
    }
    return send_problem(r);
}

static enum MHD_Result respond(request *r) {
    const outcome *o = &r->outcome;
    reply with = reply_of(r);
    if (o->problem.status)
        return send_problem(r);
    if (r->not_modified) {
        r->status = 304;
        atomic_fetch_add(&r->owner->service.metrics.not_modified, 1);
        return reply_not_modified(&with);
    }
    if (r->answer)
        return send_answer(r);
    r->status = o->status;
    return reply_text(&with, o->status, o->media_type, &o->text);
}

/* Called once with the headers, once for each piece of a body, and then until there is a reply. */
static enum MHD_Result on_request(void *of, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *body,
                                  size_t *length, void **state) {
    request *r = *state;
    (void)of;
    (void)connection;
    if (!r)
        return MHD_NO; /* there was no memory for it */
    if (!r->begun) {
        begin(r, path, method, version);
        return r->refused || announces_too_much(r) ? send_problem(r) : MHD_YES;
    }
    if (*length) {
        take_body(r, body, *length);
        *length = 0;
        return MHD_YES;
    }
    if (!r->handled)
        handle(r);
    return respond(r);
}

/* ---- start and end ---- */

static struct MHD_Daemon *start_http(fmixd *d, int fd) {
    unsigned pool = (unsigned)d->config.io_threads;
    struct MHD_OptionItem options[] = {
        {MHD_OPTION_LISTEN_SOCKET, fd, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)d->config.connections, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS, NULL},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_target, d},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, d},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, d},
        {pool > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, pool, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
                            on_request, d, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

static void free_all(fmixd *d) {
    watch_free(d->watch);
    jobs_free(d->service.jobs);
    fmix_context_free(d->service.context);
    budget_destroy(&d->service.budget);
    pthread_cond_destroy(&d->ended);
    pthread_mutex_destroy(&d->lock);
    free(d);
}

fmixd *fmixd_start(const config *c, const jobs_hooks *hooks, FILE *errors) {
    fmixd *d = calloc(1, sizeof *d);
    if (!d) {
        fprintf(errors, "fmixd: out of memory\n");
        return NULL;
    }
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->ended, NULL);
    d->config = *c;
    d->service.config = &d->config;
    budget_init(&d->service.budget, c->memory, (unsigned)c->threads);
    int fd = listen_on(c->listen, d->address, sizeof d->address, errors);
    if (fd < 0) {
        free_all(d);
        return NULL;
    }
    if (fmix_context_new((size_t)c->cache, &d->service.context) == FMIX_OK &&
        (d->service.jobs =
             jobs_new((unsigned)c->threads, (unsigned)c->queue, &d->service.budget, hooks)) &&
        (d->watch = watch_new()) && selftest_run(d->service.context, d->service.golden, errors))
        d->http = start_http(d, fd);
    if (!d->http) {
        fprintf(errors, "fmixd: could not start\n");
        close(fd);
        free_all(d);
        return NULL;
    }
    return d;
}

const char *fmixd_address(const fmixd *d) {
    return d->address;
}

void fmixd_drain(fmixd *d) {
    atomic_store(&d->service.draining, true);
}

/* Waits until no request is left, at most so long; if so, none is begun any more. */
static bool wait_for_requests(fmixd *d, unsigned seconds) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += seconds;
    pthread_mutex_lock(&d->lock);
    int code = 0;
    while (d->requests && code == 0)
        code = pthread_cond_timedwait(&d->ended, &d->lock, &until);
    bool none = d->requests == NULL;
    d->stopping |= none;
    pthread_mutex_unlock(&d->lock);
    return none;
}

/* What computes or waits for it is cut off: its connection is resumed and closed. An answer lives
 * at least until its request leaves the list, which takes the lock. */
static void abandon_all(fmixd *d) {
    pthread_mutex_lock(&d->lock);
    d->stopping = true;
    for (request *r = d->requests; r; r = r->next)
        if (r->answer)
            answer_abandon(r->answer);
    pthread_mutex_unlock(&d->lock);
}

bool fmixd_stop(fmixd *d, unsigned seconds) {
    fmixd_drain(d);
    MHD_socket fd = MHD_quiesce_daemon(d->http);
    if (fd != MHD_INVALID_SOCKET)
        close(fd);
    bool finished = wait_for_requests(d, seconds);
    if (!finished) {
        abandon_all(d);
        wait_for_requests(d, 1);
    }
    MHD_stop_daemon(d->http);
    free_all(d);
    return finished;
}
