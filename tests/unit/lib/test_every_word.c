/* Functions of one 32-bit word against MPFR: of every word with FMIX_EVERY_WORD=1, on all cores,
 * which takes about two hours of one; else in slices. The worst that was seen is printed. */
#include "unit.h"

#include "elementary.h"
#include "kernels.h"

#include <math.h>
#include <mpfr.h>
#include <pthread.h>
#include <unistd.h>

enum { BATCH = 4096, BUILDS = 3, THREADS_MOST = 64 };
#define WORDS   (UINT64_C(1) << 32)
#define QUARTER (UINT32_C(1) << 30)

/* The largest relative errors: of the two scalar functions in units of u, of the kernels' radii and
 * turns as they are. A turn is a complex number of size 1. */
typedef struct worst {
    double logarithm, cosine;
    double radius[BUILDS], turn[BUILDS];
} worst;

static void raise_to(double *most, double x) {
    *most = x > *most ? x : *most; /* NaN would pass: see apart */
}

static double apart(double x, long double exact) {
    if (exact == 0)
        return x == 0 ? 0 : HUGE_VAL;
    long double error = fabsl(((long double)x - exact) / exact);
    return error < HUGE_VALL ? (double)error : HUGE_VAL;
}

static double ones[BATCH];
static uint32_t zeros[BATCH];

/* All builds that this machine runs. */
#define EACH(k, nth)                                                                               \
    for (size_t nth = 0; fmix_kernels_nth(nth); nth++)                                             \
        for (const fmix_kernels *k = fmix_kernels_nth(nth); k && k->runs(); k = NULL)

static void logarithms(uint64_t first, worst *seen) {
    uint32_t word[BATCH];
    long double exact[BATCH];
    double x[2 * BATCH];
    mpfr_t y;
    mpfr_init2(y, 72);
    for (size_t i = 0; i < BATCH; i++) {
        word[i] = (uint32_t)(first + i);
        mpfr_set_ui_2exp(y, (unsigned long)(first + i + 1), -32, MPFR_RNDN);
        mpfr_log(y, y, MPFR_RNDN);
        exact[i] = mpfr_get_ld(y, MPFR_RNDN);
        raise_to(&seen->logarithm, apart(fmix_log_word(word[i]), exact[i]) * 0x1p53);
        exact[i] = sqrtl(-2 * exact[i]);
    }
    EACH(kernels, nth) {
        kernels->normals(ones, word, zeros, BATCH, x);
        for (size_t i = 0; i < BATCH; i++) {
            raise_to(&seen->radius[nth], apart(x[2 * i], exact[i]));
            raise_to(&seen->radius[nth], x[2 * i + 1] == 0 ? 0 : HUGE_VAL);
        }
    }
    mpfr_clear(y);
}

/* cos and sin of 2 pi r / 2^32, r up to an eighth, out of two tables: r = coarse * 2^15 + fine. */
enum { FINE = 1 << 15, COARSE = (1 << 14) + 1, ENTRIES = FINE + COARSE };
static mpfr_t table[ENTRIES][2];

static void make_table(void) {
    mpfr_t angle;
    mpfr_init2(angle, 128);
    for (uint32_t i = 0; i < ENTRIES; i++) {
        uint32_t r = i < FINE ? i : (i - FINE) << 15;
        mpfr_inits2(96, table[i][0], table[i][1], (mpfr_ptr)NULL);
        mpfr_const_pi(angle, MPFR_RNDN);
        mpfr_mul_ui(angle, angle, r, MPFR_RNDN);
        mpfr_div_2ui(angle, angle, 31, MPFR_RNDN);
        mpfr_sin_cos(table[i][1], table[i][0], angle, MPFR_RNDN);
    }
    mpfr_clear(angle);
}

static void free_table(void) {
    for (uint32_t i = 0; i < ENTRIES; i++)
        mpfr_clears(table[i][0], table[i][1], (mpfr_ptr)NULL);
}

/* Words q 2^30 + r and q 2^30 - r: their cosines and sines are those of r, swapped and negated. */
typedef struct turn {
    long double cosine, sine;
} turn;

/* The cosine and sine of the i-th word of a batch. */
static turn turn_at(uint32_t q, bool back, const turn *exact, size_t i) {
    static const int cosine_sign[] = {1, -1, -1, 1}, sine_sign[] = {1, 1, -1, -1};
    long double sine = back ? -exact[i].sine : exact[i].sine;
    return (turn){.cosine = cosine_sign[q] * (q % 2 ? sine : exact[i].cosine),
                  .sine = sine_sign[q] * (q % 2 ? exact[i].cosine : sine)};
}

