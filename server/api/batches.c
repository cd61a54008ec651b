/* GET /v1/datasets/NAME/batches/STEP: a batch of hosted data, mixed. */
#include "hosted.h"

#include <inttypes.h>
#include <stdlib.h>

/* Beside the parameters: which set, in which state, and which batch. */
static char *text_of(const resource_request *c, const dataset *d, uint64_t step) {
    buffer text = buffer_of(8192);
    char *recipe = recipe_text(&c->query, c->groups);
    text.failed = recipe == NULL;
    buffer_text(&text, recipe ? recipe : "");
    buffer_print(&text, " dataset=%s digest=%s batch=%" PRIu64, d->name, d->digest, step);
    preparer_note(&c->query, d, &text);
    buffer_add(&text, "", 1);
    free(recipe);
    if (text.failed)
        buffer_free(&text);
    return (char *)text.bytes;
}

void batch_get(resource_request *c, resource_result *out) {
    problem *p = &out->problem;
    hosted_place place;
    uint64_t step;
    dataset *d = hosted_find(c, p);
    if (!d)
        return;
    if (!hosted_step(c->captured[1], &step, p) || !hosted_is_pinned(&c->query, d, p) ||
        !mixing_parts(c, true, p) || !hosted_address(&c->query, d, step, &place, p)) {
        dataset_release(d);
        return;
    }
    char *recipe = text_of(c, d, step); /* before what the set supplies is filled in */
    tensor_source *s = recipe ? hosted_source(c, d, &place, p) : NULL;
    if (!recipe) {
        problem_add(p, 500, NULL, "out of memory");
        dataset_release(d);
    }
    if (s)
        s->recipe = recipe;
    else
        free(recipe);
    if (s && !format_holds_tensors(c->format, &c->query, s, p)) {
        tensor_source_free(s);
        s = NULL;
    }
    out->source = s;
}
