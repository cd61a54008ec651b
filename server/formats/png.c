/*
 * A contact sheet of images: masks and greys in levels of 0 to 255, or mixed samples of 1, 3 or 4
 * channels (grey, RGB, RGBA). A single image is drawn pixel for pixel. An image of one dimension is
 * a strip; an image of three is its slices, in reading order in a near square. In floating types 0
 * is black and 1 is white.
 */
#include "base/large_memory.h"
#include "image.h"
#include "picture.h"

#include <inttypes.h>
#include <math.h>
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#define GAP        4           /* pixels between images */
#define GROUND     128         /* grey between them */
#define STRIP      16          /* height of a strip in a sheet of several strips */
#define MOST_SIDE  65500       /* pixels, as in a JPEG, which sheets are converted to */
#define MOST_BYTES (64u << 20) /* of pixels, before they are compressed */

typedef struct sheet {
    uint64_t columns, lines; /* of images */
    uint64_t slices, slice_columns;
    uint64_t width, height; /* of a slice, in elements */
    uint64_t repeat;        /* lines of pixels for a line of elements, before scale */
    uint64_t tile_width, tile_height, gap, scale; /* of an image, in unscaled pixels */
    uint64_t pixels_across, pixels_down;
    unsigned channels; /* bytes of a pixel */
    bool apart;        /* each channel is a plane of the sample */
} sheet;

static uint64_t ceil_root(uint64_t n) {
    uint64_t r = 1;
    while (r * r < n)
        r++;
    return r;
}

static const image_shape *drawn_shape(const tensor_source *s) {
    return &s->tensors[s->main].image;
}

static sheet arrange(const tensor_source *s) {
    const image_shape *of = drawn_shape(s);
    sheet a = {.slices = of->slices,
               .slice_columns = ceil_root(of->slices),
               .width = of->width,
               .height = of->height,
               .repeat = of->sides == 1 && s->rows > 1 ? STRIP : 1,
               .channels = (unsigned)of->channels,
               .apart = of->apart};
    uint64_t slice_lines = (a.slices + a.slice_columns - 1) / a.slice_columns;
    a.scale = s->scale;
    a.gap = s->rows > 1 ? GAP : 0;
    a.columns = s->columns ? s->columns : of->sides == 1 ? 1 : ceil_root(s->rows);
    a.columns = a.columns < s->rows ? a.columns : s->rows;
    a.columns = a.columns ? a.columns : 1; /* a source without rows */
    a.lines = (s->rows + a.columns - 1) / a.columns;
    a.tile_width = a.width * a.slice_columns;
    a.tile_height = a.height * a.repeat * slice_lines;
    a.pixels_across = a.columns * (a.tile_width * a.scale + a.gap) + a.gap;
    a.pixels_down = a.lines * (a.tile_height * a.scale + a.gap) + a.gap;
    return a;
}

static unsigned char level_of(dtype type, const unsigned char *at) {
    if (type == DTYPE_U8)
        return *at;
    if (type == DTYPE_BOOL)
        return *at ? 255 : 0;
    double v = 255 * dtype_real(type, at);
    return v >= 255 ? 255 : v > 0 ? (unsigned char)nearbyint(v) : 0; /* NaN: 0 */
}

/* Converts a sample's elements to pixels with interleaved channels. */
static void level_sample(const sheet *a, const tensor *t, const unsigned char *sample,
                         unsigned char *pixels) {
    size_t size = dtype_table[t->type].size;
    uint64_t count = a->width * a->height * a->slices;
    uint64_t pixel_step = a->apart ? 1 : a->channels, channel_step = a->apart ? count : 1;
    for (uint64_t i = 0; i < count; i++)
        for (unsigned c = 0; c < a->channels; c++)
            pixels[i * a->channels + c] =
                level_of(t->type, sample + (i * pixel_step + c * channel_step) * size);
}

/* Draws one line of pixels of one slice of one image, scaled, at its place. */
static void draw_line(const sheet *a, const unsigned char *pixels, uint64_t row, uint64_t slice,
                      uint64_t line, unsigned char *canvas) {
    uint64_t left = a->gap + row % a->columns * (a->tile_width * a->scale + a->gap) +
                    slice % a->slice_columns * a->width * a->scale;
    uint64_t top = a->gap + row / a->columns * (a->tile_height * a->scale + a->gap) +
                   (slice / a->slice_columns * a->height + line) * a->repeat * a->scale;
    uint64_t across = a->pixels_across * a->channels;
    unsigned char *at = canvas + top * across + left * a->channels;
    for (uint64_t i = 0; i < a->width * a->scale; i++)
        memcpy(at + i * a->channels, pixels + i / a->scale * a->channels, a->channels);
    for (uint64_t i = 1; i < a->repeat * a->scale; i++)
        memcpy(at + i * across, at, (size_t)(a->width * a->scale * a->channels));
}

static bool draw(const sheet *a, const tensor_source *s, const unsigned char *samples,
                 unsigned char *canvas) {
    const tensor *t = &s->tensors[s->main];
    unsigned char *pixels = malloc((size_t)(a->width * a->height * a->slices * a->channels));
    if (!pixels)
        return false;
    memset(canvas, GROUND, (size_t)(a->pixels_across * a->pixels_down * a->channels));
    for (uint64_t row = 0; row < s->rows; row++) {
        const unsigned char *at = pixels;
        level_sample(a, t, samples + row * t->row_bytes, pixels);
        for (uint64_t slice = 0; slice < a->slices; slice++)
            for (uint64_t line = 0; line < a->height; line++, at += a->width * a->channels)
                draw_line(a, at, row, slice, line, canvas);
    }
    free(pixels);
    return true;
}

