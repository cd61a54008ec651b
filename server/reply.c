#include "reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define BLOCK (128u << 10) /* bytes asked of an answer at a time */

/* The headers of every reply. */
static void add_common(const reply *r, struct MHD_Response *response) {
    MHD_add_response_header(response, "X-Fmix-Stream", "1");
    MHD_add_response_header(response, "X-Request-ID", r->trace->id);
    if (r->trace->parent[0])
        MHD_add_response_header(response, "traceparent", r->trace->parent);
    if (r->vary)
        MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, "Accept");
    if (r->close)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
}

static void add_validators(const reply *r, struct MHD_Response *response) {
    if (!r->etag)
        return;
    MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, r->etag);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL,
                            "public, max-age=31536000, immutable");
}

static void add_ranges(const reply *r, const char *part, struct MHD_Response *response) {
    char text[80];
    if (r->ranges)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
    if (!r->total)
        return;
    snprintf(text, sizeof text, "bytes %s/%" PRIu64, part, r->total);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_RANGE, text);
}

static enum MHD_Result queue(const reply *r, int status, struct MHD_Response *response) {
    enum MHD_Result result = MHD_queue_response(r->connection, (unsigned)status, response);
    MHD_destroy_response(response);
    return result;
}

static struct MHD_Response *of_buffer(const reply *r, const char *media_type, const buffer *text,
                                      enum MHD_ResponseMemoryMode mode) {
    struct MHD_Response *response = MHD_create_response_from_buffer(
        text->length, text->length ? text->bytes : (unsigned char *)"", mode);
    if (!response)
        return NULL;
    add_common(r, response);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, media_type);
    uint64_t sent = r->head ? 0 : text->length;
    atomic_fetch_add_explicit(r->bytes, sent, memory_order_relaxed);
    *r->sent += sent;
    return response;
}

enum MHD_Result reply_text(const reply *r, int status, const char *media_type, const buffer *text) {
    struct MHD_Response *response =
        text->failed ? NULL : of_buffer(r, media_type, text, MHD_RESPMEM_PERSISTENT);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    return queue(r, status, response);
}

enum MHD_Result reply_problem(const reply *r, const problem *p) {
    buffer body = buffer_of(16 << 10);
    char seconds[12];
    problem_render(p, &body);
    struct MHD_Response *response =
        body.failed ? NULL : of_buffer(r, "application/problem+json", &body, MHD_RESPMEM_MUST_COPY);
    buffer_free(&body);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (p->allow[0])
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, p->allow);
    if (p->status == MHD_HTTP_RANGE_NOT_SATISFIABLE)
        add_ranges(r, "*", response);
    if (p->retry_after) {
        snprintf(seconds, sizeof seconds, "%u", p->retry_after);
        MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
    }
    return queue(r, p->status, response);
}

void reply_amid(int fd, const problem *p) {
    buffer body = buffer_of(16 << 10), all = buffer_of(17 << 10);
    problem_render(p, &body);
    buffer_print(
        &all,
        "HTTP/1.1 %d %s\r\nConnection: close\r\nX-Fmix-Stream: 1\r\nCache-Control: no-store\r\n"
        "Content-Type: application/problem+json\r\nContent-Length: %zu\r\n\r\n",
        p->status, problem_title(p->status), body.length);
    buffer_add(&all, body.bytes, body.length);
    if (!body.failed && !all.failed)
        send(fd, all.bytes, all.length, MSG_NOSIGNAL | MSG_DONTWAIT);
    buffer_free(&body);
    buffer_free(&all);
}

enum MHD_Result reply_not_modified(const reply *r) {
    struct MHD_Response *response =
        MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT);
    if (!response)
        return MHD_NO;
    add_common(r, response);
    add_validators(r, response);
    return queue(r, MHD_HTTP_NOT_MODIFIED, response);
}

/* An answer being sent: what the content reader needs. */
typedef struct stream {
    answer *answer;
    _Atomic uint64_t *bytes;
    uint64_t *sent; /* read only while its request lives */
} stream;

static ssize_t read_stream(void *of, uint64_t offset, char *out, size_t room) {
    stream *s = of;
    int64_t n = answer_read(s->answer, offset, out, room);
    if (n < 0)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    atomic_fetch_add_explicit(s->bytes, (uint64_t)n, memory_order_relaxed);
    *s->sent += (uint64_t)n;
    return (ssize_t)n;
}

static void free_stream(void *of) {
    stream *s = of;
    answer_release(s->answer);
    free(s);
}

/* raw says in headers what npy says in its own. */
static void add_description(const answer *a, struct MHD_Response *response) {
    const source *s = answer_source(a);
    const tensor *t = &s->tensors[s->main];
    buffer shape = buffer_of(160);
    for (unsigned d = 0; d < t->rank; d++)
        buffer_print(&shape, "%s%" PRIu64, d ? "x" : "", t->shape[d]);
    buffer_add(&shape, "", 1);
    if (!shape.failed) {
        MHD_add_response_header(response, "X-Fmix-Shape", (const char *)shape.bytes);
        MHD_add_response_header(response, "X-Fmix-Dtype", dtype_table[t->type].name);
    }
    buffer_free(&shape);
}

enum MHD_Result reply_answer(const reply *r, answer *a) {
    uint64_t length = answer_length(a);
    char part[48];
    stream *s = malloc(sizeof *s);
    if (!s)
        return MHD_NO;
    *s = (stream){answer_retain(a), r->bytes, r->sent};
    struct MHD_Response *response = MHD_create_response_from_callback(
        length == UINT64_MAX ? MHD_SIZE_UNKNOWN : length, BLOCK, read_stream, s, free_stream);
    if (!response) {
        free_stream(s);
        return MHD_NO;
    }
    /* libmicrohttpd 0.9.75 ends a chunked reply to HEAD with a chunk: do not chunk, close. */
    if (r->head && length == UINT64_MAX)
        MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
    add_common(r, response);
    add_validators(r, response);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer_format(a)->media_type);
    if (answer_format(a) == &format_raw)
        add_description(a, response);
    snprintf(part, sizeof part, "%" PRIu64 "-%" PRIu64, r->first, r->first + length - 1);
    add_ranges(r, part, response);
    return queue(r, r->total ? MHD_HTTP_PARTIAL_CONTENT : MHD_HTTP_OK, response);
}
