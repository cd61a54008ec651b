#include "unit.h"

#include "convert.h"

static void channels_have_their_own_numbers_wherever_they_lie(void **state) {
    (void)state;
    static const double mean[] = {0, 1, 2}, std[] = {1, 2, 4};
    const float first[] = {0, 0, 3, 3, 6, 6}, last[] = {0, 3, 6, 0, 3, 6};
    fmix_normal how = {.dtype = FMIX_DTYPE_F32,
                       .out_dtype = FMIX_DTYPE_F32,
                       .layout = FMIX_CHANNELS_FIRST,
                       .count = 3,
                       .mean = mean,
                       .std = std};
    float out[6];
    assert_ok(fmix_normalise(&how, 2, 3, first, out));
    assert_true(out[0] == 0 && out[1] == 0 && out[2] == 1 && out[3] == 1 && out[4] == 1 &&
                out[5] == 1);
    how.layout = FMIX_CHANNELS_LAST;
    assert_ok(fmix_normalise(&how, 2, 3, last, out));
    assert_true(out[0] == 0 && out[1] == 1 && out[2] == 1 && out[3] == 0 && out[4] == 1 &&
                out[5] == 1);
}

static void rows_longer_than_a_chunk_are_whole(void **state) {
    (void)state;
    enum { N = 3000 };
    static double from[N], out[N];
    static const double mean[] = {1, 2}, std[] = {2, 5};
    for (int i = 0; i < N; i++)
        from[i] = i;
    for (int layout = FMIX_CHANNELS_FIRST; layout <= FMIX_CHANNELS_LAST; layout++) {
        const fmix_normal how = {FMIX_DTYPE_F64, FMIX_DTYPE_F64, (fmix_layout)layout, 2, mean, std};
        assert_ok(fmix_normalise(&how, N / 2, 2, from, out));
        for (int i = 0; i < N; i++) {
            int c = layout == FMIX_CHANNELS_FIRST ? i / (N / 2) : i % 2;
            assert_true(out[i] == (from[i] - mean[c]) / std[c]);
        }
    }
}

/* Long rows of bytes are looked up, short ones are computed. */
static void bytes_are_what_they_are_alone(void **state) {
    (void)state;
    enum { N = 6000 };
    static const fmix_dtype types[] = {FMIX_DTYPE_F16, FMIX_DTYPE_BF16, FMIX_DTYPE_F32,
                                       FMIX_DTYPE_F64};
    static const double mean[] = {0.485, 0.456, 0.406}, std[] = {0.229, 0.224, 0.225};
    static unsigned char from[N], out[8 * N];
    uint64_t random = 3;
    for (int i = 0; i < N; i++)
        from[i] = (unsigned char)unit_random(&random);
    for (int k = 0; k < 4 * 2 * 2; k++) {
        const fmix_dtype type = types[k / 4];
        const uint32_t count = k & 2 ? 3 : 1;
        const fmix_normal how = {FMIX_DTYPE_U8, type, (fmix_layout)(k & 1), count, mean, std};
        const size_t size = (size_t)fmix_dtype_bytes(type);
        assert_ok(fmix_normalise(&how, N / 3, 3, from, out));
        for (int i = 0; i < N; i++) {
            int c = count == 1 ? 0 : how.layout == FMIX_CHANNELS_FIRST ? i / (N / 3) : i % 3;
            unsigned char alone[8];
            double x = (from[i] / 255.0 - mean[c]) / std[c];
            fmix_store(type, &x, 1, alone);
            assert_memory_equal(out + (size_t)i * size, alone, size);
        }
    }
}

static void types_without_fractions_are_refused(void **state) {
    (void)state;
    const double mean = 0, std = 1;
    unsigned char x[4] = {0};
    fmix_normal how = {FMIX_DTYPE_U8, FMIX_DTYPE_U8, FMIX_CHANNELS_FIRST, 1, &mean, &std};
    assert_int_equal(fmix_normalise(&how, 1, 1, x, x), FMIX_ERROR_RANGE);
    how.out_dtype = FMIX_DTYPE_F32;
    how.count = 2;
    assert_int_equal(fmix_normalise(&how, 1, 3, x, x), FMIX_ERROR_RANGE);
    how.dtype = FMIX_DTYPE_BITS;
    how.count = 1;
    assert_int_equal(fmix_normalise(&how, 1, 1, x, x), FMIX_ERROR_RANGE);
}

RUN(T(channels_have_their_own_numbers_wherever_they_lie), T(rows_longer_than_a_chunk_are_whole),
    T(bytes_are_what_they_are_alone), T(types_without_fractions_are_refused))
