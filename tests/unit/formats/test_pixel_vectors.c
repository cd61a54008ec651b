/* The golden vectors of the pixels of files (STREAM §9), each written as a PNG or JPEG and read. */
#include "vectors.h"

#include "formats/image.h"

#include <stdio.h>

#include <jpeglib.h>
#include <png.h>

typedef struct file {
    unsigned char bytes[MOST];
    size_t length;
} file;

static void add_bytes(png_structp png, png_bytep bytes, size_t length) {
    file *f = png_get_io_ptr(png);
    assert_in_range(f->length + length, 0, sizeof f->bytes);
    memcpy(f->bytes + f->length, bytes, length);
    f->length += length;
}

/* Samples as a PNG of one row. Depths below 8 are packed from bytes. */
static void write_png(file *f, const json_t *v, int depth, int colours, uint32_t width,
                      unsigned char *row) {
    unsigned char bytes[MOST];
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    f->length = 0;
    png_set_check_for_invalid_index(png, 0); /* a palette may lack entries */
    png_set_write_fn(png, f, add_bytes, NULL);
    png_set_IHDR(png, info, width, 1, depth, colours, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_BASE,
                 PNG_FILTER_TYPE_BASE);
    if (colours == PNG_COLOR_TYPE_PALETTE) {
        png_color palette[256];
        size_t entries = bytes_of(v, "palette", bytes) / 3;
        for (size_t i = 0; i < entries; i++)
            palette[i] = (png_color){bytes[3 * i], bytes[3 * i + 1], bytes[3 * i + 2]};
        png_set_PLTE(png, info, palette, (int)entries);
    }
    png_write_info(png, info);
    png_set_packing(png);
    png_write_row(png, row);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
}

static void check(const unsigned char *bytes, size_t length, unsigned channels,
                  const unsigned char *wanted, size_t count) {
    image p;
    if (!image_read(bytes, length, channels, &p))
        fail_msg("%s", p.message);
    assert_int_equal(p.channels, channels);
    assert_memory_equal(p.pixels, wanted, count);
    image_free(&p);
}

/* One colour at quality 100 survives: all that is stored is an eighth of its distance from 128. */
static void check_inks(const unsigned char *inks, const unsigned char *wanted) {
    struct jpeg_compress_struct jpeg = {0};
    struct jpeg_error_mgr errors;
    unsigned char row[8 * 4], *bytes = NULL;
    unsigned long length = 0;
    for (unsigned i = 0; i < sizeof row; i++)
        row[i] = inks[i % 4];
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &bytes, &length);
    jpeg.image_width = jpeg.image_height = 8;
    jpeg.input_components = 4;
    jpeg.in_color_space = JCS_CMYK;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 100, TRUE);
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < 8)
        jpeg_write_scanlines(&jpeg, &(JSAMPROW){row}, 1);
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    check(bytes, length, 3, wanted, 3);
    free(bytes);
}

static void pixels_equal_the_vectors(void **state) {
    (void)state;
    EACH(v, "pixels") {
        unsigned char samples[MOST], wanted[MOST];
        file f;
        bool grey = json_object_get(v, "grey") != NULL;
        int depth = json_object_get(v, "depth") ? (int)whole(v, "depth") : 8;
        int colours = is(v, "from", "rgb")       ? PNG_COLOR_TYPE_RGB
                      : is(v, "from", "palette") ? PNG_COLOR_TYPE_PALETTE
                                                 : PNG_COLOR_TYPE_GRAY;
        size_t length = bytes_of(v, "samples", samples);
        size_t count = bytes_of(v, grey ? "grey" : "rgb", wanted);
        if (is(v, "from", "cmyk")) {
            for (size_t i = 0; i < length / 4; i++)
                check_inks(samples + 4 * i, wanted + 3 * i);
            continue;
        }
        write_png(&f, v, depth, colours, (uint32_t)(count / (grey ? 1 : 3)), samples);
        check(f.bytes, f.length, grey ? 1 : 3, wanted, count);
    }
}

RUN(T(pixels_equal_the_vectors))
