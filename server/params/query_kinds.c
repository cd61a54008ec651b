/* Each kind of parameter: a row of functions. */
#include "query_kinds.h"
#include "base/json_build.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of one item of a value, with its NUL. A longer item is refused. */
enum { SIDE_ROOM = 24, LIST_ROOM = 16, REAL_ROOM = 40 };

enum { RANGE_ITEMS = 2 };

typedef bool item_parser(const query_parameter *row, const char *item, void *out);

/* Passes each item to `parse`. False: an item does not fit `room`, or `parse` refused an item. */
static bool parse_items(const query_parameter *row, const char *text, char separator, size_t room,
                        item_parser *parse, void *out) {
    const char separators[] = {separator, 0};
    char item[REAL_ROOM];
    for (;;) {
        size_t length = strcspn(text, separators);
        if (length >= room)
            return false;
        memcpy(item, text, length);
        item[length] = 0;
        if (!parse(row, item, out))
            return false;
        if (text[length] == 0)
            return true;
        text += length + 1;
    }
}

/* ---- integers ---- */

/* Plain decimal digits, without a sign, of at most 64 bits. */
static bool parse_digits(const char *text, uint64_t *out) {
    if (!text[0] || text[strspn(text, "0123456789")])
        return false;
    errno = 0;
    unsigned long long value = strtoull(text, NULL, 10);
    *out = value;
    return errno == 0 && value <= UINT64_MAX;
}

static bool parse_integer(const query_parameter *row, const char *text, void *field) {
    uint64_t value;
    if (!parse_digits(text, &value) || value < row->least || value > row->most)
        return false;
    *(uint64_t *)field = value;
    return true;
}

static void print_integer(const query_parameter *row, const void *field, buffer *out) {
    (void)row;
    buffer_number(out, *(const uint64_t *)field);
}

static void expect_integer(const query_parameter *row, char *out, size_t room) {
    snprintf(out, room, "a whole number from %" PRIu64 " to %" PRIu64, row->least, row->most);
}

/* JSON readers do not hold 64 bits: the format stands for the largest maximum. */
static json_t *integer_within(uint64_t least, uint64_t most) {
    json_t *schema = json_pack("{ss sI}", "type", "integer", "minimum", (json_int_t)least);
    return most == UINT64_MAX ? json_set(schema, "format", json_string("uint64"))
                              : json_set(schema, "maximum", json_integer((json_int_t)most));
}

static json_t *integer_schema(const query_parameter *row) {
    return integer_within(row->least, row->most);
}

static json_t *integer_literal(const char *text) {
    return json_integer(strtoll(text, NULL, 10));
}

/* ---- reals ---- */

/* digits [. digits] [e [±] digits] with an optional minus: what strtod takes, without hexadecimal
 * numbers, infinities and NaN. */
static bool is_decimal(const char *s) {
    s += *s == '-';
    size_t whole = strspn(s, "0123456789");
    s += whole;
    size_t fraction = 0;
    if (*s == '.') {
        s++;
        fraction = strspn(s, "0123456789");
        s += fraction;
    }
    if (whole + fraction == 0)
        return false;
    if (*s == 'e' || *s == 'E') {
        s++;
        s += *s == '-' || *s == '+';
        size_t digits = strspn(s, "0123456789");
        if (digits == 0)
            return false;
        s += digits;
    }
    return *s == 0;
}

static bool parse_real(const query_parameter *row, const char *text, void *field) {
    double value = is_decimal(text) ? strtod(text, NULL) : 0;
    if (!is_decimal(text) || !(value >= row->low && value <= row->high))
        return false;
    *(double *)field = value == 0 ? 0 : value; /* -0 becomes 0 */
    return true;
}

static void print_real(const query_parameter *row, const void *field, buffer *out) {
    (void)row;
    buffer_real(out, *(const double *)field);
}

static void expect_real(const query_parameter *row, char *out, size_t room) {
    snprintf(out, room, "a decimal number from %g to %g", row->low, row->high);
}

static json_t *real_schema(const query_parameter *row) {
    return json_pack("{ss sf sf}", "type", "number", "minimum", row->low, "maximum", row->high);
}

static json_t *real_literal(const char *text) {
    return json_real(strtod(text, NULL));
}

/* ---- lists of reals ---- */

static json_t *list_within(int least, int most, json_t *items) {
    json_t *list = json_pack("{ss si si}", "type", "array", "minItems", least, "maxItems", most);
    return json_set(list, "items", items);
}

static json_t *list_of(json_t *items) {
    return list_within(1, QUERY_LIST, items);
}

static bool append_real(const query_parameter *row, const char *item, void *out) {
    query_reals *list = out;
    if (list->count == QUERY_LIST || !parse_real(row, item, &list->item[list->count]))
        return false;
    list->count++;
    return true;
}

static bool parse_reals(const query_parameter *row, const char *text, void *field) {
    query_reals list = {0};
    if (!parse_items(row, text, ',', REAL_ROOM, append_real, &list))
        return false;
    *(query_reals *)field = list;
    return true;
}