static void write_bytes(png_structp png, png_bytep bytes, png_size_t length) {
    if (!buffer_add(png_get_io_ptr(png), bytes, length))
        png_error(png, "cap");
}

static void flush(png_structp png) {
    (void)png;
}

static void fail(png_structp png, png_const_charp text) {
    (void)text;
    png_longjmp(png, 1);
}

static void quiet(png_structp png, png_const_charp text) {
    (void)png;
    (void)text;
}

static bool write_png(const sheet *a, char *recipe, const unsigned char *canvas, buffer *out) {
    char key[] = "fmixd";
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, fail, quiet);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info || setjmp(png_jmpbuf(png))) {
        png_destroy_write_struct(&png, &info);
        return false;
    }
    png_text text;
    memset(&text, 0, sizeof text);
    text.compression = PNG_TEXT_COMPRESSION_NONE;
    text.key = key;
    text.text = recipe;
    const int colours[] = {
        [1] = PNG_COLOR_TYPE_GRAY, [3] = PNG_COLOR_TYPE_RGB, [4] = PNG_COLOR_TYPE_RGB_ALPHA};
    png_set_write_fn(png, out, write_bytes, flush);
    png_set_compression_level(png, 6);
    png_set_IHDR(png, info, (png_uint_32)a->pixels_across, (png_uint_32)a->pixels_down, 8,
                 colours[a->channels], PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    if (recipe)
        png_set_text(png, info, &text, 1);
    png_write_info(png, info);
    for (uint64_t y = 0; y < a->pixels_down; y++)
        png_write_row(png, canvas + y * a->pixels_across * a->channels);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    return true;
}

static bool encode(const tensor_source *s, const unsigned char *const *data, buffer *out) {
    sheet a = arrange(s);
    size_t bytes = (size_t)(a.pixels_across * a.pixels_down * a.channels);
    unsigned char *canvas = malloc(bytes);
    large_memory_ask_huge(canvas, bytes);
    bool good =
        canvas && draw(&a, s, data[s->main], canvas) && write_png(&a, s->recipe, canvas, out);
    large_memory_free(canvas, bytes);
    return good;
}

static uint64_t working(const tensor_source *s) {
    sheet a = arrange(s);
    return a.channels * (a.pixels_across * a.pixels_down + a.width * a.height * a.slices);
}

/* Compressing takes about 20 ns a byte of masks, 60 of pictures and 230 of noise. */
static double cost(const tensor_source *s, uint64_t nodes) {
    sheet a = arrange(s);
    return 10 * (double)nodes + 40 * (double)(a.channels * a.pixels_across * a.pixels_down);
}

static bool check_pixels(const tensor_source *s, problem *p) {
    const image_shape *of = drawn_shape(s);
    if (of->sides == 0) {
        problem_add(p, 400, "parts",
                    "png shows mixed or masks, and not %s; name one of these two in parts, or ask "
                    "for json, npy or another format of arrays",
                    s->tensors[s->main].name);
        return false;
    }
    if (s->rows == 0)
        problem_add(p, 400, "rank",
                    "this rank's share of the batch has no rows to show as png; ask for another "
                    "format or a smaller world");
    dtype type = s->tensors[s->main].type;
    if (type != DTYPE_U8 && type != DTYPE_BOOL && !dtype_floats(type))
        problem_add(p, 400, "out_dtype",
                    "png shows u8, bool and floats from 0 to 1, and not %s; ask for another format "
                    "or a floating out_dtype",
                    dtype_table[type].name);
    if (of->channels == 2 || of->channels > 4)
        problem_add(p, 400, "layout",
                    "with this layout x has %" PRIu64
                    " channels; png holds 1, 3 or 4 (grey, RGB, RGBA)",
                    of->channels);
    return p->status == 0;
}

static bool check(const tensor_source *s, problem *p) {
    if (!check_pixels(s, p))
        return false;
    sheet a = arrange(s);
    if (a.pixels_across <= MOST_SIDE && a.pixels_down <= MOST_SIDE &&
        a.pixels_across * a.pixels_down <= MOST_BYTES / a.channels)
        return true;
    problem_add(p, 413, "n",
                "the png would have %llu x %llu pixels; the limits are %d pixels a side and %u "
                "bytes in all; ask for fewer rows, a smaller shape or scale, or for npy",
                (unsigned long long)a.pixels_across, (unsigned long long)a.pixels_down, MOST_SIDE,
                MOST_BYTES);
    return false;
}

/* Of an upload, whose decoder is image_png.c. */
static bool begins(const unsigned char *body, size_t length) {
    const char *kind = image_kind(body, length);
    return kind && kind[0] == 'P';
}

const format format_png = {
    .name = "png",
    .media_type = "image/png",
    .kind = FORMAT_IMAGES,
    .version = 1,
    .most = 2 * MOST_BYTES, /* check applies the limit of pixels */
    .check = check,
    .encode = encode,
    .cost = cost,
    .working = working,
    .read = picture_read_body,
    .weigh = picture_weigh_body,
    .pictures = true,
    .begins = begins,
};
