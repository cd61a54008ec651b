#include "sequence_request.h"
#include "datasets/dataset_part.h"
#include "datasets/dataset_read.h"

#include <inttypes.h>

#define PLACE_BYTES 64  /* of a window, as fmix_bucket_batch says */
#define ROW_BYTES   64  /* of a batch: the sample, its t and its span, and those of a neighbour */
#define START_COST  2e3 /* nanoseconds */

static uint64_t rows_of(const query *q, const dataset *set) {
    return q->n < set->count ? q->n : set->count;
}

/* The places of a whole window. */
static uint64_t places_of(const query *q, const dataset *set) {
    uint64_t rows = rows_of(q, set);
    return q->bucket <= set->count / rows ? q->bucket * rows : set->count;
}

/* Refuses a parameter that is given. */
static void refuse_given(const query *q, query_id id, const dataset *set, problem *p) {
    if (q->given[id])
        problem_add(p, 400, query_table[id].name,
                    "%s is for sequences, but the data set %s has none; leave %s out",
                    query_table[id].name, set->name, query_table[id].name);
}

static void check_window(const query *q, const dataset *set, problem *p) {
    if (places_of(q, set) > FMIX_MAX_BATCH)
        problem_add(p, 400, "bucket",
                    "bucket is %" PRIu64 ", so that a window would have %" PRIu64
                    " samples, more than the limit of %u; with n=%" PRIu64
                    " bucket may be at most %" PRIu64,
                    q->bucket, places_of(q, set), FMIX_MAX_BATCH, q->n, FMIX_MAX_BATCH / q->n);
}

static void check_shortest(const query *q, const dataset *set, problem *p) {
    if (q->crop >= set->shortest && q->pad == FMIX_PAD_REFLECT)
        problem_add(p, 400, "crop",
                    "crop is %" PRIu64
                    "; with pad=reflect it must be less than the length of each row, and the "
                    "shortest row of the data set %s has length %" PRIu64
                    "; use pad=zero or a smaller crop",
                    q->crop, set->name, set->shortest);
}

static void check_longest(const dataset *set, uint64_t elements, problem *p) {
    const uint64_t *sides;
    unsigned count = dataset_array_spatial(&set->x, &sides);
    uint64_t left = elements / set->longest;
    for (unsigned d = 1; d < count; d++)
        left /= sides[d];
    if (left == 0)
        problem_add(p, 413, NULL,
                    "the longest row of the data set %s has length %" PRIu64
                    ", so that its mask would have more than the limit of %" PRIu64 " elements",
                    set->name, set->longest, elements);
}

bool sequence_request_check(const query *q, const dataset *set, uint64_t elements, problem *p) {
    if (set->ragged) {
        check_window(q, set, p);
        check_shortest(q, set, p);
        check_longest(set, elements, p);
    } else {
        refuse_given(q, QUERY_BUCKET, set, p);
        refuse_given(q, QUERY_PAD_VALUE, set, p);
    }
    return p->status == 0;
}

/* Nanoseconds to sort the places of a batch, with as many around it as the sort does not leave out:
 * about as many on each side. */
static double sorting_cost(uint64_t places, uint64_t rows) {
    uint64_t sorted = rows < places / 3 ? 3 * rows : places;
    unsigned halvings = 0; /* until one is left */
    for (uint64_t left = sorted; left > 1; left /= 2)
        halvings++;
    return 7 * (double)sorted * halvings;
}

weight sequence_request_weight(const query *q, const dataset *set) {
    if (!set->ragged)
        return (weight){0};
    uint64_t places = places_of(q, set), rows = rows_of(q, set);
    double place = q->shuffle ? 120 : 25;
    double row = q->pairing == FMIX_PAIRING_NEIGHBOUR ? 500 : 10;
    double verifying = dataset_read_cost(set, dataset_part_number(set, DATASET_PART_OFFSETS, 0),
                                         places, 16, q->shuffle);
    if (q->pairing == FMIX_PAIRING_NEIGHBOUR)
        verifying += dataset_read_cost(set, dataset_part_number(set, DATASET_PART_NEIGHBOURS, 0),
                                       rows, 8 * set->neighbours.k, true);
    return (weight){.cost = START_COST + place * (double)places + row * (double)rows +
                            sorting_cost(places, rows) + verifying,
                    .memory = places * PLACE_BYTES + rows * ROW_BYTES};
}
