#include "unit.h"

#include "params/query_kinds.h"

#include <jansson.h>

static const struct {
    query_id id;
    const char *good, *printed, *bad, *expected;
} table[] = {
    {QUERY_SEED, "007", "7", "-1", "a whole number from 0 to 18446744073709551615"},
    {QUERY_DELTA, "0.50", "0.5", "nan", "a decimal number from 0 to 10"},
    {QUERY_SHAPE, "3x04", "3x4", "3x0",
     "one to 3 dimensions of at least 1 separated by x, such as 32x32"},
    {QUERY_SIZE, "048x32", "48x32", "48,32",
     "one to 2 dimensions of at least 1 separated by x, such as 224 or 224x192"},
    {QUERY_POLICY, "random", "random", "rando", "one of: alternate, random"},
    {QUERY_MEMBER, "png", "png", "png,npy", "one of: npy, png"},
    {QUERY_PARTS, "lambda,mixed", "mixed,lambda", "mixed,mixed",
     "some of these, each once, separated by commas: mixed, pairing, lambda, lambda_eff, masks, "
     "method, labels, rows, lengths, dense"},
    {QUERY_WEIGHTS, "3,01", "3,1", "4294967296",
     "one to 8 whole numbers from 0 to 4294967295, separated by commas"},
    {QUERY_MEAN, "0.50,25e-2", "0.5,0.25", "0.5,",
     "one to 8 decimal numbers from -1e+09 to 1e+09, separated by commas"},
    {QUERY_AREA, "0.50,1e0", "0.5,1", "0.5",
     "two decimal numbers from 1e-09 to 1, the least and the most, separated by a comma"},
    {QUERY_DIGEST, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
     "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
     "64 hexadecimal digits in lower case"},
};
#define ROWS (sizeof table / sizeof *table)

static bool parse(query *q, query_id id, const char *text) {
    const query_parameter *row = &query_table[id];
    return query_kinds[row->kind].parse(row, text, (char *)q + row->offset);
}

static void a_value_prints_in_one_spelling(void **state) {
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        const query_parameter *row = &query_table[table[i].id];
        query q = {0};
        buffer text = buffer_of(256);
        assert_true(parse(&q, table[i].id, table[i].good));
        query_kinds[row->kind].print(row, (const char *)&q + row->offset, &text);
        buffer_add(&text, "", 1);
        assert_string_equal((const char *)text.bytes, table[i].printed);
        buffer_free(&text);
    }
}

static void a_refused_value_leaves_the_field(void **state) {
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        query q, before;
        memset(&q, 0, sizeof q);
        assert_true(parse(&q, table[i].id, table[i].good));
        memcpy(&before, &q, sizeof q);
        assert_false(parse(&q, table[i].id, table[i].bad));
        assert_memory_equal(&before, &q, sizeof q);
    }
}

static void a_refusal_says_what_a_value_must_be(void **state) {
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        const query_parameter *row = &query_table[table[i].id];
        char expected[240];
        query_kinds[row->kind].expect(row, expected, sizeof expected);
        assert_string_equal(expected, table[i].expected);
    }
}

static void a_list_holds_eight_items_and_not_nine(void **state) {
    (void)state;
    query q = {0};
    assert_true(parse(&q, QUERY_WEIGHTS, "1,2,3,4,5,6,7,8"));
    assert_false(parse(&q, QUERY_WEIGHTS, "1,2,3,4,5,6,7,8,9"));
    assert_true(parse(&q, QUERY_MEAN, "1,2,3,4,5,6,7,8"));
    assert_false(parse(&q, QUERY_MEAN, "1,2,3,4,5,6,7,8,9"));
    assert_true(parse(&q, QUERY_METHOD, "fmix,fmix,fmix,fmix,fmix,fmix,fmix,fmix"));
    assert_false(parse(&q, QUERY_METHOD, "fmix,fmix,fmix,fmix,fmix,fmix,fmix,fmix,fmix"));
}

static long long bound_of(const json_t *schema, const char *name) {
    return json_integer_value(json_object_get(schema, name));
}

/* As many items as each number from 1 on: of a set each another one, else the first again and
 * again. */
static void items_of(const query_parameter *row, int count, buffer *out) {
    for (int i = 0; i < count; i++) {
        const char *item = row->kind == KIND_SET ? row->choices[i]
                           : row->choice         ? row->choice(0)
                                                 : "1";
        buffer_print(out, "%s%s", i ? "," : "", item);
    }
    buffer_add(out, "", 1);
}

static void a_list_takes_as_many_items_as_its_schema_and_its_row_say(void **state) {
    (void)state;
    unsigned lists = 0;
    for (unsigned i = 0; i < QUERY_COUNT; i++) {
        const query_parameter *row = &query_table[i];
        if (!query_kinds[row->kind].is_list)
            continue;
        json_t *schema = query_kind_schema(row);
        const long long least = bound_of(schema, "minItems"), most = bound_of(schema, "maxItems");
        char expected[240], said[32];
        query_kinds[row->kind].expect(row, expected, sizeof expected);
        snprintf(said, sizeof said, least == most ? "two " : "one to %lld ", most);
        assert_true(row->kind == KIND_SET || strncmp(expected, said, strlen(said)) == 0);
        assert_true(least == 1 || (least == 2 && most == 2));
        for (int count = 1; count <= most + 1; count++) {
            const bool none_is_left = row->kind == KIND_SET && !row->choices[count - 1];
            assert_int_equal(none_is_left, row->kind == KIND_SET && count > most);
            if (none_is_left)
                break;
            query q = {0};
            buffer text = buffer_of(256);
            items_of(row, count, &text);
            assert_int_equal(parse(&q, (query_id)i, (const char *)text.bytes),
                             count >= least && count <= most);
            buffer_free(&text);
        }
        lists++;
        json_decref(schema);
    }
    assert_in_range(lists, 9, QUERY_COUNT); /* area, ratio, method, weights, alpha, parts, … */
}

static void every_parameter_has_a_schema_and_its_default_fits_it(void **state) {
    (void)state;
    for (unsigned i = 0; i < QUERY_COUNT; i++) {
        const query_parameter *row = &query_table[i];
        json_t *schema = query_kind_schema(row);
        const char *type = json_string_value(json_object_get(schema, "type"));
        assert_non_null(type);
        assert_int_equal(strcmp(type, "array") == 0, query_kinds[row->kind].is_list);
        if (row->fallback) {
            query q = {0};
            json_t *value = query_kind_default(row);
            assert_true(parse(&q, (query_id)i, row->fallback));
            assert_true(strcmp(type, "integer") == 0  ? json_is_integer(value)
                        : strcmp(type, "number") == 0 ? json_is_real(value)
                        : strcmp(type, "array") == 0  ? json_is_array(value)
                                                      : json_is_string(value));
            json_decref(value);
        }
        json_decref(schema);
    }
}

RUN(T(a_value_prints_in_one_spelling), T(a_refused_value_leaves_the_field),
    T(a_refusal_says_what_a_value_must_be), T(a_list_holds_eight_items_and_not_nine),
    T(a_list_takes_as_many_items_as_its_schema_and_its_row_say),
    T(every_parameter_has_a_schema_and_its_default_fits_it))
