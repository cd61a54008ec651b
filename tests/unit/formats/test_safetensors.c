#include "unit.h"

#include "formats/format.h"

#include <jansson.h>
#include <stdio.h>

/* A file of exactly its own size, so that a step past its end is seen by a sanitizer. */
typedef struct file {
    unsigned char *bytes;
    size_t length;
} file;

static file file_of(uint64_t claimed, const char *header, size_t header_length, size_t data) {
    file f = {NULL, 8 + header_length + data};
    f.bytes = malloc(f.length);
    assert_non_null(f.bytes);
    for (unsigned i = 0; i < 8; i++)
        f.bytes[i] = (unsigned char)(claimed >> 8 * i);
    memcpy(f.bytes + 8, header, header_length);
    for (size_t i = 0; i < data; i++)
        f.bytes[8 + header_length + i] = (unsigned char)i;
    return f;
}

static bool read_file(const file *f, upload *out, problem *p) {
    const upload_body body = {.bytes = f->bytes, .length = f->length};
    *p = (problem){0};
    *out = (upload){.inflated = buffer_of(0)};
    bool good = format_safetensors.read(&body, out, p);
    assert_int_equal(good, p->status == 0);
    return good;
}

static bool read_text(const char *header, size_t data, upload *out, problem *p) {
    file f = file_of(strlen(header), header, strlen(header), data);
    bool good = read_file(&f, out, p);
    free(f.bytes);
    return good;
}

/* ---- writing ---- */

static const uint64_t sides[] = {3, 2};

static outline lay_out(const tensor_source *s) {
    outline l = {0};
    assert_true(format_safetensors.lay_out(s, &l));
    return l;
}

static tensor_source *tensor_source_of_every_type(dtype first) {
    static const char *const names[SOURCE_TENSORS] = {"a", "b", "c", "d", "e", "f", "g", "h",
                                                      "i", "j", "k", "l", "m", "n", "o", "p",
                                                      "q", "r", "s", "t", "u", "v", "w", "x"};
    tensor_source *s = tensor_source_new(5);
    for (unsigned i = 0; i < SOURCE_TENSORS; i++)
        assert_true(tensor_source_add(s, names[i], (dtype)((first + i) % DTYPE_COUNT), i % 3, sides,
                                      0, NULL, NULL));
    return s;
}

/* The rules of the format, read off the header by a parser. */
static void assert_follows_the_rules(const outline *l) {
    const buffer *head = &l->segments[0].literal;
    uint64_t length = 0, reached = 0;
    for (unsigned i = 0; i < 8; i++)
        length |= (uint64_t)head->bytes[i] << 8 * i;
    assert_true(length + 8 == head->length && head->length % 64 == 0 && head->bytes[8] == '{');
    json_t *root = json_loadb((char *)head->bytes + 8, length, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    for (unsigned i = 1; i < l->count; i++) {
        const tensor *t = l->segments[i].from;
        const char *type;
        json_int_t start, end;
        json_t *shape;
        assert_int_equal(json_unpack(json_object_get(root, t->name), "{s:s, s:o, s:[I, I!]!}",
                                     "dtype", &type, "shape", &shape, "data_offsets", &start, &end),
                         0);
        assert_string_equal(type, dtype_table[t->type].safetensors);
        assert_int_equal(json_array_size(shape), t->rank);
        for (unsigned d = 0; d < t->rank; d++)
            assert_true(json_integer_value(json_array_get(shape, d)) == (json_int_t)t->shape[d]);
        assert_true((uint64_t)start == reached);
        assert_true((uint64_t)start % dtype_table[t->type].size == 0);
        reached = (uint64_t)end;
        assert_true(reached - (uint64_t)start == tensor_bytes(t));
    }
    assert_true(l->length == head->length + reached);
    assert_int_equal(json_object_size(root), l->count);
    json_decref(root);
}

static void headers_follow_the_rules_for_every_type_and_rank(void **state) {
    (void)state;
    for (unsigned type = 0; type < DTYPE_COUNT; type++) {
        tensor_source *s = tensor_source_of_every_type((dtype)type);
        outline l = lay_out(s);
        assert_int_equal(l.count, 1 + SOURCE_TENSORS);
        assert_follows_the_rules(&l);
        outline_free(&l);
        tensor_source_free(s);
    }
}

static void the_widest_come_first_and_equals_keep_their_order(void **state) {
    (void)state;
    static const dtype types[] = {DTYPE_U8, DTYPE_F32, DTYPE_I64, DTYPE_BOOL, DTYPE_I32, DTYPE_F64};
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h",
                                        "i", "j", "k", "l", "m", "n", "o", "p"};
    static const char order[] = "cfbead";
    tensor_source *s = tensor_source_new(3);
    for (unsigned i = 0; i < 6; i++)
        assert_true(tensor_source_add(s, names[i], types[i], 0, NULL, 0, NULL, NULL));
    outline l = lay_out(s);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(l.segments[i + 1].from->name[0], order[i]);
    outline_free(&l);
    tensor_source_free(s);
}

