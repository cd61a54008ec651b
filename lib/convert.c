#include "convert.h"
#include "binary64.h"

#include <pthread.h>
#include <string.h>

/* The 16-bit floats: f16 has 5 bits of exponent and 10 of fraction, bf16 has 8 and 7. */
typedef struct narrow {
    int exponent, fraction;
} narrow;

static const narrow f16 = {5, 10}, bf16 = {8, 7};

static double widen(narrow t, uint16_t bits) {
    int bias = (1 << (t.exponent - 1)) - 1, top = (1 << t.exponent) - 1;
    uint64_t sign = (uint64_t)(bits >> 15) << 63;
    int e = bits >> t.fraction & top;
    uint64_t f = bits & ((1u << t.fraction) - 1);
    if (e == top)
        return from_bits(sign | UINT64_C(0x7ff) << 52 | f << (52 - t.fraction));
    if (e == 0) { /* f * 2^(1 - bias - fraction), exactly */
        double unit = power_of_two(1 - bias - t.fraction);
        return from_bits(bits_of((double)f * unit) | sign);
    }
    return from_bits(sign | (uint64_t)(e - bias + 1023) << 52 | f << (52 - t.fraction));
}

/* Below the smallest normal number: to the nearest multiple of the smallest subnormal. */
static uint16_t narrow_subnormal(narrow t, double size) {
    int bias = (1 << (t.exponent - 1)) - 1;
    double units = size * power_of_two(bias - 1 + t.fraction);
    return (uint16_t)nearest_integer(units);
}

static uint16_t narrow_to(narrow t, double x) {
    int bias = (1 << (t.exponent - 1)) - 1, top = (1 << t.exponent) - 1;
    int drop = 52 - t.fraction;
    uint64_t bits = bits_of(x), size = bits & ~(UINT64_C(1) << 63);
    uint16_t sign = (uint16_t)(bits >> 63 << 15), infinity = (uint16_t)(top << t.fraction);
    if (x != x)
        return (uint16_t)(infinity | 1 << (t.fraction - 1));
    if (size < (uint64_t)(1023 + 1 - bias) << 52)
        return (uint16_t)(sign | narrow_subnormal(t, from_bits(size)));
    size += (UINT64_C(1) << (drop - 1)) - 1 + (size >> drop & 1);
    size >>= drop;
    size -= (uint64_t)(1023 - bias) << t.fraction;
    return (uint16_t)(sign | (size < infinity ? size : infinity));
}

/* The nearest integer, half to even. From 2^52 on all doubles are integers. */
static double round_even(double x) {
    double size = x < 0 ? -x : x;
    if (!(size < 0x1p52))
        return x;
    size = (size + 0x1p52) - 0x1p52;
    return x < 0 ? -size : size;
}

static int64_t to_integer(double x, double low, double high) {
    double r = round_even(x);
    if (!(r == r))
        return 0;
    if (r <= low)
        return (int64_t)low;
    return r >= high ? (high == 0x1p63 ? INT64_MAX : (int64_t)high) : (int64_t)r;
}

#define LOAD(type, value)                                                                          \
    for (uint64_t i = 0; i < n; i++) {                                                             \
        type v;                                                                                    \
        memcpy(&v, at + i * sizeof v, sizeof v);                                                   \
        out[i] = (value);                                                                          \
    }                                                                                              \
    break

void fmix_load(fmix_dtype type, const void *from, uint64_t n, double *out) {
    const unsigned char *at = from;
    switch (type) {
    case FMIX_DTYPE_F16:
        LOAD(uint16_t, widen(f16, v));
    case FMIX_DTYPE_BF16:
        LOAD(uint16_t, widen(bf16, v));
    case FMIX_DTYPE_F32:
        LOAD(float, (double)v);
    case FMIX_DTYPE_F64:
        LOAD(double, v);
    case FMIX_DTYPE_U8:
        LOAD(uint8_t, v);
    case FMIX_DTYPE_BOOL:
        LOAD(uint8_t, v != 0);
    case FMIX_DTYPE_I8:
        LOAD(int8_t, v);
    case FMIX_DTYPE_I16:
        LOAD(int16_t, v);
    case FMIX_DTYPE_I32:
        LOAD(int32_t, v);
    case FMIX_DTYPE_I64:
        LOAD(int64_t, (double)v);
    case FMIX_DTYPE_BITS:
    case FMIX_DTYPES:
        break;
    }
}

#define STORE(type, value)                                                                         \
    for (uint64_t i = 0; i < n; i++) {                                                             \
        double x = from[i];                                                                        \
        type v = (type)(value);                                                                    \
        memcpy(at + i * sizeof v, &v, sizeof v);                                                   \
    }                                                                                              \
    break

