#include "unit.h"

#include "plan.h"
#include "scratch.h"

#include <math.h>

static const fmix_recipe good = {
    .seed = 7, .method = FMIX_METHOD_FMIX, .shape = {2, {8, 9, 0}}, .alpha = 1, .delta = 3};

static const fmix_method methods[] = {FMIX_METHOD_FMIX, FMIX_METHOD_CUTMIX, FMIX_METHOD_MIXUP};

static fmix_plan *plan_of(fmix_context *context, fmix_method method, fmix_shape shape) {
    fmix_recipe recipe = good;
    fmix_plan *plan = NULL;
    recipe.method = method;
    recipe.shape = shape;
    assert_ok(fmix_plan_new(context, &recipe, &plan));
    return plan;
}

static const fmix_shape growing[] = {{1, {1, 0, 0}},      {1, {2, 0, 0}},    {1, {30, 0, 0}},
                                     {2, {8, 8, 0}},      {3, {8, 8, 8}},    {2, {32, 32, 0}},
                                     {2, {224, 224, 0}},  {3, {64, 64, 64}}, {1, {1u << 20, 0, 0}},
                                     {2, {4096, 4096, 0}}};
#define GROWING (sizeof growing / sizeof *growing)

/* MPFR settles such masks, and admission by cost must know. */
static void a_last_side_of_one_is_dear_by_the_official_law(void **state) {
    (void)state;
    fmix_context *context = unit_context();
    static const fmix_shape shapes[] = {{2, {10, 1}}, {2, {4096, 1}}, {3, {8, 8, 1}}};
    for (unsigned i = 0; i < 3; i++)
        for (unsigned official = 0; official < 2; official++) {
            fmix_recipe recipe = {.alpha = 1, .delta = 3, .shape = shapes[i]};
            recipe.spectrum = official ? FMIX_SPECTRUM_OFFICIAL : FMIX_SPECTRUM_PAPER;
            fmix_plan *plan = NULL;
            assert_ok(fmix_plan_new(context, &recipe, &plan));
            assert_int_equal(fmix_plan_mask_cost(plan) > 1e5, official);
            fmix_plan_free(plan);
        }
    fmix_context_free(context);
}

static void cost_and_memory_grow_with_the_mask(void **state) {
    (void)state;
    fmix_context *context = unit_context();
    for (int m = 0; m < 3; m++) {
        double cost = 0;
        uint64_t memory = 0;
        for (size_t i = 0; i < GROWING; i++) {
            fmix_plan *plan = plan_of(context, methods[m], growing[i]);
            double c = fmix_plan_mask_cost(plan);
            uint64_t b = fmix_plan_memory(plan);
            assert_true(isfinite(c) && c > 0);
            if (methods[m] == FMIX_METHOD_MIXUP) /* a row's lambda costs the same at any size */
                assert_true((i == 0 || c == cost) && b == 0);
            else
                assert_true(c > cost && b > memory);
            cost = c;
            memory = b;
            fmix_plan_free(plan);
        }
    }
    fmix_context_free(context);
}

static uint64_t rooms_of(const fmix_scratch *scratch) {
    return (scratch->x_room + 2 * scratch->g_room) * sizeof(double) + scratch->mask_room;
}

static void a_scratch_holds_no_more_than_the_plan_says(void **state) {
    (void)state;
    fmix_context *context = unit_context();
    unsigned char mask[224 * 224];
    for (int m = 0; m < 2; m++)
        for (size_t i = 0; i < 7; i++) {
            fmix_plan *plan = plan_of(context, methods[m], growing[i]);
            fmix_scratch *scratch = NULL;
            assert_ok(fmix_scratch_new(&scratch));
            assert_ok(fmix_plan_masks(plan, scratch, 0, 1, FMIX_DTYPE_U8, mask));
            assert_true(rooms_of(scratch) <= fmix_plan_memory(plan));
            assert_true(scratch->mask_room >= plan->elements);
            fmix_scratch_free(scratch);
            fmix_plan_free(plan);
        }
    fmix_context_free(context);
}

RUN(T(a_last_side_of_one_is_dear_by_the_official_law), T(cost_and_memory_grow_with_the_mask),
    T(a_scratch_holds_no_more_than_the_plan_says))
