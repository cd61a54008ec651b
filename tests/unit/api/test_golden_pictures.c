#include "unit.h"

#include "api/golden_pictures.h"

static char said[4000];

static golden_pictures check(picture_reader *read) {
    memset(said, 0, sizeof said);
    FILE *errors = fmemopen(said, sizeof said, "w");
    golden_pictures found = golden_pictures_check(read, errors);
    fclose(errors);
    return found;
}

static unsigned calls;

/* One sample of the fourth file is wrong by one. */
static bool read_almost(const unsigned char *bytes, size_t length, unsigned channels, image *out) {
    bool good = image_read(bytes, length, channels, out);
    if (good && ++calls == 4)
        out->pixels[100] ^= 1;
    return good;
}

static bool read_nothing(const unsigned char *bytes, size_t length, unsigned channels, image *out) {
    (void)channels;
    return image_read(bytes, length / 2, 0, out);
}

static bool read_twice_as_wide(const unsigned char *bytes, size_t length, unsigned channels,
                               image *out) {
    bool good = image_read(bytes, length, channels, out);
    out->width *= 2;
    return good;
}

/* Compares the first rows, however many, with those of the whole. */
static bool read_in_parts(const unsigned char *bytes, size_t length, unsigned channels,
                          image *out) {
    bool good = image_read(bytes, length, channels, out);
    for (uint32_t rows = 1; rows <= out->height; rows++) {
        const image_part from = {0, 0, rows, out->width};
        image part;
        assert_true(image_read_part(bytes, length, channels, &from, &part));
        assert_int_equal(part.part.height, rows);
        assert_memory_equal(part.pixels, out->pixels, (size_t)rows * out->width * channels);
        image_free(&part);
    }
    return good;
}

static void the_first_rows_have_the_samples_of_the_whole(void **state) {
    (void)state;
    assert_int_equal(check(read_in_parts), GOLDEN_PICTURES_GOOD);
}

static void the_decoder_of_this_machine_passes_in_silence(void **state) {
    (void)state;
    assert_int_equal(check(image_read), GOLDEN_PICTURES_GOOD);
    assert_string_equal(said, "");
    assert_int_equal(check(golden_pictures_read), GOLDEN_PICTURES_GOOD);
    assert_string_equal(said, "");
}

static void one_wrong_sample_fails_and_its_file_is_named(void **state) {
    (void)state;
    calls = 0;
    assert_int_equal(check(read_almost), GOLDEN_PICTURES_OTHER);
    assert_non_null(strstr(said, "'progressive 4:2:0' failed: the decoder gives other samples; "
                                 "image sets are not served"));
    assert_null(strstr(said, "'baseline 4:2:0'"));
}

static void a_decoder_that_fails_says_why(void **state) {
    (void)state;
    assert_int_equal(check(read_nothing), GOLDEN_PICTURES_OTHER);
    assert_non_null(strstr(said, "'grey' failed: the file is truncated after"));
    assert_int_equal(check(read_twice_as_wide), GOLDEN_PICTURES_OTHER);
}

static bool read_without_memory(const unsigned char *bytes, size_t length, unsigned channels,
                                image *out) {
    (void)bytes;
    (void)length;
    (void)channels;
    *out = (image){.starved = true};
    return false;
}

static void want_of_memory_says_nothing_of_the_decoder(void **state) {
    (void)state;
    assert_int_equal(check(read_without_memory), GOLDEN_PICTURES_STARVED);
    assert_null(strstr(said, "image sets are not served"));
}

RUN(T(the_first_rows_have_the_samples_of_the_whole),
    T(the_decoder_of_this_machine_passes_in_silence),
    T(one_wrong_sample_fails_and_its_file_is_named), T(a_decoder_that_fails_says_why),
    T(want_of_memory_says_nothing_of_the_decoder))
