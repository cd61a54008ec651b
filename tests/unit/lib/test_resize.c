#include "unit.h"

#include "scratch.h"

static const unsigned char line[] = {0, 255, 10, 200, 30, 128, 64};

/* All of a picture of height x width pixels to rows x columns. */
static fmix_view stretched(uint32_t height, uint32_t width, uint32_t rows, uint32_t columns) {
    return (fmix_view){.rows = {0, height, rows, 0, rows},
                       .columns = {0, width, columns, 0, columns}};
}

static fmix_picture picture_of(const void *pixels, uint32_t height, uint32_t width, size_t step) {
    return (fmix_picture){{0, 0, height, width}, pixels, width * step};
}

static fmix_scratch *scratch_new(void) {
    fmix_scratch *scratch = NULL;
    assert_ok(fmix_scratch_new(&scratch));
    return scratch;
}

static void assert_line(fmix_filter filter, uint32_t width, const unsigned char *wanted) {
    fmix_scratch *scratch = scratch_new();
    const fmix_picture across = picture_of(line, 1, 7, 1), down = picture_of(line, 7, 1, 1);
    unsigned char out[16] = {0};
    fmix_view view = stretched(1, 7, 1, width);
    assert_ok(fmix_resize(scratch, &view, filter, 1, &across, out));
    assert_memory_equal(out, wanted, width);
    view = stretched(7, 1, width, 1);
    assert_ok(fmix_resize(scratch, &view, filter, 1, &down, out));
    assert_memory_equal(out, wanted, width);
    fmix_scratch_free(scratch);
}

static void lines_are_those_of_the_contract(void **state) {
    (void)state;
    assert_line(FMIX_FILTER_BILINEAR, 3, (unsigned char[]){111, 114, 84});
    assert_line(FMIX_FILTER_BICUBIC, 3, (unsigned char[]){113, 110, 86});
    assert_line(FMIX_FILTER_NEAREST, 3, (unsigned char[]){255, 200, 128});
    assert_line(FMIX_FILTER_BICUBIC, 10,
                (unsigned char[]){0, 152, 219, 13, 143, 156, 29, 109, 104, 60});
}

/* A picture of other bytes in every pixel and channel, in a block of exactly its size, so that
 * AddressSanitizer sees what is read past it. */
static unsigned char *noise(size_t bytes) {
    unsigned char *pixels = bytes ? malloc(bytes) : NULL;
    uint64_t random = 9;
    if (bytes == 0)
        return NULL;
    assert_non_null(pixels);
    for (size_t i = 0; i < bytes; i++)
        pixels[i] = (unsigned char)(unit_random(&random) >> 56);
    return pixels;
}

/* Each channel by itself, from a picture that has it alone. */
static void channels_do_not_mix(void **state) {
    (void)state;
    fmix_scratch *scratch = scratch_new();
    for (unsigned channels = 2; channels <= 4; channels++)
        for (int filter = 0; filter < 3; filter++) {
            unsigned char *pixels = noise(37 * 41 * channels), *one = malloc(37 * 41);
            unsigned char *all = malloc(50 * 19 * channels), *alone = malloc(50 * 19);
            assert_true(one && all && alone);
            const fmix_view view = stretched(37, 41, 50, 19);
            const fmix_picture picture = picture_of(pixels, 37, 41, channels);
            assert_ok(fmix_resize(scratch, &view, (fmix_filter)filter, channels, &picture, all));
            for (unsigned c = 0; c < channels; c++) {
                for (size_t i = 0; i < 37 * 41; i++)
                    one[i] = pixels[i * channels + c];
                const fmix_picture single = picture_of(one, 37, 41, 1);
                assert_ok(fmix_resize(scratch, &view, (fmix_filter)filter, 1, &single, alone));
                for (size_t i = 0; i < 50 * 19; i++)
                    assert_int_equal(all[i * channels + c], alone[i]);
            }
            free(pixels);
            free(one);
            free(all);
            free(alone);
        }
    fmix_scratch_free(scratch);
}

