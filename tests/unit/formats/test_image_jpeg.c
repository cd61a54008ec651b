#include "unit.h"

#include "formats/image.h"

#include <stdio.h>

#include <jpeglib.h>

typedef struct file {
    unsigned char *bytes; /* malloc's */
    unsigned long length;
} file;

/* A file of 16 equal rows of 16 pixels of so many components, at quality 100. */
static void write_rows(file *f, unsigned components, const unsigned char *row, bool progressive) {
    static const J_COLOR_SPACE spaces[] = {[1] = JCS_GRAYSCALE, [3] = JCS_RGB, [4] = JCS_CMYK};
    struct jpeg_compress_struct jpeg = {0};
    struct jpeg_error_mgr errors;
    *f = (file){NULL, 0};
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &f->bytes, &f->length);
    jpeg.image_width = jpeg.image_height = 16;
    jpeg.input_components = (int)components;
    jpeg.in_color_space = spaces[components];
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 100, TRUE);
    if (progressive)
        jpeg_simple_progression(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < 16)
        jpeg_write_scanlines(&jpeg, &(JSAMPROW){(JSAMPROW)row}, 1);
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
}

/* The same of one colour. */
static void write_jpeg(file *f, unsigned components, const unsigned char *colour,
                       bool progressive) {
    unsigned char row[16 * 4];
    for (unsigned i = 0; i < 16 * components; i++)
        row[i] = colour[i % components];
    write_rows(f, components, row, progressive);
}

/* Each pixel is near this colour. */
static void check(const file *f, unsigned traits, unsigned channels, const unsigned char *colour) {
    image p;
    if (!image_read(f->bytes, f->length, 0, &p))
        fail_msg("%s", p.message);
    assert_true(p.width == 16 && p.height == 16 && p.message[0] == 0);
    assert_int_equal(p.channels, channels);
    assert_int_equal(p.traits, traits);
    for (unsigned i = 0; i < 256 * channels; i++)
        assert_in_range(p.pixels[i] + 3, colour[i % channels], colour[i % channels] + 6);
    image_free(&p);
}

static void grey_and_colour_are_read_baseline_and_progressive(void **state) {
    (void)state;
    static const unsigned char colour[] = {200, 100, 50};
    for (unsigned way = 0; way < 4; way++) {
        file f;
        unsigned components = way & 1 ? 3 : 1;
        write_jpeg(&f, components, colour, way & 2);
        check(&f, 0, components, colour);
        free(f.bytes);
    }
}

/* Adobe's inks are inverted: 255 is none. */
static void cmyk_becomes_rgb(void **state) {
    (void)state;
    static const unsigned char inks[] = {255, 128, 0, 255}, dark[] = {255, 255, 255, 51};
    file f;
    write_jpeg(&f, 4, inks, false);
    check(&f, IMAGE_CMYK, 3, (const unsigned char[]){255, 128, 0});
    free(f.bytes);
    write_jpeg(&f, 4, dark, false);
    check(&f, IMAGE_CMYK, 3, (const unsigned char[]){51, 51, 51});
    free(f.bytes);
}

static void every_truncated_file_is_refused_as_truncated(void **state) {
    (void)state;
    static const unsigned char colour[] = {200, 100, 50};
    file f;
    image p;
    write_jpeg(&f, 3, colour, false);
    for (unsigned long length = 3; length + 2 < f.length; length++) {
        assert_false(image_read(f.bytes, length, 0, &p));
        assert_non_null(strstr(p.message, "the file is truncated after "));
        assert_null(p.pixels);
    }
    free(f.bytes);
}

/* Whether the decoder can do without the marker hangs on how many bits the last code leaves: of
 * some greys it can, and their pixels are those of the whole file. */
static void a_missing_eoi_marker_is_a_warning_where_all_pixels_are_there(void **state) {
    (void)state;
    unsigned warned = 0;
    uint64_t random = 1;
    for (unsigned i = 0; i < 256; i++) {
        unsigned char noise[16];
        for (unsigned x = 0; x < 16; x++)
            noise[x] = (unsigned char)(unit_random(&random) >> 56);
        file f;
        image whole, cut;
        write_rows(&f, 1, noise, false);
        assert_true(image_read(f.bytes, f.length, 0, &whole));
        if (image_read(f.bytes, f.length - 2, 0, &cut)) {
            assert_non_null(
                strstr(cut.message, "the EOI marker at the end of the file is missing"));
            assert_memory_equal(cut.pixels, whole.pixels, 256);
            warned++;
        } else {
            assert_non_null(strstr(cut.message, "the file is truncated after "));
        }
        image_free(&whole);
        image_free(&cut);
        free(f.bytes);
    }
    assert_in_range(warned, 1, 255);
}

