#include "problem.h"

#include <jansson.h>
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

void problem_add(problem *p, int status, const char *parameter, const char *format, ...) {
    if (p->status == 0)
        p->status = status;
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

static const struct {
    int status;
    const char *title;
} titles[] = {
    {400, "Bad request"},
    {401, "Unauthorized"},
    {404, "Not found"},
    {405, "Method not allowed"},
    {406, "Not acceptable"},
    {408, "Request timeout"},
    {411, "Length required"},
    {413, "Content too large"},
    {414, "URI too long"},
    {415, "Unsupported media type"},
    {416, "Range not satisfiable"},
    {417, "Expectation failed"},
    {429, "Too many requests"},
    {431, "Header fields too large"},
    {500, "Internal error"},
    {501, "Not implemented"},
    {505, "HTTP version not supported"},
    {503, "Service unavailable"},
};

const char *problem_title(int status) {
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        if (titles[i].status == status)
            return titles[i].title;
    return "Error";
}

static int append(const char *bytes, size_t length, void *out) {
    return buffer_add(out, bytes, length) ? 0 : -1;
}

void problem_render(const problem *p, buffer *out) {
    json_t *errors = json_array();
    unsigned kept = p->count < PROBLEM_ERRORS ? p->count : PROBLEM_ERRORS;
    for (unsigned i = 0; i < kept; i++) {
        json_t *error = json_pack("{ss}", "detail", p->errors[i].detail);
        if (p->errors[i].parameter[0])
            json_object_set_new(error, "parameter", json_string(p->errors[i].parameter));
        json_array_append_new(errors, error);
    }
    json_t *root =
        json_pack("{ss ss si ss so}", "type", "about:blank", "title", problem_title(p->status),
                  "status", p->status, "detail", kept ? p->errors[0].detail : "", "errors", errors);
    if (!root || json_dump_callback(root, append, out, JSON_INDENT(2)) != 0)
        out->failed = true;
    json_decref(root);
    buffer_text(out, "\n");
}
