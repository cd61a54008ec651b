#include "reply.h"
#include "cache_rules.h"
#include "ops/mhd_version.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* A response to which fields are being added. A field for which there is no memory fails the draft.
 */
typedef struct draft {
    struct MHD_Response *response; /* NULL: out of memory */
    bool failed;
} draft;

static void add(draft *d, const char *name, const char *value) {
    d->failed =
        d->failed || !d->response || MHD_add_response_header(d->response, name, value) != MHD_YES;
}

/* One line, since some caches read only the first line of Vary. */
static void add_vary(const reply *r, draft *d) {
    char text[64];
    if (!r->vary && !r->identity->guarded && !r->identity->cors.vary)
        return;
    snprintf(text, sizeof text, "%s%s%s", r->vary ? ", Accept" : "",
             r->identity->guarded ? ", Authorization" : "",
             r->identity->cors.vary ? ", Origin" : "");
    add(d, MHD_HTTP_HEADER_VARY, text + 2);
}

static void add_access(const identity *id, draft *d) {
    if (id->challenge)
        add(d, MHD_HTTP_HEADER_WWW_AUTHENTICATE, id->challenge);
    for (unsigned i = 0; i < id->cors.count; i++)
        add(d, id->cors.headers[i].name, id->cors.headers[i].value);
}

static void add_trace(const reply *r, draft *d) {
    add(d, "X-Request-ID", r->trace->id);
    if (r->trace->parent[0])
        add(d, "traceparent", r->trace->parent);
}

/* A macro's value as a string. */
#define TEXT_OF(value) #value
#define TEXT(macro)    TEXT_OF(macro)

/* The header fields of every reply. shared: a cache may send the reply to other clients, so it does
 * not have the ids of this client's request. */
static void add_common(const reply *r, bool shared, draft *d) {
    add(d, "X-Fmix-Stream", TEXT(FMIX_STREAM));
    if (!shared)
        add_trace(r, d);
    add_vary(r, d);
    add_access(r->identity, d);
    if (r->close)
        add(d, MHD_HTTP_HEADER_CONNECTION, "close");
}

static void add_validators(const reply *r, draft *d) {
    if (!r->etag)
        return;
    add(d, MHD_HTTP_HEADER_ETAG, r->etag);
    add(d, MHD_HTTP_HEADER_CACHE_CONTROL, cache_rule(r->fresh, r->identity->guarded));
}

