#include "loopback.h"

#include "http/conditions.h"

enum { ROWS = 10 };

/* An answer of ten bytes whose conditions are looked at. */
typedef struct fixture {
    jobs *pool;
    bool cached;     /* the source has a recipe, hence an ETag */
    freshness fresh; /* of the source */
    bool exists;
    const format *format;
    /* Of the last request. */
    conditions conditions;
    problem problem;
    uint64_t length;
} fixture;

static fmix_status fill(const void *self, fmix_scratch *scratch, uint64_t first, uint64_t n,
                        void *out) {
    (void)self;
    (void)scratch;
    (void)first;
    memset(out, 1, (size_t)n);
    return FMIX_OK;
}

static tensor_source *make_source(const fixture *f) {
    tensor_source *s = tensor_source_new(ROWS);
    bool good = s && tensor_source_add(s, "x", DTYPE_U8, 0, NULL, 1, fill, NULL);
    if (good && f->cached)
        s->recipe = strdup("stream=1 seed=7");
    if (good)
        s->fresh = f->fresh;
    return s;
}

/* Not called: the answer is not started. */
static void nothing(void *user) {
    (void)user;
}

static void look(void *of, struct MHD_Connection *connection, const loopback_line *line) {
    fixture *f = of;
    const job_waiter waiter = {nothing, nothing, NULL, {0}, NULL};
    tensor_source *s = make_source(f);
    (void)line;
    f->conditions = (conditions){.total = 0};
    f->problem = (problem){0};
    conditions_check(&f->conditions, connection, s, "/v1/x", f->format, f->exists, &f->problem);
    answer *a = answer_new(f->pool, s, f->format, &waiter, &f->problem);
    conditions_cut(&f->conditions, connection, a, &f->problem);
    f->length = answer_length(a);
    answer_release(a);
}

static enum MHD_Result reply(void *of, struct MHD_Connection *connection) {
    (void)of;
    return loopback_reply_empty(connection);
}

static void begin(fixture *f) {
    const jobs_settings settings = {.threads = 1, .limit = 4, .patience = 1e12};
    *f = (fixture){.cached = true, .exists = true, .format = &format_raw};
    f->pool = jobs_new(&settings);
    assert_non_null(f->pool);
}

static void ask(fixture *f, const char *fields) {
    char request[1024], text[1024];
    const loopback l = {.reply = reply, .head = look, .user = f};
    snprintf(request, sizeof request, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n",
             fields);
    assert_int_equal(loopback_ask(&l, request, text, sizeof text), 204);
}

/* A field with the answer's ETag in it. */
static void ask_with_tag(fixture *f, const char *before, const char *behind) {
    char tag[ETAG_ROOM], field[200];
    etag_make("stream=1 seed=7", "/v1/x", f->format->name, f->format->version, tag);
    snprintf(field, sizeof field, "%s%s%s\r\n", before, tag, behind);
    ask(f, field);
}

static void an_answer_has_the_etag_of_its_recipe(void **state) {
    (void)state;
    fixture f;
    char tag[ETAG_ROOM];
    begin(&f);
    f.fresh = FRESH_UNTIL_REPLACED;
    ask(&f, "");
    etag_make("stream=1 seed=7", "/v1/x", f.format->name, f.format->version, tag);
    assert_string_equal(f.conditions.etag, tag);
    assert_int_equal(f.conditions.fresh, FRESH_UNTIL_REPLACED);
    assert_false(f.conditions.failed || f.conditions.not_modified);
    f.cached = false;
    ask(&f, "If-None-Match: *\r\n");
    assert_string_equal(f.conditions.etag, "");
    assert_false(f.conditions.not_modified);
    jobs_free(f.pool);
}

static void a_client_that_has_the_answer_is_not_sent_it(void **state) {
    (void)state;
    fixture f;
    begin(&f);
    ask_with_tag(&f, "If-None-Match: \"other\", ", "");
    assert_true(f.conditions.not_modified);
    ask_with_tag(&f, "If-None-Match: W/", "");
    assert_true(f.conditions.not_modified);
    ask(&f, "If-None-Match: \"other\"\r\n");
    assert_false(f.conditions.not_modified);
    jobs_free(f.pool);
}