static void stray_bytes_before_a_marker_are_a_warning_of_the_library(void **state) {
    (void)state;
    static const unsigned char colour[] = {7};
    file f;
    image p;
    write_jpeg(&f, 1, colour, false);
    unsigned char *bytes = calloc(1, f.length + 8);
    memcpy(bytes, f.bytes, f.length - 2);
    memcpy(bytes + f.length + 6, "\xff\xd9", 2);
    assert_true(image_read(bytes, f.length + 8, 0, &p));
    assert_memory_equal(p.message, "libjpeg-turbo warning: Corrupt JPEG data", 40);
    image_free(&p);
    free(bytes);
    free(f.bytes);
}

/* The place of a marker, with its 0xff. */
static unsigned char *find_marker(const file *f, unsigned char marker) {
    for (unsigned long i = 0; i + 1 < f->length; i++)
        if (f->bytes[i] == 0xff && f->bytes[i + 1] == marker)
            return f->bytes + i;
    return NULL;
}

static void a_damaged_file_is_refused_in_the_words_of_the_library(void **state) {
    (void)state;
    static const unsigned char colour[] = {7};
    file f;
    image p;
    write_jpeg(&f, 1, colour, false);
    unsigned char *tables = find_marker(&f, 0xdb);
    assert_non_null(tables);
    tables[1] = 0xee; /* the quantization tables become a segment of some application */
    assert_false(image_read(f.bytes, f.length, 0, &p));
    assert_string_equal(p.message, "libjpeg-turbo: Quantization table 0x00 was not defined");
    free(f.bytes);
}

/* Each scan decodes the whole image once more, and a scan that adds nothing takes a few bytes. */
static void a_file_of_more_scans_than_encoders_write_is_refused(void **state) {
    (void)state;
    static const unsigned char colour[] = {7};
    enum { SCANS = 600 };
    file f;
    image p;
    write_jpeg(&f, 1, colour, true);
    const unsigned char *scan = find_marker(&f, 0xda);
    assert_non_null(scan);
    unsigned long head = (unsigned long)(scan - f.bytes), body = f.length - 2 - head, one = 2;
    while (one < body && !(scan[one] == 0xff && scan[one + 1] != 0))
        one++; /* the first scan ends where the next marker begins */
    unsigned char *bytes = malloc(head + SCANS * one + body + 2);
    memcpy(bytes, f.bytes, head);
    for (unsigned i = 0; i < SCANS; i++)
        memcpy(bytes + head + i * one, scan, one);
    memcpy(bytes + head + SCANS * one, scan, body + 2);
    assert_false(image_read(bytes, head + SCANS * one + body + 2, 0, &p));
    assert_string_equal(p.message, "the file has more than the 500 scans allowed");
    free(bytes);
    free(f.bytes);
}

static void two_components_are_refused(void **state) {
    (void)state;
    static const unsigned char colour[] = {7};
    file f;
    image p;
    write_jpeg(&f, 1, colour, false);
    const unsigned char *frame = find_marker(&f, 0xc0);
    assert_non_null(frame);
    size_t head = (size_t)(frame - f.bytes);
    unsigned char *bytes = malloc(f.length + 3);
    memcpy(bytes, f.bytes, head + 13); /* to the end of the frame header */
    memcpy(bytes + head + 13, "\2\x11\0", 3);
    memcpy(bytes + head + 16, f.bytes + head + 13, f.length - head - 13);
    bytes[head + 3] = (unsigned char)(bytes[head + 3] + 3); /* its length, */
    bytes[head + 9] = 2;                                    /* and the number of components */
    assert_false(image_read(bytes, f.length + 3, 0, &p));
    assert_string_equal(p.message, "the image has 2 components; 1, 3 and 4 are supported");
    free(bytes);
    free(f.bytes);
}

RUN(T(grey_and_colour_are_read_baseline_and_progressive), T(cmyk_becomes_rgb),
    T(every_truncated_file_is_refused_as_truncated),
    T(a_missing_eoi_marker_is_a_warning_where_all_pixels_are_there),
    T(stray_bytes_before_a_marker_are_a_warning_of_the_library),
    T(a_damaged_file_is_refused_in_the_words_of_the_library),
    T(a_file_of_more_scans_than_encoders_write_is_refused), T(two_components_are_refused))
