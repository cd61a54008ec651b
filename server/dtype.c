#include "dtype.h"

const dtype_row dtype_table[DTYPE_COUNT] = {
    [DTYPE_F32] = {"f32", "<f4", 4},
    [DTYPE_U8] = {"u8", "|u1", 1},
    [DTYPE_I64] = {"i64", "<i8", 8},
    [DTYPE_F64] = {"f64", "<f8", 8},
};
