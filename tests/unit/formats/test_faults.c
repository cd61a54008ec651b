/* Every resource in every format while the nth allocation fails, for every n. */
#include "fault.h"

#include "bodies.h"
#include "compute/answer.h"
#include "datasets/dataset_writer.h"
#include "folder.h"
#include "http/route.h"

#if FAULTS

enum { MOST = 1 << 18, ELEMENTS = 1 << 16 };

typedef struct ask {
    const char *path, *method, *query;
    body_kind body;
    unsigned pieces;
} ask;

#define MIX(query, ...)                                                                            \
    { "/v1/mix", "POST", "layout=channels_first&" query, __VA_ARGS__ }
#define LABELS "&classes=3&smoothing=0.1"

static const ask asks[] = {
    {"/v1/masks", "GET", "shape=4x6&n=3", BODY_NONE, 0},
    {"/v1/masks", "GET", "shape=4x6&n=3&soft=0.3&dtype=f16", BODY_NONE, 0},
    {"/v1/masks", "GET", "shape=4x6&n=3&output=grey", BODY_NONE, 0},
    {"/v1/masks", "GET", "shape=5x6&n=2&spectrum=official&scope=batch", BODY_NONE, 0},
    {"/v1/masks", "GET", "shape=3x4x5&n=2&method=cutmix&dtype=f64", BODY_NONE, 0},
    {"/v1/plans", "GET", "shape=4x6&n=3", BODY_NONE, 0},
    {"/v1/plans", "GET", "shape=4x6&n=3&steps=2&method=fmix,mixup,bcplus", BODY_NONE, 0},
    {"/v1/plans", "GET", "shape=4x6&n=3&method=cutmix,none&policy=random&weights=1,2&steps=3",
     BODY_NONE, 0},
    MIX("x_shape=4x3x4x4&x_dtype=u8", BODY_RAW, 1),
    MIX("seed=3", BODY_NPY, 1),
    MIX("method=mixup&out_dtype=f32", BODY_NPY, 1),
    MIX("out_dtype=f16&soft=0.2", BODY_NPY, 1),
    MIX("method=cutmix" LABELS, BODY_NPZ, 3),
    MIX("seed=5" LABELS, BODY_NPZ_DEFLATED, 3),
    MIX("method=bc" LABELS, BODY_NPZ_DEFLATED, 6),
    MIX("method=bcplus&out_dtype=f32" LABELS, BODY_SAFETENSORS, 3),
    MIX("seed=5" LABELS, BODY_SAFETENSORS, 6),
    MIX("seed=5" LABELS, BODY_UNSIGNED, 6),
    {"/v1/datasets/set/batches/0", "GET", "n=3&seed=5&shuffle=1", BODY_NONE, 0},
    {"/v1/shards/set==52556648f66f40c7==n=2==flip=1==000001", "GET", "", BODY_NONE, 0},
    {"/v1/datasets/set/batches/1", "GET", "n=2&crop=1&flip=1&mean=0.5&method=mixup", BODY_NONE, 0},
};
#define ASKS (sizeof asks / sizeof *asks)

/* ---- one request, as request.c and daemon.c go about it, without the sockets ---- */

typedef struct reader {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool suspended;
} reader;

static void set(reader *r, bool suspended) {
    pthread_mutex_lock(&r->lock);
    r->suspended = suspended;
    pthread_cond_broadcast(&r->moved);
    pthread_mutex_unlock(&r->lock);
}

static void suspend(void *of) {
    set(of, true);
}

static void resume(void *of) {
    set(of, false);
}

static void await(reader *r) {
    pthread_mutex_lock(&r->lock);
    while (r->suspended)
        pthread_cond_wait(&r->moved, &r->lock);
    pthread_mutex_unlock(&r->lock);
}

typedef struct result {
    int status; /* 0: the connection would be closed */
    size_t length;
    unsigned char bytes[MOST];
} result;

typedef struct bench {
    config config;
    server_state server;
} bench;

/* A data set to ask for, for as long as the tests run. */
static int make_set(void **state) {
    static const unsigned char pixels[5 * 16] = {7, 200, 3}, numbers[] = {0, 1, 2, 1, 0};
    const dataset_writer_facts facts = {
        .type = DTYPE_U8, .rank = 2, .side = {4, 4}, .layout = LAYOUT_NONE};
    const array y = {.name = "y", .bytes = numbers, .type = DTYPE_U8, .rank = 1, .shape = {5}};
    if (folder_begin(state) != 0)
        return 1;
    dataset_writer *w = dataset_writer_new(folder_path("set"), &facts, folder_errors);
    const label l = {.from = &y, .numbers = true, .rows = 5, .classes = 3};
    bool good = w && dataset_writer_rows(w, pixels, 5) && dataset_writer_head(w, "y", &l) &&
                dataset_writer_finish(w);
    return good ? 0 : 1;
}

