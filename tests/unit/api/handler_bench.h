/*
 * handler_bench.h - what a resource's handler needs of a daemon, and requests made by hand
 */
#ifndef HANDLER_BENCH_H
#define HANDLER_BENCH_H

#include "unit.h"

#include "api/routes.h"
#include "datasets/dataset_writer.h"

#include <stdio.h>
#include <unistd.h>

/* The data set "set": rows of u8, 3 channels of 2 x 2, whose bytes count up from 0; class numbers.
 */
enum { SERVED_ROWS = 5, SERVED_ROW = 12, SERVED_CLASSES = 3 };
static const unsigned char served_labels[SERVED_ROWS] = {0, 1, 2, 1, 0};

typedef struct served {
    char root[64];
    config config;
    server_state server;
} served;

static inline void served_write_set(const served *b) {
    unsigned char pixels[SERVED_ROWS * SERVED_ROW];
    char path[80];
    for (unsigned i = 0; i < sizeof pixels; i++)
        pixels[i] = (unsigned char)i;
    const dataset_writer_facts facts = {
        .type = DTYPE_U8, .rank = 3, .side = {3, 2, 2}, .layout = LAYOUT_CHANNELS_FIRST};
    const array y = {
        .name = "y", .bytes = served_labels, .type = DTYPE_U8, .rank = 1, .shape = {SERVED_ROWS}};
    const label l = {.from = &y, .numbers = true, .rows = SERVED_ROWS, .classes = SERVED_CLASSES};
    snprintf(path, sizeof path, "%s/set", b->root);
    FILE *quiet = fopen("/dev/null", "w");
    dataset_writer *w = dataset_writer_new(path, &facts, quiet);
    assert_true(w && dataset_writer_rows(w, pixels, SERVED_ROWS) &&
                dataset_writer_head(w, "y", &l) && dataset_writer_finish(w));
    fclose(quiet);
}

static inline served *served_new(void) {
    served *b = calloc(1, sizeof *b);
    assert_non_null(b);
    snprintf(b->root, sizeof b->root, "/tmp/fmixd-served-XXXXXX");
    assert_non_null(mkdtemp(b->root));
    served_write_set(b);
    b->config.elements = 1 << 16;
    b->config.body = 1 << 20;
    b->server.config = &b->config;
    budget_init(&b->server.budget, 1u << 30, 1);
    metrics_init(&b->server.metrics);
    b->server.context = unit_context();
    const jobs_settings settings = {.threads = 1, .limit = 8, .payer = &b->server.budget};
    assert_non_null(b->server.jobs = jobs_new(&settings));
    assert_non_null(b->server.log = log_new(STDERR_FILENO, LOG_OFF));
    assert_non_null(b->server.catalog = catalog_new(b->root, DATASET_VERIFY_START, stderr));
    return b;
}

static inline void served_free(served *b) {
    static const char *const files[] = {"set/manifest.json", "set/data.bin", "set/labels.bin",
                                        "set/pieces.bin",    "set",          ""};
    char path[100];
    log_free(b->server.log);
    jobs_free(b->server.jobs);
    catalog_free(b->server.catalog);
    fmix_context_free(b->server.context);
    assert_int_equal(budget_held(&b->server.budget), 0);
    budget_destroy(&b->server.budget);
    metrics_destroy(&b->server.metrics);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", b->root, files[i]);
        remove(path);
    }
    free(b);
}

static inline void served_query(query *q, unsigned groups, const char *text) {
    char copy[512], *rest = copy;
    problem p = {0};
    query_init(q);
    snprintf(copy, sizeof copy, "%s", text);
    for (char *pair; (pair = strsep(&rest, "&")) && *pair;) {
        char *value = strchr(pair, '=');
        *value++ = 0;
        query_take(q, groups, pair, strlen(pair), value, strlen(value), &p);
    }
    if (p.status)
        fail_msg("%s: %s", text, p.errors[0].detail);
}

/* A request as the handler's row in the table of routes would get it. */
static inline resource_request served_request(served *b, resource *handler, const char *text,
                                              const format *f) {
    resource_request c = {.server = &b->server, .format = f};
    const route *r;
    for (unsigned i = 0; (r = route_row(i)) != NULL && r->handler != handler; i++)
        ;
    assert_non_null(r);
    c.groups = r->groups;
    served_query(&c.query, r->groups, text);
    return c;
}

static inline void served_is(const problem *p, int status, const char *parameter) {
    if (p->status != status)
        fail_msg("status %d: %s", p->status, p->count ? p->errors[0].detail : "no problem");
    if (status)
        assert_string_equal(p->errors[0].parameter, parameter);
}

static inline void served_prepare(tensor_source *s) {
    if (s->prepare)
        assert_ok(s->prepare(s->self));
}

static inline const tensor *served_find(const tensor_source *s, const char *name) {
    for (unsigned i = 0; i < s->count; i++)
        if (strcmp(s->tensors[i].name, name) == 0)
            return &s->tensors[i];
    return NULL;
}

/* All of a tensor, which has so many bytes. */
static inline void served_fill(const tensor_source *s, const char *name, void *out, size_t bytes) {
    const tensor *t = served_find(s, name);
    fmix_scratch *scratch;
    assert_non_null(t);
    assert_int_equal(tensor_bytes(t), bytes);
    assert_ok(fmix_scratch_new(&scratch));
    assert_ok(t->fill(t->self, scratch, 0, t->rows, out));
    fmix_scratch_free(scratch);
}

#endif
