#include "dataset_check.h"

#include <inttypes.h>
#include <stdarg.h>

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

typedef struct lengths {
    uint64_t shortest, longest, steps;
} lengths;

static int64_t offset_of(const dataset *d, uint64_t i) {
    return dtype_integer(DTYPE_I64, d->offsets.bytes + 8 * i);
}

static bool find_lengths(const check *c, lengths *out) {
    const dataset *d = c->set;
    int64_t begin = offset_of(d, 0);
    *out = (lengths){.shortest = UINT64_MAX};
    if (begin != 0)
        return refuse(c, "its offsets begin with %" PRId64 "; they must begin with 0", begin);
    for (uint64_t i = 0; i < d->count; i++) {
        int64_t end = offset_of(d, i + 1);
        if (!may_go_on(c, i, "offsets"))
            return false;
        if (end <= begin || end - begin > UINT32_MAX)
            return refuse(c,
                          "row %" PRIu64 " begins at %" PRId64 " and ends at %" PRId64
                          "; every row must have 1 to %" PRIu32 " steps",
                          i, begin, end, UINT32_MAX);
        uint64_t length = (uint64_t)(end - begin);
        out->shortest = length < out->shortest ? length : out->shortest;
        out->longest = length > out->longest ? length : out->longest;
        begin = end;
    }
    out->steps = (uint64_t)begin;
    return true;
}

static bool check_steps(const check *c, uint64_t steps) {
    uint64_t length = c->set->x.file.length, step = c->set->x.row_bytes;
    return (length % step == 0 && length / step == steps) ||
           refuse(c,
                  "its data have %" PRIu64 " bytes; by its offsets they must have %" PRIu64
                  " times %" PRIu64,
                  length, steps, step);
}

static bool check_offsets(const check *c, dataset *d) {
    lengths found;
    if (!find_lengths(c, &found) || !check_steps(c, found.steps))
        return false;
    if (d->longest && (d->shortest != found.shortest || d->longest != found.longest))
        return refuse(c,
                      "its rows have lengths from %" PRIu64 " to %" PRIu64
                      "; by its manifest they have lengths from %" PRIu64 " to %" PRIu64,
                      found.shortest, found.longest, d->shortest, d->longest);
    d->shortest = found.shortest;
    d->longest = found.longest;
    d->steps = found.steps;
    return true;
}

bool dataset_check(dataset *d, const atomic_bool *stop, char reason[DATASET_REASON]) {
    const check c = {d, stop, reason};
    for (unsigned i = 0; i < d->heads; i++)
        if (d->head[i].kind == DATASET_NUMBERS && !check_class_numbers(&c, &d->head[i]))
            return false;
    return check_neighbours(&c) && (!d->ragged || check_offsets(&c, d));
}
