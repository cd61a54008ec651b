#include "dtype.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

const dtype_row dtype_table[DTYPE_COUNT] = {
    [DTYPE_F32] = {"f32", "<f4", "F32", 4},    [DTYPE_U8] = {"u8", "|u1", "U8", 1},
    [DTYPE_I64] = {"i64", "<i8", "I64", 8},    [DTYPE_F64] = {"f64", "<f8", "F64", 8},
    [DTYPE_BOOL] = {"bool", "|b1", "BOOL", 1}, [DTYPE_I8] = {"i8", "|i1", "I8", 1},
    [DTYPE_I16] = {"i16", "<i2", "I16", 2},    [DTYPE_I32] = {"i32", "<i4", "I32", 4},
    [DTYPE_F16] = {"f16", "<f2", "F16", 2},    [DTYPE_BF16] = {"bf16", NULL, "BF16", 2},
};

bool dtype_of_descr(const char *descr, dtype *out) {
    for (unsigned i = 0; i < DTYPE_COUNT; i++) {
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

double dtype_real(dtype type, const unsigned char *at) {
    uint16_t bits;
    float f32;
    double f64;
    switch (type) {
    case DTYPE_F64:
        memcpy(&f64, at, sizeof f64);
        return f64;
    case DTYPE_F32:
        memcpy(&f32, at, sizeof f32);
        return (double)f32;
    case DTYPE_F16:
        memcpy(&bits, at, sizeof bits);
        return half(bits);
    default: /* bf16: the upper half of a float32 */
        f32 = 0;
        memcpy((unsigned char *)&f32 + 2, at, 2);
        return (double)f32;
    }
}
