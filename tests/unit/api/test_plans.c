#include "served_bench.h"

static resource_result ask(const char *text, const format *f) {
    resource_request c = served_request(bench, plans_get, text, f);
    resource_result out = {0};
    plans_get(&c, &out);
    return out;
}

static tensor_source *made(const char *text) {
    resource_result out = ask(text, &format_npz);
    served_is(&out.problem, 0, "");
    return out.source;
}

enum { N = 4, ELEMENTS = 64 };
#define SHAPE "shape=8x8&n=4&seed=6"

typedef struct plan {
    float masks[N][ELEMENTS];
    int64_t pairing[N];
    double lambda[N], effective[N];
    unsigned char method[N];
} plan;

static void read_plan(const char *text, plan *out) {
    tensor_source *s = made(text);
    served_fill(s, "masks", out->masks, sizeof out->masks);
    served_fill(s, "pairing", out->pairing, sizeof out->pairing);
    served_fill(s, "lambda", out->lambda, sizeof out->lambda);
    served_fill(s, "lambda_eff", out->effective, sizeof out->effective);
    served_fill(s, "method", out->method, sizeof out->method);
    tensor_source_free(s);
}

static void a_plan_is_a_permutation_and_masks_of_lambda_eff(void **state) {
    (void)state;
    plan p;
    unsigned seen = 0;
    read_plan(SHAPE, &p);
    for (unsigned i = 0; i < N; i++) {
        double sum = 0;
        for (unsigned j = 0; j < ELEMENTS; j++)
            sum += (double)p.masks[i][j];
        seen |= 1u << p.pairing[i];
        assert_true(p.effective[i] == sum / ELEMENTS);
        assert_int_equal(p.method[i], FMIX_METHOD_FMIX);
    }
    assert_int_equal(seen, 15);
}

static void many_steps_are_the_plans_of_each_step_one_after_the_other(void **state) {
    (void)state;
    static const char list[] = "&method=fmix,mixup,cutmix&policy=alternate";
    plan one;
    char text[120];
    snprintf(text, sizeof text, SHAPE "&step=5&steps=3%s", list);
    tensor_source *s = made(text);
    float masks[3][N][ELEMENTS];
    int64_t pairing[3][N];
    unsigned char method[3][N];
    double lambda[3][N];
    served_fill(s, "masks", masks, sizeof masks);
    served_fill(s, "pairing", pairing, sizeof pairing);
    served_fill(s, "lambda", lambda, sizeof lambda);
    served_fill(s, "method", method, sizeof method);
    assert_true(served_find(s, "masks")->shape[0] == 3 && served_find(s, "masks")->shape[1] == N);
    tensor_source_free(s);
    for (unsigned i = 0; i < 3; i++) {
        snprintf(text, sizeof text, SHAPE "&step=%u%s", 5 + i, list);
        read_plan(text, &one);
        assert_memory_equal(masks[i], one.masks, sizeof one.masks);
        assert_memory_equal(pairing[i], one.pairing, sizeof one.pairing);
        assert_memory_equal(lambda[i], one.lambda, sizeof one.lambda);
        assert_memory_equal(method[i], one.method, sizeof one.method);
    }
    assert_int_not_equal(method[0][0], method[1][0]);
}

/* A slice may begin and end anywhere. */
static void rows_amid_a_batch_are_the_same_as_in_the_whole(void **state) {
    (void)state;
    double whole[3 * N], part[5];
    tensor_source *s = made(SHAPE "&steps=3");
    const tensor *t = served_find(s, "lambda");
    served_fill(s, "lambda", whole, sizeof whole);
    assert_ok(t->fill(t->self, NULL, 2, 5, part));
    assert_memory_equal(part, whole + 2, sizeof part);
    tensor_source_free(s);
}

static void masks_of_a_method_without_are_its_weights(void **state) {
    (void)state;
    plan p;
    read_plan(SHAPE "&method=mixup&lambda=0.25", &p);
    assert_true(p.masks[0][0] == 0.25f && p.masks[3][63] == 0.25f && p.lambda[2] == 0.25);
}

static void what_no_plan_can_be_made_of_is_refused_by_its_parameter(void **state) {
    (void)state;
    static const struct {
        const char *text, *parameter;
    } table[] = {
        {"n=4", "shape"},
        {SHAPE "&parts=mixed", "parts"},
        {SHAPE "&parts=labels", "parts"},
        {SHAPE "&dtype=u8&soft=0.1", "dtype"},
        {"shape=1000x1000", "shape"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        resource_result out = ask(table[i].text, &format_npz);
        assert_null(out.source);
        assert_true(out.problem.status >= 400 && out.problem.status < 500);
        assert_string_equal(out.problem.errors[0].parameter, table[i].parameter);
    }
}

static void a_format_of_one_tensor_takes_one_part(void **state) {
    (void)state;
    resource_result out = ask(SHAPE "&parts=pairing", &format_npy);
    served_is(&out.problem, 0, "");
    assert_int_equal(out.source->count, 1);
    resource_result_free(&out);
    out = ask(SHAPE "&parts=pairing,lambda", &format_npy);
    assert_null(out.source);
    served_is(&out.problem, 400, "parts");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        T(a_plan_is_a_permutation_and_masks_of_lambda_eff),
        T(many_steps_are_the_plans_of_each_step_one_after_the_other),
        T(rows_amid_a_batch_are_the_same_as_in_the_whole),
        T(masks_of_a_method_without_are_its_weights),
        T(what_no_plan_can_be_made_of_is_refused_by_its_parameter),
        T(a_format_of_one_tensor_takes_one_part),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
