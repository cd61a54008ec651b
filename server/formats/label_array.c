#include "label_array.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* The length of "y" or "y2" before the NAME of a head. */
static size_t stem_of(const char *name) {
    return strncmp(name, "y2", 2) == 0 ? 2 : 1;
}

bool label_named(const char *name) {
    size_t stem = stem_of(name);
    return name[0] == 'y' && (name[stem] == 0 || name[stem] == '.');
}

static bool refuse_shape(const array *y, problem *p) {
    char shape[128];
    array_print_sides(y->shape, y->rank, shape, sizeof shape);
    problem_add(p, 400, y->name,
                "%s has shape %s and type %s; labels are integer class numbers, one per row, "
                "rows with one weight per class, or values to predict, which are floats, one per "
                "row",
                y->name, y->rank ? shape : "()", dtype_table[y->type].name);
    return false;
}

static bool refuse_column(const array *y, problem *p) {
    char shape[128];
    array_print_sides(y->shape, y->rank, shape, sizeof shape);
    problem_add(
        p, 400, y->name,
        "%s has shape %s and type %s, which is ambiguous: class numbers, or rows of one "
        "class. For class numbers, send %" PRIu64
        " integers or set classes to 2 or more; for rows of one class, set classes to 1; for "
        "values to predict, send %" PRIu64 " floats without the second dimension",
        y->name, shape, dtype_table[y->type].name, y->shape[0], y->shape[0]);
    return false;
}

static bool refuse_bools(const array *y, problem *p) {
    problem_add(p, 400, y->name,
                "%s has %" PRIu64
                " bools, which is ambiguous: class numbers 0 and 1, or rows of one class. For "
                "class numbers, send integers; for rows of one class, send the shape %" PRIu64
                "x1 and set classes to 1",
                y->name, y->shape[0], y->shape[0]);
    return false;
}

bool label_kind(const array *y, uint64_t rows, uint64_t classes, label *out, problem *p) {
    bool column = y->rank == 2 && y->shape[1] == 1;
    bool integers = !dtype_floats(y->type) && y->type != DTYPE_BOOL;
    *out = (label){.from = y, .rows = rows, .classes = classes};
    if (y->rank < 1 || y->rank > 2)
        return refuse_shape(y, p);
    if (y->shape[0] != rows) {
        problem_add(p, 400, y->name, "there are %" PRIu64 " labels in %s for %" PRIu64 " rows",
                    y->shape[0], y->name, rows);
        return false;
    }
    if (y->rank == 1 && y->type == DTYPE_BOOL)
        return refuse_bools(y, p);
    if (column && !integers && classes == 0)
        return refuse_column(y, p);
    out->numbers = y->rank == 1 || (column && (integers || classes > 1));
    if (out->numbers)
        return true;
    out->classes = y->shape[1];
    if (out->classes <= FMIX_MAX_CLASSES)
        return true;
    problem_add(p, 413, y->name, "%s has more than the limit of %u classes", y->name,
                FMIX_MAX_CLASSES);
    return false;
}

/* The element in little-endian bytes. */
static void element(const label *l, uint64_t i, unsigned char out[8]) {
    size_t size = dtype_table[l->from->type].size;
    memcpy(out, l->from->bytes + i * size, size);
    if (l->native)
        dtype_swap(l->from->type, out, size);
}

static double real_of(const label *l, uint64_t i) {
    unsigned char bytes[8];
    element(l, i, bytes);
    return dtype_real(l->from->type, bytes);
}

#define LOAD(type, i)                                                                              \
    do {                                                                                           \
        type value;                                                                                \
        memcpy(&value, l->from->bytes + (i) * sizeof value, sizeof value);                         \
        return (int64_t)value;                                                                     \
    } while (0)

/* An element of an integer type or bool, modulo 2^64. Uploads have millions of elements, which
 * little-endian machines load directly. */
static int64_t whole_of(const label *l, uint64_t i) {
    unsigned char bytes[8];
    if (!l->native && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__) {
        element(l, i, bytes);
        return l->from->type == DTYPE_BOOL ? bytes[0] : dtype_integer(l->from->type, bytes);
    }
    switch (l->from->type) {
    case DTYPE_I8:
        LOAD(int8_t, i);
    case DTYPE_I16:
        LOAD(int16_t, i);
    case DTYPE_U16:
        LOAD(uint16_t, i);
    case DTYPE_I32:
        LOAD(int32_t, i);
    case DTYPE_U32:
        LOAD(uint32_t, i);
    case DTYPE_I64:
    case DTYPE_U64:
        LOAD(int64_t, i);
    default:
        LOAD(uint8_t, i);
    }
}

/* A whole number from 0 to 2^63 - 1. */
static bool find_number(const label *l, uint64_t i, uint64_t *out) {
    if (dtype_floats(l->from->type)) {
        double real = real_of(l, i);
        bool good = real >= 0 && real <= FMIX_MAX_CLASSES && real == floor(real);
        *out = good ? (uint64_t)real : 0;
        return good;
    }
    int64_t whole = whole_of(l, i);
    *out = (uint64_t)whole;
    return whole >= 0;
}

/* Returns true if the elements can be read by loops of their own type. */
static bool is_plain(const label *l) {
    return (l->native || __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) && !dtype_floats(l->from->type);
}