static void metadata_are_texts_and_hold_the_recipe(void **state) {
    (void)state;
    tensor_source *s = tensor_source_new(1);
    char recipe[] = "seed=7 \"quoted\"";
    assert_true(tensor_source_add(s, "x", DTYPE_U8, 0, NULL, 0, NULL, NULL));
    tensor_source_note(s, "seed", UINT64_MAX);
    tensor_source_note(s, "index", 0);
    s->recipe = strdup(recipe);
    outline l = lay_out(s);
    const buffer *head = &l.segments[0].literal;
    json_t *root = json_loadb((char *)head->bytes + 8, head->length - 8, 0, NULL);
    json_t *meta = json_object_get(root, "__metadata__");
    assert_string_equal(json_string_value(json_object_get(meta, "seed")), "18446744073709551615");
    assert_string_equal(json_string_value(json_object_get(meta, "index")), "0");
    assert_string_equal(json_string_value(json_object_get(meta, "recipe")), recipe);
    assert_int_equal(json_object_size(meta), 3);
    json_decref(root);
    outline_free(&l);
    tensor_source_free(s);
}

static void written_arrays_are_read_back(void **state) {
    (void)state;
    for (unsigned type = 0; type < DTYPE_COUNT; type++) {
        tensor_source *s = tensor_source_of_every_type((dtype)type);
        outline l = lay_out(s);
        const buffer *head = &l.segments[0].literal;
        upload u;
        problem p;
        file f = file_of(head->length - 8, (char *)head->bytes + 8, head->length - 8,
                         (size_t)(l.length - head->length));
        if (!read_file(&f, &u, &p))
            fail_msg("%s", p.errors[0].detail);
        assert_int_equal(u.count, SOURCE_TENSORS);
        const unsigned char *at = f.bytes + head->length;
        for (unsigned i = 0; i < u.count; i++) {
            const tensor *t = l.segments[i + 1].from;
            const array *a = upload_find(&u, t->name);
            assert_true(a && a->type == t->type && a->rank == t->rank && a->bytes == at);
            assert_memory_equal(a->shape, t->shape, t->rank * sizeof *t->shape);
            at += tensor_bytes(t);
        }
        free(f.bytes);
        outline_free(&l);
        tensor_source_free(s);
    }
}

/* ---- reading ---- */

#define X(type, shape, from, to)                                                                   \
    "\"x\":{\"dtype\":\"" type "\",\"shape\":" shape ",\"data_offsets\":[" from "," to "]}"
#define Y(from, to) "\"y\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[" from "," to "]}"

