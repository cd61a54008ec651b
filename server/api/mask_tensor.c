#include "mask_tensor.h"
#include "params/recipe.h"

/* In the order of the choices of `dtype`. */
static const struct {
    fmix_dtype library;
    dtype tensor;
} mask_types[] = {
    [MASK_TYPE_F32] = {FMIX_DTYPE_F32, DTYPE_F32},  [MASK_TYPE_U8] = {FMIX_DTYPE_U8, DTYPE_U8},
    [MASK_TYPE_BITS] = {FMIX_DTYPE_BITS, DTYPE_U8}, [MASK_TYPE_F16] = {FMIX_DTYPE_F16, DTYPE_F16},
    [MASK_TYPE_F64] = {FMIX_DTYPE_F64, DTYPE_F64},
};

bool mask_tensor_check(const query *q, problem *p) {
    fmix_dtype type = mask_tensor_dtype(q->dtype);
    const char *name = query_table[QUERY_DTYPE].choices[q->dtype];
    if (q->output == OUTPUT_GREY && type == FMIX_DTYPE_BITS)
        problem_add(p, 400, "dtype", "dtype is '%s'; greys are u8, f16, f32 or f64", name);
    else if (q->output == OUTPUT_MASK && recipe_softens(q) && !fmix_dtype_floats(type))
        problem_add(p, 400, "dtype", "dtype is '%s'; soft masks are f16, f32 or f64", name);
    return p->status == 0;
}

fmix_dtype mask_tensor_dtype(unsigned choice) {
    return mask_types[choice].library;
}

bool mask_tensor_add(tensor_source *s, const query *q, fmix_dtype type, double cost,
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
