#include "unit.h"

#include "rank.h"

#include <math.h>

static double uniform(uint64_t *random) {
    return (double)(unit_random(random) >> 11) * 0x1p-52 - 1;
}

static int descending(const void *a, const void *b) {
    double x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x < y) - (x > y);
}

/* Values whose order is a trap for one step or another. */
enum {
    RANDOM,
    CONSTANT,
    SORTED,
    REVERSED,
    FEW,          /* three different values */
    SAWTOOTH,     /* the same short rise over and over */
    ORGAN,        /* up, then down */
    NEARLY,       /* one value but for a few */
    SAMPLED_HIGH, /* large exactly where a sample at regular places looks */
    SAMPLED_LOW,  /* small there */
    HUGE_ONES,    /* ends of the range, zeros of both signs */
    KINDS
};

static void fill(int kind, double *g, size_t n, uint64_t *random) {
    size_t stride = n / 1024 + (n < 1024), period = 2 + (size_t)(unit_random(random) % 40);
    static const double ends[] = {-1.7976931348623157e308, -5e-324, -0.0, 0.0, 5e-324, 1e308};
    for (size_t i = 0; i < n; i++) {
        double at = (double)i;
        switch (kind) {
        case RANDOM:
            g[i] = uniform(random);
            break;
        case CONSTANT:
            g[i] = 0.1;
            break;
        case SORTED:
            g[i] = at;
            break;
        case REVERSED:
            g[i] = -at;
            break;
        case FEW:
            g[i] = (double)(unit_random(random) % 3);
            break;
        case SAWTOOTH:
            g[i] = (double)(i % period);
            break;
        case ORGAN:
            g[i] = i < n / 2 ? at : (double)(n - i);
            break;
        case NEARLY:
            g[i] = unit_random(random) % 50 ? 1 : uniform(random);
            break;
        case SAMPLED_HIGH:
        case SAMPLED_LOW:
            g[i] = uniform(random);
            if (i % stride == 0)
                g[i] += kind == SAMPLED_HIGH ? 2 : -2;
            break;
        default:
            g[i] = ends[unit_random(random) % 6];
        }
    }
}

/* One array, its order by qsort, and room for the call. */
typedef struct subject {
    size_t n;
    double *g, *before, *sorted, *work;
} subject;

static subject subject_new(int kind, size_t n, uint64_t *random) {
    subject s = {.n = n};
    double **all[] = {&s.g, &s.before, &s.sorted, &s.work};
    for (int i = 0; i < 4; i++) {
        *all[i] = malloc(n * sizeof **all[i]);
        assert_non_null(*all[i]);
    }
    fill(kind, s.g, n, random);
    memcpy(s.before, s.g, n * sizeof *s.g);
    memcpy(s.sorted, s.g, n * sizeof *s.g);
    qsort(s.sorted, n, sizeof *s.sorted, descending);
    return s;
}

static void subject_free(subject *s) {
    free(s->g);
    free(s->before);
    free(s->sorted);
    free(s->work);
}

static void check(const subject *s, size_t k) {
    double kth = NAN, next = NAN;
    fmix_rank_pair(s->g, s->n, k, s->work, &kth, &next);
    assert_true(kth == s->sorted[k - 1]);
    assert_true(next == s->sorted[k]);
}

static void every_rank_of_small_arrays_is_that_of_a_sort(void **state) {
    (void)state;
    uint64_t random = 1;
    for (int kind = 0; kind < KINDS; kind++)
        for (size_t n = 2; n <= 150; n++) {
            subject s = subject_new(kind, n, &random);
            for (size_t k = 1; k < n; k++)
                check(&s, k);
            subject_free(&s);
        }
}

static void ranks_of_middling_arrays_are_those_of_a_sort(void **state) {
    (void)state;
    uint64_t random = 2;
    static const size_t sizes[] = {1023, 1024, 1025, 2047, 2048, 2049, 2050, 3071, 4096, 10007};
    for (int kind = 0; kind < KINDS; kind++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            size_t n = sizes[i];
            subject s = subject_new(kind, n, &random);
            size_t ends[] = {1, 2, 3, n / 1024 + 1, n / 2, n - n / 1024 - 1, n - 2, n - 1};
            for (size_t e = 0; e < sizeof ends / sizeof *ends; e++)
                check(&s, ends[e]);
            for (int k = 0; k < 60; k++)
                check(&s, 1 + (size_t)(unit_random(&random) % (n - 1)));
            assert_memory_equal(s.g, s.before, n * sizeof *s.g);
            subject_free(&s);
        }
}

static void ranks_of_huge_arrays_are_those_of_a_sort(void **state) {
    (void)state;
    uint64_t random = 3;
    for (int kind = RANDOM; kind <= SAWTOOTH; kind++) {
        subject s = subject_new(kind, 1000000, &random);
        check(&s, 1);
        check(&s, 999999);
        for (int k = 0; k < 4; k++)
            check(&s, 1 + (size_t)(unit_random(&random) % (s.n - 1)));
        subject_free(&s);
    }
}

static void every_rank_of_one_bracketed_array_is_that_of_a_sort(void **state) {
    (void)state;
    uint64_t random = 4;
    static const int kinds[] = {RANDOM, FEW, SAMPLED_HIGH, SAMPLED_LOW};
    for (int kind = 0; kind < 4; kind++) {
        subject s = subject_new(kinds[kind], 2500, &random);
        for (size_t k = 1; k < s.n; k++)
            check(&s, k);
        subject_free(&s);
    }
}

static void the_two_may_be_neighbouring_numbers_or_equal(void **state) {
    (void)state;
    double g[5000], work[5000], kth, next;
    for (int i = 0; i < 5000; i++)
        g[i] = i % 2 ? 1 : nextafter(1, 2);
    fmix_rank_pair(g, 5000, 2500, work, &kth, &next);
    assert_true(kth == nextafter(1, 2) && next == 1);
    fmix_rank_pair(g, 5000, 2501, work, &kth, &next);
    assert_true(kth == 1 && next == 1);
}

RUN(T(every_rank_of_small_arrays_is_that_of_a_sort),
    T(ranks_of_middling_arrays_are_those_of_a_sort), T(ranks_of_huge_arrays_are_those_of_a_sort),
    T(every_rank_of_one_bracketed_array_is_that_of_a_sort),
    T(the_two_may_be_neighbouring_numbers_or_equal))
