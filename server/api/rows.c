#include "rows.h"
#include "params/recipe.h"

#include <string.h>

typedef void put_row(const fmix_row *row, uint64_t i, void *out);

static fmix_status each(const rows *r, uint64_t first, uint64_t n, put_row *put, void *out) {
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

fmix_status rows_lambda(const void *self, fmix_scratch *scratch, uint64_t first, uint64_t n,
                        void *out) {
    (void)scratch;
    return each(self, first, n, put_lambda, out);
}

fmix_status rows_lambda_eff(const void *self, fmix_scratch *scratch, uint64_t first, uint64_t n,
                            void *out) {
    (void)scratch;
    return each(self, first, n, put_lambda_eff, out);
}

fmix_status rows_ones(const void *self, fmix_scratch *scratch, uint64_t first, uint64_t n,
                      void *out) {
    (void)scratch;
    return each(self, first, n, put_ones, out);
}

fmix_status rows_images(const rows *r, rows_draw *draw, fmix_scratch *scratch, uint64_t first,
                        uint64_t n, fmix_dtype type, uint64_t bytes, void *out) {
    uint64_t t = fmix_plan_sample(r->plan, r->index, r->first + first);
    bool one = n > 1 && fmix_plan_sample(r->plan, r->index, r->first + first + 1) == t;
    fmix_status status = draw(r->plan, scratch, t, one ? 1 : n, type, out);
    for (uint64_t i = 1; one && i < n; i++)
        memcpy((unsigned char *)out + i * bytes, out, (size_t)bytes);
    return status;
}

/* In the order of the choices of `dtype`. */
static const struct {
    fmix_dtype library;
    dtype tensor;
} mask_types[] = {{FMIX_DTYPE_F32, DTYPE_F32},
                  {FMIX_DTYPE_U8, DTYPE_U8},
                  {FMIX_DTYPE_BITS, DTYPE_U8},
                  {FMIX_DTYPE_F16, DTYPE_F16},
                  {FMIX_DTYPE_F64, DTYPE_F64}};

bool rows_check_type(const query *q, problem *p) {
    fmix_dtype type = rows_mask_type(q->dtype);
    const char *name = query_table[QUERY_DTYPE].choices[q->dtype];
    if (q->output == OUTPUT_GREY && type == FMIX_DTYPE_BITS)
        problem_add(p, 400, "dtype", "dtype is '%s'; greys are u8, f16, f32 or f64", name);
    else if (q->output == OUTPUT_MASK && recipe_softens(q) && !fmix_dtype_floats(type))
        problem_add(p, 400, "dtype", "dtype is '%s'; soft masks are f16, f32 or f64", name);
    return p->status == 0;
}

fmix_dtype rows_mask_type(unsigned choice) {
    return mask_types[choice].library;
}

bool rows_add_masks(tensor_source *s, const query *q, fmix_dtype type, double cost,
                    tensor_fill *fill, const void *self) {
    uint64_t elements = 1;
    for (unsigned d = 0; d < q->shape.rank; d++)
        elements *= q->shape.side[d];
    uint64_t packed = fmix_mask_bytes(elements, FMIX_DTYPE_BITS);
    unsigned i = 0;
    while (mask_types[i].library != type)
        i++;
    if (type == FMIX_DTYPE_BITS)
        return tensor_source_add(s, "masks", DTYPE_U8, 1, &packed, cost, fill, self);
    if (!tensor_source_add(s, "masks", mask_types[i].tensor, q->shape.rank, q->shape.side, cost,
                           fill, self))
        return false;
    tensor_source_draw(s, CHANNELS_NOWHERE);
    return true;
}

static const fmix_dtype types[DTYPE_COUNT] = {
    [DTYPE_F32] = FMIX_DTYPE_F32,   [DTYPE_U8] = FMIX_DTYPE_U8,     [DTYPE_I64] = FMIX_DTYPE_I64,
    [DTYPE_F64] = FMIX_DTYPE_F64,   [DTYPE_BOOL] = FMIX_DTYPE_BOOL, [DTYPE_I8] = FMIX_DTYPE_I8,
    [DTYPE_I16] = FMIX_DTYPE_I16,   [DTYPE_I32] = FMIX_DTYPE_I32,   [DTYPE_F16] = FMIX_DTYPE_F16,
    [DTYPE_BF16] = FMIX_DTYPE_BF16,
};

fmix_dtype rows_type(dtype type) {
    return types[type];
}
