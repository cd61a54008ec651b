#include "dtype.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

const dtype_row dtype_table[DTYPE_READ] = {
    [DTYPE_F32] = {"f32", "<f4", "F32", 4, FMIX_DTYPE_F32},
    [DTYPE_U8] = {"u8", "|u1", "U8", 1, FMIX_DTYPE_U8},
    [DTYPE_I64] = {"i64", "<i8", "I64", 8, FMIX_DTYPE_I64},
    [DTYPE_F64] = {"f64", "<f8", "F64", 8, FMIX_DTYPE_F64},
    [DTYPE_BOOL] = {"bool", "|b1", "BOOL", 1, FMIX_DTYPE_BOOL},
    [DTYPE_I8] = {"i8", "|i1", "I8", 1, FMIX_DTYPE_I8},
    [DTYPE_I16] = {"i16", "<i2", "I16", 2, FMIX_DTYPE_I16},
    [DTYPE_I32] = {"i32", "<i4", "I32", 4, FMIX_DTYPE_I32},
    [DTYPE_F16] = {"f16", "<f2", "F16", 2, FMIX_DTYPE_F16},
    [DTYPE_BF16] = {"bf16", NULL, "BF16", 2, FMIX_DTYPE_BF16},
    [DTYPE_U16] = {"u16", "<u2", "U16", 2, FMIX_DTYPES},
    [DTYPE_U32] = {"u32", "<u4", "U32", 4, FMIX_DTYPES},
    [DTYPE_U64] = {"u64", "<u8", "U64", 8, FMIX_DTYPES},
};

const char *dtype_name(unsigned number) {
    return number < DTYPE_COUNT ? dtype_table[number].name : NULL;
}

/* Elements of one byte have no byte order, so any mark of one will do. */
static bool is_descr_of(const dtype_row *row, const char *descr) {
    if (!row->descr || !*descr)
        return false;
    if (row->size == 1 && strchr("|<=>", *descr))
        return strcmp(row->descr + 1, descr + 1) == 0;
    return strcmp(row->descr, descr) == 0;
}

bool dtype_of_descr(const char *descr, dtype *out) {
    for (unsigned i = 0; i < DTYPE_READ; i++) {
        if (is_descr_of(&dtype_table[i], descr)) {
            *out = (dtype)i;
            return true;
        }
    }
    return false;
}

bool dtype_floats(dtype type) {
    return fmix_dtype_floats(dtype_table[type].library);
}

void dtype_reverse(dtype type, void *bytes, size_t length) {
    unsigned char *at = bytes;
    size_t size = dtype_table[type].size;
    for (size_t i = 0; i + size <= length; i += size)
        for (size_t a = i, b = i + size - 1; a < b; a++, b--) {
            unsigned char kept = at[a];
            at[a] = at[b];
            at[b] = kept;
        }
}

void dtype_swap(dtype type, void *bytes, size_t length) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    dtype_reverse(type, bytes, length);
#else
    (void)type;
    (void)bytes;
    (void)length;
#endif
}

static uint64_t bits_of(dtype type, const unsigned char *at) {
    uint64_t bits = 0;
    for (size_t i = dtype_table[type].size; i-- > 0;)
        bits = bits << 8 | at[i];
    return bits;
}

double dtype_real(dtype type, const unsigned char *at) {
    unsigned char element[8];
    memcpy(element, at, dtype_table[type].size);
    dtype_swap(type, element, dtype_table[type].size);
    double value = fmix_dtype_real(dtype_table[type].library, element);
    /* Stored labels keep the sign of an f16's NaN, and not its payload. */
    return type == DTYPE_F16 && isnan(value) ? copysign(NAN, value) : value;
}

int64_t dtype_integer(dtype type, const unsigned char *at) {
    uint64_t bits = bits_of(type, at);
    bool natural = type == DTYPE_U8 || (type >= DTYPE_U16 && type <= DTYPE_U64);
    uint64_t sign = natural ? 0 : UINT64_C(1) << (8 * dtype_table[type].size - 1);
    return (int64_t)((bits ^ sign) - sign);
}
