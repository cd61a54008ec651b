#include "view_request.h"
#include "datasets/dataset_part.h"
#include "datasets/dataset_read.h"
#include "params/view.h"

#include <stdio.h>

#define ROW_BYTES  192 /* of a batch: the sample, its picture (or label map) and its view */
#define ROW_COST   500 /* nanoseconds */
#define START_COST 2e3

static void refuse_window(const query *q, query_id id, const dataset *set, problem *p) {
    if (q->given[id])
        problem_add(p, 400, query_table[id].name,
                    "%s is for rows of one shape, but the pictures of the data set %s become "
                    "views; leave %s out, and choose windows by view, area and ratio",
                    query_table[id].name, set->name, query_table[id].name);
}

bool view_request_check(const query *q, const dataset *set, uint64_t elements, problem *p) {
    char text[DATASET_NAME + 40];
    if (!set->images) {
        snprintf(text, sizeof text, "but the data set %s has none", set->name);
        view_refuse(q, GROUP_VIEW, text, p);
        return p->status == 0;
    }
    snprintf(text, sizeof text, "the pictures of the data set %s", set->name);
    view_check(q, text, elements, p);
    refuse_window(q, QUERY_CROP, set, p);
    refuse_window(q, QUERY_PAD, set, p);
    return p->status == 0;
}

weight view_request_weight(const query *q, const dataset *set) {
    if (!set->images)
        return (weight){0};
    uint64_t rows = q->n < set->count ? q->n : set->count;
    rows *= q->pairing == FMIX_PAIRING_NEIGHBOUR ? 2 : 1;
    double verifying = dataset_read_cost(set, dataset_part_number(set, DATASET_PART_INDEX, 0), rows,
                                         DATASET_PICTURE_ENTRY, true);
    for (unsigned i = 0; i < set->denses; i++)
        verifying += dataset_read_cost(set, dataset_part_number(set, DATASET_PART_MAPS, i), rows,
                                       DATASET_PICTURE_ENTRY, true);
    rows *= 1 + set->denses; /* each label map is found and viewed as a picture is */
    return (weight){.cost = START_COST + ROW_COST * (double)rows + verifying,
                    .memory = rows * ROW_BYTES};
}
