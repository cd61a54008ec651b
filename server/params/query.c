#include "query.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool all_digits(const char *text) {
    return text[0] && text[strspn(text, "0123456789")] == 0;
}

/* Plain decimal digits, no sign, no more than 64 bits. */
static bool parse_integer(const char *text, uint64_t *out) {
    if (!all_digits(text))
        return false;
    errno = 0;
    unsigned long long value = strtoull(text, NULL, 10);
    *out = value;
    return errno == 0 && value <= UINT64_MAX;
}

/* digits [. digits] [e [±] digits] with an optional minus: what strtod takes, less hex, inf, nan.
 */
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

static bool parse_shape(const char *text, uint64_t most_sides, query_shape *out) {
    query_shape shape = {0};
    for (;;) {
        char side[24];
        size_t length = strcspn(text, "x");
        if (length >= sizeof side || shape.rank >= most_sides)
            return false;
        memcpy(side, text, length);
        side[length] = 0;
        if (!parse_integer(side, &shape.side[shape.rank]) || shape.side[shape.rank] == 0)
            return false;
        shape.rank++;
        if (text[length] == 0)
            break;
        text += length + 1;
    }
    *out = shape;
    return true;
}

static bool has_choices(const query_parameter *row) {
    return row->choices || row->choice;
}

/* NULL past the last. */
static const char *choice_of(const query_parameter *row, unsigned number) {
    return row->choice ? row->choice(number) : row->choices[number];
}

static bool find_choice(const query_parameter *row, const char *text, size_t length,
                        unsigned *out) {
    const char *choice;
    for (unsigned i = 0; (choice = choice_of(row, i)) != NULL; i++)
        if (strlen(choice) == length && memcmp(choice, text, length) == 0) {
            *out = i;
            return true;
        }
    return false;
}

static bool parse_set(const query_parameter *row, const char *text, unsigned *out) {
    unsigned bits = 0, i;
    for (;;) {
        size_t length = strcspn(text, ",");
        if (!find_choice(row, text, length, &i) || (bits & 1u << i))
            return false;
        bits |= 1u << i;
        if (text[length] == 0)
            break;
        text += length + 1;
    }
    *out = bits;
    return true;
}

static bool parse_item(const query_parameter *row, const char *text, size_t length, uint32_t *out) {
    char digits[16];
    unsigned choice = 0;
    uint64_t value;
    if (has_choices(row)) {
        bool found = find_choice(row, text, length, &choice);
        *out = choice;
        return found;
    }
    if (length >= sizeof digits)
        return false;
    memcpy(digits, text, length);
    digits[length] = 0;
    if (!parse_integer(digits, &value) || value > UINT32_MAX)
        return false;
    *out = (uint32_t)value;
    return true;
}

static bool parse_list(const query_parameter *row, const char *text, query_list *out) {
    query_list list = {0};
    for (;;) {
        size_t length = strcspn(text, ",");
        if (list.count == QUERY_LIST || !parse_item(row, text, length, &list.item[list.count]))
            return false;
        list.count++;
        if (text[length] == 0)
            break;
        text += length + 1;
    }
    *out = list;
    return true;
}

static bool parse_real(const query_parameter *row, const char *text, double *out) {
    double value = is_decimal(text) ? strtod(text, NULL) : 0;
    if (!is_decimal(text) || !(value >= row->low && value <= row->high))
        return false;
    *out = value == 0 ? 0 : value; /* no minus zero */
    return true;
}

static bool parse_reals(const query_parameter *row, const char *text, query_reals *out) {
    query_reals list = {0};
    for (;;) {
        char item[40];
        size_t length = strcspn(text, ",");
        if (length >= sizeof item || list.count == QUERY_LIST)
            return false;
        memcpy(item, text, length);
        item[length] = 0;
        if (!parse_real(row, item, &list.item[list.count]))
            return false;
        list.count++;
        if (text[length] == 0)
            break;
        text += length + 1;
    }
    *out = list;
    return true;
}

static bool parse_digest(const char *text, char *out) {
    if (strlen(text) != QUERY_DIGEST_DIGITS ||
        strspn(text, "0123456789abcdef") != QUERY_DIGEST_DIGITS)
        return false;
    memcpy(out, text, QUERY_DIGEST_DIGITS + 1);
    return true;
}

static void list_choices(const query_parameter *row, char *out, size_t room) {
    size_t used = 0;
    const char *choice;
    for (unsigned i = 0; used < room && (choice = choice_of(row, i)) != NULL; i++)
        used += (size_t)snprintf(out + used, room - used, "%s%s", i ? ", " : "", choice);
}

static bool set_value(query *q, const query_parameter *row, const char *text) {
    void *field = (char *)q + row->offset;
    switch (row->kind) {
    case KIND_INTEGER: {
        uint64_t value;
        if (!parse_integer(text, &value) || value < row->least || value > row->most)
            return false;
        *(uint64_t *)field = value;
        return true;
    }
    case KIND_REAL:
        return parse_real(row, text, field);
    case KIND_REALS:
        return parse_reals(row, text, field);
    case KIND_DIGEST:
        return parse_digest(text, field);
    case KIND_SHAPE:
        return parse_shape(text, row->most, field);
    case KIND_CHOICE:
        return find_choice(row, text, strlen(text), field);
    case KIND_SET:
        return parse_set(row, text, field);
    case KIND_LIST:
        return parse_list(row, text, field);
    }
    return false;
}

