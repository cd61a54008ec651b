#include "unit.h"

#include "formats/format.h"

#define EVERY  (FORMAT_ARRAYS | FORMAT_IMAGES)
#define NO_PNG FORMAT_ARRAYS

static const struct {
    const char *accept; /* NULL: none sent */
    format_set set;
    const format *expected; /* NULL: 406 */
} negotiation[] = {
    /* what there is */
    {NULL, EVERY, &format_npy},
    {"*/*", EVERY, &format_npy},
    {"*/*", FORMAT_IMAGES, &format_png},
    {"application/x-npy", EVERY, &format_npy},
    {"application/octet-stream", EVERY, &format_raw},
    {"application/json", EVERY, &format_json},
    {"image/png", EVERY, &format_png},
    {"APPLICATION/JSON", EVERY, &format_json},
    {"image/*", EVERY, &format_png},
    {"application/*", EVERY, &format_npy},
    {"Image/*", EVERY, &format_png},
    /* what there is not */
    {"image/png", NO_PNG, NULL},
    {"image/*", NO_PNG, NULL},
    {"text/html", EVERY, NULL},
    {"text/*", EVERY, NULL},
    {"text/html, image/jpeg", EVERY, NULL},
    {"application/jso", EVERY, NULL},
    {"application/jsonx", EVERY, NULL},
    {"image/png", 0, NULL},
    /* lists, spaces, empty members */
    {"text/html, application/json", EVERY, &format_json},
    {"text/html,,application/json,", EVERY, &format_json},
    {" \tapplication/json\t ", EVERY, &format_json},
    {"application/json ; q=0.5 , image/png ;q=0.4", EVERY, &format_json},
    {"text/html,application/xhtml+xml,image/png,*/*;q=0.8", EVERY, &format_png},
    {"application/json;charset=utf-8", EVERY, &format_json},
    {"application/json;charset=utf-8;q=0.1, image/png;q=0.2", EVERY, &format_png},
    /* quality */
    {"application/json;q=0.5, image/png;q=0.6", EVERY, &format_png},
    {"application/json;q=0.5, image/png;q=0.499", EVERY, &format_json},
    {"application/json;q=0.001, image/png;q=0", EVERY, &format_json},
    {"application/json;Q=0.5, image/png;q=1.000", EVERY, &format_png},
    {"application/json; q=1, image/png; q=0.9", EVERY, &format_json},
    {"application/json;q=0", EVERY, NULL},
    {"application/json;q=0.000", EVERY, NULL},
    {"application/json;q=0.", EVERY, NULL},
    {"*/*;q=0", EVERY, NULL},
    {"image/png;q=1.", EVERY, &format_png},
    /* of equals the table's first */
    {"image/png, application/json", EVERY, &format_json},
    {"image/png;q=0.5, application/json;q=0.5, */*;q=0.1", EVERY, &format_json},
    /* the most specific range speaks for a type, wherever it stands */
    {"*/*, application/x-npy;q=0", EVERY, &format_raw},
    {"application/x-npy;q=0, */*", EVERY, &format_raw},
    {"application/*;q=0, */*", EVERY, &format_png},
    {"*/*;q=0, application/json", EVERY, &format_json},
    {"*/*;q=0.9, application/*;q=0.1", EVERY, &format_png},
    {"application/*;q=0.4, application/json;q=0.1, image/png;q=0.5", EVERY, &format_png},
    {"*/*;q=0.1, image/*;q=0.2, image/png;q=0, application/json;q=0.05", EVERY, &format_npy},
    {"application/x-npy;q=0, application/octet-stream;q=0, */*;q=0.5", EVERY, &format_json},
    /* malformed */
    {"*", EVERY, NULL},
    {"json", EVERY, NULL},
    {"/", EVERY, NULL},
    {"*/json", EVERY, NULL},
    {";q=1", EVERY, NULL},
    {",", EVERY, NULL},
    {"application /json", EVERY, NULL},
    {"application/json;q=", EVERY, NULL},
    {"application/json;q=x", EVERY, NULL},
    {"application/json;q=-1", EVERY, NULL},
};

