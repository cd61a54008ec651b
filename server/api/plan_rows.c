#include "plan_rows.h"

#include <string.h>

typedef void put_row(const fmix_row *row, uint64_t i, void *out);

static fmix_status each(const plan_rows *r, uint64_t first, uint64_t n, put_row *put, void *out) {
    fmix_status status = FMIX_OK;
    for (uint64_t i = 0; i < n && status == FMIX_OK; i++) {
        fmix_row row;
        status =
            fmix_plan_row(r->plan, fmix_plan_sample(r->plan, r->index, r->first + first + i), &row);
        put(&row, i, out);
    }
    return status;
}

static void put_lambda(const fmix_row *row, uint64_t i, void *out) {
    ((double *)out)[i] = (double)row->lambda * 0x1p-32;
}

static void put_lambda_eff(const fmix_row *row, uint64_t i, void *out) {
    ((double *)out)[i] = row->lambda_effective;
}

static void put_ones(const fmix_row *row, uint64_t i, void *out) {
    ((int64_t *)out)[i] = (int64_t)row->ones;
}

fmix_status plan_rows_lambda(const void *self, fmix_scratch *scratch, uint64_t first, uint64_t n,
                             void *out) {
    (void)scratch;
    return each(self, first, n, put_lambda, out);
}

fmix_status plan_rows_lambda_eff(const void *self, fmix_scratch *scratch, uint64_t first,
                                 uint64_t n, void *out) {
    (void)scratch;
    return each(self, first, n, put_lambda_eff, out);
}

fmix_status plan_rows_ones(const void *self, fmix_scratch *scratch, uint64_t first, uint64_t n,
                           void *out) {
    (void)scratch;
    return each(self, first, n, put_ones, out);
}

fmix_status plan_rows_images(const plan_rows *r, plan_rows_draw *draw, fmix_scratch *scratch,
                             uint64_t first, uint64_t n, fmix_dtype type, uint64_t bytes,
                             void *out) {
    uint64_t t = fmix_plan_sample(r->plan, r->index, r->first + first);
    bool one = n > 1 && fmix_plan_sample(r->plan, r->index, r->first + first + 1) == t;
    fmix_status status = draw(r->plan, scratch, t, one ? 1 : n, type, out);
    for (uint64_t i = 1; one && i < n; i++)
        memcpy((unsigned char *)out + i * bytes, out, (size_t)bytes);
    return status;
}