static void explain(const query_parameter *row, const char *text, problem *p) {
    char choices[160], fallback[40] = "";
    if (row->fallback)
        snprintf(fallback, sizeof fallback, "; the default is %s", row->fallback);
    switch (row->kind) {
    case KIND_INTEGER:
        problem_add(p, 400, row->name,
                    "%s is '%.40s'; it must be a whole number from %" PRIu64 " to %" PRIu64 "%s",
                    row->name, text, row->least, row->most, fallback);
        break;
    case KIND_REAL:
        problem_add(p, 400, row->name, "%s is '%.40s'; it must be a decimal number from %g to %g%s",
                    row->name, text, row->low, row->high, fallback);
        break;
    case KIND_REALS:
        problem_add(
            p, 400, row->name,
            "%s is '%.40s'; it must be one to %d decimal numbers from %g to %g, with commas "
            "between",
            row->name, text, QUERY_LIST, row->low, row->high);
        break;
    case KIND_DIGEST:
        problem_add(p, 400, row->name,
                    "%s is '%.40s'; it must be %d hexadecimal digits, small ones", row->name, text,
                    QUERY_DIGEST_DIGITS);
        break;
    case KIND_SHAPE:
        problem_add(p, 400, row->name,
                    "%s is '%.40s'; it must be one to %" PRIu64
                    " sides of at least 1 with an x between, as 32x32",
                    row->name, text, row->most);
        break;
    case KIND_CHOICE:
        list_choices(row, choices, sizeof choices);
        problem_add(p, 400, row->name, "%s is '%.40s'; it must be one of: %s%s", row->name, text,
                    choices, fallback);
        break;
    case KIND_SET:
        list_choices(row, choices, sizeof choices);
        problem_add(p, 400, row->name,
                    "%s is '%.40s'; it must be some of these, each once, with commas between: %s",
                    row->name, text, choices);
        break;
    case KIND_LIST:
        if (has_choices(row))
            list_choices(row, choices, sizeof choices);
        else
            snprintf(choices, sizeof choices, "whole numbers from 0 to %" PRIu32, UINT32_MAX);
        problem_add(p, 400, row->name,
                    "%s is '%.40s'; it must be one to %d of these, with commas between: %s%s",
                    row->name, text, QUERY_LIST, choices, fallback);
        break;
    }
}

static pthread_once_t defaults_are_made = PTHREAD_ONCE_INIT;
static query defaults; /* read only, once made */

static void make_defaults(void) {
    for (unsigned i = 0; i < QUERY_COUNT; i++)
        if (query_table[i].fallback)
            set_value(&defaults, &query_table[i], query_table[i].fallback);
}

void query_init(query *q) {
    pthread_once(&defaults_are_made, make_defaults);
    *q = defaults;
}

static void list_parameters(unsigned groups, char *out, size_t room) {
    size_t used = 0;
    snprintf(out, room, "none");
    for (unsigned i = 0; i < QUERY_COUNT && used < room; i++)
        if (query_table[i].group & groups)
            used += (size_t)snprintf(out + used, room - used, "%s%s", used ? ", " : "",
                                     query_table[i].name);
}

void query_take(query *q, unsigned groups, const char *name, size_t name_length, const char *value,
                size_t value_length, problem *p) {
    char known[320];
    unsigned i = 0;
    if (strlen(name) != name_length || (value && strlen(value) != value_length)) {
        problem_add(p, 400, name, "%.40s holds an encoded NUL", name);
        return;
    }
    while (i < QUERY_COUNT && strcmp(query_table[i].name, name) != 0)
        i++;
    const query_parameter *row = &query_table[i];
    if (i == QUERY_COUNT) {
        list_parameters(groups, known, sizeof known);
        problem_add(p, 400, name, "there is no parameter '%.40s' here; there are: %s", name, known);
    } else if (!(row->group & groups)) {
        list_parameters(groups, known, sizeof known);
        problem_add(p, 400, name, "%s is not a parameter of this resource; there are: %s", name,
                    known);
    } else if (q->given[i]) {
        problem_add(p, 400, name, "%s is given more than once", name);
    } else if (!value || value_length == 0) {
        problem_add(p, 400, name, "%s is empty; give it a value or leave it out", name);
    } else {
        q->given[i] = true;
        if (!set_value(q, row, value))
            explain(row, value, p);
    }
}

void query_print(const query *q, query_id id, buffer *out) {
    const query_parameter *row = &query_table[id];
    const void *field = (const char *)q + row->offset;
    switch (row->kind) {
    case KIND_INTEGER:
        buffer_number(out, *(const uint64_t *)field);
        break;
    case KIND_REAL:
        buffer_real(out, *(const double *)field);
        break;
    case KIND_REALS: {
        const query_reals *list = field;
        for (unsigned i = 0; i < list->count; i++) {
            buffer_text(out, i ? "," : "");
            buffer_real(out, list->item[i]);
        }
        break;
    }
    case KIND_DIGEST:
        buffer_text(out, field);
        break;
    case KIND_SHAPE: {
        const query_shape *shape = field;
        for (unsigned d = 0; d < shape->rank; d++) {
            buffer_text(out, d ? "x" : "");
            buffer_number(out, shape->side[d]);
        }
        break;
    }
    case KIND_CHOICE:
        buffer_text(out, choice_of(row, *(const unsigned *)field));
        break;
    case KIND_SET: {
        unsigned bits = *(const unsigned *)field;
        const char *comma = "";
        for (unsigned i = 0; choice_of(row, i); i++)
            if (bits & 1u << i) {
                buffer_text(out, comma);
                buffer_text(out, choice_of(row, i));
                comma = ",";
            }
        break;
    }
    case KIND_LIST: {
        const query_list *list = field;
        for (unsigned i = 0; i < list->count; i++) {
            buffer_text(out, i ? "," : "");
            if (has_choices(row))
                buffer_text(out, choice_of(row, list->item[i]));
            else
                buffer_number(out, list->item[i]);
        }
        break;
    }
    }
}
