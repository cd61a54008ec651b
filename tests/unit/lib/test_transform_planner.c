#include "unit.h"

#include "fmix.h"
#include "memory.h"
#include "transform_planner.h"

#include <fftw3.h>
#include <math.h>

enum { SIDE = 12, ROWS = 4, BINS = SIDE / 2 + 1 };

static const fmix_shape line = {1, {SIDE, 0, 0}}, plane = {2, {ROWS, SIDE, 0}};

/* One cosine along 12 elements: bin 1 is 1/2, and its mirror follows from it. */
static void run_cosine(const fmix_fft *fft, const fmix_shape *shape) {
    int elements = (int)fmix_shape_elements(shape);
    double *x = fmix_aligned_new(2 * ROWS * BINS), *g = fmix_aligned_new(ROWS * SIDE);
    assert_true(x && g);
    memset(x, 0, (size_t)2 * ROWS * BINS * sizeof *x);
    x[2] = 0.5;
    fmix_fft_run(fft, x, g);
    for (int i = 0; i < elements; i++)
        assert_true(fabs(g[i] - cos(2 * acos(-1) * i / SIDE)) < 1e-14);
    fmix_aligned_free(g);
    fmix_aligned_free(x);
}

static void a_transform_sums_its_bins(void **state) {
    fmix_fft *fft = NULL;
    bool measured = true;
    (void)state;
    fftw_forget_wisdom();
    for (unsigned i = 0; i < 2; i++) {
        const fmix_shape *shape = i ? &plane : &line;
        assert_ok(fmix_fft_new(shape, &fft, &measured));
        assert_false(measured);
        run_cosine(fft, shape);
        fmix_fft_free(fft);
    }
    fmix_fft_free(NULL);
}

static void check_wisdom(const fmix_shape *shape) {
    fmix_fft *fft = NULL;
    bool measured = true, whole;
    fftw_forget_wisdom();
    assert_ok(fmix_fft_new(shape, &fft, &measured));
    assert_false(measured);
    assert_ok(fmix_fft_measure(fft, 1e-9, &whole));
    assert_false(whole);
    fmix_fft_free(fft);
    assert_ok(fmix_fft_new(shape, &fft, &measured));
    assert_false(measured); /* time ran out */
    assert_ok(fmix_fft_measure(fft, 60, &whole));
    assert_true(whole);
    run_cosine(fft, shape);
    fmix_fft_free(fft);
    assert_ok(fmix_fft_new(shape, &fft, &measured));
    assert_true(measured);
    run_cosine(fft, shape);
    fmix_fft_free(fft);
}

static void a_measured_shape_is_planned_from_wisdom(void **state) {
    (void)state;
    check_wisdom(&line);
    check_wisdom(&plane);
}

/* As an earlier version left it. */
static void wisdom_of_one_way_alone_is_not_a_measured_shape(void **state) {
    double *x = fmix_aligned_new(2 * ROWS * BINS), *g = fmix_aligned_new(ROWS * SIDE);
    fmix_fft *fft = NULL;
    bool measured = true, whole = false;
    (void)state;
    assert_true(x && g);
    fftw_forget_wisdom();
    fftw_plan plan =
        fftw_plan_dft_c2r_2d(ROWS, SIDE, (fftw_complex *)x, g, FFTW_MEASURE | FFTW_DESTROY_INPUT);
    char *text = fftw_export_wisdom_to_string();
    assert_ok(fmix_wisdom_import(text));
    for (unsigned i = 0; i < 2; i++) {
        assert_ok(fmix_fft_new(&plane, &fft, &measured));
        assert_int_equal(measured, i > 0);
        run_cosine(fft, &plane);
        assert_ok(fmix_fft_measure(fft, 60, &whole));
        assert_true(whole);
        run_cosine(fft, &plane);
        fmix_fft_free(fft);
    }
    free(text);
    fftw_destroy_plan(plan);
    fmix_aligned_free(g);
    fmix_aligned_free(x);
}

/* What a thread measures while others make, run and free plans of the same shape. */
static void *measure(void *of) {
    bool whole;
    for (int i = 0; i < 20; i++)
        assert_ok(fmix_fft_measure(of, 0.01, &whole));
    return of;
}

static void plans_are_run_and_freed_while_another_is_measured(void **state) {
    fmix_fft *fft = NULL, *other = NULL;
    bool measured;
    pthread_t thread;
    (void)state;
    assert_ok(fmix_fft_new(&plane, &fft, &measured));
    assert_int_equal(pthread_create(&thread, NULL, measure, fft), 0);
    for (int i = 0; i < 50; i++) {
        assert_ok(fmix_fft_new(&plane, &other, &measured));
        run_cosine(fft, &plane);
        run_cosine(other, &plane);
        fmix_fft_free(other);
    }
    pthread_join(thread, NULL);
    fmix_fft_free(fft);
}

/* The length of FFTW's wisdom as text, which grows with what FFTW keeps. */
static size_t wisdom(void) {
    char *text = fftw_export_wisdom_to_string();
    assert_non_null(text);
    size_t length = strlen(text);
    free(text);
    return length;
}

static void wisdom_does_not_grow_with_the_number_of_shapes(void **state) {
    size_t most[3] = {0}; /* of each thousand or so */
    fmix_fft *fft = NULL;
    bool measured;
    (void)state;
    for (unsigned i = 0; i < 3300; i++) {
        fmix_shape shape = {.rank = 2, .side = {1 + i % 60, 1 + i / 60}};
        assert_ok(fmix_fft_new(&shape, &fft, &measured));
        fmix_fft_free(fft);
        size_t now = i % 10 ? 0 : wisdom();
        if (now > most[i / 1100])
            most[i / 1100] = now;
    }
    assert_true(most[0] > 0 && most[2] < most[0] * 3 / 2);
}

RUN(T(a_transform_sums_its_bins), T(a_measured_shape_is_planned_from_wisdom),
    T(wisdom_of_one_way_alone_is_not_a_measured_shape),
    T(plans_are_run_and_freed_while_another_is_measured),
    T(wisdom_does_not_grow_with_the_number_of_shapes))
