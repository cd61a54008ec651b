#include "unit.h"

#include "memory.h"
#include "transform_way.h"

#include <math.h>

enum { MOST = 4096 }; /* elements */

static const double pi = 3.14159265358979323846;

/* The value at an element, by definition: bins past the half are the conjugates of their mirrors,
 * and the sum is real because every bin counts with its mirror. */
static double sum_at(const fmix_shape *shape, const double *x, const uint32_t at[3]) {
    fmix_sides s = fmix_shape_sides(shape);
    uint32_t row = s.n[2] / 2 + 1;
    double sum = 0;
    for (uint32_t i = 0; i < s.n[0]; i++)
        for (uint32_t j = 0; j < s.n[1]; j++)
            for (uint32_t k = 0; k < row; k++) {
                const double *bin = x + 2 * (((size_t)i * s.n[1] + j) * row + k);
                double turn = (double)i * at[0] / s.n[0] + (double)j * at[1] / s.n[1] +
                              (double)k * at[2] / s.n[2];
                double times = fmix_self_mirrored(k, s.n[2]) ? 1 : 2;
                sum += times * (bin[0] * cos(2 * pi * turn) - bin[1] * sin(2 * pi * turn));
            }
    return sum;
}

/* The bins of columns that are their own mirrors do not agree here, so that values have imaginary
 * parts, which no way may let in. */
static void fill(const fmix_shape *shape, double *x) {
    uint64_t random = 9;
    for (size_t i = 0; i < 2 * fmix_shape_bins(shape); i++)
        x[i] = (double)(unit_random(&random) >> 11) * 0x1p-52 - 1;
}

static void check(fmix_way_kind kind, const fmix_shape *shape, double *x, double *g) {
    fmix_sides s = fmix_shape_sides(shape);
    bool even = (uint64_t)s.n[0] * s.n[1] % 2 == 0, large = s.n[2] >= 4 && s.n[0] * s.n[1] >= 8;
    assert_true(fmix_way_serves(kind, shape) <= (kind == FMIX_WAY_WHOLE || even));
    assert_true(fmix_way_serves(kind, shape) >= (kind == FMIX_WAY_WHOLE || (even && large)));
    if (!fmix_way_serves(kind, shape))
        return;
    double *kept = fmix_aligned_new(2 * (MOST + 2));
    fmix_way way;
    assert_non_null(kept);
    assert_true(fmix_way_plan(kind, FFTW_ESTIMATE, shape, x, g, &way));
    assert_true(fmix_way_is_planned(&way));
    fill(shape, kept);
    memcpy(x, kept, 2 * fmix_shape_bins(shape) * sizeof *x);
    fmix_way_run(&way, x, g);
    for (uint32_t e = 0; e < fmix_shape_elements(shape); e++) {
        uint32_t at[3] = {e / s.n[2] / s.n[1], e / s.n[2] % s.n[1], e % s.n[2]};
        assert_true(fabs(g[e] - sum_at(shape, kept, at)) < 1e-10);
    }
    fmix_way_drop(&way);
    assert_false(fmix_way_is_planned(&way));
    fmix_aligned_free(kept);
}

static void both_ways_sum_the_bins_of_every_shape(void **state) {
    double *x = fmix_aligned_new(2 * (MOST + 2)), *g = fmix_aligned_new(MOST);
    (void)state;
    assert_true(x && g);
    for (unsigned kind = 0; kind < FMIX_WAY_KINDS; kind++) {
        for (uint32_t rows = 1; rows <= 10; rows++)
            for (uint32_t side = 1; side <= 13; side++) {
                check(kind, &(fmix_shape){2, {rows, side, 0}}, x, g);
                check(kind, &(fmix_shape){3, {2, rows, side}}, x, g);
                check(kind, &(fmix_shape){3, {3, rows, side}}, x, g);
            }
        check(kind, &(fmix_shape){1, {24, 0, 0}}, x, g);
        check(kind, &(fmix_shape){2, {2, 1500, 0}}, x, g); /* larger than a batch */
        check(kind, &(fmix_shape){2, {62, 31, 0}}, x, g);  /* of 31 pairs, a prime */
    }
    fmix_aligned_free(g);
    fmix_aligned_free(x);
}

/* FFTW's plans are made for rows of the first batch, and run on those of every other. */
static void rows_of_every_batch_have_the_alignment_of_the_first(void **state) {
    double *g = fmix_aligned_new(MOST);
    (void)state;
    assert_non_null(g);
    for (size_t row = 0; row < 100; row += 2)
        assert_int_equal(fftw_alignment_of(g + row), fftw_alignment_of(g));
    fmix_aligned_free(g);
}

RUN(T(both_ways_sum_the_bins_of_every_shape),
    T(rows_of_every_batch_have_the_alignment_of_the_first))
