#include "daemon.h"
#include "recipe.h"
#include "reply.h"
#include "route.h"
#include "selftest.h"
#include "watch.h"

#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define IDLE_SECONDS      60
#define CONNECTION_MEMORY (64u << 10) /* headers, and a piece of a body at a time */
#define BACKLOG           4096

typedef struct request request;

struct fmixd {
    config config;
    service service;
    struct MHD_Daemon *http;
    watch *watch;
    char address[CONFIG_ADDRESS + 8];
    pthread_mutex_t lock; /* of the list of requests */
    pthread_cond_t ended;
    request *requests;
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
    int status; /* replied */
    bool begun, handled, head, encoded_nul, not_modified;
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
    r->encoded_nul = strstr(target, "%00") != NULL;
    r->match.number = ROUTE_NONE;
    r->call.service = &d->service;
    r->call.body = buffer_of((size_t)d->config.body);
    pthread_mutex_lock(&d->lock);
    r->next = d->requests;
    if (r->next)
        r->next->previous = r;
    d->requests = r;
    pthread_mutex_unlock(&d->lock);
    atomic_fetch_add(&d->service.metrics.in_flight, 1);
    return r;
}

static void on_completed(void *of, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode how) {
    fmixd *d = of;
    request *r = *state;
    (void)connection;
    if (!r)
        return;
    *state = NULL;
    metrics_request(&d->service.metrics, r->match.number,
                    how == MHD_REQUEST_TERMINATED_COMPLETED_OK ? r->status : 499);
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

static void suspend(void *of) {
    request *r = of;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    MHD_suspend_connection(r->connection);
    watch_add(r->owner->watch, info->connect_fd, r->answer);
}

static void resume(void *of) {
    request *r = of;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    watch_remove(r->owner->watch, info->connect_fd);
    MHD_resume_connection(r->connection);
}

/* ---- what the request says ---- */

static const char *header(const request *r, const char *name) {
    return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

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
    r->call.format = format_accepted(header(r, MHD_HTTP_HEADER_ACCEPT), row->formats);
    if (!r->call.format) {
        char list[200];
        format_list(row->formats, list, sizeof list);
        problem_add(&r->outcome.problem, 406, "Accept", "%s answers as: %s", row->path, list);
    }
}

/* True: the body that is announced is too large to be taken at all. */
static bool announces_too_much(request *r) {
    const char *length = header(r, MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (!length || strtoull(length, NULL, 10) <= r->owner->config.body)
        return false;
    problem_add(&r->outcome.problem, 413, "body",
                "the body has %.20s bytes; at most %" PRIu64 " are taken", length,
                r->owner->config.body);
    return true;
}

/* Everything that can be refused before the body is. */
static void begin(request *r, const char *path, const char *method) {
    problem *p = &r->outcome.problem;
    r->begun = true;
    r->head = strcmp(method, "HEAD") == 0;
    if (r->encoded_nul) {
        problem_add(p, 400, NULL, "the request target holds an encoded NUL, %%00");
        return;
    }
    if (!route_find(path, method, &r->match, p))
        return;
    r->call.groups = r->match.route->groups;
    r->call.content_type = header(r, MHD_HTTP_HEADER_CONTENT_TYPE);
    query_init(&r->call.query);
    MHD_get_connection_values_n(r->connection, MHD_GET_ARGUMENT_KIND, take_parameter, r);
    choose_format(r);
}

static void take_body(request *r, const char *bytes, size_t length) {
    if (r->outcome.problem.status || strcmp(r->match.route->method, "POST") != 0)
        return; /* read and dropped, so that the connection can be used again */
    if (!buffer_add(&r->call.body, bytes, length)) {
        problem_add(&r->outcome.problem, 413, "body",
                    "the body is larger than the %" PRIu64 " bytes that are taken",
                    r->owner->config.body);
        buffer_free(&r->call.body);
    }
}

/* ---- the answer ---- */

/* RFC 9110 §13.1.2: a list of tags, weak or not, or *. Ours hold no comma. */
static bool none_match(const char *list, const char *etag) {
    size_t length = strlen(etag);
    while (list && *list) {
        list += strspn(list, " \t,");
        if (strncmp(list, "W/", 2) == 0)
            list += 2;
        size_t tag = strcspn(list, " \t,");
        if ((tag == 1 && *list == '*') || (tag == length && memcmp(list, etag, tag) == 0))
            return true;
        list += tag;
    }
    return false;
}

/* A source from a GET has a validator; if the client has the answer already, that is all. */
static void validate(request *r) {
    const source *s = r->outcome.source;
    if (!s->recipe)
        return;
    recipe_etag(s->recipe, r->match.route->path, r->call.format->name, r->call.format->version,
                r->etag);
    r->not_modified = none_match(header(r, MHD_HTTP_HEADER_IF_NONE_MATCH), r->etag);
}

static void handle(request *r) {
    outcome *o = &r->outcome;
    r->handled = true;
    if (o->problem.status)
        return;
    r->match.route->handler(&r->call, o);
    if (!o->source)
        return;
    validate(r);
    if (r->not_modified) {
        source_free(o->source);
    } else {
        const answer_waiter waiter = {suspend, resume, r};
        r->answer =
            answer_new(r->owner->service.jobs, o->source, r->call.format, &waiter, &o->problem);
    }
    o->source = NULL;
}

static reply reply_of(const request *r) {
    service *s = &r->owner->service;
    return (reply){.connection = r->connection,
                   .bytes = &s->metrics.bytes,
                   .close = atomic_load(&s->draining),
                   .vary = r->match.route && r->match.route->formats && !r->match.suffix,
                   .etag = r->etag[0] ? r->etag : NULL};
}

static enum MHD_Result send_problem(request *r) {
    reply with = reply_of(r);
    r->status = r->outcome.problem.status;
    return reply_problem(&with, &r->outcome.problem);
}

/* Asks how the answer stands; replies, or stays suspended. */
static enum MHD_Result send_answer(request *r) {
    problem *p = &r->outcome.problem;
    jobs *line = r->owner->service.jobs;
    reply with = reply_of(r);
    switch (r->head ? ANSWER_READY : answer_start(r->answer)) {
    case ANSWER_WAIT:
        return MHD_YES;
    case ANSWER_READY:
        r->status = 200;
        return reply_answer(&with, r->answer);
    case ANSWER_BUSY:
        p->retry_after = jobs_retry_after(line);
        problem_add(p, 503, NULL, "too many answers are in work; try again in %u s",
                    p->retry_after);
        break;
    case ANSWER_FAILED:
        if (answer_abandoned(r->answer))
            return MHD_NO;
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
    if (r->answer)
        return send_answer(r);
    if (r->not_modified) {
        r->status = 304;
        atomic_fetch_add(&r->owner->service.metrics.not_modified, 1);
        return reply_not_modified(&with);
    }
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
    (void)version;
    if (!r)
        return MHD_NO; /* there was no memory for it */
    if (!r->begun) {
        begin(r, path, method);
        return announces_too_much(r) ? send_problem(r) : MHD_YES;
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

/* A listening socket, its address written to d; -1: explained. */
static int listen_on(fmixd *d, FILE *errors) {
    char host[CONFIG_ADDRESS], service_name[8], name[CONFIG_ADDRESS];
    uint16_t port;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    struct sockaddr_storage bound;
    socklen_t size = sizeof bound;
    int one = 1, fd = -1;
    config_split_address(d->config.listen, host, sizeof host, &port);
    snprintf(service_name, sizeof service_name, "%u", port);
    int code = getaddrinfo(host, service_name, &hints, &found);
    if (code != 0) {
        fprintf(errors, "fmixd: cannot listen on %s: %s\n", d->config.listen, gai_strerror(code));
        return -1;
    }
    fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&bound, &size) != 0) {
        fprintf(errors, "fmixd: cannot listen on %s: %s\n", d->config.listen, strerror(errno));
        close(fd);
        fd = -1;
    } else {
        getnameinfo((struct sockaddr *)&bound, size, name, sizeof name, service_name,
                    sizeof service_name, NI_NUMERICHOST | NI_NUMERICSERV);
        snprintf(d->address, sizeof d->address, strchr(name, ':') ? "[%s]:%s" : "%s:%s", name,
                 service_name);
    }
    freeaddrinfo(found);
    return fd;
}

static struct MHD_Daemon *start_http(fmixd *d, int fd) {
    unsigned pool = (unsigned)d->config.io_threads;
    struct MHD_OptionItem options[] = {
        {MHD_OPTION_LISTEN_SOCKET, fd, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)d->config.connections, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS, NULL},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_target, d},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, d},
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
    int fd = listen_on(d, errors);
    if (fd < 0) {
        free_all(d);
        return NULL;
    }
    if (fmix_context_new((size_t)c->cache, &d->service.context) == FMIX_OK &&
        (d->service.jobs = jobs_new((unsigned)c->threads, (unsigned)c->queue, hooks)) &&
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

/* Waits until no request is left, at most so long. */
static bool wait_for_requests(fmixd *d, unsigned seconds) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += seconds;
    pthread_mutex_lock(&d->lock);
    int code = 0;
    while (d->requests && code == 0)
        code = pthread_cond_timedwait(&d->ended, &d->lock, &until);
    bool none = d->requests == NULL;
    pthread_mutex_unlock(&d->lock);
    return none;
}

/* What computes or waits for it is cut off: its connection is resumed and closed. An answer lives
 * at least until its request leaves the list, which takes the lock. */
static void abandon_all(fmixd *d) {
    pthread_mutex_lock(&d->lock);
    for (request *r = d->requests; r; r = r->next)
        if (r->answer)
            answer_abandon(r->answer);
    pthread_mutex_unlock(&d->lock);
}

bool fmixd_stop(fmixd *d, unsigned seconds) {
    fmixd_drain(d);
    MHD_socket fd = MHD_quiesce_daemon(d->http);
    bool finished = wait_for_requests(d, seconds);
    if (!finished) {
        abandon_all(d);
        wait_for_requests(d, 1);
    }
    MHD_stop_daemon(d->http);
    if (fd != MHD_INVALID_SOCKET)
        close(fd);
    free_all(d);
    return finished;
}
