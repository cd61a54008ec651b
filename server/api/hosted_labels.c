#include "hosted_labels.h"
#include "datasets/dataset_part.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static size_t label_bytes(const dataset_head *head) {
    return 4 * (size_t)(head->kind == DATASET_NUMBERS ? 1 : head->classes);
}

/* The zeros of calloc take no memory until a compute thread, after the answer is admitted, writes
 * the labels. */
bool hosted_labels_begin(hosted_labels *l, problem *p) {
    bool good = true;
    for (unsigned i = 0; i < l->set->heads; i++)
        good =
            good && (l->heads[i] = calloc((size_t)l->rows, label_bytes(&l->set->head[i]))) != NULL;
    if (!good)
        problem_add(p, 500, NULL, "out of memory");
    return good;
}

void hosted_labels_end(hosted_labels *l) {
    for (unsigned i = 0; i < DATASET_HEADS; i++)
        free(l->heads[i]);
}

/* Refuses a number of classes that the request gives for a head of a set. */
static bool check_classes(const dataset *set, const dataset_head *head, uint32_t asked,
                          problem *p) {
    if (head->kind == DATASET_VALUES && asked > 0)
        problem_add(p, 400, "classes",
                    "classes is %" PRIu32
                    ", but %s of %s holds values to predict; leave classes out, or let a list of "
                    "classes say 0 for %s",
                    asked, head->name, set->name, head->name);
    if (head->kind == DATASET_NUMBERS && asked < head->classes)
        problem_add(p, 400, "classes", "classes is %" PRIu32 ", but %s of %s has %" PRIu64, asked,
                    head->name, set->name, head->classes);
    return p->status == 0;
}

static bool has_numbers(const dataset *set) {
    bool any = false;
    for (unsigned i = 0; i < set->heads; i++)
        any = any || set->head[i].kind == DATASET_NUMBERS;
    return any;
}

/* The number of classes of each head of class numbers, by the request or by the set; 0 for each
 * head of values. */
static bool find_classes(const dataset *set, query *q, problem *p) {
    query_list own = {0};
    bool one = q->classes.count == 1 && has_numbers(set); /* for all heads of class numbers */
    for (unsigned i = 0; i < set->heads; i++) {
        const dataset_head *head = &set->head[i];
        if (head->kind == DATASET_ROWS)
            continue;
        unsigned which = one ? 0 : own.count;
        if (q->given[QUERY_CLASSES] && which < q->classes.count &&
            !(one && head->kind == DATASET_VALUES) &&
            !check_classes(set, head, q->classes.item[which], p))
            return false;
        own.item[own.count++] = head->kind == DATASET_NUMBERS ? (uint32_t)head->classes : 0;
    }
    if (!q->given[QUERY_CLASSES] && own.count) {
        q->classes = own;
        q->given[QUERY_CLASSES] = true;
    }
    return true;
}

bool hosted_labels_describe(hosted_labels *l, query *q, labels **out, problem *p) {
    upload all = {.count = 0};
    if (l->set->heads == 0 && q->given[QUERY_PARTS] && (q->parts & PART_LABELS)) {
        problem_add(p, 400, "parts", "parts names labels, but the data set %s has no labels",
                    l->set->name);
        return false;
    }
    for (unsigned i = 0; i < l->set->heads; i++) {
        const dataset_head *head = &l->set->head[i];
        array *y = &all.arrays[all.count++];
        *y = (array){.bytes = l->heads[i],
                     .type = head->kind == DATASET_NUMBERS ? DTYPE_I32 : DTYPE_F32,
                     .rank = head->kind == DATASET_ROWS ? 2 : 1,
                     .shape = {l->rows, head->classes}};
        snprintf(y->name, sizeof y->name, "%s", head->name);
    }
    return find_classes(l->set, q, p) && labels_of_dataset(q, &all, l->rows, out, p);
}

bool hosted_labels_gather(hosted_labels *l, const uint64_t *samples, dataset_fault *fault) {
    for (unsigned i = 0; i < l->set->heads; i++) {
        const dataset_head *head = &l->set->head[i];
        size_t bytes = label_bytes(head);
        for (uint64_t r = 0; r < l->rows; r++)
            if (dataset_labels(l->set, i, samples[r], l->heads[i] + r * bytes, fault) !=
                DATASET_TRUE)
                return false;
        dtype_swap(head->kind == DATASET_NUMBERS ? DTYPE_I32 : DTYPE_F32, l->heads[i],
                   (size_t)l->rows * bytes);
    }
    return true;
}

#define GATHER_COST 1.0 /* nanoseconds a byte, into pages that are new */

double hosted_labels_cost(const hosted_labels *l, bool scattered) {
    double cost = 0;
    for (unsigned i = 0; i < l->set->heads; i++) {
        size_t bytes = label_bytes(&l->set->head[i]);
        cost += dataset_read_cost(l->set, dataset_part_number(l->set, DATASET_PART_HEAD, i),
                                  l->rows, bytes, scattered) +
                GATHER_COST * (double)l->rows * (double)bytes;
    }
    return cost;
}

uint64_t hosted_labels_memory(const hosted_labels *l) {
    uint64_t bytes = 0;
    for (unsigned i = 0; i < l->set->heads; i++)
        bytes += label_bytes(&l->set->head[i]);
    return bytes * l->rows;
}