static void add_ranges(const reply *r, const char *part, draft *d) {
    char text[80];
    if (r->ranges)
        add(d, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
    if (!part[0])
        return;
    snprintf(text, sizeof text, "bytes %s/%" PRIu64, part, r->total);
    add(d, MHD_HTTP_HEADER_CONTENT_RANGE, text);
}

/* A reply that lacks a field must not be sent; then the connection is closed. */
static enum MHD_Result queue(const reply *r, int status, const draft *d) {
    enum MHD_Result result =
        d->failed ? MHD_NO : MHD_queue_response(r->connection, (unsigned)status, d->response);
    if (d->response)
        MHD_destroy_response(d->response);
    return result;
}

static draft response_of_text(const reply *r, const char *media_type, const void *text,
                              size_t length, enum MHD_ResponseMemoryMode mode) {
    /* libmicrohttpd does not write to the text, though its type says otherwise. */
    draft d = {.response = MHD_create_response_from_buffer(
                   length, length ? (void *)(uintptr_t)text : "", mode)};
    add_common(r, false, &d);
    add(&d, MHD_HTTP_HEADER_CONTENT_TYPE, media_type);
    add(&d, MHD_HTTP_HEADER_CACHE_CONTROL, cache_rule(FRESH_NEVER, r->identity->guarded));
    uint64_t sent = r->head ? 0 : length;
    atomic_fetch_add_explicit(r->bytes, sent, memory_order_relaxed);
    *r->sent += sent;
    return d;
}

enum MHD_Result reply_text(const reply *r, int status, const char *media_type, const void *text,
                           size_t length) {
    draft d = response_of_text(r, media_type, text, length, MHD_RESPMEM_PERSISTENT);
    return queue(r, status, &d);
}

enum MHD_Result reply_problem(const reply *r, const problem *p) {
    buffer body = buffer_of(16 << 10);
    char seconds[12];
    problem_render(p, &body);
    draft d = {.failed = body.failed};
    if (!d.failed)
        d = response_of_text(r, "application/problem+json", body.bytes, body.length,
                             MHD_RESPMEM_MUST_COPY);
    buffer_free(&body);
    if (p->allow[0])
        add(&d, MHD_HTTP_HEADER_ALLOW, p->allow);
    if (p->status == MHD_HTTP_RANGE_NOT_SATISFIABLE)
        add_ranges(r, "*", &d);
    if (p->uncoded)
        add(&d, MHD_HTTP_HEADER_ACCEPT_ENCODING, "identity");
    if (p->retry_after) {
        snprintf(seconds, sizeof seconds, "%u", p->retry_after);
        add(&d, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
    }
    return queue(r, p->status, &d);
}

static struct MHD_Response *of_no_body(void) {
    return MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT);
}

/* A 204 does not have Content-Length (RFC 9110 §8.6), and libmicrohttpd does not add one. */
enum MHD_Result reply_options(const reply *r, const char *methods) {
    draft d = {.response = of_no_body()};
    add_common(r, false, &d);
    add(&d, MHD_HTTP_HEADER_ALLOW, methods);
    return queue(r, MHD_HTTP_NO_CONTENT, &d);
}

/* libmicrohttpd's block for a long body. The most part of it is never written to, and the heap maps
 * so much anew (memory_shares.c), which neither clears it nor takes memory. */
#define LONG_BLOCK (1u << 20)

static size_t least(size_t a, uint64_t b) {
    return a < b ? a : (size_t)b;
}

/* The state of an answer's content reader. */
typedef struct stream {
    answer *answer;
    _Atomic uint64_t *bytes;
    uint64_t *sent; /* this and the next two: valid while the request lives, */
    bool *broken;   /* which outlives all reads */
    body_window *window;
    uint64_t length; /* of the body */
} stream;

/* What is copied into the block is at most ANSWER_BLOCK. The end of an answer is always copied:
 * answer_read checks there what was lent. */
static int64_t read_block(stream *s, uint64_t offset, char *block, size_t room) {
    const void *at;
    uint64_t left = s->length - offset;
    if (!s->window->seen || left <= ANSWER_BLOCK) {
        int64_t n = answer_read(s->answer, offset, block, least(room, ANSWER_BLOCK));
        body_window_fill(s->window, block, n > 0 ? (size_t)n : 0);
        return n;
    }
    int64_t n = answer_peek(s->answer, offset, least(room, left - ANSWER_BLOCK), &at);
    if (n > 0)
        body_window_open(s->window, block, at, (size_t)n);
    return n;
}

static ssize_t read_stream(void *of, uint64_t offset, char *out, size_t room) {
    stream *s = of;
    int64_t n = read_block(s, offset, out, room);
    if (n < 0) {
        *s->broken = !answer_abandoned(s->answer);
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    atomic_fetch_add_explicit(s->bytes, (uint64_t)n, memory_order_relaxed);
    *s->sent += (uint64_t)n;
    return (ssize_t)n;
}

static void free_stream(void *of) {
    stream *s = of;
    answer_release(s->answer);
    free(s);
}

/* The raw format has no header of its own, so the shape and dtype are header fields. */
static void add_description(const answer *a, draft *d) {
    const tensor_source *s = answer_source(a);
    const tensor *t = &s->tensors[s->main];
    buffer shape = buffer_of(160);
    for (unsigned i = 0; i < t->rank; i++)
        buffer_print(&shape, "%s%" PRIu64, i ? "x" : "", t->shape[i]);
    buffer_add(&shape, "", 1);
    d->failed = d->failed || shape.failed;
    if (!d->failed) {
        add(d, "X-Fmix-Shape", (const char *)shape.bytes);
        add(d, "X-Fmix-Dtype", dtype_table[t->type].name);
    }
    buffer_free(&shape);
}

/* A response whose body libmicrohttpd asks for piece by piece. */
static struct MHD_Response *response_of_blocks(const reply *r, answer *a, uint64_t length,
                                               size_t block) {
    stream *s = malloc(sizeof *s);
    if (!s)
        return NULL;
    *s = (stream){answer_retain(a), r->bytes, r->sent, r->broken, r->window, length};
    struct MHD_Response *response = MHD_create_response_from_callback(
        length == UINT64_MAX ? MHD_SIZE_UNKNOWN : length, block, read_stream, s, free_stream);
    if (!response)
        free_stream(s);
    return response;
}

static struct MHD_Response *response_of_stream(const reply *r, answer *a, uint64_t length) {
    size_t block = length > 2 * LONG_BLOCK ? LONG_BLOCK : least(ANSWER_BLOCK, length);
    return response_of_blocks(r, a, length, block ? block : 1);
}

/* A response with a small body that is computed already: libmicrohttpd sends such a body with the
 * head, and does not allocate room to read into. */
static struct MHD_Response *response_of_bytes(const reply *r, answer *a, size_t length) {
    unsigned char *bytes = malloc(length + 1);
    size_t at = 0;
    for (int64_t n = 1; bytes && at < length && n > 0; at += n > 0 ? (size_t)n : 0)
        n = answer_read(a, at, bytes + at, length - at);
    struct MHD_Response *response =
        bytes && at == length
            ? MHD_create_response_from_buffer_with_free_callback_cls(length, bytes, free, bytes)
            : NULL;
    if (!response) {
        free(bytes);
        return NULL;
    }
    atomic_fetch_add_explicit(r->bytes, length, memory_order_relaxed);
    *r->sent += length;
    return response;
}

/* MHD_RF_HEAD_ONLY_RESPONSE, which the headers of version 0.9.75 lack. */
#define HEAD_ONLY ((enum MHD_ResponseFlags)(1 << 4))

/* A response to HEAD, or a 304: it has the Content-Length of the 200, or does not have the field if
 * the length is unknown (RFC 9110 §8.6). Version 0.9.75 sends a last chunk even where a chunked
 * reply has no body, so the connection must close. */
static struct MHD_Response *response_of_length(const reply *r, answer *a, uint64_t length) {
    if (length != UINT64_MAX)
        return response_of_blocks(r, a, length, 1);
    bool known = mhd_version_knows_head_only();
    struct MHD_Response *response = known ? of_no_body() : response_of_blocks(r, a, length, 1);
    enum MHD_ResponseFlags flag = known ? HEAD_ONLY : MHD_RF_HTTP_1_0_COMPATIBLE_STRICT;
    if (response)
        MHD_set_response_options(response, flag, MHD_RO_END);
    return response;
}

/* If the length is unknown, version 0.9.75 sends Content-Length: 0, which send_filter.h removes, so
 * that the connection can be used again. */
static struct MHD_Response *response_of_known_length(const reply *r, answer *a) {
    uint64_t length = answer_length(a);
    return length == UINT64_MAX && !mhd_version_knows_head_only()
               ? of_no_body()
               : response_of_length(r, a, length);
}

enum MHD_Result reply_not_modified(const reply *r, answer *a) {
    draft d = {.response = response_of_known_length(r, a)};
    add_common(r, r->etag && !r->identity->guarded, &d);
    add_validators(r, &d);
    return queue(r, MHD_HTTP_NOT_MODIFIED, &d);
}

enum MHD_Result reply_answer(const reply *r, answer *a) {
    uint64_t length = answer_length(a);
    char part[48] = "";
    bool small = length <= ANSWER_BLOCK && answer_is_complete(a);
    draft d = {.response = r->head ? response_of_length(r, a, length)
                           : small ? response_of_bytes(r, a, (size_t)length)
                                   : response_of_stream(r, a, length)};
    if (!d.response)
        return MHD_NO;
    add_common(r, r->etag && !r->identity->guarded, &d);
    add_validators(r, &d);
    add(&d, MHD_HTTP_HEADER_CONTENT_TYPE, answer_format(a)->media_type);
    if (answer_format(a) == &format_raw)
        add_description(a, &d);
    if (r->total)
        snprintf(part, sizeof part, "%" PRIu64 "-%" PRIu64, r->first, r->first + length - 1);
    add_ranges(r, part, &d);
    return queue(r, r->total ? MHD_HTTP_PARTIAL_CONTENT : MHD_HTTP_OK, &d);
}
