/* PNG by the low-level interface of libpng, which does not apply gamma unless it is told to. */
#include "image_codec.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct reader {
    const image_request *order;
    image *out;
    png_structp png;
    png_infop info;
    size_t at;
    bool ended; /* libpng asked for more bytes than there are */
    jmp_buf failed;
} reader;

static _Noreturn void on_error(png_structp png, const char *text) {
    reader *r = png_get_error_ptr(png);
    if (r->ended)
        snprintf(r->out->message, IMAGE_MESSAGE, "the file is truncated after %zu bytes",
                 r->order->length);
    else
        snprintf(r->out->message, IMAGE_MESSAGE, "libpng: %s", text);
    longjmp(r->failed, 1);
}

static void on_warning(png_structp png, const char *text) {
    reader *r = png_get_error_ptr(png);
    if (!r->out->message[0])
        snprintf(r->out->message, IMAGE_MESSAGE, "libpng warning: %s", text);
}

static void read_bytes(png_structp png, png_bytep out, size_t count) {
    reader *r = png_get_io_ptr(png);
    if (count > r->order->length - r->at) {
        r->ended = true;
        png_error(png, "the end of the file");
    }
    memcpy(out, r->order->bytes + r->at, count);
    r->at += count;
}

/* Chunks that do not change samples are ignored: they may inflate to any length, and errors in them
 * do no harm. */
static void read_info(reader *r) {
    png_set_read_fn(r->png, r, read_bytes);
    png_set_user_limits(r->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_benign_errors(r->png, 1);
    png_set_keep_unknown_chunks(r->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_read_info(r->png, r->info);
}

static void take_header(reader *r) {
    unsigned colours = png_get_color_type(r->png, r->info);
    bool clear = (colours & PNG_COLOR_MASK_ALPHA) || png_get_valid(r->png, r->info, PNG_INFO_tRNS);
    r->out->width = png_get_image_width(r->png, r->info);
    r->out->height = png_get_image_height(r->png, r->info);
    r->out->stored = colours & PNG_COLOR_MASK_COLOR ? 3 : 1;
    r->out->traits = (colours & PNG_COLOR_MASK_PALETTE ? IMAGE_PALETTE : 0u) |
                     (clear ? IMAGE_ALPHA : 0u) |
                     (png_get_bit_depth(r->png, r->info) == 16 ? IMAGE_WIDE : 0u);
}

/* Refuses what would lose something as class numbers of one byte. */
static bool take_labels(reader *r) {
    static const char *const kinds[] = {[PNG_COLOR_TYPE_RGB] = "RGB pixels",
                                        [PNG_COLOR_TYPE_GRAY_ALPHA] = "grey pixels with alpha",
                                        [PNG_COLOR_TYPE_RGB_ALPHA] = "RGB pixels with alpha"};
    unsigned colours = png_get_color_type(r->png, r->info);
    unsigned bits = png_get_bit_depth(r->png, r->info);
    bool palette = colours == PNG_COLOR_TYPE_PALETTE;
    bool one = palette || colours == PNG_COLOR_TYPE_GRAY;
    r->out->stored = 1;
    r->out->traits = !palette && bits < 8 ? IMAGE_NARROW : 0;
    if (!one)
        snprintf(r->out->message, IMAGE_MESSAGE,
                 "a label map must have palette indices or grey values; the file has %s",
                 kinds[colours]);
    else if (bits > 8)
        snprintf(r->out->message, IMAGE_MESSAGE,
                 "a label map must have at most 8 bits in a pixel; the file has %u", bits);
    return one && bits <= 8;
}

/* Has libpng convert rows to 1 or 3 bytes per pixel. */
static void set_transformations(reader *r) {
    unsigned colours = png_get_color_type(r->png, r->info);
    if (r->order->labels) {
        png_set_packing(r->png);
        png_set_check_for_invalid_index(r->png, 0); /* the palette has no meaning here */
        return;
    }
    if (colours == PNG_COLOR_TYPE_PALETTE)
        png_set_palette_to_rgb(r->png);
    else if (colours == PNG_COLOR_TYPE_GRAY)
        png_set_expand_gray_1_2_4_to_8(r->png);
    png_set_strip_16(r->png);
    png_set_strip_alpha(r->png);
}

static bool decode(reader *r) {
    read_info(r);
    take_header(r);
    if (!image_take_sides(r->out) || (r->order->labels && !take_labels(r)))
        return false;
    if (!r->order->pixels)
        return true;
    if (png_get_interlace_type(r->png, r->info) == PNG_INTERLACE_NONE)
        image_take_rows(r->order, r->out);
    if (!image_allocate(r->order, r->out))
        return false;
    set_transformations(r);
    size_t stride = (size_t)r->out->width * r->out->stored;
    int passes = png_set_interlace_handling(r->png);
    png_read_update_info(r->png, r->info);
    if (png_get_rowbytes(r->png, r->info) != stride)
        png_error(r->png, "the length of a row does not fit its pixels");
    for (int pass = 0; pass < passes; pass++)
        for (uint32_t y = 0; y < r->out->part.height; y++)
            png_read_row(r->png, r->out->pixels + y * stride, NULL);
    if (r->out->part.height == r->out->height)
        png_read_end(r->png, NULL);
    return true;
}

static png_voidp take_memory(png_structp png, png_alloc_size_t bytes) {
    void *memory = malloc(bytes);
    if (!memory)
        ((reader *)png_get_mem_ptr(png))->out->starved = true;
    return memory;
}

static void give_memory(png_structp png, png_voidp memory) {
    (void)png;
    free(memory);
}

bool image_png(const image_request *order, image *out) {
    reader r = {.order = order, .out = out};
    bool good = false;
    r.png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &r, on_error, on_warning, &r,
                                     take_memory, give_memory);
    r.info = r.png ? png_create_info_struct(r.png) : NULL;
    out->starved = !r.info;
    if (out->starved)
        snprintf(out->message, IMAGE_MESSAGE, "out of memory");
    else if (setjmp(r.failed) == 0)
        good = decode(&r);
    else
        good = false;
    png_destroy_read_struct(&r.png, &r.info, NULL);
    return good;
}