static void good_headers_are_read(void **state) {
    (void)state;
    static const struct {
        const char *header;
        size_t data;
        unsigned count;
    } table[] = {
        {"{}", 0, 0},
        {"{}      ", 0, 0},
        {"{\"__metadata__\":{}}", 0, 0},
        {"{" X("U8", "[4]", "0", "4") "}", 4, 1},
        {"{" X("F32", "[1]", "0", "4") "}     \n", 4, 1},
        {"{" X("BF16", "[]", "0", "2") "}", 2, 1},
        {"{" X("BOOL", "[1,2,1,2,1]", "0", "4") "}", 4, 1},
        {"{" X("I8", "[4]", "0", "4") "," Y("4", "6") "}", 6, 2},
        {"{" Y("4", "6") "," X("I16", "[2]", "0", "4") "}", 6, 2},
        {"{" X("U8", "[4]", "2", "6") "," Y("0", "2") "}", 6, 2},
        {"{\"__metadata__\":{\"a\":\"b\",\"\\u00e9\":\"\"}," Y("0", "2") "}", 2, 1},
        {"{ \"x\" : { \"data_offsets\" : [ 0 , 4 ] , \"shape\" : [ 4 ] , \"dtype\" : \"U8\" } }", 4,
         1},
        {"{\"\\u0078\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}", 4, 1},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        upload u;
        problem p;
        if (!read_text(table[i].header, table[i].data, &u, &p))
            fail_msg("%s: %s", table[i].header, p.errors[0].detail);
        assert_int_equal(u.count, table[i].count);
    }
}

static const char *const json = "not valid JSON";
static const char *const brace = "does not begin with {";
static const char *const entry = "must be described by dtype, shape and data_offsets alone";
static const char *const offsets = "data_offsets that are not two whole numbers";
static const char *const outside = "outside the data";
static const char *const side = "a dimension that is not a whole number";
static const char *const hole = "overlap, or a gap";
static const char *const texts = "not an object of strings";
static const char *const name = "the body holds an array named";

