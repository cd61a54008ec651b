#include "unit.h"

#include "import/picture_sizes.h"

static FILE *looks_of(const picture_look *looks, size_t count) {
    FILE *file = tmpfile();
    assert_int_equal(fwrite(looks, sizeof *looks, count, file), count);
    return file;
}

static void sizes_are_ranked_by_area(void **state) {
    (void)state;
    static const picture_look looks[] = {{500, 375, 3, 0, 0},   {9, 9, 0, 0, 0},
                                         {8192, 8192, 1, 0, 0}, {1, 1, 3, 0, 0},
                                         {400, 300, 3, 0, 0},   {375, 501, 1, 0, 0}};
    FILE *file = looks_of(looks, 6);
    picture_sizes s;
    assert_true(picture_sizes_find(file, &s));
    assert_true(s.count == 5 && s.colour == 3 && s.grey == 2 && s.differ);
    assert_true(s.first.width == 500 && s.least.width == 1 && s.most.width == 8192);
    assert_true(s.median.width == 500 && s.median.height == 375);
    fclose(file);
    char text[PICTURE_SIZES_TEXT];
    picture_sizes_text(&s, true, text);
    assert_string_equal(
        text, "pictures from 1 x 1 to 8192 x 8192 pixels, median 500 x 375: 3 colour, 2 grey");
    picture_sizes_text(&s, false, text);
    assert_string_equal(text, "images of 500 x 375 pixels: 3 colour, 2 grey");
}

static void the_largest_numbers_fit_the_text(void **state) {
    (void)state;
    const picture_look l = {UINT32_MAX, UINT32_MAX, 3, 0, 0};
    const picture_sizes s = {0, UINT64_MAX, UINT64_MAX, l, l, l, l, true};
    char text[PICTURE_SIZES_TEXT];
    picture_sizes_text(&s, true, text);
    assert_non_null(strstr(text, "18446744073709551615 grey"));
}

static void pictures_of_one_size_do_not_differ(void **state) {
    (void)state;
    static const picture_look looks[] = {
        {4, 3, 1, 0, 0}, {4, 3, 3, 0, 0}, {3, 4, 0, 0, 0}, {4, 3, 1, 0, 0}};
    FILE *file = looks_of(looks, 4);
    picture_sizes s;
    assert_true(picture_sizes_find(file, &s) && s.count == 3 && !s.differ);
    assert_true(s.median.width == 4 && s.median.height == 3);
    fclose(file);
    file = looks_of((const picture_look[]){{4, 3, 1, 0, 0}, {3, 4, 1, 0, 0}}, 2);
    assert_true(picture_sizes_find(file, &s) && s.differ); /* of one area */
    fclose(file);
}

static void no_pictures_are_no_error(void **state) {
    (void)state;
    FILE *file = looks_of((const picture_look[]){{4, 3, 0, 0, 0}}, 1);
    picture_sizes s;
    assert_true(picture_sizes_find(file, &s) && s.count == 0);
    fclose(file);
}

RUN(T(sizes_are_ranked_by_area), T(the_largest_numbers_fit_the_text),
    T(pictures_of_one_size_do_not_differ), T(no_pictures_are_no_error))
