/* GET /v1/datasets/NAME/batches/STEP: a batch of hosted data, mixed. */
#include "hosted_batch.h"
#include "mixed_batch.h"
#include "params/recipe.h"
#include "preprocessor.h"
#include "requested_dataset.h"

#include <inttypes.h>
#include <stdlib.h>

/* The canonical text: the parameters, the set with its digest, and the batch. */
static char *recipe_of(const resource_request *request, const dataset *d, uint64_t step) {
    buffer text = buffer_of(8192);
    char *recipe = recipe_text(&request->query, request->groups);
    text.failed = recipe == NULL;
    buffer_text(&text, recipe ? recipe : "");
    buffer_print(&text, " dataset=%s digest=%s batch=%" PRIu64, d->name, d->digest, step);
    preprocessor_note(&request->query, d, &text);
    buffer_add(&text, "", 1);
    free(recipe);
    if (text.failed)
        buffer_free(&text);
    return (char *)text.bytes;
}

weight batch_weight(const resource_request *request) {
    return requested_dataset_weight(request);
}

void batch_get(resource_request *request, resource_result *out) {
    problem *p = &out->problem;
    batch_address at;
    uint64_t step;
    dataset *d = requested_dataset_find(request, p);
    if (!d)
        return;
    if (!batch_address_step(request->captured[1], &step, p) ||
        !requested_dataset_is_pinned(&request->query, d, p) ||
        !mixed_batch_parts(request, true, p) ||
        !batch_address_find(&request->query, d, step, &at, p)) {
        dataset_release(d);
        return;
    }
    char *recipe = recipe_of(request, d, step); /* before q takes values from the set */
    tensor_source *s = recipe ? hosted_batch_source(request, d, &at, p) : NULL;
    if (!recipe) {
        problem_add(p, 500, NULL, "out of memory");
        dataset_release(d);
    }
    if (s)
        s->recipe = recipe;
    else
        free(recipe);
    if (s && !format_holds_tensors(request->format, &request->query, s, p)) {
        tensor_source_free(s);
        s = NULL;
    }
    out->source = s;
}