static void open_bench(bench *b) {
    *b = (bench){.config = {.elements = ELEMENTS, .body = MOST, .queue = 8, .threads = 1}};
    b->server.config = &b->config;
    budget_init(&b->server.budget, 1u << 30, 1);
    metrics_init(&b->server.metrics);
    assert_ok(fmix_context_new(1 << 20, &b->server.context));
    const jobs_settings pool = {
        .threads = 1, .limit = 8, .patience = 1e12, .payer = &b->server.budget};
    b->server.jobs = jobs_new(&pool);
    b->server.log = log_new(STDERR_FILENO, LOG_OFF);
    assert_non_null(b->server.jobs);
    assert_non_null(b->server.log);
    b->server.catalog = catalog_new(folder_root, DATASET_VERIFY_START, stderr);
    assert_non_null(b->server.catalog);
    snprintf(b->server.golden, sizeof b->server.golden, "0");
}

static void close_bench(bench *b) {
    log_free(b->server.log);
    jobs_free(b->server.jobs);
    catalog_free(b->server.catalog);
    fmix_context_free(b->server.context);
    assert_int_equal(budget_held(&b->server.budget), 0);
    budget_destroy(&b->server.budget);
    metrics_destroy(&b->server.metrics);
}

static void take_query(query *q, unsigned groups, const char *text, problem *p) {
    char copy[200], *rest = copy;
    query_init(q);
    snprintf(copy, sizeof copy, "%s", text);
    for (char *pair; (pair = strsep(&rest, "&")) && *pair;) {
        char *value = strchr(pair, '=');
        *value++ = 0;
        query_take(q, groups, pair, strlen(pair), value, strlen(value), p);
    }
    if (p->status)
        fail_msg("%s: %s", text, p->errors[0].detail);
}

static int read_all(answer *a, reader *r, result *out) {
    int64_t n;
    uint64_t length = answer_length(a);
    while (out->length < length) {
        n = answer_read(a, out->length, out->bytes + out->length, MOST - out->length);
        if (n < 0)
            return 0; /* cut off, which its length tells */
        out->length += (size_t)n;
        if (n == 0)
            await(r);
    }
    return 200;
}

static int compute(bench *b, tensor_source *s, const format *f, result *out) {
    static reader r = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
    const job_waiter waiter = {suspend, resume, &r, {0}, NULL};
    problem p = {0};
    int status = 0;
    answer *a = answer_new(b->server.jobs, s, f, &waiter, &p);
    if (!a)
        return p.status;
    for (bool again = true; again;) {
        again = false;
        switch (answer_start(a, &(refusal){0})) {
        case ANSWER_WAIT:
            await(&r);
            again = true;
            break;
        case ANSWER_READY:
            status = read_all(a, &r, out);
            break;
        case ANSWER_BUSY:
            status = 503;
            break;
        case ANSWER_FAILED:
            status = 500;
            break;
        }
    }
    answer_abandon(a);
    answer_release(a);
    return status;
}

/* The nth allocation fails from the handler's first step on; 0: none does. Whether it did. */
static bool request(bench *b, const ask *a, const format *f, unsigned long n, result *out) {
    route_match match;
    problem p = {0};
    resource_result made = {.status = 0};
    body sent;
    *out = (result){.status = 0};
    assert_true(route_find(a->path, a->method, &match, &p));
    resource_request c = {.server = &b->server,
                          .captured = {match.captured[0], match.captured[1]},
                          .groups = match.route->groups,
                          .format = f,
                          .body = buffer_paid(MOST, (budget_payer){.from = &b->server.budget})};
    take_query(&c.query, c.groups, a->query, &p);
    if (a->body == BODY_RAW)
        c.content_type = "application/octet-stream";
    body_make(&sent, a->body, a->pieces);
    assert_true(buffer_add(&c.body, sent.bytes, sent.length));
    fault_arm(n);
    match.route->handler(&c, &made);
    if (made.source) {
        out->status = compute(b, made.source, f, out);
    } else if (made.problem.status) {
        out->status = made.starved ? 503 : made.problem.status;
    } else if (!made.text.failed && !made.shared.bytes) {
        out->status = made.status;
        out->length = made.text.length;
        memcpy(out->bytes, made.text.bytes, made.text.length);
    }
    if (made.shared.bytes) {
        out->status = made.status;
        out->length = made.shared.length;
        memcpy(out->bytes, made.shared.bytes, made.shared.length);
    }
    bool fired = fault_disarm();
    made.source = NULL; /* taken */
    resource_result_free(&made);
    buffer_free(&c.body);
    return fired;
}