/* Headers with four bytes of data. */
static const struct {
    const char *header, *const *reason;
} hostile[] = {
    {"", &brace},
    {" {}", &brace},
    {"\n{}", &brace},
    {"[]", &brace},
    {"null", &brace},
    {"\"x\"", &brace},
    {"\xef\xbb\xbf{}", &brace},
    {"{", &json},
    {"{\"x\"", &json},
    {"{\"x\":", &json},
    {"{\"x\":}", &json},
    {"{\"x\":{}", &json},
    {"{}}", &json},
    {"{}x", &json},
    {"{}{}", &json},
    {"{x:1}", &json},
    {"{'x':1}", &json},
    {"{\"x\":1,}", &json},
    {"{" X("U8", "[4]", "0", "4") "," X("U8", "[4]", "0", "4") "}", &json},
    {"{\"x\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}", &json},
    {"{\"__metadata__\":{},\"__metadata__\":{}," X("U8", "[4]", "0", "4") "}", &json},
    {"{\"__metadata__\":{\"a\":\"b\",\"a\":\"b\"}," X("U8", "[4]", "0", "4") "}", &json},
    {"{" X("U8", "[18446744073709551616]", "0", "4") "}", &json},
    {"{" X("U8", "[9223372036854775808]", "0", "4") "}", &json},
    {"{" X("U8", "[04]", "0", "4") "}", &json},
    {"{" X("U8", "[+4]", "0", "4") "}", &json},
    {"{" X("U8", "[4", "0", "4") "}", &json},
    {"{" X("U8", "[0x4]", "0", "4") "}", &json},
    {"{" X("U8", "[NaN]", "0", "4") "}", &json},
    {"{" X("\xff", "[4]", "0", "4") "}", &json},
    {"{\"x\\u0000y\":1}", &json},
    {"{\"x\":1}", &entry},
    {"{\"x\":null}", &entry},
    {"{\"x\":[]}", &entry},
    {"{\"x\":{}}", &entry},
    {"{\"x\":{\"dtype\":\"U8\",\"shape\":[4]}}", &entry},
    {"{\"x\":{\"shape\":[4],\"data_offsets\":[0,4],\"type\":\"U8\"}}", &entry},
    {"{\"x\":{\"dtype\":8,\"shape\":[4],\"data_offsets\":[0,4]}}", &entry},
    {"{\"x\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4],\"more\":1}}", &entry},
    {"{\"x\":{\"dtype\":\"U8\",\"shape\":[4],\"offsets\":[0,4]}}", &offsets},
    {"{\"x\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":null}}", &offsets},
    {"{\"x\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[]}}", &offsets},
    {"{\"x\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4]}}", &offsets},
    {"{\"x\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4,4]}}", &offsets},
    {"{\"x\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":\"04\"}}", &offsets},
    {"{" X("U8", "[4]", "\"0\"", "4") "}", &offsets},
    {"{" X("U8", "[4]", "0.0", "4") "}", &offsets},
    {"{" X("U8", "[4]", "0", "4e0") "}", &offsets},
    {"{" X("U8", "[4]", "-1", "3") "}", &offsets},
    {"{" X("U8", "[4]", "0", "true") "}", &offsets},
    {"{" X("U8", "[4]", "4", "0") "}", &outside},
    {"{" X("U8", "[5]", "0", "5") "}", &outside},
    {"{" X("U8", "[4]", "4", "8") "}", &outside},
    {"{" X("U8", "[4]", "0", "9223372036854775807") "}", &outside},
    {"{" X("U8", "[4]", "9223372036854775807", "9223372036854775807") "}", &outside},
    {"{" X("U8", "[4.0]", "0", "4") "}", &side},
    {"{" X("U8", "[-4]", "0", "4") "}", &side},
    {"{" X("U8", "[[4]]", "0", "4") "}", &side},
    {"{" X("U8", "[\"4\"]", "0", "4") "}", &side},
    {"{" X("U8", "[null]", "0", "4") "}", &side},
    {"{" X("U8", "[2]", "0", "2") "," Y("1", "3") "}", &hole},
    {"{" X("U8", "[2]", "0", "2") "," Y("0", "2") "}", &hole},
    {"{" X("U8", "[1]", "0", "1") "," Y("2", "4") "}", &hole},
    {"{" X("U8", "[3]", "1", "4") "}", &hole},
    {"{" Y("2", "4") "}", &hole},
    {"{\"__metadata__\":1," X("U8", "[4]", "0", "4") "}", &texts},
    {"{\"__metadata__\":null," X("U8", "[4]", "0", "4") "}", &texts},
    {"{\"__metadata__\":[\"a\"]," X("U8", "[4]", "0", "4") "}", &texts},
    {"{\"__metadata__\":{\"a\":1}," X("U8", "[4]", "0", "4") "}", &texts},
    {"{\"__metadata__\":{\"a\":{}}," X("U8", "[4]", "0", "4") "}", &texts},
    {"{\"__metadata__\":" X("U8", "[4]", "0", "4") "}", &json},
    {"{\"\":{}}", &name},
    {"{\"/x\":{}}", &name},
    {"{\"x y\":{}}", &name},
    {"{\"x\\n\":{}}", &name},
    {"{\"\\u00e9\":{}}", &name},
    {"{\"%s%n\":{}}", &name},
    {"{\"x.\":{}}", &name},
    {"{\"a2345678901234567890123456789012\":{}}", &name},
};

static void hostile_headers_are_refused_with_the_reason(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        upload u;
        problem p;
        if (read_text(hostile[i].header, 4, &u, &p) ||
            !strstr(p.errors[0].detail, *hostile[i].reason))
            fail_msg("%s: %s", hostile[i].header, p.errors[0].detail);
        assert_int_equal(p.status, 400);
    }
}