/* The view of a window is the view of the picture that the window is. */
static void pixels_outside_the_window_play_no_part(void **state) {
    (void)state;
    fmix_scratch *scratch = scratch_new();
    unsigned char *pixels = noise(60 * 70 * 3), *cut = malloc(21 * 33 * 3);
    unsigned char one[30 * 40 * 3], other[30 * 40 * 3];
    assert_non_null(cut);
    for (size_t i = 0; i < 21; i++)
        memcpy(cut + i * 33 * 3, pixels + ((7 + i) * 70 + 12) * 3, 33 * 3);
    fmix_view view = stretched(21, 33, 30, 40), window = view;
    window.rows.first = 7;
    window.columns.first = 12;
    for (int filter = 0; filter < 3; filter++) {
        const fmix_picture whole = picture_of(pixels, 60, 70, 3), part = picture_of(cut, 21, 33, 3);
        const fmix_picture placed = {{7, 12, 21, 33}, cut, 33 * 3};
        assert_ok(fmix_resize(scratch, &window, (fmix_filter)filter, 3, &whole, one));
        assert_ok(fmix_resize(scratch, &view, (fmix_filter)filter, 3, &part, other));
        assert_memory_equal(one, other, sizeof one);
        assert_ok(fmix_resize(scratch, &window, (fmix_filter)filter, 3, &placed, other));
        assert_memory_equal(one, other, sizeof one);
    }
    free(pixels);
    free(cut);
    fmix_scratch_free(scratch);
}

static uint32_t below(uint64_t *random, uint32_t n) {
    return (uint32_t)(unit_random(random) >> 33) % n;
}

/* Views of any begin are a part of the whole resized picture amid zeros, and flipped as a whole,
 * whichever sides keep their length. The picture in memory ends where what is read ends. */
static void views_are_windows_of_the_resized_picture_amid_zeros(void **state) {
    (void)state;
    fmix_scratch *scratch = scratch_new();
    uint64_t random = 3;
    for (int n = 0; n < 600; n++) {
        uint32_t channels = 1 + below(&random, 4);
        uint32_t height = 1 + below(&random, 40), width = 1 + below(&random, 40);
        uint32_t rows = n % 3 ? 1 + below(&random, 40) : height;
        uint32_t columns = n % 5 < 3 ? 1 + below(&random, 40) : width;
        fmix_filter filter = (fmix_filter)below(&random, 3);
        fmix_view view = stretched(height, width, rows, columns), all = view;
        view.rows.begin = (int64_t)below(&random, 16) - 8;
        view.columns.begin = (int64_t)below(&random, 16) - 8;
        view.rows.size = 1 + below(&random, 50);
        view.columns.size = 1 + below(&random, 50);
        view.flip = below(&random, 2);
        unsigned char *pixels = noise((size_t)height * width * channels);
        unsigned char *resized = malloc((size_t)rows * columns * channels);
        size_t bytes = (size_t)view.rows.size * view.columns.size * channels;
        unsigned char *out = malloc(bytes);
        assert_true(resized && out);
        const fmix_picture picture = picture_of(pixels, height, width, channels);
        assert_ok(fmix_resize(scratch, &all, filter, channels, &picture, resized));
        fmix_part part;
        fmix_view_reads(&view, filter, &part);
        unsigned char *cut = noise((size_t)part.height * part.width * channels);
        for (size_t i = 0; i < part.height; i++)
            memcpy(cut + i * part.width * channels,
                   pixels + ((part.top + i) * width + part.left) * channels,
                   (size_t)part.width * channels);
        const fmix_picture read = {part, cut, (size_t)part.width * channels};
        assert_ok(fmix_resize(scratch, &view, filter, channels, &read, out));
        for (uint32_t i = 0; i < view.rows.size; i++)
            for (uint32_t j = 0; j < view.columns.size; j++) {
                int64_t y = view.rows.begin + i, x = view.columns.begin + j;
                uint32_t at = view.flip ? view.columns.size - 1 - j : j;
                bool is_in = y >= 0 && y < rows && x >= 0 && x < columns;
                for (uint32_t c = 0; c < channels; c++)
                    assert_int_equal(
                        out[(i * view.columns.size + at) * channels + c],
                        is_in ? resized[((size_t)y * columns + (size_t)x) * channels + c] : 0);
            }
        free(pixels);
        free(resized);
        free(out);
        free(cut);
    }
    fmix_scratch_free(scratch);
}

