#include "unit.h"

#include "elementary.h"
#include "kernels.h"

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
    SAMPLED_HIGH, /* large exactly where the sample looks */
    SAMPLED_LOW,  /* small there */
    HUGE_ONES,    /* ends of the range, zeros of both signs */
    BORDERS,      /* next to the ends of eighths of their range */
    FAR,          /* close to each other beside their size: the gaps are its last places */
    FARTHER,      /* the same, a thousand times closer */
    KINDS
};

/* What bracket_by_sample looks at. */
static void tilt(double by, double *g, size_t n) {
    uint64_t at = 0;
    for (size_t i = 0; i < n && i < 2048; i++, at += UINT64_C(0x9e3779b97f4a7c15))
        g[(at >> 32) * n >> 32] += by;
}

static void fill(int kind, double *g, size_t n, uint64_t *random) {
    size_t period = 2 + (size_t)(unit_random(random) % 40);
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
            break;
        case BORDERS:
            g[i] = (double)(unit_random(random) % 8) / (8 * (1 - 0x1p-20));
            g[i] += ((double)(unit_random(random) % 65) - 32) * 0x1p-26;
            g[i] = i < 2 || g[i] < 0 ? at : g[i]; /* from 0 to 1 */
            g[i] = g[i] > 1 ? 1 : g[i];
            break;
        case FAR:
        case FARTHER:
            g[i] = (kind == FAR ? 0x1p22 : 0x1p32) + floor(uniform(random) * 0x1p20) * 0x1p-20;
            break;
        default:
            g[i] = ends[unit_random(random) % 6];
        }
    }
    if (kind == SAMPLED_HIGH || kind == SAMPLED_LOW)
        tilt(kind == SAMPLED_HIGH ? 2 : -2, g, n);
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
        *all[i] = malloc((n + FMIX_KERNELS_PAD) * sizeof **all[i]);
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

/* All builds that this machine runs. */
#define EACH(k)                                                                                    \
    for (size_t nth = 0; fmix_kernels_nth(nth); nth++)                                             \
        for (const fmix_kernels *k = fmix_kernels_nth(nth); k && k->runs(); k = NULL)

