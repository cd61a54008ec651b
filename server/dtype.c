#include "dtype.h"

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