static void arrays_that_do_not_fit_are_refused_by_their_name(void **state) {
    (void)state;
    static const struct {
        const char *header, *reason;
        int status;
    } table[] = {
        {"{}", "data that do not belong to an array", 400},
        {"{" X("U8", "[3]", "0", "3") "}", "data that do not belong to an array", 400},
        {"{" X("U9", "[4]", "0", "4") "}", "x has dtype 'U9'", 400},
        {"{" X("u8", "[4]", "0", "4") "}", "x has dtype 'u8'", 400},
        {"{" X("", "[4]", "0", "4") "}", "x has dtype ''", 400},
        {"{" X("F8_E4M3", "[4]", "0", "4") "}", "x has dtype 'F8_E4M3'", 400},
        {"{" X("U16", "[2]", "0", "4") "}", "x has dtype 'U16'", 400},
        {"{" X("U8", "[0]", "0", "4") "}", "dimension 0 of x is 0", 400},
        {"{" X("U8", "[4,0]", "0", "0") "}", "dimension 1 of x is 0", 400},
        {"{" X("U8", "4", "0", "4") "}", "has no shape", 400},
        {"{" X("U8", "{}", "0", "4") "}", "has no shape", 400},
        {"{" X("U8", "[1,1,1,1,1,4]", "0", "4") "}", "more than 5 dimensions", 400},
        {"{" X("U8", "[3]", "0", "4") "}", "needs 3 bytes", 400},
        {"{" X("F32", "[4]", "0", "4") "}", "needs 16 bytes", 400},
        {"{" X("U8", "[]", "0", "4") "}", "needs 1 bytes", 400},
        {"{" X("U8", "[9223372036854775807]", "0", "4") "}", "needs 9223372036854775807", 400},
        {"{" X("F32", "[9223372036854775807]", "0", "4") "}", "too many elements", 413},
        {"{" X("U8", "[4294967296,4294967296]", "0", "4") "}", "too many elements", 413},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        upload u;
        problem p;
        if (read_text(table[i].header, 4, &u, &p) || !strstr(p.errors[0].detail, table[i].reason))
            fail_msg("%s: %s", table[i].header, p.errors[0].detail);
        assert_int_equal(p.status, table[i].status);
    }
}

static void more_arrays_than_are_taken_are_refused(void **state) {
    (void)state;
    for (unsigned count = UPLOAD_ARRAYS; count <= UPLOAD_ARRAYS + 1; count++) {
        buffer text = buffer_of(1 << 16);
        upload u;
        problem p;
        for (unsigned i = 0; i < count; i++)
            buffer_print(&text,
                         "%c\"x%u\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[%u,%u]}",
                         i ? ',' : '{', i, i, i + 1);
        buffer_add(&text, "}", 2);
        assert_int_equal(read_text((char *)text.bytes, count, &u, &p), count == UPLOAD_ARRAYS);
        if (count > UPLOAD_ARRAYS)
            assert_non_null(strstr(p.errors[0].detail, "more than 34 arrays"));
        buffer_free(&text);
    }
}

