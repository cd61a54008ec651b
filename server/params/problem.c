#include "problem.h"
#include "base/json_build.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Text quoted from a request becomes printable ASCII, so that every answer is valid JSON. */
static void make_printable(char *text) {
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e)
            *text = '?';
}

static const struct {
    int status;
    const char *title;
    refusal reason;
} statuses[] = {
    {400, "Bad request", REFUSAL_REQUEST},
    {401, "Unauthorized", REFUSAL_TOKEN},
    {404, "Not found", REFUSAL_REQUEST},
    {405, "Method not allowed", REFUSAL_REQUEST},
    {406, "Not acceptable", REFUSAL_REQUEST},
    {408, "Request timeout", REFUSAL_LATE},
    {409, "Conflict", REFUSAL_REQUEST},
    {411, "Length required", REFUSAL_REQUEST},
    {412, "Precondition failed", REFUSAL_REQUEST},
    {413, "Content too large", REFUSAL_LARGE},
    {414, "URI too long", REFUSAL_REQUEST},
    {415, "Unsupported media type", REFUSAL_REQUEST},
    {416, "Range not satisfiable", REFUSAL_REQUEST},
    {417, "Expectation failed", REFUSAL_REQUEST},
    {429, "Too many requests", REFUSAL_SHARE},
    {431, "Header fields too large", REFUSAL_REQUEST},
    {500, "Internal error", REFUSAL_INTERNAL},
    {501, "Not implemented", REFUSAL_REQUEST},
    {503, "Service unavailable", REFUSAL_QUEUE},
    {505, "HTTP version not supported", REFUSAL_REQUEST},
};
#define STATUSES (sizeof statuses / sizeof *statuses)

static refusal reason_of(int status) {
    for (size_t i = 0; i < STATUSES; i++)
        if (statuses[i].status == status)
            return statuses[i].reason;
    return REFUSAL_REQUEST;
}

/* The first error decides the status and the reason. */
static void classify(problem *p, int status) {
    p->status = status;
    if (p->reason == REFUSAL_NONE)
        p->reason = reason_of(status);
}

void problem_add(problem *p, int status, const char *parameter, const char *format, ...) {
    if (p->status == 0)
        classify(p, status);
    unsigned i = p->count++;
    if (i >= PROBLEM_ERRORS)
        return;
    snprintf(p->errors[i].parameter, sizeof p->errors[i].parameter, "%s",
             parameter ? parameter : "");
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(p->errors[i].detail, sizeof p->errors[i].detail, format, arguments);
    va_end(arguments);
    make_printable(p->errors[i].parameter);
    make_printable(p->errors[i].detail);
}

void problem_add_too_long(problem *p, const char *parameter, const char *what) {
    problem_add(p, 413, parameter, "the %s would be larger than 2^63-1 bytes", what);
}

const char *problem_title(int status) {
    for (size_t i = 0; i < STATUSES; i++)
        if (statuses[i].status == status)
            return statuses[i].title;
    return "Error";
}

void problem_render(const problem *p, buffer *out) {
    json_t *errors = json_array();
    unsigned kept = p->count < PROBLEM_ERRORS ? p->count : PROBLEM_ERRORS;
    for (unsigned i = 0; i < kept; i++) {
        json_t *error = json_pack("{ss}", "detail", p->errors[i].detail);
        if (p->errors[i].parameter[0])
            error = json_set(error, "parameter", json_string(p->errors[i].parameter));
        errors = json_append(errors, error);
    }
    json_t *root =
        json_pack("{ss ss si ss so}", "type", "about:blank", "title", problem_title(p->status),
                  "status", p->status, "detail", kept ? p->errors[0].detail : "", "errors", errors);
    json_print(root, JSON_INDENT(2), out);
    json_decref(root);
    buffer_text(out, "\n");
}