static void check(const subject *s, size_t k) {
    EACH(kernels) {
        double kth = NAN, next = NAN;
        kernels->rank_pair(s->g, s->n, k, s->work, &kth, &next);
        assert_true(kth == s->sorted[k - 1]);
        assert_true(next == s->sorted[k]);
    }
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
    static const size_t sizes[] = {127,  128,  129,  255,   256,   257,   513,   1023, 1024,
                                   1025, 2047, 4096, 10007, 20479, 20480, 20481, 30011};
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

static void every_seventh_rank_of_one_bracketed_array_is_that_of_a_sort(void **state) {
    (void)state;
    uint64_t random = 4;
    static const int kinds[] = {RANDOM, FEW, SAMPLED_HIGH, SAMPLED_LOW};
    for (int kind = 0; kind < 4; kind++) {
        subject s = subject_new(kinds[kind], 20500, &random);
        for (size_t k = 1; k < s.n; k += 7)
            check(&s, k);
        subject_free(&s);
    }
}

static void the_two_may_be_neighbouring_numbers_or_equal(void **state) {
    (void)state;
    double g[5000], work[5000 + FMIX_KERNELS_PAD], kth, next;
    for (int i = 0; i < 5000; i++)
        g[i] = i % 2 ? 1 : nextafter(1, 2);
    EACH(kernels) {
        kernels->rank_pair(g, 5000, 2500, work, &kth, &next);
        assert_true(kth == nextafter(1, 2) && next == 1);
        kernels->rank_pair(g, 5000, 2501, work, &kth, &next);
        assert_true(kth == 1 && next == 1);
    }
}

static void words_deal_the_blocks_words_in_turn(void **state) {
    (void)state;
    enum { BLOCKS = 37, FIRST = 1001 };
    const uint64_t index = UINT64_C(0xfedcba9876543210);
    uint32_t u[2 * BLOCKS + FMIX_KERNELS_PAD], v[2 * BLOCKS + FMIX_KERNELS_PAD], w[4];
    fmix_key key;
    assert_ok(fmix_key_derive(UINT64_MAX, FMIX_DOMAIN_SPECTRUM, &key));
    EACH(kernels) {
        kernels->words(&key, index, FIRST, BLOCKS, u, v);
        for (uint32_t i = 0; i < BLOCKS; i++) {
            fmix_words_block(&key, index, FIRST + i, w);
            assert_int_equal(u[2 * i], w[0]);
            assert_int_equal(v[2 * i], w[1]);
            assert_int_equal(u[2 * i + 1], w[2]);
            assert_int_equal(v[2 * i + 1], w[3]);
        }
    }
}

/* Which normals reads, though it makes nothing of them. */
static void words_are_written_up_to_the_next_multiple_of_the_pad(void **state) {
    (void)state;
    uint32_t u[3 * FMIX_KERNELS_PAD], v[3 * FMIX_KERNELS_PAD], w[4];
    const fmix_key key = {{1, 2}};
    for (uint32_t blocks = 1; blocks <= FMIX_KERNELS_PAD; blocks++)
        EACH(kernels) {
            memset(u, 0xa5, sizeof u);
            memset(v, 0xa5, sizeof v);
            kernels->words(&key, 7, 0, blocks, u, v);
            uint32_t all = (2 * blocks + FMIX_KERNELS_PAD - 1) / FMIX_KERNELS_PAD;
            for (uint32_t i = 0; i < all * FMIX_KERNELS_PAD / 2; i++) {
                fmix_words_block(&key, 7, i, w);
                assert_true(u[2 * i] == w[0] && v[2 * i] == w[1]);
            }
            assert_true(u[all * FMIX_KERNELS_PAD] == 0xa5a5a5a5);
        }
}

static double apart(double x, double exact) {
    return exact == 0 ? fabs(x) : fabs(x / exact - 1);
}

static void weights_scale_normals_and_their_sum(void **state) {
    (void)state;
    enum { N = 1000, PADDED = N + FMIX_KERNELS_PAD };
    static double w[PADDED], ones[PADDED], x[2 * PADDED], z[2 * PADDED];
    static uint32_t u[PADDED], v[PADDED];
    uint64_t random = 5;
    for (size_t i = 0; i < N; i++) {
        w[i] = (double)(unit_random(&random) >> 40);
        ones[i] = 1;
        u[i] = (uint32_t)unit_random(&random);
        v[i] = (uint32_t)unit_random(&random);
    }
    EACH(kernels) {
        double sum = 0;
        kernels->normals(ones, u, v, N, z);
        double total = kernels->normals(w, u, v, N, x);
        for (size_t i = 0; i < N; i++) {
            assert_true(apart(x[2 * i], w[i] * z[2 * i]) < 0x1p-50);
            assert_true(apart(x[2 * i + 1], w[i] * z[2 * i + 1]) < 0x1p-50);
            sum += w[i] * hypot(z[2 * i], z[2 * i + 1]);
        }
        assert_true(apart(total, sum) < 0x1p-38);
    }
}

static void bits_and_bytes_are_where_values_reach_the_cut(void **state) {
    (void)state;
    uint64_t random = 6;
    double g[300];
    unsigned char bytes[300], bits[38 + 1];
    for (size_t n = 1; n <= 300; n++) {
        for (size_t i = 0; i < n; i++)
            g[i] = (double)(unit_random(&random) % 5);
        EACH(kernels) {
            bits[(n + 7) / 8] = 0xa5;
            kernels->bytes(g, n, 2, bytes);
            kernels->bits(g, n, 2, bits);
            for (size_t i = 0; i < (n + 7) / 8 * 8; i++) {
                int is = i < n && g[i] >= 2;
                assert_int_equal(bits[i / 8] >> (7 - i % 8) & 1, is);
                if (i < n)
                    assert_int_equal(bytes[i], is);
            }
            assert_int_equal(bits[(n + 7) / 8], 0xa5);
        }
    }
}

static void choosing_moves_elements_of_each_size(void **state) {
    (void)state;
    uint64_t random = 7;
    unsigned char mask[300], a[1200], b[1200], out[1201];
    for (size_t n = 0; n <= 300; n++)
        for (size_t size = 1; size <= 4; size *= 2) {
            for (size_t i = 0; i < n; i++)
                mask[i] = unit_random(&random) >> 40 & 1;
            for (size_t i = 0; i < n * size; i++) {
                a[i] = (unsigned char)unit_random(&random);
                b[i] = (unsigned char)unit_random(&random);
            }
            EACH(kernels) {
                out[n * size] = 0xa5;
                kernels->choose(mask, n, size, a, b, out);
                for (size_t i = 0; i < n * size; i++)
                    assert_int_equal(out[i], mask[i / size] ? a[i] : b[i]);
                assert_int_equal(out[n * size], 0xa5);
            }
        }
}

/* The nearest integer to (L a + (2^32 - L) b) / 2^32. */
static unsigned nearest(uint64_t weight, unsigned a, unsigned b) {
    uint64_t sum = weight * a + ((UINT64_C(1) << 32) - weight) * b;
    return (unsigned)((sum + (UINT64_C(1) << 31)) >> 32);
}

static void blends_of_every_pair_of_bytes_are_the_nearest(void **state) {
    (void)state;
    static unsigned char a[65536], b[65536], out[65536];
    uint64_t random = 8;
    for (unsigned i = 0; i < 65536; i++) {
        a[i] = (unsigned char)i;
        b[i] = (unsigned char)(i >> 8);
    }
    for (int round = 0; round < 300; round++) {
        /* as near as can be to where some difference is half way: (k + 1/2) / d */
        uint64_t d = 1 + unit_random(&random) % 255, k = unit_random(&random) % d;
        uint64_t half = ((2 * k + 1) << 31) / d;
        uint64_t near = half + unit_random(&random) % 3 - 1, any = unit_random(&random) >> 32;
        uint32_t weight = (uint32_t)(round % 3 ? near : any);
        if (weight % (1u << 24) == 0)
            continue;
        EACH(kernels) {
            kernels->blend_u8(weight, 65536, a, b, out);
            for (unsigned i = 0; i < 65536; i++)
                assert_int_equal(out[i], nearest(weight, a[i], b[i]));
        }
    }
}

static void blends_of_any_length_stay_in_their_bounds(void **state) {
    (void)state;
    unsigned char a[200], b[200], out[201];
    for (unsigned i = 0; i < 200; i++) {
        a[i] = (unsigned char)(7 * i);
        b[i] = (unsigned char)(255 - 3 * i);
    }
    for (size_t n = 0; n <= 200; n++)
        EACH(kernels) {
            memset(out, 0xa5, sizeof out);
            kernels->blend_u8(0x9e3779b9, n, a, b, out);
            for (size_t i = 0; i < n; i++)
                assert_int_equal(out[i], nearest(0x9e3779b9, a[i], b[i]));
            assert_int_equal(out[n], 0xa5);
        }
}

static void the_best_build_runs_and_a_plain_one_is_last(void **state) {
    (void)state;
    const fmix_kernels *last = NULL;
    EACH(kernels) last = kernels;
    assert_true(fmix_kernels_best()->runs());
    assert_ptr_equal(last, &fmix_kernels_plain);
}

RUN(T(every_rank_of_small_arrays_is_that_of_a_sort),
    T(ranks_of_middling_arrays_are_those_of_a_sort), T(ranks_of_huge_arrays_are_those_of_a_sort),
    T(every_seventh_rank_of_one_bracketed_array_is_that_of_a_sort),
    T(the_two_may_be_neighbouring_numbers_or_equal), T(words_deal_the_blocks_words_in_turn),
    T(words_are_written_up_to_the_next_multiple_of_the_pad), T(weights_scale_normals_and_their_sum),
    T(bits_and_bytes_are_where_values_reach_the_cut), T(choosing_moves_elements_of_each_size),
    T(blends_of_every_pair_of_bytes_are_the_nearest), T(blends_of_any_length_stay_in_their_bounds),
    T(the_best_build_runs_and_a_plain_one_is_last))
