#include "dataset_check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define AT_ONCE (4u << 20) /* numbers checked between two looks at `stop` */

typedef struct check {
    const dataset *set;
    const atomic_bool *stop;
    char *reason; /* of DATASET_REASON bytes */
} check;

/* Always false. */
static bool refuse(const check *c, const char *text, ...) __attribute__((format(printf, 2, 3)));

static bool refuse(const check *c, const char *text, ...) {
    va_list arguments;
    va_start(arguments, text);
    vsnprintf(c->reason, DATASET_REASON, text, arguments);
    va_end(arguments);
    return false;
}

/* Returns true if the check may look at number i of the file. */
static bool may_go_on(const check *c, uint64_t i, const char *what) {
    return i % AT_ONCE != AT_ONCE - 1 || !dataset_must_stop(c->stop) ||
           refuse(c, "interrupted before its %s were checked", what);
}

static bool check_class_numbers(const check *c, const dataset_head *h) {
    for (uint64_t i = 0; i < c->set->count; i++) {
        if (!may_go_on(c, i, "labels"))
            return false;
        int64_t number = dtype_integer(DTYPE_I32, h->file.bytes + 4 * i);
        if ((uint64_t)number >= h->classes) /* also a negative number */
            return refuse(c, "row %" PRIu64 " of %s is class %" PRId64 " of %" PRIu64, i, h->name,
                          number, h->classes);
    }
    return true;
}

static bool check_neighbours(const check *c) {
    const dataset_neighbours *all = &c->set->neighbours;
    for (uint64_t i = 0; i < c->set->count * all->k; i++) {
        if (!may_go_on(c, i, "neighbours"))
            return false;
        int64_t number = dtype_integer(DTYPE_I64, all->file.bytes + 8 * i);
        if ((uint64_t)number >= c->set->count) /* also a negative number */
            return refuse(c,
                          "neighbour %" PRIu64 " of row %" PRIu64 " is row %" PRId64
                          ", but the rows are 0 to %" PRIu64,
                          i % all->k, i / all->k, number, c->set->count - 1);
    }
    return true;
}

/* ---- the offsets of a ragged set ---- */

/* Copies the offsets, then looks at the copy alone. */
static bool copy_offsets(const check *c, dataset *d) {
    d->offset = malloc(d->offsets.length);
    if (!d->offset)
        return refuse(c, "out of memory");
    memcpy(d->offset, d->offsets.bytes, d->offsets.length);
    dtype_swap(DTYPE_I64, d->offset, d->offsets.length);
    return d->offset[0] == 0 ||
           refuse(c, "its offsets begin with %" PRId64 "; they must begin with 0", d->offset[0]);
}

static bool check_lengths(const check *c, dataset *d) {
    d->shortest = UINT64_MAX;
    for (uint64_t i = 0; i < d->count; i++) {
        int64_t begin = d->offset[i], end = d->offset[i + 1];
        if (!may_go_on(c, i, "offsets"))
            return false;
        if (end <= begin || end - begin > UINT32_MAX)
            return refuse(c,
                          "row %" PRIu64 " begins at %" PRId64 " and ends at %" PRId64
                          "; every row must have 1 to %" PRIu32 " steps",
                          i, begin, end, UINT32_MAX);
        uint64_t length = dataset_length(d, i);
        d->shortest = length < d->shortest ? length : d->shortest;
        d->longest = length > d->longest ? length : d->longest;
    }
    return true;
}

static bool check_steps(const check *c, const dataset *d) {
    uint64_t steps = (uint64_t)d->offset[d->count], length = d->x.file.length;
    return (length % d->x.row_bytes == 0 && length / d->x.row_bytes == steps) ||
           refuse(c,
                  "its data have %" PRIu64 " bytes; by its offsets they must have %" PRIu64
                  " times %" PRIu64,
                  length, steps, d->x.row_bytes);
}

bool dataset_check(dataset *d, const atomic_bool *stop, char reason[DATASET_REASON]) {
    const check c = {d, stop, reason};
    for (unsigned i = 0; i < d->heads; i++)
        if (d->head[i].kind == DATASET_NUMBERS && !check_class_numbers(&c, &d->head[i]))
            return false;
    return check_neighbours(&c) &&
           (!d->ragged || (copy_offsets(&c, d) && check_lengths(&c, d) && check_steps(&c, d)));
}
