#include "loopback.h"

#include "http/reply.h"

enum { ROWS = 10 };

/* One reply, as a test wants it. */
typedef struct fixture {
    enum MHD_Result (*send)(const struct fixture *f, const reply *r);
    reply reply; /* without what every test has */
    identity identity;
    trace trace;
    problem problem;
    jobs *pool;
    answer *answer;
    _Atomic uint64_t bytes;
    uint64_t sent;
    body_window window;
    char text[8192];
} fixture;

static enum MHD_Result send_reply(void *of, struct MHD_Connection *connection) {
    fixture *f = of;
    reply r = f->reply;
    r.connection = connection;
    r.bytes = &f->bytes;
    r.sent = &f->sent;
    r.window = &f->window;
    r.trace = &f->trace;
    r.identity = &f->identity;
    return f->send(f, &r);
}

static int ask(fixture *f) {
    char request[200];
    const loopback l = {.reply = send_reply, .user = f};
    snprintf(request, sizeof request, "%s / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
             f->reply.head ? "HEAD" : "GET");
    f->sent = 0;
    f->window = (body_window){0};
    atomic_store(&f->bytes, 0);
    trace_begin(&f->trace);
    return loopback_ask(&l, request, f->text, sizeof f->text);
}

static bool has(const fixture *f, const char *field) {
    char line[300];
    snprintf(line, sizeof line, "\r\n%s\r\n", field);
    return strcasestr(f->text, line) != NULL;
}

static const char *body_of(const fixture *f) {
    const char *end = strstr(f->text, "\r\n\r\n");
    assert_non_null(end);
    return end + 4;
}

/* ---- texts and problems ---- */

static enum MHD_Result send_text(const fixture *f, const reply *r) {
    (void)f;
    return reply_text(r, 200, "text/plain", "hello", 5);
}

static enum MHD_Result send_problem(const fixture *f, const reply *r) {
    return reply_problem(r, &f->problem);
}

static enum MHD_Result send_options(const fixture *f, const reply *r) {
    (void)f;
    return reply_options(r, "GET, HEAD");
}

static void a_text_is_counted_and_not_stored(void **state) {
    (void)state;
    fixture f = {.send = send_text};
    char id[100];
    assert_int_equal(ask(&f), 200);
    assert_string_equal(body_of(&f), "hello");
    assert_true(has(&f, "Content-Type: text/plain"));
    assert_true(has(&f, "Cache-Control: no-store"));
    assert_true(has(&f, "X-Fmix-Stream: 1"));
    snprintf(id, sizeof id, "X-Request-ID: %s", f.trace.id);
    assert_true(has(&f, id));
    assert_true(f.sent == 5 && atomic_load(&f.bytes) == 5);
}

static void a_text_to_head_has_the_length_alone(void **state) {
    (void)state;
    fixture f = {.send = send_text, .reply.head = true};
    assert_int_equal(ask(&f), 200);
    assert_string_equal(body_of(&f), "");
    assert_true(has(&f, "Content-Length: 5"));
    assert_true(f.sent == 0 && atomic_load(&f.bytes) == 0);
}

static void everything_that_a_reply_depends_on_is_in_one_vary(void **state) {
    (void)state;
    fixture f = {.send = send_text};
    ask(&f);
    assert_null(strcasestr(f.text, "\r\nVary:"));
    f.reply.vary = f.identity.guarded = f.identity.cors.vary = true;
    ask(&f);
    assert_true(has(&f, "Vary: Accept, Authorization, Origin"));
    f.reply.vary = false;
    ask(&f);
    assert_true(has(&f, "Vary: Authorization, Origin"));
}

