/* A line that is the query of POST /v1/mix, and the body behind it. What is taken is filled, whole
 * and row by row alike, within the bytes that its tensors say; else a parameter is named. */
#include "fuzz.h"

#include "api/routes.h"

#define ELEMENTS 512 /* of a mask, and of a tensor that is filled twice */
#define BODY     (64u << 10)

/* What the handler needs of a daemon. */
static server_state *daemon_state(void) {
    static server_state state;
    static config settings;
    if (state.context)
        return &state;
    settings.elements = ELEMENTS;
    settings.body = BODY;
    state.config = &settings;
    budget_init(&state.budget, 64u << 20, 1);
    metrics_init(&state.metrics);
    FUZZ_ASSERT(fmix_context_new(8u << 20, &state.context) == FMIX_OK);
    return &state;
}

static const route *mix_route(void) {
    unsigned i = 0;
    while (route_row(i)->handler != mix_post)
        i++;
    return route_row(i);
}

static bool read_query(query *q, unsigned groups, char *line) {
    problem p = {0};
    query_init(q);
    for (char *pair, *rest = line; (pair = strsep(&rest, "&")) != NULL;) {
        char *value = strchr(pair, '=');
        if (value)
            *value++ = 0;
        query_take(q, groups, pair, strlen(pair), value, value ? strlen(value) : 0, &p);
    }
    return p.status == 0;
}

/* Each row by itself is what it is among all. */
static void check_tensor(const tensor *t, fmix_scratch *scratch) {
    uint64_t bytes = tensor_bytes(t);
    if (bytes > ELEMENTS * 8)
        return;
    unsigned char *whole = malloc(bytes + 1), *row = malloc(t->row_bytes + 1);
    FUZZ_ASSERT(whole && row);
    FUZZ_ASSERT(t->fill(t->self, scratch, 0, t->rows, whole) == FMIX_OK);
    for (uint64_t i = 0; i < t->rows; i++) {
        FUZZ_ASSERT(t->fill(t->self, scratch, i, 1, row) == FMIX_OK);
        FUZZ_ASSERT(memcmp(row, whole + i * t->row_bytes, t->row_bytes) == 0);
    }
    free(row);
    free(whole);
}

static void check_source(tensor_source *s) {
    fmix_scratch *scratch;
    FUZZ_ASSERT(fmix_scratch_new(&scratch) == FMIX_OK);
    FUZZ_ASSERT(!s->prepare || s->prepare(s->self) == FMIX_OK);
    for (unsigned i = 0; i < s->count; i++)
        check_tensor(&s->tensors[i], scratch);
    fmix_scratch_free(scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *stop = memchr(data, '\n', size);
    size_t length = stop ? (size_t)(stop - data) : size;
    const route *r = mix_route();
    resource_request request = {
        .server = daemon_state(), .groups = r->groups, .format = &format_safetensors};
    char *line = malloc(length + 1);
    FUZZ_ASSERT(line);
    memcpy(line, data, length);
    line[length] = 0;
    bool good = read_query(&request.query, r->groups, line);
    free(line);
    if (!good || !stop || size > BODY)
        return 0;
    request.body = buffer_paid(BODY, (budget_payer){.from = &request.server->budget});
    FUZZ_ASSERT(buffer_add(&request.body, stop + 1, size - length - 1));
    resource_result out = {0};
    r->weight(&request);
    mix_post(&request, &out);
    FUZZ_ASSERT((out.problem.status == 0) == (out.source != NULL));
    FUZZ_ASSERT(out.source || (out.problem.status < 500 && out.problem.count));
    if (out.source)
        check_source(out.source);
    resource_result_free(&out);
    buffer_free(&request.body);
    FUZZ_ASSERT(budget_held(&request.server->budget) == 0);
    return 0;
}