static void check_turns(uint32_t q, bool back, uint32_t first, const turn *exact, worst *seen) {
    uint32_t word[BATCH];
    double x[2 * BATCH], radius = sqrt(-2 * fmix_log_word(0));
    for (uint32_t i = 0; i < BATCH; i++) {
        word[i] = q * QUARTER + (back ? -(first + i) : first + i);
        long double cosine = turn_at(q, back, exact, i).cosine;
        raise_to(&seen->cosine, apart(fmix_cos_word(word[i]), cosine) * 0x1p53);
    }
    EACH(kernels, nth) {
        kernels->normals(ones, zeros, word, BATCH, x);
        for (size_t i = 0; i < BATCH; i++) {
            turn t = turn_at(q, back, exact, i);
            long double error = hypotl((long double)(x[2 * i] / radius) - t.cosine,
                                       (long double)(x[2 * i + 1] / radius) - t.sine);
            raise_to(&seen->turn[nth], error < HUGE_VALL ? (double)error : HUGE_VAL);
        }
    }
}

static void turns(uint64_t first, worst *seen) {
    turn exact[BATCH];
    mpfr_t x;
    mpfr_init2(x, 80);
    for (size_t i = 0; i < BATCH; i++) {
        mpfr_t *fine = table[(first + i) % FINE], *coarse = table[FINE + (first + i) / FINE];
        mpfr_fmms(x, fine[0], coarse[0], fine[1], coarse[1], MPFR_RNDN);
        exact[i].cosine = mpfr_get_ld(x, MPFR_RNDN);
        mpfr_fmma(x, fine[0], coarse[1], fine[1], coarse[0], MPFR_RNDN);
        exact[i].sine = mpfr_get_ld(x, MPFR_RNDN);
    }
    for (uint32_t q = 0; q < 4; q++) {
        check_turns(q, false, (uint32_t)first, exact, seen);
        check_turns(q, true, (uint32_t)first, exact, seen);
    }
    mpfr_clear(x);
}

/* One thread's share of the batches, in turn. */
typedef struct share {
    void (*check)(uint64_t first, worst *seen);
    uint64_t from, end, step;
    worst seen;
} share;

static void *work(void *user) {
    share *s = user;
    for (uint64_t first = s->from; first < s->end; first += s->step)
        s->check(first, &s->seen);
    mpfr_free_cache();
    return NULL;
}

static void gather(worst *all, const worst *one) {
    raise_to(&all->logarithm, one->logarithm);
    raise_to(&all->cosine, one->cosine);
    for (size_t b = 0; b < BUILDS; b++) {
        raise_to(&all->radius[b], one->radius[b]);
        raise_to(&all->turn[b], one->turn[b]);
    }
}

/* Batches from 0 on below `end`, every one or every `stride`th. */
static void try(void (*check)(uint64_t, worst *), uint64_t end, uint64_t stride, worst *all) {
    static share shares[THREADS_MOST];
    pthread_t threads[THREADS_MOST];
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t n = cores < 1 ? 1 : cores > THREADS_MOST ? THREADS_MOST : (size_t)cores;
    for (size_t i = 0; i < n; i++) {
        shares[i] = (share){check, i * stride * BATCH, end, n * stride * BATCH, {.logarithm = 0}};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &shares[i]), 0);
    }
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        gather(all, &shares[i].seen);
    }
}

static uint64_t stride_of(uint64_t usual) {
    const char *every = getenv("FMIX_EVERY_WORD");
    return every && every[0] == '1' ? 1 : usual;
}

static int begin(void **state) {
    (void)state;
    for (size_t i = 0; i < BATCH; i++)
        ones[i] = 1;
    make_table();
    return 0;
}

static int end(void **state) {
    (void)state;
    free_table();
    return 0;
}

static void logarithms_and_radii_are_within_their_bounds(void **state) {
    (void)state;
    worst all = {.logarithm = 0};
    try(logarithms, WORDS, stride_of(9973), &all);
    logarithms(WORDS - BATCH, &all);
    print_message("log %.3f u\n", all.logarithm);
    assert_true(all.logarithm > 0.1 && all.logarithm <= 5);
    EACH(kernels, nth) {
        print_message("radius, %s: 2^%.2f\n", kernels->name, log2(all.radius[nth]));
        assert_true(all.radius[nth] > 0x1p-54 && all.radius[nth] <= 0x1p-42);
    }
}

static void cosines_and_sines_are_within_their_bounds(void **state) {
    (void)state;
    worst all = {.logarithm = 0};
    try(turns, WORDS / 8, stride_of(1009), &all);
    turns(WORDS / 8 - BATCH, &all);
    print_message("cos %.3f u\n", all.cosine);
    assert_true(all.cosine > 0.1 && all.cosine <= 6);
    EACH(kernels, nth) {
        print_message("turn, %s: 2^%.2f\n", kernels->name, log2(all.turn[nth]));
        assert_true(all.turn[nth] > 0x1p-54 && all.turn[nth] <= 0x1p-41);
    }
}

#define WITH_TABLE(test) cmocka_unit_test_setup_teardown(test, begin, end)
RUN(WITH_TABLE(logarithms_and_radii_are_within_their_bounds),
    WITH_TABLE(cosines_and_sines_are_within_their_bounds))
