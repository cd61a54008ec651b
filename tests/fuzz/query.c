/* name=value pairs with & between, decoded. What is taken prints as text that is taken as the same,
 * and a choice of methods that is taken has an alpha and a weight for each method. */
#include "fuzz.h"

#include "params/choice.h"
#include "params/recipe.h"

static void check_choice(const query *q) {
    problem p = {0};
    fmix_choice all, one;
    if (!choice_check(q, &p)) {
        FUZZ_ASSERT(p.status == 400 && p.errors[0].parameter[0]);
        return;
    }
    choice_of(q, &all);
    FUZZ_ASSERT(all.count == q->methods.count && all.count && all.prob >= 0 && all.prob <= 1);
    FUZZ_ASSERT(!all.alphas || q->alphas.count == all.count);
    FUZZ_ASSERT(!all.weights || q->weights.count == all.count);
    FUZZ_ASSERT(choice_of_batch(q, q->step, &one));
    FUZZ_ASSERT(one.count == (all.by_sample ? all.count : 1));
    FUZZ_ASSERT(one.methods >= all.methods && one.methods + one.count <= all.methods + all.count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    query q, again;
    problem p = {0}, none = {0};
    query_init(&q);
    query_init(&again);
    for (size_t at = 0, n; at < size; at += n + 1) {
        const uint8_t *stop = memchr(data + at, '&', size - at);
        n = stop ? (size_t)(stop - data) - at : size - at;
        char *name = malloc(n + 1), *value = NULL;
        if (!name)
            return 0;
        memcpy(name, data + at, n);
        name[n] = 0;
        size_t length = n, value_length = 0;
        char *equals = memchr(name, '=', n);
        if (equals) {
            *equals = 0;
            value = equals + 1;
            length = (size_t)(equals - name);
            value_length = n - length - 1;
        }
        query_take(&q, ~0u, name, length, value, value_length, &p);
        free(name);
    }
    char *text = recipe_text(&q, ~0u);
    if (p.status || !text) {
        free(text);
        return 0;
    }
    char *rest = strchr(text, ' ');
    for (char *pair = strtok(rest, " "); pair; pair = strtok(NULL, " ")) {
        char *value = strchr(pair, '=');
        *value++ = 0;
        query_take(&again, ~0u, pair, strlen(pair), value, strlen(value), &none);
    }
    FUZZ_ASSERT(none.status == 0);
    check_choice(&q);
    char *first = recipe_text(&q, ~0u), *second = recipe_text(&again, ~0u);
    FUZZ_ASSERT(first && second && strcmp(first, second) == 0);
    free(first);
    free(second);
    free(text);
    return 0;
}
