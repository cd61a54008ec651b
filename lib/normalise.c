#include "convert.h"

#define CHUNK 512

/* Bytes are looked up in a table for each channel, of at most so many channels, if there are so
 * many values for each entry of a table. */
#define TABLES 8
#define WORTH  4

/* Both steps of STREAM §8, each rounded. */
static void normalise(const fmix_normal *how, uint64_t channel, uint64_t n, double *x) {
    double scale = how->dtype == FMIX_DTYPE_U8 ? 255 : 1;
    double mean = how->mean[channel], std = how->std[channel];
    for (uint64_t i = 0; i < n; i++)
        x[i] = (x[i] / scale - mean) / std;
}

/* The same for values from `first` on, of which each `run` have one channel. */
static void normalise_runs(const fmix_normal *how, uint64_t run, uint64_t first, uint64_t n,
                           double *x) {
    uint64_t channel = first / run % how->count, left = run - first % run;
    for (uint64_t i = 0, m; i < n; i += m, left = run) {
        m = left < n - i ? left : n - i;
        normalise(how, channel, m, x + i);
        channel = channel + 1 == how->count ? 0 : channel + 1;
    }
}

static bool lies_side_by_side(const fmix_normal *how) {
    return how->layout == FMIX_CHANNELS_LAST && how->count > 1;
}

static void by_chunks(const fmix_normal *how, uint64_t elements, uint64_t values,
                      const unsigned char *in, unsigned char *to) {
    uint64_t size = fmix_dtype_bytes(how->dtype), out_size = fmix_dtype_bytes(how->out_dtype);
    uint64_t run = lies_side_by_side(how) ? 1 : how->count == 1 ? values : elements;
    double x[CHUNK];
    for (uint64_t i = 0, n; i < values; i += n) {
        n = values - i < CHUNK ? values - i : CHUNK;
        fmix_load(how->dtype, in + i * size, n, x);
        normalise_runs(how, run, i, n, x);
        fmix_store(how->out_dtype, x, n, to + i * out_size);
    }
}

/* Bytes have 256 values. */
static void by_table(const fmix_normal *how, uint64_t elements, uint64_t values,
                     const unsigned char *in, unsigned char *to) {
    uint64_t out_size = fmix_dtype_bytes(how->out_dtype);
    bool mixed = lies_side_by_side(how);
    uint64_t n = how->count == 1 ? values : elements, step = mixed ? how->count : 1;
    for (uint64_t channel = 0; channel < how->count; channel++) {
        uint64_t first = mixed ? channel : channel * n;
        double x[256], table[256];
        for (int v = 0; v < 256; v++)
            x[v] = v;
        normalise(how, channel, 256, x);
        fmix_store(how->out_dtype, x, 256, table);
        fmix_look_up(table, out_size, in + first, n, step, to + first * out_size);
    }
}

fmix_status fmix_normalise(const fmix_normal *how, uint64_t elements, uint64_t channels,
                           const void *from, void *out) {
    uint64_t values = elements * channels;
    if (!fmix_dtype_floats(how->out_dtype) || fmix_dtype_bytes(how->dtype) == 0 ||
        (how->count != 1 && how->count != channels))
        return FMIX_ERROR_RANGE;
    if (how->dtype == FMIX_DTYPE_U8 && how->count <= TABLES && values / 256 >= WORTH * how->count)
        by_table(how, elements, values, from, out);
    else
        by_chunks(how, elements, values, from, out);
    return FMIX_OK;
}