static void the_length_of_the_header_is_checked_against_the_body(void **state) {
    (void)state;
    static const struct {
        uint64_t claimed;
        const char *reason;
    } table[] = {
        {0, "does not begin with {"},
        {1, "not valid JSON"},
        {3, "not valid JSON"},
        {6, "not valid JSON"},
        {7, "ends within its header"},
        {100000000, "ends within its header"},
        {100000001, "more than the 100000000"},
        {UINT64_C(1) << 32, "more than the 100000000"},
        {UINT64_C(1) << 63, "more than the 100000000"},
        {UINT64_MAX, "more than the 100000000"},
        {UINT64_MAX - 7, "more than the 100000000"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        upload u;
        problem p;
        file f = file_of(table[i].claimed, "{}", 2, 4);
        if (read_file(&f, &u, &p) || !strstr(p.errors[0].detail, table[i].reason))
            fail_msg("%zu: %s", i, p.errors[0].detail);
        free(f.bytes);
    }
}

static void a_header_that_would_take_much_memory_to_parse_is_refused(void **state) {
    (void)state;
    const size_t most = 1 << 20;
    char *header = malloc(most + 1);
    memset(header, ' ', most + 1);
    memcpy(header, "{}", 2);
    for (size_t length = most; length <= most + 1; length++) {
        upload u;
        problem p;
        file f = file_of(length, header, length, 0);
        assert_int_equal(read_file(&f, &u, &p), length == most);
        assert_int_equal(p.status, length == most ? 0 : 413);
        free(f.bytes);
    }
    free(header);
}

static void a_header_as_deep_as_it_is_long_is_refused(void **state) {
    (void)state;
    char header[50001] = "{\"x\":";
    upload u;
    problem p;
    memset(header + 5, '[', sizeof header - 6);
    assert_false(read_text(header, 0, &u, &p));
    assert_int_equal(p.status, 400);
}

static const char whole[] =
    "{\"__metadata__\":{\"a\":\"b\"}," X("F32", "[1,2]", "0", "8") "," Y("8", "10") "}   ";

static void a_file_cut_anywhere_is_refused(void **state) {
    (void)state;
    file f = file_of(sizeof whole - 1, whole, sizeof whole - 1, 10);
    for (size_t length = 0; length <= f.length; length++) {
        upload u;
        problem p;
        file cut = {malloc(length + !length), length};
        memcpy(cut.bytes, f.bytes, length);
        assert_int_equal(read_file(&cut, &u, &p), length == f.length);
        free(cut.bytes);
    }
    free(f.bytes);
}

static void a_file_changed_anywhere_is_read_or_refused(void **state) {
    (void)state;
    static const char bytes[] = "\0\"{}[],: 019x\\-\xff";
    for (size_t at = 0; at < 8 + sizeof whole - 1; at++)
        for (size_t b = 0; b < sizeof bytes - 1; b++) {
            upload u;
            problem p;
            file f = file_of(sizeof whole - 1, whole, sizeof whole - 1, 10);
            f.bytes[at] = (unsigned char)bytes[b];
            if (read_file(&f, &u, &p))
                for (unsigned i = 0; i < u.count; i++)
                    assert_true(u.arrays[i].bytes >= f.bytes + f.length - 10 &&
                                u.arrays[i].bytes + u.arrays[i].shape[0] <= f.bytes + f.length);
            free(f.bytes);
        }
}

static void a_body_is_known_by_its_header(void **state) {
    (void)state;
    static const struct {
        uint64_t claimed;
        const char *header;
        bool is;
    } table[] = {
        {2, "{}", true},
        {3, "{ }", true},
        {8, "{\"x\":1}\n", true},
        {2, "{}....", true},
        {4, "{}", false},
        {0, "{}", false},
        {1, "{}", false},
        {2, "[]", false},
        {4, "{\1\2}", false},
        {5, "{\"x\"1", false},
        {5, "{\0\0\0\0\0\0\0", false},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        file f = file_of(table[i].claimed, table[i].header, strlen(table[i].header), 0);
        if (format_safetensors.begins(f.bytes, f.length) != table[i].is)
            fail_msg("%s", table[i].header);
        free(f.bytes);
    }
}

RUN(T(headers_follow_the_rules_for_every_type_and_rank),
    T(the_widest_come_first_and_equals_keep_their_order), T(metadata_are_texts_and_hold_the_recipe),
    T(written_arrays_are_read_back), T(good_headers_are_read),
    T(hostile_headers_are_refused_with_the_reason),
    T(arrays_that_do_not_fit_are_refused_by_their_name), T(more_arrays_than_are_taken_are_refused),
    T(the_length_of_the_header_is_checked_against_the_body),
    T(a_header_that_would_take_much_memory_to_parse_is_refused),
    T(a_header_as_deep_as_it_is_long_is_refused), T(a_file_cut_anywhere_is_refused),
    T(a_file_changed_anywhere_is_read_or_refused), T(a_body_is_known_by_its_header))