static bool same(const result *a, const result *b) {
    return a->status == b->status && a->length == b->length &&
           memcmp(a->bytes, b->bytes, a->length) == 0;
}

/* ---- what must hold ---- */

/* On a service that is new, or that has answered it before. */
static unsigned long check(const ask *a, const format *f, bool warm, bool repeats) {
    static result right, got;
    static bench b;
    char name[200];
    unsigned long n = 0;
    bool fired = true;
    snprintf(name, sizeof name, "%s?%s as %s, body %d, %s", a->path, a->query, f ? f->name : "text",
             a->body, warm ? "warm" : "cold");
    open_bench(&b);
    assert_false(request(&b, a, f, 0, &right));
    close_bench(&b);
    if (right.status != 200)
        fail_msg("%s: %d", name, right.status);
    while (fired) {
        long live = fault_live();
        n = fault_after(n);
        open_bench(&b);
        if (warm)
            request(&b, a, f, 0, &got);
        fired = request(&b, a, f, n, &got);
        int status = got.status;
        bool refused = status == 500 || status == 503 || status == 0;
        bool good = (fired && refused) || (repeats ? same(&got, &right) : status == 200);
        request(&b, a, f, 0, &got);
        good = good && got.status == 200 && (!repeats || same(&got, &right));
        close_bench(&b);
        if (!good || fault_live() != live) {
            fault_tell(name, n);
            fail_msg("%s, allocation %lu: %d, then %d; %ld allocations left", name, n, status,
                     got.status, fault_live() - live);
        }
    }
    return n - 1;
}

static void every_resource_survives_each_allocation_that_fails(void **state) {
    (void)state;
    unsigned long faults = 0;
    for (size_t i = 0; i < ASKS; i++) {
        route_match match;
        problem p = {0};
        assert_true(route_find(asks[i].path, asks[i].method, &match, &p));
        for (size_t j = 0; format_table[j]; j++)
            if (format_table[j]->kind & match.route->formats)
                for (int warm = 0; warm < 2; warm++) {
                    unsigned long n = check(&asks[i], format_table[j], warm, true);
                    assert_true(n > 3);
                    faults += n;
                }
    }
    print_message("%lu allocations failed\n", faults);
}

/* What a route's path may be, with our set for a name in it. */
static const char *path_of(unsigned number, char out[80]) {
    const char *brace = strchr(route_name(number), '{');
    const char *rest = brace ? strchr(brace, '}') + 1 : "";
    snprintf(out, 80, "%.*s%s%s", brace ? (int)(brace - route_name(number)) : 79,
             route_name(number), brace ? "set" : "", rest);
    return out;
}

static void plain_resources_survive_each_allocation_that_fails(void **state) {
    (void)state;
    char path[80];
    for (unsigned i = 0; i < ROUTE_NONE && strcmp(route_name(i), "none") != 0; i++) {
        route_match match;
        problem p = {0};
        const ask a = {path_of(i, path), "GET", "", BODY_NONE, 0};
        if (route_find(a.path, a.method, &match, &p) && !match.route->formats)
            check(&a, NULL, true, strcmp(a.path, "/metrics") != 0);
    }
}

/* So that a resource that is added is asked here. */
static void no_resource_is_left_out(void **state) {
    (void)state;
    char path[80];
    for (unsigned i = 0; i < ROUTE_NONE && strcmp(route_name(i), "none") != 0; i++) {
        route_match match;
        problem p = {0};
        bool found = route_find(path_of(i, path), "GET", &match, &p) && match.number == i &&
                     !match.route->formats;
        for (size_t j = 0; j < ASKS; j++) {
            p = (problem){0};
            found |= route_find(asks[j].path, asks[j].method, &match, &p) && match.number == i;
        }
        if (!found)
            fail_msg("%s is asked by no test here", route_name(i));
    }
}

#define WITH_SET(test) cmocka_unit_test_setup_teardown(test, make_set, folder_end)
RUN(T(no_resource_is_left_out), WITH_SET(plain_resources_survive_each_allocation_that_fails),
    WITH_SET(every_resource_survives_each_allocation_that_fails))

#else

FAULT_SKIPPED(no_resource_is_left_out)
FAULT_SKIPPED(plain_resources_survive_each_allocation_that_fails)
FAULT_SKIPPED(every_resource_survives_each_allocation_that_fails)

RUN(T(no_resource_is_left_out), T(plain_resources_survive_each_allocation_that_fails),
    T(every_resource_survives_each_allocation_that_fails))

#endif
