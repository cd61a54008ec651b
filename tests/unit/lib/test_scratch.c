#include "unit.h"

#include "kernels.h"
#include "plan.h"
#include "scratch.h"

static fmix_scratch *new_scratch(void) {
    fmix_scratch *scratch = NULL;
    assert_ok(fmix_scratch_new(&scratch));
    return scratch;
}

static void memory_grows_to_the_largest_shape_and_stays(void **state) {
    fmix_scratch *s = new_scratch();
    (void)state;
    assert_ok(fmix_scratch_reserve(s, 100, 180));
    assert_true(s->x_room >= 2 * (100 + FMIX_KERNELS_PAD) && s->g_room >= 180 + FMIX_KERNELS_PAD);
    const double *x = s->x, *g = s->g;
    assert_ok(fmix_scratch_reserve(s, 10, 18));
    assert_true(s->x == x && s->g == g);
    assert_ok(fmix_scratch_reserve(s, 1000, 1800));
    assert_true(s->x_room >= 2 * (1000 + FMIX_KERNELS_PAD) && s->g_room >= 1800 + FMIX_KERNELS_PAD);
    assert_ok(fmix_scratch_reserve_mask(s, 1800));
    assert_true(s->mask_room >= 1800);
    fmix_scratch_free(s);
    fmix_scratch_free(NULL);
}

static void a_trim_keeps_small_arrays_and_frees_large_ones(void **state) {
    const uint64_t large = UINT64_C(1) << 20;
    fmix_scratch *s = new_scratch();
    (void)state;
    assert_ok(fmix_scratch_reserve(s, 100, 180));
    assert_ok(fmix_scratch_reserve_mask(s, 180));
    fmix_scratch_trim(s);
    assert_true(s->x && s->g && s->work && s->mask);
    assert_ok(fmix_scratch_reserve(s, large, large));
    assert_ok(fmix_scratch_reserve_mask(s, 5 * large));
    fmix_scratch_trim(s);
    assert_true(!s->x && !s->g && !s->work && !s->mask);
    assert_ok(fmix_scratch_reserve(s, 100, 180)); /* usable again */
    assert_true(s->x && s->g && s->work);
    fmix_scratch_free(s);
}

static void sizes_that_no_machine_has_are_refused_and_leave_it_usable(void **state) {
    fmix_scratch *s = new_scratch();
    (void)state;
    assert_int_equal(fmix_scratch_reserve(s, 100, SIZE_MAX / 8), FMIX_ERROR_MEMORY);
    assert_ok(fmix_scratch_reserve(s, 100, 180));
    assert_true(s->x && s->g && s->work);
    fmix_scratch_free(s);
}

static const fmix_recipe good = {.method = FMIX_METHOD_FMIX, .alpha = 1, .delta = 3};

static fmix_plan *plan_of(fmix_context *context, fmix_method method, fmix_shape shape) {
    fmix_recipe recipe = good;
    fmix_plan *plan = NULL;
    recipe.method = method;
    recipe.shape = shape;
    assert_ok(fmix_plan_new(context, &recipe, &plan));
    return plan;
}

static uint64_t rooms_of(const fmix_scratch *scratch) {
    return (scratch->x_room + 2 * scratch->g_room) * sizeof(double) + scratch->mask_room;
}

static void a_trimmed_scratch_draws_again(void **state) {
    (void)state;
    fmix_context *context = unit_context();
    fmix_plan *large = plan_of(context, FMIX_METHOD_FMIX, (fmix_shape){2, {1024, 1024, 0}});
    fmix_plan *box = plan_of(context, FMIX_METHOD_CUTMIX, (fmix_shape){2, {4096, 4096, 0}});
    fmix_scratch *scratch = NULL;
    unsigned char *mask = malloc(1u << 24);
    assert_non_null(mask);
    assert_ok(fmix_scratch_new(&scratch));
    assert_ok(fmix_plan_masks(large, scratch, 0, 1, FMIX_DTYPE_U8, mask));
    assert_ok(fmix_plan_masks(box, scratch, 0, 1, FMIX_DTYPE_U8, mask));
    assert_true(rooms_of(scratch) > 40u << 20);
    fmix_scratch_trim(scratch);
    assert_true(rooms_of(scratch) <= 16u << 20);
    assert_ok(fmix_plan_masks(large, scratch, 0, 1, FMIX_DTYPE_U8, mask)); /* and grows again */
    free(mask);
    fmix_scratch_free(scratch);
    fmix_plan_free(large);
    fmix_plan_free(box);
    fmix_context_free(context);
}

RUN(T(memory_grows_to_the_largest_shape_and_stays),
    T(a_trim_keeps_small_arrays_and_frees_large_ones),
    T(sizes_that_no_machine_has_are_refused_and_leave_it_usable), T(a_trimmed_scratch_draws_again))
