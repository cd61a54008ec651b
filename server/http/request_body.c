#include "request_body.h"
#include "api/resource_job.h"

#include <inttypes.h>
#include <stdlib.h>

/* The limit: the setting, or all the memory that requests may use. */
static uint64_t limit_of(const resource_request *input) {
    const server_state *s = input->server;
    uint64_t left = budget_left(&s->budget, 0);
    return s->config->body < left ? s->config->body : left;
}

void request_body_begin(resource_request *input) {
    input->body = (buffer){.cap = (size_t)limit_of(input),
                           .payer = {.from = &input->server->budget},
                           .spares = &input->server->buffer_pool};
}

bool request_body_announce(resource_request *input, const char *length, problem *p) {
    uint64_t bytes = strtoull(length, NULL, 10);
    if (bytes <= limit_of(input)) {
        input->body.cap = (size_t)bytes; /* the buffer would double otherwise */
        return true;
    }
    problem_add(p, 413, "body", "the body has %.20s bytes; the limit is %" PRIu64 " bytes", length,
                limit_of(input));
    return false;
}

bool request_body_is_too_much(const resource_request *input, uint64_t received, problem *p) {
    if (received <= limit_of(input))
        return false;
    problem_add(p, 413, "body", "the body is larger than the limit of %" PRIu64 " bytes",
                limit_of(input));
    return true;
}

bool request_body_add(resource_request *input, const char *bytes, size_t length, bool announced) {
    if (announced && !input->body.bytes)
        buffer_expect(&input->body, input->body.cap);
    return buffer_add(&input->body, bytes, length);
}

/* A large body becomes the input of a job that never starts: a compute thread frees such a job. */
void request_body_drop(resource_request *input) {
    if (input->body.room > JOB_LARGE)
        resource_job_release(
            resource_job_new(input->server->jobs, NULL, input, &(weight){0}, &(job_waiter){0}, ""));
    buffer_free(&input->body);
}
