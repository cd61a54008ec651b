#include "unit.h"

#include "kernels.h"

static uint32_t below(uint64_t *random, uint32_t n) {
    return (uint32_t)(unit_random(random) >> 33) % n;
}

/* Random taps for a line of 60 pixels, with up to 9 pixels in a sum. */
typedef struct drawn_taps {
    uint32_t first[40], number[40];
    int32_t weights[40 * 9];
    fmix_taps taps;
} drawn_taps;

static void draw_taps(drawn_taps *d, uint64_t *random) {
    d->taps = (fmix_taps){.count = 1 + below(random, 40),
                          .most = 9,
                          .first = d->first,
                          .number = d->number,
                          .weights = d->weights,
                          .low = 3,
                          .high = 60};
    for (uint32_t i = 0; i < d->taps.count; i++) {
        d->number[i] = 1 + below(random, 9);
        d->first[i] = 3 + below(random, 58 - d->number[i]);
        for (uint32_t k = 0; k < 9; k++)
            d->weights[i * 9 + k] =
                (int32_t)below(random, 1 << 22) / (int32_t)d->number[i] * (k % 3 ? 1 : -1);
    }
}

/* The pixel before number 3 is not there. */
static int sum_of(const drawn_taps *d, uint32_t i, const unsigned char *from, size_t step) {
    int64_t sum = 1 << 21;
    for (uint32_t k = 0; k < d->number[i]; k++)
        sum += (int64_t)d->weights[i * 9 + k] * from[(d->first[i] - 3 + k) * step];
    sum >>= 22;
    return (int)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

static unsigned char *noise(size_t bytes, uint64_t *random) {
    unsigned char *out = malloc(bytes);
    assert_non_null(out);
    for (size_t i = 0; i < bytes; i++)
        out[i] = (unsigned char)(unit_random(random) >> 56);
    return out;
}

static void resize_lines(const fmix_kernels *k) {
    uint64_t random = 1;
    for (unsigned n = 0; n < 300; n++) {
        drawn_taps d;
        draw_taps(&d, &random);
        unsigned channels = 1 + n % 4;
        uint32_t lines = 1 + below(&random, 40);
        size_t stride = 57 * channels, pitch = 40 * 4;
        unsigned char *from = noise(stride * lines, &random), *to = malloc(48 * pitch);
        fmix_resize_work work = {malloc((57 * 4 + 15) / 16 * 16 * 16), malloc(40 * 4 * 16)};
        assert_true(to && work.columns && work.resized);
        k->resize_along(&d.taps, channels, from, stride, lines, &work, to, pitch);
        for (uint32_t l = 0; l < lines; l++)
            for (uint32_t i = 0; i < d.taps.count; i++)
                for (unsigned c = 0; c < channels; c++)
                    assert_int_equal(to[l * pitch + i * channels + c],
                                     sum_of(&d, i, from + l * stride + c, channels));
        free(from);
        free(to);
        free(work.columns);
        free(work.resized);
    }
}

static void sum_lines(const fmix_kernels *k) {
    uint64_t random = 2;
    for (unsigned n = 0; n < 300; n++) {
        drawn_taps d;
        draw_taps(&d, &random);
        size_t bytes = 1 + below(&random, 600);
        unsigned char *from = noise(57 * bytes, &random), *to = malloc(bytes);
        assert_non_null(to);
        for (uint32_t i = 0; i < d.taps.count; i++) {
            k->resize_across(&d.taps, i, from, bytes, bytes, to);
            for (size_t at = 0; at < bytes; at++)
                assert_int_equal(to[at], sum_of(&d, i, from + at, bytes));
        }
        free(from);
        free(to);
    }
}

static void each(void (*test)(const fmix_kernels *)) {
    for (size_t n = 0; fmix_kernels_nth(n); n++)
        if (fmix_kernels_nth(n)->runs())
            test(fmix_kernels_nth(n));
}

static void each_line_is_resized(void **state) {
    (void)state;
    each(resize_lines);
}

static void lines_are_summed(void **state) {
    (void)state;
    each(sum_lines);
}

RUN(T(each_line_is_resized), T(lines_are_summed))
