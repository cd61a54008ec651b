#include "mixer_rows.h"

#include <string.h>

typedef void put_row(fmix_method method, const fmix_row *row, uint64_t i, void *out);

static fmix_status each(const mixer_rows *r, uint64_t first, uint64_t n, put_row *put, void *out) {
    fmix_status status = FMIX_OK;
    for (uint64_t i = 0; i < n && status == FMIX_OK; i++) {
        fmix_method method = 0;
        fmix_row row = {.lambda = 0};
        status = fmix_mixer_row(r->mixer, &r->rows, r->first + first + i, &method, &row);
        put(method, &row, i, out);
    }
    return status;
}

static void put_lambda(fmix_method method, const fmix_row *row, uint64_t i, void *out) {
    (void)method;
    ((double *)out)[i] = (double)row->lambda * 0x1p-32;
}

static void put_lambda_eff(fmix_method method, const fmix_row *row, uint64_t i, void *out) {
    (void)method;
    ((double *)out)[i] = row->lambda_effective;
}

static void put_method(fmix_method method, const fmix_row *row, uint64_t i, void *out) {
    (void)row;
    ((unsigned char *)out)[i] = (unsigned char)method;
}

fmix_status mixer_rows_lambda(const void *self, fmix_scratch *scratch, uint64_t first, uint64_t n,
                              void *out) {
    (void)scratch;
    return each(self, first, n, put_lambda, out);
}

fmix_status mixer_rows_lambda_eff(const void *self, fmix_scratch *scratch, uint64_t first,
                                  uint64_t n, void *out) {
    (void)scratch;
    return each(self, first, n, put_lambda_eff, out);
}

fmix_status mixer_rows_method(const void *self, fmix_scratch *scratch, uint64_t first, uint64_t n,
                              void *out) {
    const mixer_rows *r = self;
    unsigned char *methods = out;
    (void)scratch;
    fmix_status status = each(r, first, r->alike && n > 1 ? 1 : n, put_method, methods);
    if (r->alike && n > 1)
        memset(methods + 1, methods[0], (size_t)n - 1);
    return status;
}

fmix_status mixer_rows_masks(const void *self, fmix_scratch *scratch, uint64_t first, uint64_t n,
                             void *out) {
    const mixer_rows *r = self;
    return fmix_mixer_masks(r->mixer, scratch, &r->rows, r->first + first, n, r->dtype, out);
}