static void the_best_of_what_is_accepted_is_chosen(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof negotiation / sizeof *negotiation; i++) {
        const format *f = format_accepted(negotiation[i].accept, negotiation[i].set);
        if (f != negotiation[i].expected)
            fail_msg("%s: %s", negotiation[i].accept ? negotiation[i].accept : "(none)",
                     f ? f->name : "406");
    }
}

/* RFC 9110 §12.4.2: 0 to 1 with at most three digits after the point. */
static void a_malformed_quality_counts_as_zero(void **state) {
    (void)state;
    static const char *const malformed[] = {
        "application/json;q=5",  "application/json;q=1.5",   "application/json;q=0..5",
        "application/json;q=.5", "application/json;q=0.5x",  "application/json;q=10",
        "application/json;q=2",  "application/json;q=1.001", "application/json;q=0.5.5",
    };
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++)
        if (format_accepted(malformed[i], EVERY))
            fail_msg("%s", malformed[i]);
}

static void names_are_found_whole_and_within_the_set(void **state) {
    (void)state;
    assert_ptr_equal(format_by_name("npy", 3, EVERY), &format_npy);
    assert_ptr_equal(format_by_name("png?x", 3, EVERY), &format_png);
    assert_null(format_by_name("png", 3, NO_PNG));
    assert_null(format_by_name("np", 2, EVERY));
    assert_null(format_by_name("npyx", 4, EVERY));
    assert_null(format_by_name("NPY", 3, EVERY));
    assert_null(format_by_name("", 0, EVERY));
}

static void lists_name_each_format_of_the_set(void **state) {
    (void)state;
    char text[200], small[12];
    format_list(FORMAT_IMAGES, text, sizeof text);
    assert_string_equal(text, "png (image/png)");
    format_list(0, text, sizeof text);
    assert_string_equal(text, "");
    format_list(EVERY, small, sizeof small);
    assert_string_equal(small, "npy (applic");
}

static void each_row_has_a_name_a_type_a_kind_and_one_way_to_write(void **state) {
    (void)state;
    for (unsigned i = 0; format_table[i]; i++) {
        const format *f = format_table[i];
        assert_true(f->name && f->media_type && f->version > 0);
        if (i >= FORMAT_ANSWERED) {
            assert_true(f->read && !f->kind && !f->encode && !f->lay_out);
            assert_null(format_by_name(f->name, strlen(f->name), EVERY));
            continue;
        }
        assert_true(f->kind == FORMAT_ARRAYS || f->kind == FORMAT_IMAGES ||
                    f->kind == FORMAT_RECORDS);
        assert_true(!f->encode != !f->lay_out);
        assert_ptr_equal(format_by_name(f->name, strlen(f->name), f->kind), f);
        assert_null(format_by_name(f->name, strlen(f->name), EVERY & ~(unsigned)f->kind));
    }
}

#define NPY  "\x93NUMPY\1\0"
#define JPEG "\xff\xd8\xff"
#define PNG  "\x89PNG\r\n\x1a\n"

static void uploads_are_read_as_declared_else_by_their_first_bytes(void **state) {
    (void)state;
    static const struct {
        const char *type, *body;
        const format *expected; /* NULL: 415 */
    } table[] = {
        {"application/x-npy", NPY, &format_npy},
        {"application/x-npy", "no magic", &format_npy},
        {"Application/X-NPY", NPY, &format_npy},
        {"application/x-npy; version=1", NPY, &format_npy},
        {"application/x-npy ;version=1", NPY, &format_npy},
        {"application/octet-stream", NPY, &format_npy},
        {"application/octet-stream", "plain", &format_raw},
        {"application/x-www-form-urlencoded", NPY, &format_npy},
        {"application/x-www-form-urlencoded", "plain", &format_raw},
        {"application/x-www-form-urlencoded;charset=utf-8", NPY, &format_npy},
        {NULL, NPY, &format_npy},
        {NULL, "plain", &format_raw},
        {NULL, "", &format_raw},
        {NULL, "\x93NUMP", &format_raw},
        {"", NPY, &format_npy},
        {"application/json", "{}", NULL},
        {"image/png", "\x89PNG", &format_png},
        {"image/webp", JPEG, NULL},
        {"application/octet-stream", JPEG, &format_jpeg},
        {"application/x-www-form-urlencoded", PNG, &format_png},
        {NULL, JPEG, &format_jpeg},
        {"image/png", JPEG, &format_png},
        {"text/plain", NPY, NULL},
        {"application/x-npyx", NPY, NULL},
        {"multipart/form-data; boundary=x", NPY, &format_form},
    };
    query q;
    query_init(&q);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        problem p = {0};
        size_t length = strlen(table[i].body);
        unsigned char *body = malloc(length + !length);
        memcpy(body, table[i].body, length);
        const upload_body of = {
            .bytes = body, .length = length, .content_type = table[i].type, .query = &q};
        assert_ptr_equal(format_of_upload(&of, &p), table[i].expected);
        assert_int_equal(p.status, table[i].expected ? 0 : 415);
        free(body);
    }
}

