/*
 * A contact sheet of masks, 0 black and 255 white. One mask alone is pixel for pixel. A mask of one
 * side is a strip, one of three its slices in a near square, left to right and down.
 */
#include "format.h"

#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#define GAP        4   /* pixels between masks */
#define GROUND     128 /* grey between them */
#define STRIP      16  /* height of a strip in a sheet of several */
#define MOST_SIDE  65500
#define MOST_BYTES (64u << 20)

typedef struct sheet {
    uint64_t columns, lines; /* of masks */
    uint64_t slices, slice_columns;
    uint64_t width, height; /* of a slice, in elements */
    uint64_t repeat;        /* lines that one line of elements takes, before scale */
    uint64_t tile_width, tile_height, gap, scale; /* of a mask, in unscaled pixels */
    uint64_t pixels_across, pixels_down;
} sheet;

static uint64_t ceil_root(uint64_t n) {
    uint64_t r = 1;
    while (r * r < n)
        r++;
    return r;
}

static sheet arrange(const source *s) {
    const tensor *t = &s->tensors[s->main];
    sheet a = {.slices = 1, .slice_columns = 1, .height = 1, .repeat = 1};
    unsigned sides = t->rank - 1;
    a.width = t->shape[sides];
    if (sides >= 2)
        a.height = t->shape[sides - 1];
    else if (s->rows > 1)
        a.repeat = STRIP;
    if (sides == 3) {
        a.slices = t->shape[1];
        a.slice_columns = ceil_root(a.slices);
    }
    uint64_t slice_lines = (a.slices + a.slice_columns - 1) / a.slice_columns;
    a.scale = s->scale;
    a.gap = s->rows > 1 ? GAP : 0;
    a.columns = s->columns ? s->columns : sides == 1 ? 1 : ceil_root(s->rows);
    a.columns = a.columns < s->rows ? a.columns : s->rows;
    a.lines = (s->rows + a.columns - 1) / a.columns;
    a.tile_width = a.width * a.slice_columns;
    a.tile_height = a.height * a.repeat * slice_lines;
    a.pixels_across = a.columns * (a.tile_width * a.scale + a.gap) + a.gap;
    a.pixels_down = a.lines * (a.tile_height * a.scale + a.gap) + a.gap;
    return a;
}

/* One line of elements of one slice of one mask, scaled, to where it belongs. */
static void draw_line(const sheet *a, const unsigned char *elements, uint64_t row, uint64_t slice,
                      uint64_t line, unsigned char *canvas) {
    uint64_t left = a->gap + row % a->columns * (a->tile_width * a->scale + a->gap) +
                    slice % a->slice_columns * a->width * a->scale;
    uint64_t top = a->gap + row / a->columns * (a->tile_height * a->scale + a->gap) +
                   (slice / a->slice_columns * a->height + line) * a->repeat * a->scale;
    unsigned char *at = canvas + top * a->pixels_across + left;
    for (uint64_t i = 0; i < a->width; i++)
        memset(at + i * a->scale, elements[i], (size_t)a->scale);
    for (uint64_t i = 1; i < a->repeat * a->scale; i++)
        memcpy(at + i * a->pixels_across, at, (size_t)(a->width * a->scale));
}

static void draw(const sheet *a, const source *s, const unsigned char *masks,
                 unsigned char *canvas) {
    memset(canvas, GROUND, (size_t)(a->pixels_across * a->pixels_down));
    for (uint64_t row = 0; row < s->rows; row++)
        for (uint64_t slice = 0; slice < a->slices; slice++)
            for (uint64_t line = 0; line < a->height; line++, masks += a->width)
                draw_line(a, masks, row, slice, line, canvas);
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

static bool write_png(const sheet *a, char *recipe, unsigned char *canvas, buffer *out) {
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
    png_set_write_fn(png, out, write_bytes, flush);
    png_set_compression_level(png, 6);
    png_set_IHDR(png, info, (png_uint_32)a->pixels_across, (png_uint_32)a->pixels_down, 8,
                 PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_set_text(png, info, &text, 1);
    png_write_info(png, info);
    for (uint64_t y = 0; y < a->pixels_down; y++)
        png_write_row(png, canvas + y * a->pixels_across);
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    return true;
}

static bool encode(const source *s, const unsigned char *const *data, buffer *out) {
    sheet a = arrange(s);
    size_t bytes = (size_t)(a.pixels_across * a.pixels_down);
    unsigned char *canvas = malloc(bytes);
    if (!canvas)
        return false;
    draw(&a, s, data[s->main], canvas);
    bool good = write_png(&a, s->recipe, canvas, out);
    free(canvas);
    return good;
}

static bool check(const source *s, problem *p) {
    sheet a = arrange(s);
    if (a.pixels_across <= MOST_SIDE && a.pixels_down <= MOST_SIDE &&
        a.pixels_across * a.pixels_down <= MOST_BYTES)
        return true;
    problem_add(p, 413, "n",
                "the png would have %llu x %llu pixels; at most %d along a side and %u in all fit: "
                "ask for fewer masks, a smaller shape or scale, or for npy",
                (unsigned long long)a.pixels_across, (unsigned long long)a.pixels_down, MOST_SIDE,
                MOST_BYTES);
    return false;
}

const format format_png = {
    .name = "png",
    .media_type = "image/png",
    .version = 1,
    .most = 2 * MOST_BYTES, /* check says it in pixels */
    .masks = DTYPE_U8,
    .check = check,
    .encode = encode,
};
