#include "rows.h"

fmix_status rows_lambda(const source *from, fmix_scratch *scratch, uint64_t first, uint64_t n,
                        void *out) {
    const rows *r = from->self;
    fmix_status status = FMIX_OK;
    (void)scratch;
    for (uint64_t i = 0; i < n && status == FMIX_OK; i++) {
        fmix_row row;
        status = fmix_plan_row(r->plan, r->index + first + i, &row);
        ((double *)out)[i] = (double)row.lambda * 0x1p-32;
    }
    return status;
}

fmix_status rows_lambda_eff(const source *from, fmix_scratch *scratch, uint64_t first, uint64_t n,
                            void *out) {
    const rows *r = from->self;
    fmix_status status = FMIX_OK;
    (void)scratch;
    for (uint64_t i = 0; i < n && status == FMIX_OK; i++) {
        fmix_row row;
        status = fmix_plan_row(r->plan, r->index + first + i, &row);
        ((double *)out)[i] = row.lambda_effective;
    }
    return status;
}

fmix_status rows_ones(const source *from, fmix_scratch *scratch, uint64_t first, uint64_t n,
                      void *out) {
    const rows *r = from->self;
    fmix_status status = FMIX_OK;
    (void)scratch;
    for (uint64_t i = 0; i < n && status == FMIX_OK; i++) {
        fmix_row row;
        status = fmix_plan_row(r->plan, r->index + first + i, &row);
        ((int64_t *)out)[i] = (int64_t)row.ones;
    }
    return status;
}