static void print_reals(const query_parameter *row, const void *field, buffer *out) {
    const query_reals *list = field;
    (void)row;
    for (unsigned i = 0; i < list->count; i++) {
        buffer_text(out, i ? "," : "");
        buffer_real(out, list->item[i]);
    }
}

static void expect_reals(const query_parameter *row, char *out, size_t room) {
    snprintf(out, room, "one to %d decimal numbers from %g to %g, separated by commas", QUERY_LIST,
             row->low, row->high);
}

static json_t *reals_schema(const query_parameter *row) {
    return list_of(real_schema(row));
}

/* ---- ranges of reals ---- */

/* view_check refuses a range whose least exceeds its most. */
static bool parse_range(const query_parameter *row, const char *text, void *field) {
    query_reals list;
    if (!parse_reals(row, text, &list) || list.count != RANGE_ITEMS)
        return false;
    *(query_reals *)field = list;
    return true;
}

static void expect_range(const query_parameter *row, char *out, size_t room) {
    snprintf(out, room,
             "two decimal numbers from %g to %g, the least and the most, separated by a "
             "comma",
             row->low, row->high);
}

static json_t *range_schema(const query_parameter *row) {
    return list_within(RANGE_ITEMS, RANGE_ITEMS, real_schema(row));
}

/* ---- shapes ---- */

static bool append_side(const query_parameter *row, const char *item, void *out) {
    query_shape *shape = out;
    uint64_t side;
    if (shape->rank >= row->most || !parse_digits(item, &side) || side == 0)
        return false;
    shape->side[shape->rank++] = side;
    return true;
}

static bool parse_shape(const query_parameter *row, const char *text, void *field) {
    query_shape shape = {0};
    if (!parse_items(row, text, 'x', SIDE_ROOM, append_side, &shape))
        return false;
    *(query_shape *)field = shape;
    return true;
}

static void print_shape(const query_parameter *row, const void *field, buffer *out) {
    const query_shape *shape = field;
    (void)row;
    for (unsigned d = 0; d < shape->rank; d++) {
        buffer_text(out, d ? "x" : "");
        buffer_number(out, shape->side[d]);
    }
}

static void expect_shape(const query_parameter *row, char *out, size_t room) {
    snprintf(out, room, "one to %" PRIu64 " dimensions of at least 1 separated by x, such as %s",
             row->most, row->example);
}

static json_t *shape_schema(const query_parameter *row) {
    char pattern[64];
    snprintf(pattern, sizeof pattern, "^[1-9][0-9]{0,7}(x[1-9][0-9]{0,7}){0,%u}$",
             (unsigned)row->most - 1);
    return json_pack("{ss ss}", "type", "string", "pattern", pattern);
}

/* ---- choices ---- */

static bool has_choices(const query_parameter *row) {
    return row->choices || row->choice;
}

/* NULL past the last. */
static const char *choice_of(const query_parameter *row, unsigned number) {
    return row->choice ? row->choice(number) : row->choices[number];
}

static bool parse_choice(const query_parameter *row, const char *text, void *field) {
    const char *choice;
    for (unsigned i = 0; (choice = choice_of(row, i)) != NULL; i++)
        if (strcmp(choice, text) == 0) {
            *(unsigned *)field = i;
            return true;
        }
    return false;
}

static void print_choice(const query_parameter *row, const void *field, buffer *out) {
    buffer_text(out, choice_of(row, *(const unsigned *)field));
}

/* "PREFIX a, b, c" */
static void list_choices(const query_parameter *row, const char *prefix, char *out, size_t room) {
    size_t used = (size_t)snprintf(out, room, "%s", prefix);
    const char *choice;
    for (unsigned i = 0; used < room && (choice = choice_of(row, i)) != NULL; i++)
        used += (size_t)snprintf(out + used, room - used, "%s %s", i ? "," : "", choice);
}

static void expect_choice(const query_parameter *row, char *out, size_t room) {
    list_choices(row, "one of:", out, room);
}

static json_t *choice_schema(const query_parameter *row) {
    json_t *names = json_array();
    const char *name;
    for (unsigned i = 0; (name = choice_of(row, i)) != NULL; i++)
        names = json_append(names, json_string(name));
    return json_set(json_pack("{ss}", "type", "string"), "enum", names);
}

/* ---- sets of choices ---- */

static bool add_bit(const query_parameter *row, const char *item, void *out) {
    unsigned *bits = out, number;
    if (!parse_choice(row, item, &number) || (*bits & 1u << number))
        return false;
    *bits |= 1u << number;
    return true;
}

static bool parse_set(const query_parameter *row, const char *text, void *field) {
    unsigned bits = 0;
    if (!parse_items(row, text, ',', LIST_ROOM, add_bit, &bits))
        return false;
    *(unsigned *)field = bits;
    return true;
}

