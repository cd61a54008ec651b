#include "unit.h"

#include "plan.h"
#include "scratch.h"

#include <math.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

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

typedef struct thin {
    fmix_shape shape;
    double delta, soft;
} thin;

static fmix_plan *thin_plan(fmix_context *context, const thin *of, fmix_spectrum spectrum) {
    const fmix_recipe recipe = {.alpha = 1,
                                .delta = of->delta,
                                .soft = of->soft,
                                .shape = of->shape,
                                .spectrum = spectrum,
                                .lambda_given = true,
                                .lambda = 0.3};
    fmix_plan *plan = NULL;
    assert_ok(fmix_plan_new(context, &recipe, &plan));
    return plan;
}

/* Many pixels are equal, or so close that MPFR settles them, and admission by cost must know. */
static void lines_of_close_values_are_dear(void **state) {
    (void)state;
    fmix_context *context = unit_context();
    static const struct {
        thin of;
        double least;
    } table[] = {{{{3, {8, 8, 1}}, 3, 0}, 1e5},        {{{3, {512, 2, 1}}, 3, 0}, 5e5},
                 {{{3, {16, 8192, 1}}, 10, 0}, 1e8},   {{{3, {5, 2000, 2}}, 10, 0.42}, 4e10},
                 {{{3, {65536, 2, 1}}, 3, 1e-9}, 1e8}, {{{3, {16, 8192, 1}}, 10, 1e-9}, 1e8}};
    for (unsigned i = 0; i < sizeof table / sizeof *table; i++)
        for (unsigned official = 0; official < 2; official++) {
            fmix_plan *plan = thin_plan(context, &table[i].of,
                                        official ? FMIX_SPECTRUM_OFFICIAL : FMIX_SPECTRUM_PAPER);
            assert_int_equal(fmix_plan_mask_cost(plan) > table[i].least, official);
            fmix_plan_free(plan);
        }
    fmix_context_free(context);
}

/* Values lie close by chance where they are many and delta is small: 0.05 s and 10 s were measured.
 */
static void a_band_of_many_values_is_dear_where_delta_is_small(void **state) {
    (void)state;
    fmix_context *context = unit_context();
    static const thin table[] = {{{1, {506709}}, 3, 0.34}, {{1, {506709}}, 0.5, 0.34}};
    double cost[2];
    for (unsigned i = 0; i < 2; i++) {
        fmix_plan *plan = thin_plan(context, &table[i], FMIX_SPECTRUM_PAPER);
        cost[i] = fmix_plan_mask_cost(plan);
        fmix_plan_free(plan);
    }
    assert_true(cost[0] < 1e9 && cost[1] > 2e9);
    fmix_context_free(context);
}

/* Bytes by which a process grows that draws a mask, or a grey image, and nothing else. */
static uint64_t growth_of(const thin *of, bool grey) {
    int ends[2], ended;
    uint64_t bytes = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rusage before, after;
        fmix_context *context = unit_context();
        fmix_plan *plan = thin_plan(context, of, FMIX_SPECTRUM_OFFICIAL);
        fmix_scratch *scratch = NULL;
        unsigned char *out = malloc(4 * (size_t)fmix_shape_elements(&of->shape));
        getrusage(RUSAGE_SELF, &before);
        bool drawn = out && fmix_scratch_new(&scratch) == FMIX_OK &&
                     (grey ? fmix_plan_greys : fmix_plan_masks)(plan, scratch, 0, 1, FMIX_DTYPE_F32,
                                                                out) == FMIX_OK;
        getrusage(RUSAGE_SELF, &after);
        bytes = (uint64_t)(after.ru_maxrss - before.ru_maxrss) * 1024;
        _exit(!drawn || write(ends[1], &bytes, sizeof bytes) != sizeof bytes);
    }
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_int_equal(ended, 0);
    assert_int_equal(read(ends[0], &bytes, sizeof bytes), sizeof bytes);
    close(ends[0]);
    close(ends[1]);
    return bytes;
}

/* Beside what the plan says: the process's own, the caller's mask, and what a cache keeps. */
#define MORE_BYTES (4u << 20)

static void contested_lines_need_no_more_than_the_plan_says(void **state) {
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip(); /* a sanitizer's own memory */
#endif
    static const thin table[] = {
        {{2, {1u << 20, 1}}, 3, 0},     {{3, {1u << 19, 1, 1}}, 3, 0}, {{3, {262144, 2, 1}}, 3, 0},
        {{3, {131072, 3, 1}}, 3, 0},    {{3, {65536, 7, 1}}, 3, 0},    {{3, {512, 512, 1}}, 3, 0},
        {{3, {5585, 11, 2}}, 10, 0.48}, {{3, {179988, 1, 2}}, 7, 0.1}, {{2, {4, 33342}}, 10, 0.18},
        {{2, {100000, 1}}, 3, 0.3},     {{3, {40000, 2, 1}}, 3, 0.4}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        for (unsigned grey = 0; grey < 2; grey++) {
            fmix_context *context = unit_context();
            fmix_plan *plan = thin_plan(context, &table[i], FMIX_SPECTRUM_OFFICIAL);
            uint64_t elements = fmix_shape_elements(&table[i].shape);
            uint64_t most = fmix_plan_memory(plan) + 4 * elements + MORE_BYTES;
            fmix_plan_free(plan);
            fmix_context_free(context);
            assert_in_range(growth_of(&table[i], grey), 8 * elements, most);
        }
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

RUN(T(lines_of_close_values_are_dear), T(a_band_of_many_values_is_dear_where_delta_is_small),
    T(contested_lines_need_no_more_than_the_plan_says), T(cost_and_memory_grow_with_the_mask),
    T(a_scratch_holds_no_more_than_the_plan_says))
