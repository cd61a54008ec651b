#include "batch_address.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

bool batch_address_step(const char *text, uint64_t *out, problem *p) {
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    *out = value;
    if (text[0] >= '0' && text[0] <= '9' && !*end && errno == 0)
        return true;
    problem_add(p, 404, NULL, "there is no batch '%.40s'; batches are numbered from 0", text);
    return false;
}

static uint64_t batches_of(const query *q, uint64_t samples) {
    uint64_t whole = samples / q->n, rest = samples % q->n;
    return whole + (rest && !q->drop_last);
}

/* Returns true if every sample and every batch of the epoch has a number of 64 bits. */
static bool has_numbers(const query *q, const dataset *d, problem *p) {
    uint64_t last = UINT64_MAX / d->count;
    if (q->epoch < last)
        return true;
    problem_add(p, 400, "epoch",
                "epoch is %" PRIu64 ", whose last sample number exceeds 2^64-1; with %" PRIu64
                " samples the limit is %" PRIu64,
                q->epoch, d->count, last - 1);
    return false;
}

bool batch_address_find(const query *q, const dataset *d, uint64_t step, batch_address *out,
                        problem *p) {
    if (q->rank >= q->world)
        problem_add(p, 400, "rank",
                    "rank is %" PRIu64 " of world %" PRIu64 "; ranks are numbered from 0", q->rank,
                    q->world);
    if (p->status || !has_numbers(q, d, p))
        return false;
    *out = (batch_address){.batches = batches_of(q, d->count)};
    if (step >= out->batches) {
        problem_add(p, 404, NULL,
                    "there is no batch %" PRIu64 "; an epoch of %s has %" PRIu64 " of %" PRIu64
                    " rows, counted from 0",
                    step, d->name, out->batches, q->n);
        return false;
    }
    uint64_t all =
        d->count / q->n + (d->count % q->n != 0); /* with the batch that drop_last drops */
    out->first = step * q->n;
    out->rows = d->count - out->first < q->n ? d->count - out->first : q->n;
    out->t = q->epoch * d->count + out->first;
    out->number = q->epoch * all + step;
    out->begin = q->rank * out->rows / q->world;
    out->end = (q->rank + 1) * out->rows / q->world;
    return true;
}
