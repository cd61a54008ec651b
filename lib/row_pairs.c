#include "row_pairs.h"
#include "vector.h"

/* The mirror of bin k is conj(a) + i conj(b). */
FMIX_CLONES void fmix_rows_join(const double *restrict a, const double *restrict b, size_t n,
                                double *restrict z) {
    size_t half = n / 2;
    z[0] = a[0];
    z[1] = b[0];
    for (size_t k = 1; k < n - half; k++) {
        double ar = a[2 * k], ai = a[2 * k + 1], br = b[2 * k], bi = b[2 * k + 1];
        z[2 * k] = ar - bi;
        z[2 * k + 1] = ai + br;
        z[2 * (n - k)] = ar + bi;
        z[2 * (n - k) + 1] = br - ai;
    }
    if (n % 2 == 0) {
        z[2 * half] = a[2 * half];
        z[2 * half + 1] = b[2 * half];
    }
}

FMIX_CLONES void fmix_rows_split(const double *restrict z, size_t n, double *restrict a,
                                 double *restrict b) {
    for (size_t i = 0; i < n; i++) {
        a[i] = z[2 * i];
        b[i] = z[2 * i + 1];
    }
}