#define RANGE_OF(type)                                                                             \
    do {                                                                                           \
        type least = 0, most = 0, value;                                                           \
        for (uint64_t i = 0; i < l->rows; i++) {                                                   \
            memcpy(&value, l->from->bytes + i * sizeof value, sizeof value);                       \
            least = value < least ? value : least;                                                 \
            most = value > most ? value : most;                                                    \
        }                                                                                          \
        *low = (int64_t)least;                                                                     \
        *high = (uint64_t)most;                                                                    \
    } while (0)

/* The least and the largest of plain class numbers and 0. */
static void range_of(const label *l, int64_t *low, uint64_t *high) {
    switch (l->from->type) {
    case DTYPE_I8:
        RANGE_OF(int8_t);
        return;
    case DTYPE_I16:
        RANGE_OF(int16_t);
        return;
    case DTYPE_U16:
        RANGE_OF(uint16_t);
        return;
    case DTYPE_I32:
        RANGE_OF(int32_t);
        return;
    case DTYPE_U32:
        RANGE_OF(uint32_t);
        return;
    case DTYPE_I64:
        RANGE_OF(int64_t);
        return;
    case DTYPE_U64:
        RANGE_OF(uint64_t);
        return;
    default:
        RANGE_OF(uint8_t);
    }
}

#define BITS_OF(type)                                                                              \
    do {                                                                                           \
        type any = 0, value;                                                                       \
        for (uint64_t i = 0; i < count; i++) {                                                     \
            memcpy(&value, l->from->bytes + i * sizeof value, sizeof value);                       \
            any = (type)(any | value);                                                             \
            if (out)                                                                               \
                out[i] = value != 0;                                                               \
        }                                                                                          \
        return any <= 1;                                                                           \
    } while (0)

/* Returns true if all elements are 0 or 1. Copies the elements to out as floats, unless out is
 * NULL. */
static bool bits_of(const label *l, float *out) {
    uint64_t count = l->rows * l->classes;
    switch (dtype_table[l->from->type].size) {
    case 1:
        BITS_OF(uint8_t);
    case 2:
        BITS_OF(uint16_t);
    case 4:
        BITS_OF(uint32_t);
    default:
        BITS_OF(uint64_t);
    }
}

/* The element in decimal. */
static void value_text(const label *l, uint64_t i, char *out, size_t room) {
    if (dtype_floats(l->from->type))
        snprintf(out, room, "%g", real_of(l, i));
    else if (l->from->type == DTYPE_U64)
        snprintf(out, room, "%" PRIu64, (uint64_t)whole_of(l, i));
    else
        snprintf(out, room, "%" PRId64, whole_of(l, i));
}

static bool check_numbers(label *l, problem *p) {
    uint64_t most = l->classes ? l->classes : FMIX_MAX_CLASSES, largest = 0;
    int64_t least = 0;
    if (is_plain(l))
        range_of(l, &least, &largest);
    bool good = is_plain(l) && least >= 0 && largest < most;
    for (uint64_t i = 0; i < l->rows && !good; i++) {
        uint64_t number;
        char value[40];
        if (find_number(l, i, &number) && number < most) {
            largest = number > largest ? number : largest;
            continue;
        }
        value_text(l, i, value, sizeof value);
        problem_add(p, 400, l->from->name,
                    "row %" PRIu64
                    " of %s is %s; class numbers are whole numbers from 0 to %" PRIu64,
                    i, l->from->name, value, most - 1);
        return false;
    }
    l->classes = l->classes ? l->classes : largest + 1;
    return true;
}

static bool check_rows(const label *l, problem *p) {
    const char *name = l->from->name;
    if (dtype_floats(l->from->type) || l->from->type == DTYPE_BOOL ||
        (is_plain(l) && bits_of(l, NULL)))
        return true;
    for (uint64_t i = 0; i < l->rows * l->classes; i++) {
        uint64_t number;
        char value[40];
        if (find_number(l, i, &number) && number <= 1)
            continue;
        value_text(l, i, value, sizeof value);
        problem_add(p, 400, name,
                    "row %" PRIu64 " of %s holds %s, but integers in %" PRIu64
                    " columns must be 0 or 1, one column per class. Send other weights as floats, "
                    "and class numbers of %" PRIu64 " heads as separate arrays %.*s.NAME",
                    i / l->classes, name, value, l->classes, l->classes, (int)stem_of(name), name);
        return false;
    }
    return true;
}

bool label_check(label *l, problem *p) {
    return l->numbers ? check_numbers(l, p) : check_rows(l, p);
}

uint32_t label_number(const label *l, uint64_t row) {
    uint64_t number = 0;
    find_number(l, row, &number);
    return (uint32_t)number;
}

float label_weight(const label *l, uint64_t i) {
    if (dtype_floats(l->from->type))
        return (float)real_of(l, i);
    return l->from->type == DTYPE_BOOL ? (float)(whole_of(l, i) != 0) : (float)whole_of(l, i);
}

void label_numbers(const label *l, int32_t *out) {
    for (uint64_t i = 0; i < l->rows; i++)
        out[i] = (int32_t)label_number(l, i);
}

void label_weights(const label *l, float *out) {
    if (is_plain(l)) {
        bits_of(l, out);
        return;
    }
    for (uint64_t i = 0; i < l->rows * l->classes; i++)
        out[i] = label_weight(l, i);
}
