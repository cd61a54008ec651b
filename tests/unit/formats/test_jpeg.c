#include "unit.h"

#include "formats/format.h"

static void a_jpeg_is_an_upload_alone(void **state) {
    (void)state;
    assert_null(format_accepted("image/jpeg", ~0u));
    assert_null(format_by_name("jpeg", 4, ~0u));
    assert_true(format_jpeg.read && format_jpeg.weigh && format_jpeg.pictures);
}

static void jpeg_and_png_are_told_by_their_first_bytes(void **state) {
    (void)state;
    static const unsigned char jpeg[] = "\xff\xd8\xff", png[] = "\x89PNG\r\n\x1a\n";
    assert_true(format_jpeg.begins(jpeg, 3) && format_png.begins(png, 8));
    assert_false(format_jpeg.begins(jpeg, 2) || format_png.begins(png, 7));
    assert_false(format_jpeg.begins(png, 8) || format_png.begins(jpeg, 3));
}

RUN(T(a_jpeg_is_an_upload_alone), T(jpeg_and_png_are_told_by_their_first_bytes))
