#include "request_body.h"
#include "api/resource_job.h"

#include <inttypes.h>
#include <stdlib.h>

/* As many bytes as are taken, and as there is memory for. */
static uint64_t most(const call *c) {
    const service *s = c->service;
    uint64_t left = budget_left(&s->budget, 0);
    return s->config->body < left ? s->config->body : left;
}

void intake_begin(call *c) {
    c->body = (buffer){
        .cap = (size_t)most(c), .payer = &c->service->budget, .spares = &c->service->slabs};
}

bool intake_announce(call *c, const char *length, problem *p) {
    uint64_t bytes = strtoull(length, NULL, 10);
    if (bytes <= most(c)) {
        c->body.cap = (size_t)bytes; /* it grows to that and not to twice as much */
        return true;
    }
    problem_add(p, 413, "body", "the body has %.20s bytes; at most %" PRIu64 " are taken", length,
                most(c));
    return false;
}

bool intake_is_too_much(const call *c, uint64_t received, problem *p) {
    if (received <= most(c))
        return false;
    problem_add(p, 413, "body", "the body is larger than the %" PRIu64 " bytes that are taken",
                most(c));
    return true;
}

bool intake_add(call *c, const char *bytes, size_t length, bool announced) {
    if (announced && !c->body.bytes)
        buffer_expect(&c->body, c->body.cap);
    if (buffer_add(&c->body, bytes, length))
        return true;
    intake_drop(c);
    return false;
}

/* Of a large one a handling that never begins is made, whose end another thread sees to. */
void intake_drop(call *c) {
    if (c->body.room > JOB_HEAVY)
        handling_release(
            handling_new(c->service->jobs, NULL, c, &(weight){0}, &(job_waiter){0}, ""));
    buffer_free(&c->body);
}
