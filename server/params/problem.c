#include "problem.h"
#include "base/json_build.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is quoted from a request is cut to printable ASCII, so that any answer is valid JSON. */
static void make_printable(char *text) {
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e)
            *text = '?';
}

static const struct {
    int status;
    const char *title;
    problem_reason reason;
} statuses[] = {
    {400, "Bad request", PROBLEM_REQUEST},
    {401, "Unauthorized", PROBLEM_TOKEN},
    {404, "Not found", PROBLEM_REQUEST},
    {405, "Method not allowed", PROBLEM_REQUEST},
    {406, "Not acceptable", PROBLEM_REQUEST},
    {408, "Request timeout", PROBLEM_LATE},
    {409, "Conflict", PROBLEM_REQUEST},
    {411, "Length required", PROBLEM_REQUEST},
    {412, "Precondition failed", PROBLEM_REQUEST},
    {413, "Content too large", PROBLEM_LARGE},
    {414, "URI too long", PROBLEM_REQUEST},
    {415, "Unsupported media type", PROBLEM_REQUEST},
    {416, "Range not satisfiable", PROBLEM_REQUEST},
    {417, "Expectation failed", PROBLEM_REQUEST},
    {429, "Too many requests", PROBLEM_SHARE},
    {431, "Header fields too large", PROBLEM_REQUEST},
    {500, "Internal error", PROBLEM_INTERNAL},
    {501, "Not implemented", PROBLEM_REQUEST},
    {505, "HTTP version not supported", PROBLEM_REQUEST},
    {503, "Service unavailable", PROBLEM_QUEUE},
};
#define STATUSES (sizeof statuses / sizeof *statuses)

static const char *const reasons[PROBLEM_REASONS] = {
    [PROBLEM_REQUEST] = "request",   [PROBLEM_GUARD] = "guard",       [PROBLEM_LARGE] = "large",
    [PROBLEM_LATE] = "late",         [PROBLEM_TOKEN] = "token",       [PROBLEM_QUEUE] = "queue",
    [PROBLEM_PATIENCE] = "patience", [PROBLEM_SHARE] = "share",       [PROBLEM_MEMORY] = "memory",
    [PROBLEM_DRAINING] = "draining", [PROBLEM_INTERNAL] = "internal",
};

const char *problem_reason_name(problem_reason reason) {
    return reasons[reason];
}

/* The first error says what kind of problem it is. */
static void classify(problem *p, int status) {
    p->status = status;
    for (size_t i = 0; i < STATUSES && p->reason == PROBLEM_REQUEST; i++)
        if (statuses[i].status == status)
            p->reason = statuses[i].reason;
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
            error = tree_with(error, "parameter", json_string(p->errors[i].parameter));
        errors = tree_and(errors, error);
    }
    json_t *root =
        json_pack("{ss ss si ss so}", "type", "about:blank", "title", problem_title(p->status),
                  "status", p->status, "detail", kept ? p->errors[0].detail : "", "errors", errors);
    tree_print(root, JSON_INDENT(2), out);
    json_decref(root);
    buffer_text(out, "\n");
}
