#include "recipe.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool recipe_from_query(const query *q, fmix_recipe *out, problem *p) {
    if (q->given[QUERY_LAMBDA] && q->given[QUERY_ALPHA]) {
        problem_add(p, 400, "lambda",
                    "lambda and alpha exclude each other: lambda is either fixed or drawn");
        return false;
    }
    if (q->given[QUERY_LAMBDA] && q->given[QUERY_REFORMULATE]) {
        problem_add(
            p, 400, "lambda",
            "lambda and reformulate exclude each other: reformulate changes how lambda is drawn");
        return false;
    }
    *out = (fmix_recipe){.seed = q->seed,
                         .method = q->methods.item[0],
                         .alpha = q->alphas.item[0],
                         .delta = q->delta,
                         .lambda_given = q->given[QUERY_LAMBDA],
                         .lambda = q->lambda,
                         .reformulate = q->reformulate != 0,
                         .scope_batch = q->scope == SCOPE_BATCH,
                         .frequency = (fmix_frequency)q->frequency,
                         .box = (fmix_box)q->box,
                         .spectrum = (fmix_spectrum)q->spectrum,
                         .soft = q->soft};
    return true;
}

static bool has_spectrum(const query *q) {
    for (unsigned i = 0; i < q->methods.count; i++)
        if (fmix_method_has_spectrum(q->methods.item[i]))
            return true;
    return false;
}

bool recipe_spectrum(const query *q, const fmix_shape *shape, problem *p) {
    if (q->spectrum != FMIX_SPECTRUM_OFFICIAL || !has_spectrum(q))
        return true;
    if (q->frequency == FMIX_FREQUENCY_EXTENT)
        problem_add(p, 400, "frequency",
                    "frequency is 'extent', which FMix's released code does not have; use "
                    "frequency=pixel with spectrum=official");
    if (shape->side[0] == 1)
        problem_add(p, 400, "spectrum",
                    "spectrum is 'official', but FMix's released code fails where the first "
                    "dimension is 1; use spectrum=paper");
    return p->status == 0;
}

bool recipe_softens(const query *q) {
    return q->soft > 0 && has_spectrum(q);
}

bool recipe_shape(unsigned rank, const uint64_t *sides, uint64_t elements, const char *parameter,
                  fmix_shape *out, problem *p) {
    uint64_t product = 1;
    out->rank = rank;
    for (unsigned d = 0; d < rank; d++) {
        if (sides[d] > elements || product > elements / sides[d]) {
            problem_add(p, 413, parameter,
                        "with this %s a mask would have more than the limit of %" PRIu64
                        " elements",
                        parameter, elements);
            return false;
        }
        product *= sides[d];
        out->side[d] = (uint32_t)sides[d];
    }
    return true;
}

bool recipe_address(query *q, uint64_t rows, uint64_t batches, problem *p) {
    if (q->step > UINT64_MAX - (batches - 1)) {
        problem_add(p, 400, "steps",
                    "the number of the last batch, step + steps - 1, exceeds 2^64-1");
        return false;
    }
    if (!q->given[QUERY_INDEX] && q->given[QUERY_STEP]) {
        if (q->step > UINT64_MAX / rows) {
            problem_add(p, 400, "step",
                        "step is %" PRIu64 "; step*n exceeds the largest sample number, 2^64-1",
                        q->step);
            return false;
        }
        q->index = q->step * rows;
    }
    if (q->index > UINT64_MAX - (rows * batches - 1)) {
        problem_add(p, 400, q->given[QUERY_INDEX] ? "index" : "step",
                    "index is %" PRIu64 " and there are %" PRIu64
                    " rows; the number of the last row exceeds 2^64-1",
                    q->index, rows * batches);
        return false;
    }
    return true;
}

/* size=224x224 asks for what size=224 does, and so has its text. Names of shards keep their
 * spelling: lists of them were released with it. */
static void print_value(const query *q, query_id id, buffer *out) {
    if (id == QUERY_SIZE && q->size.rank == 2 && q->size.side[0] == q->size.side[1])
        buffer_number(out, q->size.side[0]);
    else
        query_print(q, id, out);
}

#define USUAL_TEXT 512 /* bytes that most recipes fit in */

char *recipe_text(const query *q, unsigned groups) {
    buffer text = buffer_of(2048);
    buffer_reserve(&text, USUAL_TEXT);
    buffer_text(&text, "stream=");
    buffer_number(&text, FMIX_STREAM);
    for (unsigned i = 0; i < QUERY_COUNT; i++) {
        const query_parameter *row = &query_table[i];
        if (!(row->group & groups) || ((!row->fallback || row->later) && !q->given[i]))
            continue;
        if (i == QUERY_ALPHA && q->given[QUERY_LAMBDA])
            continue;
        buffer_text(&text, " ");
        buffer_text(&text, row->name);
        buffer_text(&text, "=");
        print_value(q, (query_id)i, &text);
    }
    buffer_add(&text, "", 1);
    if (text.failed)
        buffer_free(&text);
    return (char *)text.bytes;
}
