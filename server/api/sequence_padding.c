#include "sequence_padding.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* The integers that a type holds. */
static void range_of(dtype type, double *least, double *most) {
    bool is_signed = type != DTYPE_U8 && type != DTYPE_BOOL;
    int bits = type == DTYPE_BOOL ? 1 : (int)(8 * dtype_table[type].size) - is_signed;
    *least = is_signed ? -ldexp(1, bits) : 0;
    *most = ldexp(1, bits) - 1; /* for i64 2^63, of which a pad_value falls far short */
}

static bool take_integer(sequence_padding *s, double value, dtype type, problem *p) {
    double least, most;
    range_of(type, &least, &most);
    if (!(value >= least && value <= most) || value != floor(value)) {
        problem_add(p, 400, "pad_value",
                    "pad_value is %.10g, but rows have dtype %s where they are padded, which holds "
                    "the integers from %.0f to %.0f; give one of these",
                    value, dtype_table[type].name, least, most);
        return false;
    }
    uint64_t bits = (uint64_t)(int64_t)value;
    for (size_t i = 0; i < sizeof s->value; i++)
        s->value[i] = (unsigned char)(bits >> 8 * i);
    dtype_swap(type, s->value, s->size);
    return true;
}

static bool take_real(sequence_padding *s, double value, dtype type, problem *p) {
    static const double mean = 0, std = 1;
    const fmix_normal round = {.dtype = FMIX_DTYPE_F64,
                               .out_dtype = dtype_table[type].library,
                               .count = 1,
                               .mean = &mean,
                               .std = &std};
    fmix_status status = fmix_normalise(&round, 1, 1, &value, s->value);
    if (status == FMIX_OK && isfinite(fmix_dtype_real(round.out_dtype, s->value)))
        return true;
    problem_add(p, 400, "pad_value",
                "pad_value is %.10g, but rows have dtype %s where they are padded, which would "
                "make it infinite; give a number closer to 0",
                value, dtype_table[type].name);
    return false;
}

bool sequence_padding_begin(sequence_padding *s, const query *q, dtype type, problem *p) {
    *s = (sequence_padding){.size = dtype_table[type].size};
    return (dtype_floats(type) ? take_real : take_integer)(s, q->pad_value, type, p);
}

/* Writes a whole number of elements: one, then copies of all that is there already. */
static void repeat(const sequence_padding *s, unsigned char *out, size_t bytes) {
    size_t done = bytes < s->size ? bytes : s->size;
    memcpy(out, s->value, done);
    while (done < bytes) {
        size_t more = bytes - done < done ? bytes - done : done;
        memcpy(out + done, out, more);
        done += more;
    }
}

/* The last plane moves first, so that no plane is overwritten before it has moved. */
void sequence_padding_append(const sequence_padding *s, uint64_t planes, uint64_t from, uint64_t to,
                             unsigned char *row) {
    for (uint64_t i = planes; from < to && i-- > 0;) {
        memmove(row + i * to, row + i * from, (size_t)from);
        repeat(s, row + i * to + from, (size_t)(to - from));
    }
}
