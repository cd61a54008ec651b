/* JSON, read and written. The bytes as a safetensors header, which is all the JSON that is read;
 * and as what a client may say that is quoted back: a problem is one valid document, a line of the
 * log is one too, and one line. */
#include "upload.h"

#include "ops/log.h"

#include <jansson.h>
#include <stdio.h>

#define DATA 256 /* bytes behind the header, for the arrays it tells of */

static void read_header(const uint8_t *data, size_t size) {
    uint8_t *body = calloc(1, 8 + size + DATA);
    FUZZ_ASSERT(body);
    for (unsigned i = 0; i < 8; i++)
        body[i] = (uint8_t)((uint64_t)size >> 8 * i);
    memcpy(body + 8, data, size);
    upload_fuzz(&format_safetensors, body, 8 + size + DATA);
    free(body);
}

static json_t *parse(const void *text, size_t length) {
    json_error_t error;
    json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
    FUZZ_ASSERT(json_is_object(root));
    return root;
}

/* Each line blames the one before it. */
static void write_problem(const char *text) {
    problem p = {0};
    char *copy = strdup(text), *rest = NULL;
    FUZZ_ASSERT(copy);
    const char *last = NULL;
    for (char *line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        problem_add(&p, 400, last, "%s is wrong: '%s'", last ? last : "something", line);
        last = line;
    }
    buffer out = buffer_of(64u << 10);
    problem_render(&p, &out);
    FUZZ_ASSERT(!out.failed);
    json_t *root = parse(out.bytes, out.length);
    unsigned kept = p.count < PROBLEM_ERRORS ? p.count : PROBLEM_ERRORS;
    FUZZ_ASSERT(json_array_size(json_object_get(root, "errors")) == kept);
    json_decref(root);
    buffer_free(&out);
    free(copy);
}

static size_t line_of(log_kind kind, const log_entry *e, char line[LOG_LINE]) {
    size_t length = log_render(kind, e, line);
    FUZZ_ASSERT(length && memchr(line, '\n', length) == line + length - 1);
    return length;
}

/* As long as request.c keeps them. */
static void write_log(const char *text) {
    char method[16], target[256], line[LOG_LINE];
    trace t;
    trace_begin(&t);
    trace_take(&t, text, text);
    snprintf(method, sizeof method, "%s", text);
    snprintf(target, sizeof target, "%s", text);
    const log_entry e = {.trace = &t,
                         .method = method,
                         .target = target,
                         .route = "masks",
                         .peer = "127.0.0.1",
                         .format = "npy",
                         .client = "",
                         .status = 200,
                         .bytes = INT64_MAX};
    json_t *root = parse(line, line_of(LOG_JSON, &e, line));
    FUZZ_ASSERT(json_is_string(json_object_get(root, "target")));
    json_decref(root);
    line_of(LOG_TEXT, &e, line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);
    FUZZ_ASSERT(text);
    memcpy(text, data, size);
    text[size] = 0;
    read_header(data, size);
    write_problem(text);
    write_log(text);
    free(text);
    return 0;
}