void fmix_store(fmix_dtype type, const double *from, uint64_t n, void *out) {
    unsigned char *at = out;
    const float nan32 = canonical_nan32();
    const double nan64 = from_bits(UINT64_C(0x7ff8) << 48);
    switch (type) {
    case FMIX_DTYPE_F16:
        STORE(uint16_t, narrow_to(f16, x));
    case FMIX_DTYPE_BF16:
        STORE(uint16_t, narrow_to(bf16, x));
    case FMIX_DTYPE_F32:
        STORE(float, x == x ? (float)x : nan32);
    case FMIX_DTYPE_F64:
        STORE(double, x == x ? x : nan64);
    case FMIX_DTYPE_U8:
        STORE(uint8_t, to_integer(x, 0, UINT8_MAX));
    case FMIX_DTYPE_BOOL:
        STORE(uint8_t, to_integer(x, 0, 1));
    case FMIX_DTYPE_I8:
        STORE(int8_t, to_integer(x, INT8_MIN, INT8_MAX));
    case FMIX_DTYPE_I16:
        STORE(int16_t, to_integer(x, INT16_MIN, INT16_MAX));
    case FMIX_DTYPE_I32:
        STORE(int32_t, to_integer(x, INT32_MIN, INT32_MAX));
    case FMIX_DTYPE_I64:
        STORE(int64_t, to_integer(x, -0x1p63, 0x1p63));
    case FMIX_DTYPE_BITS:
    case FMIX_DTYPES:
        break;
    }
}

/* What bytes become in each floating type: the values, and their elements. */
static struct {
    double value[256];
    double element[256]; /* the room for them, of any type */
} bytes_as[FMIX_DTYPES];

static void fill_bytes_as(void) {
    for (int t = 0; t < FMIX_DTYPES; t++) {
        const fmix_dtype type = (fmix_dtype)t;
        double *value = bytes_as[t].value;
        if (!fmix_dtype_floats(type))
            continue;
        for (int v = 0; v < 256; v++)
            value[v] = v / 255.0;
        fmix_store(type, value, 256, bytes_as[t].element);
        fmix_load(type, bytes_as[t].element, 256, value);
    }
}

static void make_bytes_as(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fill_bytes_as);
}

static bool is_share(fmix_dtype type, fmix_dtype out_type) {
    return type == FMIX_DTYPE_U8 && fmix_dtype_floats(out_type);
}

void fmix_load_for(fmix_dtype type, fmix_dtype out_type, const void *from, uint64_t n,
                   double *out) {
    const unsigned char *at = from;
    if (!is_share(type, out_type)) {
        fmix_load(type, from, n, out);
        return;
    }
    make_bytes_as();
    const double *value = bytes_as[out_type].value;
    for (uint64_t i = 0; i < n; i++)
        out[i] = value[at[i]];
}

#define LOOK_UP(bytes)                                                                             \
    for (uint64_t i = 0; i < n * step; i += step)                                                  \
        memcpy(to + i * (bytes), of + at[i] * (bytes), bytes);                                     \
    break

void fmix_look_up(const void *table, uint64_t size, const void *in, uint64_t n, uint64_t step,
                  void *out) {
    const unsigned char *of = table, *at = in;
    unsigned char *to = out;
    switch (size) {
    case 2:
        LOOK_UP(2);
    case 4:
        LOOK_UP(4);
    default:
        LOOK_UP(8);
    }
}

uint64_t fmix_dtype_bytes(fmix_dtype type) {
    static const uint8_t bytes[FMIX_DTYPES] = {
        [FMIX_DTYPE_F32] = 4, [FMIX_DTYPE_U8] = 1,   [FMIX_DTYPE_F16] = 2, [FMIX_DTYPE_BF16] = 2,
        [FMIX_DTYPE_F64] = 8, [FMIX_DTYPE_I8] = 1,   [FMIX_DTYPE_I16] = 2, [FMIX_DTYPE_I32] = 4,
        [FMIX_DTYPE_I64] = 8, [FMIX_DTYPE_BOOL] = 1,
    };
    return (unsigned)type < FMIX_DTYPES ? bytes[type] : 0;
}

bool fmix_dtype_floats(fmix_dtype type) {
    return type == FMIX_DTYPE_F16 || type == FMIX_DTYPE_BF16 || type == FMIX_DTYPE_F32 ||
           type == FMIX_DTYPE_F64;
}

double fmix_dtype_real(fmix_dtype type, const void *at) {
    double value = 0;
    fmix_load(type, at, 1, &value);
    return value;
}

void fmix_convert(fmix_dtype type, const void *from, uint64_t n, fmix_dtype out_type, void *out) {
    uint64_t size = fmix_dtype_bytes(type), out_size = fmix_dtype_bytes(out_type), count;
    const unsigned char *in = from;
    unsigned char *to = out;
    double x[512];
    if (type == out_type) {
        memcpy(out, from, (size_t)(n * size));
        return;
    }
    if (is_share(type, out_type)) {
        make_bytes_as();
        fmix_look_up(bytes_as[out_type].element, out_size, from, n, 1, out);
        return;
    }
    for (uint64_t i = 0; i < n; i += count) {
        count = n - i < 512 ? n - i : 512;
        fmix_load(type, in + i * size, count, x);
        fmix_store(out_type, x, count, to + i * out_size);
    }
}
