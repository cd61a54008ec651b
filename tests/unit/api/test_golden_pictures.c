#include "unit.h"

#include "api/golden_pictures.h"

static char said[4000];

static bool check(picture_reader *read) {
    memset(said, 0, sizeof said);
    FILE *errors = fmemopen(said, sizeof said, "w");
    bool good = golden_pictures_check(read, errors);
    fclose(errors);
    return good;
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

static void the_decoder_of_this_machine_passes_in_silence(void **state) {
    (void)state;
    assert_true(check(image_read));
    assert_string_equal(said, "");
}

static void one_wrong_sample_fails_and_its_file_is_named(void **state) {
    (void)state;
    calls = 0;
    assert_false(check(read_almost));
    assert_non_null(strstr(said, "'progressive 4:2:0' failed: the decoder gives other samples; "
                                 "image sets are not served"));
    assert_null(strstr(said, "'baseline 4:2:0'"));
}

static void a_decoder_that_fails_says_why(void **state) {
    (void)state;
    assert_false(check(read_nothing));
    assert_non_null(strstr(said, "'grey' failed: the file is truncated after"));
    assert_false(check(read_twice_as_wide));
}

RUN(T(the_decoder_of_this_machine_passes_in_silence),
    T(one_wrong_sample_fails_and_its_file_is_named), T(a_decoder_that_fails_says_why))