static void elements_of_any_size_are_taken_whole(void **state) {
    (void)state;
    fmix_scratch *scratch = scratch_new();
    for (size_t step = 1; step <= 20; step++) {
        unsigned char *pixels = noise(5 * 7 * step), *out = malloc(6 * 4 * step);
        assert_non_null(out);
        fmix_view view = stretched(5, 7, 4, 3);
        view.rows.size = 6;
        view.rows.begin = -1;
        view.columns.size = 4;
        view.columns.begin = 0;
        view.flip = true;
        const fmix_picture picture = picture_of(pixels, 5, 7, step);
        assert_ok(fmix_view_take(scratch, &view, step, &picture, out));
        for (size_t i = 0; i < 6; i++)
            for (size_t j = 0; j < 4; j++) {
                unsigned char zeros[20] = {0};
                size_t y = (2 * (i - 1) + 1) * 5 / 8, x = (2 * (3 - j) + 1) * 7 / 6;
                bool is_in = i > 0 && i < 5 && j > 0;
                assert_memory_equal(out + (i * 4 + j) * step,
                                    is_in ? pixels + (y * 7 + x) * step : zeros, step);
            }
        free(pixels);
        free(out);
    }
    fmix_scratch_free(scratch);
}

static void a_scratch_grows_to_the_memory_that_was_told(void **state) {
    (void)state;
    unsigned char *pixels = noise(300 * 400 * 3), *out = malloc(224 * 224 * 3);
    const fmix_view view = stretched(300, 400, 224, 224);
    const fmix_picture picture = picture_of(pixels, 300, 400, 3);
    assert_non_null(out);
    for (int filter = 0; filter < 3; filter++) {
        fmix_scratch *scratch = scratch_new();
        assert_ok(fmix_resize(scratch, &view, (fmix_filter)filter, 3, &picture, out));
        assert_int_equal(scratch->resizing_room, fmix_resize_memory(&view, (fmix_filter)filter, 3));
        assert_in_range(scratch->resizing_room, 224, 1 << 20);
        fmix_scratch_free(scratch);
    }
    free(pixels);
    free(out);
}

static void what_is_outside_its_range_is_refused(void **state) {
    (void)state;
    fmix_scratch *scratch = scratch_new();
    unsigned char pixels[16] = {0}, out[64];
    const fmix_view good = stretched(4, 4, 8, 8);
    const fmix_picture picture = picture_of(pixels, 4, 4, 1);
    assert_ok(fmix_resize(scratch, &good, FMIX_FILTER_BICUBIC, 1, &picture, out));
    fmix_view bad[8] = {good, good, good, good, good, good, good, good};
    bad[0].rows.length = 0;
    bad[1].columns.length = 5;
    bad[2].rows.first = 1;
    bad[3].columns.size = 0;
    bad[4].rows.resized = 0;
    bad[5].columns.resized = UINT64_MAX;
    bad[6].rows.begin = INT64_MIN;
    bad[7].rows.size = FMIX_MAX_ELEMENTS / 8 + 1;
    for (int i = 0; i < 8; i++) {
        assert_int_equal(fmix_resize(scratch, &bad[i], FMIX_FILTER_BICUBIC, 1, &picture, out),
                         FMIX_ERROR_RANGE);
        assert_int_equal(fmix_view_take(scratch, &bad[i], 1, &picture, out), FMIX_ERROR_RANGE);
    }
    for (unsigned channels = 0; channels <= 5; channels += 5)
        assert_int_equal(fmix_resize(scratch, &good, FMIX_FILTER_BICUBIC, channels, &picture, out),
                         FMIX_ERROR_RANGE);
    assert_int_equal(fmix_resize(scratch, &good, (fmix_filter)3, 1, &picture, out),
                     FMIX_ERROR_RANGE);
    assert_int_equal(fmix_view_take(scratch, &good, 0, &picture, out), FMIX_ERROR_RANGE);
    fmix_scratch_free(scratch);
}

RUN(T(lines_are_those_of_the_contract), T(channels_do_not_mix),
    T(pixels_outside_the_window_play_no_part),
    T(views_are_windows_of_the_resized_picture_amid_zeros), T(elements_of_any_size_are_taken_whole),
    T(a_scratch_grows_to_the_memory_that_was_told), T(what_is_outside_its_range_is_refused))