static void elements_that_begin_as_a_picture_are_raw_with_shape_and_type(void **state) {
    (void)state;
    static const struct {
        bool shape, type;
        const format *expected;
    } table[] = {{false, false, &format_jpeg},
                 {true, false, &format_jpeg},
                 {false, true, &format_jpeg},
                 {true, true, &format_raw}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        problem p = {0};
        query q;
        query_init(&q);
        q.given[QUERY_X_SHAPE] = table[i].shape;
        q.given[QUERY_X_DTYPE] = table[i].type;
        const upload_body of = {.bytes = (const unsigned char *)JPEG, .length = 3, .query = &q};
        assert_ptr_equal(format_of_upload(&of, &p), table[i].expected);
    }
}

static void numbers_follow_the_table_and_null_is_none(void **state) {
    (void)state;
    assert_int_equal(format_number(NULL), 0);
    assert_string_equal(format_name(0), "none");
    assert_string_equal(format_name(FORMAT_COUNT + 1), "none");
    for (unsigned i = 0; i < FORMAT_COUNT; i++) {
        assert_int_equal(format_number(format_table[i]), i + 1);
        assert_string_equal(format_name(i + 1), format_table[i]->name);
    }
    assert_null(format_table[FORMAT_COUNT]);
}

static const format *refusing(bool (*holds)(const format *, const query *, const tensor_source *,
                                            problem *),
                              const query *q, const tensor_source *s, const format *f) {
    problem p = {0};
    bool good = holds(f, q, s, &p);
    assert_int_equal(p.status, good ? 0 : 400);
    if (!good)
        assert_string_equal(p.errors[0].parameter, "parts");
    return good ? NULL : f;
}

static bool parts(const format *f, const query *q, const tensor_source *s, problem *p) {
    (void)s;
    return format_holds_parts(f, q, p);
}

static void a_format_of_one_tensor_takes_one_part_of_one_tensor(void **state) {
    (void)state;
    tensor_source *s = tensor_source_new(3);
    query q;
    query_init(&q);
    assert_true(tensor_source_add(s, "labels", DTYPE_F32, 0, NULL, 0, NULL, NULL));
    assert_null(refusing(parts, &q, s, &format_npy)); /* parts is not given */
    q.given[QUERY_PARTS] = true;
    q.parts = PART_MIXED | PART_LABELS;
    assert_ptr_equal(refusing(parts, &q, s, &format_npy), &format_npy);
    assert_null(refusing(parts, &q, s, &format_json));
    q.parts = PART_LABELS;
    assert_null(refusing(parts, &q, s, &format_npy));
    assert_null(refusing(format_holds_tensors, &q, s, &format_npy));
    assert_true(tensor_source_add(s, "labels.colour", DTYPE_F32, 0, NULL, 0, NULL, NULL));
    assert_ptr_equal(refusing(format_holds_tensors, &q, s, &format_npy), &format_npy);
    assert_null(refusing(format_holds_tensors, &q, s, &format_npz));
    tensor_source_free(s);
}

RUN(T(numbers_follow_the_table_and_null_is_none), T(the_best_of_what_is_accepted_is_chosen),
    T(a_malformed_quality_counts_as_zero), T(names_are_found_whole_and_within_the_set),
    T(lists_name_each_format_of_the_set), T(each_row_has_a_name_a_type_a_kind_and_one_way_to_write),
    T(uploads_are_read_as_declared_else_by_their_first_bytes),
    T(elements_that_begin_as_a_picture_are_raw_with_shape_and_type),
    T(a_format_of_one_tensor_takes_one_part_of_one_tensor))
