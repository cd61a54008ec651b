#include "convert.h"

#define CHUNK 512

/* Both steps of STREAM §8, each rounded. */
static void normalise(const fmix_normal *how, uint64_t first, uint64_t elements, size_t n,
                      double *x) {
    double scale = how->dtype == FMIX_DTYPE_U8 ? 255 : 1;
    uint64_t repeat = how->layout == FMIX_CHANNELS_LAST ? 1 : elements;
    for (size_t i = 0; i < n; i++) {
        uint64_t c = how->count == 1 ? 0 : (first + i) / repeat % how->count;
        x[i] = (x[i] / scale - how->mean[c]) / how->std[c];
    }
}

fmix_status fmix_normalise(const fmix_normal *how, uint64_t elements, uint64_t channels,
                           const void *from, void *out) {
    const unsigned char *in = from;
    unsigned char *to = out;
    uint64_t values = elements * channels;
    uint64_t size = fmix_dtype_bytes(how->dtype), out_size = fmix_dtype_bytes(how->out_dtype);
    if (!fmix_dtype_floats(how->out_dtype) || size == 0 ||
        (how->count != 1 && how->count != channels))
        return FMIX_ERROR_RANGE;
    for (uint64_t i = 0; i < values; i += CHUNK) {
        double x[CHUNK];
        size_t n = values - i < CHUNK ? (size_t)(values - i) : CHUNK;
        fmix_load(how->dtype, in + i * size, n, x);
        normalise(how, i, elements, n, x);
        fmix_store(how->out_dtype, x, n, to + i * out_size);
    }
    return FMIX_OK;
}
