#include "unit.h"

#include "row_pairs.h"

#include <math.h>

enum { MOST = 67 };

/* A row that belongs to real values, whole; the imaginary parts of its own mirrors are not. */
static void fill_row(double *row, size_t n, uint64_t *random) {
    for (size_t i = 0; i < 2 * (n / 2 + 1); i++)
        row[i] = (double)(unit_random(random) >> 11) * 0x1p-52 - 1;
}

static void bin_of(const double *row, size_t n, size_t k, double *re, double *im) {
    size_t m = k <= n / 2 ? k : n - k;
    *re = row[2 * m];
    *im = m == 0 || 2 * m == n ? 0 : k == m ? row[2 * m + 1] : -row[2 * m + 1];
}

static void a_joined_row_has_every_bin_of_both(void **state) {
    double a[2 * MOST], b[2 * MOST], z[2 * MOST];
    uint64_t random = 3;
    (void)state;
    for (size_t n = 1; n <= MOST; n++) {
        fill_row(a, n, &random);
        fill_row(b, n, &random);
        fmix_rows_join(a, b, n, z);
        for (size_t k = 0; k < n; k++) {
            double ar, ai, br, bi;
            bin_of(a, n, k, &ar, &ai);
            bin_of(b, n, k, &br, &bi);
            assert_true(z[2 * k] == ar - bi);
            assert_true(z[2 * k + 1] == ai + br);
        }
    }
}

static void a_split_row_gives_real_and_imaginary_parts(void **state) {
    double z[2 * MOST], a[MOST + 1], b[MOST + 1];
    (void)state;
    for (size_t n = 1; n <= MOST; n++) {
        for (size_t i = 0; i < 2 * n; i++)
            z[i] = (double)i;
        a[n] = b[n] = NAN;
        fmix_rows_split(z, n, a, b);
        for (size_t i = 0; i < n; i++)
            assert_true(a[i] == 2.0 * (double)i && b[i] == 2.0 * (double)i + 1);
        assert_true(isnan(a[n]) && isnan(b[n]));
    }
}

RUN(T(a_joined_row_has_every_bin_of_both), T(a_split_row_gives_real_and_imaginary_parts))