static void print_set(const query_parameter *row, const void *field, buffer *out) {
    unsigned bits = *(const unsigned *)field;
    const char *comma = "";
    for (unsigned i = 0; choice_of(row, i); i++)
        if (bits & 1u << i) {
            buffer_text(out, comma);
            buffer_text(out, choice_of(row, i));
            comma = ",";
        }
}

static void expect_set(const query_parameter *row, char *out, size_t room) {
    list_choices(row, "some of these, each once, separated by commas:", out, room);
}

static json_t *set_schema(const query_parameter *row) {
    int most = 0;
    while (choice_of(row, (unsigned)most))
        most++;
    return json_set(list_within(1, most, choice_schema(row)), "uniqueItems", json_true());
}

/* ---- lists of choices or of integers ---- */

static bool append_item(const query_parameter *row, const char *item, void *out) {
    query_list *list = out;
    uint64_t value = 0;
    unsigned choice = 0;
    if (list->count == QUERY_LIST)
        return false;
    bool good = has_choices(row) ? parse_choice(row, item, &choice)
                                 : parse_digits(item, &value) && value <= UINT32_MAX;
    list->item[list->count++] = has_choices(row) ? choice : (uint32_t)value;
    return good;
}

static bool parse_list(const query_parameter *row, const char *text, void *field) {
    query_list list = {0};
    if (!parse_items(row, text, ',', LIST_ROOM, append_item, &list))
        return false;
    *(query_list *)field = list;
    return true;
}

static void print_list(const query_parameter *row, const void *field, buffer *out) {
    const query_list *list = field;
    for (unsigned i = 0; i < list->count; i++) {
        buffer_text(out, i ? "," : "");
        if (has_choices(row))
            buffer_text(out, choice_of(row, list->item[i]));
        else
            buffer_number(out, list->item[i]);
    }
}

static void expect_list(const query_parameter *row, char *out, size_t room) {
    char prefix[64];
    snprintf(prefix, sizeof prefix, "one to %d of these, separated by commas:", QUERY_LIST);
    if (has_choices(row))
        list_choices(row, prefix, out, room);
    else
        snprintf(out, room, "one to %d whole numbers from 0 to %" PRIu32 ", separated by commas",
                 QUERY_LIST, UINT32_MAX);
}

static json_t *list_schema(const query_parameter *row) {
    return list_of(has_choices(row) ? choice_schema(row) : integer_within(0, UINT32_MAX));
}

/* ---- digests ---- */

static bool parse_digest(const query_parameter *row, const char *text, void *field) {
    (void)row;
    if (strlen(text) != QUERY_DIGEST_DIGITS ||
        strspn(text, "0123456789abcdef") != QUERY_DIGEST_DIGITS)
        return false;
    memcpy(field, text, QUERY_DIGEST_DIGITS + 1);
    return true;
}

static void print_digest(const query_parameter *row, const void *field, buffer *out) {
    (void)row;
    buffer_text(out, field);
}

static void expect_digest(const query_parameter *row, char *out, size_t room) {
    (void)row;
    snprintf(out, room, "%d hexadecimal digits in lower case", QUERY_DIGEST_DIGITS);
}

static json_t *digest_schema(const query_parameter *row) {
    char pattern[64];
    (void)row;
    snprintf(pattern, sizeof pattern, "^[0-9a-f]{%d}$", QUERY_DIGEST_DIGITS);
    return json_pack("{ss ss}", "type", "string", "pattern", pattern);
}

const query_kind_row query_kinds[QUERY_KINDS] = {
    [KIND_INTEGER] = {parse_integer, print_integer, expect_integer, integer_schema, integer_literal,
                      false},
    [KIND_REAL] = {parse_real, print_real, expect_real, real_schema, real_literal, false},
    [KIND_SHAPE] = {parse_shape, print_shape, expect_shape, shape_schema, json_string, false},
    [KIND_CHOICE] = {parse_choice, print_choice, expect_choice, choice_schema, json_string, false},
    [KIND_SET] = {parse_set, print_set, expect_set, set_schema, json_string, true},
    [KIND_LIST] = {parse_list, print_list, expect_list, list_schema, json_string, true},
    [KIND_REALS] = {parse_reals, print_reals, expect_reals, reals_schema, real_literal, true},
    [KIND_RANGE] = {parse_range, print_reals, expect_range, range_schema, real_literal, true},
    [KIND_DIGEST] = {parse_digest, print_digest, expect_digest, digest_schema, json_string, false},
};

json_t *query_kind_schema(const query_parameter *row) {
    return query_kinds[row->kind].schema(row);
}

json_t *query_kind_default(const query_parameter *row) {
    const query_kind_row *kind = &query_kinds[row->kind];
    if (!kind->is_list)
        return kind->literal(row->fallback);
    json_t *items = json_array();
    for (const char *rest = row->fallback; rest; rest = strchr(rest, ',')) {
        char item[REAL_ROOM];
        rest += *rest == ',';
        snprintf(item, sizeof item, "%.*s", (int)strcspn(rest, ","), rest);
        items = json_append(items, kind->literal(item));
    }
    return items;
}
