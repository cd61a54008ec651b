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

bool dtype_of_descr(const char *descr, dtype *out) {
    for (unsigned i = 0; i < DTYPE_READ; i++) {
        const char *own = dtype_table[i].descr;
        bool bytes = own && own[0] == '|' && strchr("|<=>", descr[0]) && descr[0];
        if (own && strcmp(own + bytes, descr + bytes) == 0) {
            *out = (dtype)i;
            return true;
        }
    }
    return false;
}

bool dtype_floats(dtype type) {
    return type == DTYPE_F16 || type == DTYPE_BF16 || type == DTYPE_F32 || type == DTYPE_F64;
}

static double half(uint16_t bits) {
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    double size = exponent == 31 ? (fraction ? NAN : INFINITY)
                  : exponent     ? ldexp(1024 + fraction, exponent - 25)
                                 : ldexp(fraction, -24);
    return bits & 0x8000 ? -size : size;
}

void dtype_swap(dtype type, void *bytes, size_t length) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    unsigned char *at = bytes;
    size_t size = dtype_table[type].size;
    for (size_t i = 0; i + size <= length; i += size)
        for (size_t a = i, b = i + size - 1; a < b; a++, b--) {
            unsigned char kept = at[a];
            at[a] = at[b];
            at[b] = kept;
        }
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
    uint64_t bits = bits_of(type, at);
    uint32_t narrow = (uint32_t)bits;
    double f64;
    float f32;
    if (type == DTYPE_F16)
        return half((uint16_t)bits);
    if (type == DTYPE_F64) {
        memcpy(&f64, &bits, sizeof f64);
        return f64;
    }
    if (type == DTYPE_BF16)
        narrow <<= 16; /* the upper half of a float32 */
    memcpy(&f32, &narrow, sizeof f32);
    return (double)f32;
}

int64_t dtype_integer(dtype type, const unsigned char *at) {
    uint64_t bits = bits_of(type, at);
    bool natural = type == DTYPE_U8 || (type >= DTYPE_U16 && type <= DTYPE_U64);
    uint64_t sign = natural ? 0 : UINT64_C(1) << (8 * dtype_table[type].size - 1);
    return (int64_t)((bits ^ sign) - sign);
}