static void a_problem_has_the_fields_of_its_status(void **state) {
    (void)state;
    fixture f = {.send = send_problem, .reply.total = 10};
    problem_add(&f.problem, 405, NULL, "x");
    strcpy(f.problem.allow, "GET");
    assert_int_equal(ask(&f), 405);
    assert_true(has(&f, "Allow: GET"));
    assert_true(has(&f, "Content-Type: application/problem+json"));
    f.problem = (problem){.uncoded = true};
    problem_add(&f.problem, 415, NULL, "x");
    assert_int_equal(ask(&f), 415);
    assert_true(has(&f, "Accept-Encoding: identity"));
    f.problem = (problem){.retry_after = 7};
    problem_add(&f.problem, 503, NULL, "x");
    assert_int_equal(ask(&f), 503);
    assert_true(has(&f, "Retry-After: 7"));
    f.problem = (problem){0};
    problem_add(&f.problem, 416, NULL, "x");
    assert_int_equal(ask(&f), 416);
    assert_true(has(&f, "Content-Range: bytes */10"));
}

static void a_client_without_a_token_is_challenged(void **state) {
    (void)state;
    fixture f = {.send = send_problem, .identity.challenge = "Bearer realm=\"x\""};
    problem_add(&f.problem, 401, NULL, "x");
    assert_int_equal(ask(&f), 401);
    assert_true(has(&f, "WWW-Authenticate: Bearer realm=\"x\""));
}

static void options_is_204_with_the_methods(void **state) {
    (void)state;
    fixture f = {.send = send_options};
    assert_int_equal(ask(&f), 204);
    assert_true(has(&f, "Allow: GET, HEAD"));
    assert_null(strcasestr(f.text, "\r\nContent-Length:"));
}

static void a_reply_that_closes_says_so(void **state) {
    (void)state;
    fixture f = {.send = send_text, .reply.close = true};
    ask(&f);
    assert_true(has(&f, "Connection: close"));
}

/* ---- answers ---- */

static fmix_status fill(const void *self, fmix_scratch *scratch, uint64_t first, uint64_t n,
                        void *out) {
    (void)self;
    (void)scratch;
    for (uint64_t i = 0; i < 2 * n; i++)
        ((char *)out)[i] = (char)('a' + 2 * first + i);
    return FMIX_OK;
}

static void nothing(void *user) {
    (void)user;
}

static void make_answer(fixture *f, const format *as) {
    const jobs_settings settings = {.threads = 1, .limit = 4, .patience = 1e12};
    const job_waiter waiter = {nothing, nothing, NULL, {0}, NULL};
    const uint64_t side = 2;
    refusal why;
    f->reply.etag = "\"tag\"";
    f->reply.ranges = true;
    f->pool = jobs_new(&settings);
    tensor_source *s = tensor_source_new(ROWS / 2);
    assert_true(f->pool && s && tensor_source_add(s, "x", DTYPE_U8, 1, &side, 1, fill, NULL));
    s->warm = true;
    tensor_source_draw(s, CHANNELS_NOWHERE);
    f->answer = answer_new(f->pool, s, as, &waiter, &f->problem);
    assert_non_null(f->answer);
    if (f->reply.total)
        answer_range(f->answer, f->reply.first, 3);
    if (!f->reply.head)
        UNIT_UNTIL(answer_start(f->answer, &why) == ANSWER_READY);
}

static void free_answer(fixture *f) {
    answer_release(f->answer);
    jobs_free(f->pool);
}

static enum MHD_Result send_answer(const fixture *f, const reply *r) {
    return reply_answer(r, f->answer);
}

static enum MHD_Result send_not_modified(const fixture *f, const reply *r) {
    return reply_not_modified(r, f->answer);
}

static void an_answer_is_its_bytes_and_may_be_kept_for_ever(void **state) {
    (void)state;
    fixture f = {.send = send_answer};
    make_answer(&f, &format_raw);
    assert_int_equal(ask(&f), 200);
    assert_string_equal(body_of(&f), "abcdefghij");
    assert_true(has(&f, "ETag: \"tag\""));
    assert_true(has(&f, "Cache-Control: public, max-age=31536000, immutable"));
    assert_true(has(&f, "Accept-Ranges: bytes"));
    assert_true(has(&f, "X-Fmix-Shape: 5x2"));
    assert_true(has(&f, "X-Fmix-Dtype: u8"));
    assert_true(has(&f, "Content-Length: 10"));
    assert_int_equal(f.sent, ROWS);
    free_answer(&f);
}