static void if_match_names_a_strong_tag_or_any(void **state) {
    (void)state;
    fixture f;
    begin(&f);
    ask_with_tag(&f, "If-Match: \"other\", ", "");
    assert_false(f.conditions.failed);
    ask(&f, "If-Match: *\r\n");
    assert_false(f.conditions.failed);
    ask_with_tag(&f, "If-Match: W/", "");
    assert_true(f.conditions.failed);
    ask(&f, "If-Match: \"other\"\r\n");
    assert_true(f.conditions.failed);
    f.exists = false;
    ask(&f, "If-Match: *\r\n");
    assert_true(f.conditions.failed);
    jobs_free(f.pool);
}

static void if_match_goes_before_if_none_match(void **state) {
    (void)state;
    fixture f;
    begin(&f);
    ask_with_tag(&f, "If-Match: \"other\"\r\nIf-None-Match: ", "");
    assert_true(f.conditions.failed);
    assert_false(f.conditions.not_modified);
    jobs_free(f.pool);
}

static void a_range_is_a_part_of_the_answer(void **state) {
    (void)state;
    fixture f;
    begin(&f);
    ask(&f, "Range: bytes=2-4\r\n");
    assert_true(f.conditions.first == 2 && f.length == 3 && f.conditions.total == ROWS);
    ask(&f, "");
    assert_true(f.length == ROWS && f.conditions.total == 0);
    jobs_free(f.pool);
}

static void a_range_past_the_answer_is_416(void **state) {
    (void)state;
    fixture f;
    begin(&f);
    ask(&f, "Range: bytes=10-\r\n");
    assert_int_equal(f.problem.status, 416);
    assert_string_equal(f.problem.errors[0].parameter, "Range");
    assert_int_equal(f.conditions.total, ROWS);
    jobs_free(f.pool);
}

static void a_range_of_another_answer_is_ignored(void **state) {
    (void)state;
    fixture f;
    begin(&f);
    ask(&f, "Range: bytes=2-4\r\nIf-Range: \"other\"\r\n");
    assert_int_equal(f.length, ROWS);
    ask_with_tag(&f, "Range: bytes=2-4\r\nIf-Range: W/", "");
    assert_int_equal(f.length, ROWS);
    ask_with_tag(&f, "Range: bytes=2-4\r\nIf-Range: ", "");
    assert_int_equal(f.length, 3);
    jobs_free(f.pool);
}

static void a_range_of_an_answer_that_is_not_sent_is_ignored(void **state) {
    (void)state;
    fixture f;
    begin(&f);
    ask_with_tag(&f, "Range: bytes=10-\r\nIf-None-Match: ", "");
    assert_true(f.conditions.not_modified);
    assert_int_equal(f.problem.status, 0);
    ask(&f, "Range: bytes=10-\r\nIf-Match: \"other\"\r\n");
    assert_true(f.conditions.failed);
    assert_int_equal(f.problem.status, 0);
    jobs_free(f.pool);
}

static void without_an_etag_a_range_is_ignored(void **state) {
    (void)state;
    fixture f;
    begin(&f);
    f.cached = false;
    ask(&f, "Range: bytes=2-4\r\n");
    assert_int_equal(f.length, ROWS);
    jobs_free(f.pool);
}

RUN(T(an_answer_has_the_etag_of_its_recipe), T(a_client_that_has_the_answer_is_not_sent_it),
    T(if_match_names_a_strong_tag_or_any), T(if_match_goes_before_if_none_match),
    T(a_range_is_a_part_of_the_answer), T(a_range_past_the_answer_is_416),
    T(a_range_of_another_answer_is_ignored), T(a_range_of_an_answer_that_is_not_sent_is_ignored),
    T(without_an_etag_a_range_is_ignored))
