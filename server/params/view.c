#include "view.h"

#include <inttypes.h>

static void refuse_with_view(const query *q, query_id id, fmix_view_kind kind, problem *p) {
    const char *name = query_table[id].name;
    const char *const *kinds = query_table[QUERY_VIEW].choices;
    if (q->given[id] && q->view != (unsigned)kind)
        problem_add(p, 400, name,
                    "%s is for view=%s, but view is '%s'; leave %s out, or ask for view=%s", name,
                    kinds[kind], kinds[q->view], name, kinds[kind]);
}

static void check_range(const query_reals *range, query_id id, problem *p) {
    const char *name = query_table[id].name;
    if (range->item[0] > range->item[1])
        problem_add(p, 400, name,
                    "%s is %.10g,%.10g; the first number is the least, and must not exceed the "
                    "second: %.10g,%.10g",
                    name, range->item[0], range->item[1], range->item[1], range->item[0]);
}

static uint64_t height_of(const query *q) {
    return q->size.side[0];
}

static uint64_t width_of(const query *q) {
    return q->size.side[q->size.rank - 1];
}

static void check_size(const query *q, const char *whose, uint64_t elements, problem *p) {
    if (!q->given[QUERY_SIZE]) {
        problem_add(p, 400, "size",
                    "size is missing: %s have sizes of their own, and each becomes a view of one "
                    "size; give for example size=224, or size=224x192 for height x width",
                    whose);
        return;
    }
    uint64_t most = elements < FMIX_MAX_ELEMENTS ? elements : FMIX_MAX_ELEMENTS;
    if (height_of(q) > most || width_of(q) > most / height_of(q))
        problem_add(p, 413, "size",
                    "size is %" PRIu64 "x%" PRIu64 ", more than the limit of %" PRIu64
                    " pixels; ask for smaller views",
                    height_of(q), width_of(q), most);
}

bool view_check(const query *q, const char *whose, uint64_t elements, problem *p) {
    check_size(q, whose, elements, p);
    refuse_with_view(q, QUERY_AREA, FMIX_VIEW_RANDOM, p);
    refuse_with_view(q, QUERY_RATIO, FMIX_VIEW_RANDOM, p);
    refuse_with_view(q, QUERY_SHORT, FMIX_VIEW_CENTER, p);
    check_range(&q->area, QUERY_AREA, p);
    check_range(&q->ratio, QUERY_RATIO, p);
    return p->status == 0;
}

fmix_view_recipe view_recipe(const query *q) {
    return (fmix_view_recipe){.kind = (fmix_view_kind)q->view,
                              .height = (uint32_t)height_of(q),
                              .width = (uint32_t)width_of(q),
                              .flips = q->flip != 0,
                              .area = {q->area.item[0], q->area.item[1]},
                              .ratio = {q->ratio.item[0], q->ratio.item[1]},
                              .shorter = (uint32_t)q->shorter};
}

void view_refuse(const query *q, unsigned groups, const char *why, problem *p) {
    for (unsigned i = 0; i < QUERY_COUNT; i++)
        if ((query_table[i].group & groups) && q->given[i])
            problem_add(p, 400, query_table[i].name,
                        "%s is for pictures of any size, %s; leave %s out", query_table[i].name,
                        why, query_table[i].name);
}