static void an_answer_that_may_change_is_asked_for_again(void **state) {
    (void)state;
    fixture f = {.send = send_answer, .reply.fresh = FRESH_UNTIL_REPLACED};
    make_answer(&f, &format_raw);
    ask(&f);
    assert_true(has(&f, "Cache-Control: public, no-cache"));
    f.identity.guarded = true;
    ask(&f);
    assert_true(has(&f, "Cache-Control: private, no-cache"));
    f.reply.fresh = FRESH_FOR_EVER;
    ask(&f);
    assert_true(has(&f, "Cache-Control: private, max-age=31536000, immutable"));
    free_answer(&f);
}

static void a_shared_answer_does_not_tell_the_ids_of_one_client(void **state) {
    (void)state;
    fixture f = {.send = send_answer};
    make_answer(&f, &format_raw);
    ask(&f);
    assert_null(strcasestr(f.text, "\r\nX-Request-ID:"));
    f.identity.guarded = true;
    ask(&f);
    assert_non_null(strcasestr(f.text, "\r\nX-Request-ID:"));
    free_answer(&f);
}

static void a_part_is_206_with_its_place(void **state) {
    (void)state;
    fixture f = {.send = send_answer, .reply = {.first = 2, .total = ROWS}};
    make_answer(&f, &format_raw);
    assert_int_equal(ask(&f), 206);
    assert_string_equal(body_of(&f), "cde");
    assert_true(has(&f, "Content-Range: bytes 2-4/10"));
    free_answer(&f);
}

static void head_of_an_answer_has_its_length_and_is_not_computed(void **state) {
    (void)state;
    fixture f = {.send = send_answer, .reply.head = true};
    make_answer(&f, &format_raw);
    assert_int_equal(ask(&f), 200);
    assert_true(has(&f, "Content-Length: 10"));
    assert_string_equal(body_of(&f), "");
    assert_false(answer_is_complete(f.answer));
    free_answer(&f);
}

static void an_answer_of_unknown_length_to_head_has_no_length(void **state) {
    (void)state;
    fixture f = {.send = send_answer, .reply.head = true};
    make_answer(&f, &format_png);
    assert_int_equal(ask(&f), 200);
    assert_null(strcasestr(f.text, "\r\nContent-Length:"));
    assert_string_equal(body_of(&f), "");
    free_answer(&f);
}

static void a_304_has_the_validators_and_no_body(void **state) {
    (void)state;
    fixture f = {.send = send_not_modified, .reply.head = true};
    make_answer(&f, &format_raw);
    f.reply.head = false;
    assert_int_equal(ask(&f), 304);
    assert_true(has(&f, "ETag: \"tag\""));
    assert_true(has(&f, "Cache-Control: public, max-age=31536000, immutable"));
    assert_string_equal(body_of(&f), "");
    assert_int_equal(f.sent, 0);
    assert_false(answer_is_complete(f.answer));
    free_answer(&f);
}

RUN(T(a_text_is_counted_and_not_stored), T(a_text_to_head_has_the_length_alone),
    T(everything_that_a_reply_depends_on_is_in_one_vary), T(a_problem_has_the_fields_of_its_status),
    T(a_client_without_a_token_is_challenged), T(options_is_204_with_the_methods),
    T(a_reply_that_closes_says_so), T(an_answer_is_its_bytes_and_may_be_kept_for_ever),
    T(an_answer_that_may_change_is_asked_for_again),
    T(a_shared_answer_does_not_tell_the_ids_of_one_client), T(a_part_is_206_with_its_place),
    T(head_of_an_answer_has_its_length_and_is_not_computed),
    T(an_answer_of_unknown_length_to_head_has_no_length), T(a_304_has_the_validators_and_no_body))
