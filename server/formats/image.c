#include "image_codec.h"
#include "image_exif.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of a decoder for each pixel: the coefficients of four components, and four samples. */
#define DECODER_BYTES 12
#define BLOCK         32 /* pixels along a side that are decoded together, at most */

const char *image_kind(const unsigned char *bytes, size_t length) {
    static const struct {
        const char *kind, *magic;
    } kinds[] = {{"JPEG", "\xff\xd8\xff"}, {"PNG", "\x89PNG\r\n\x1a\n"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t magic = strlen(kinds[i].magic);
        if (length >= magic && memcmp(bytes, kinds[i].magic, magic) == 0)
            return kinds[i].kind;
    }
    return NULL;
}

bool image_is_large(const image *p) {
    return p->width > IMAGE_SIDE || p->height > IMAGE_SIDE ||
           (uint64_t)p->width * p->height > IMAGE_PIXELS;
}

static uint64_t whole_blocks(uint32_t side) {
    return ((uint64_t)side + BLOCK - 1) / BLOCK * BLOCK;
}

uint64_t image_memory(const image *p) {
    return DECODER_BYTES * whole_blocks(p->width) * whole_blocks(p->height);
}

bool image_take_sides(image *out) {
    uint64_t pixels = (uint64_t)out->width * out->height;
    if (pixels == 0 || image_is_large(out)) {
        snprintf(
            out->message, sizeof out->message,
            "the image has %u x %u pixels; the limits are %u pixels in all and %u along a side",
            out->width, out->height, IMAGE_PIXELS, IMAGE_SIDE);
        return false;
    }
    out->part = (image_part){.height = out->height, .width = out->width};
    return true;
}

bool image_is_part(const image_part *part, const image *p) {
    return part && part->height > 0 && part->width > 0 && part->height <= p->height &&
           part->top <= p->height - part->height && part->width <= p->width &&
           part->left <= p->width - part->width;
}

void image_take_rows(const image_request *order, image *out) {
    if (image_is_part(order->part, out))
        out->part.height = order->part->top + order->part->height;
}

bool image_allocate(const image_request *order, image *out) {
    unsigned channels = order->channels > out->stored ? order->channels : out->stored;
    out->pixels = malloc((size_t)out->part.height * out->part.width * channels);
    out->starved = !out->pixels;
    if (out->starved)
        snprintf(out->message, sizeof out->message, "out of memory");
    return out->pixels != NULL;
}

/* The weights of ITU-R 601-2 times 2^16, rounded, with which Pillow converts RGB to L. */
static void make_grey(unsigned char *pixels, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const unsigned char *p = pixels + 3 * i;
        pixels[i] = (unsigned char)((19595u * p[0] + 38470u * p[1] + 7471u * p[2] + 0x8000u) >> 16);
    }
}

/* Goes from the end, so that each grey value is read before it is overwritten. */
static void make_rgb(unsigned char *pixels, size_t count) {
    for (size_t i = count; i-- > 0;)
        memset(pixels + 3 * i, pixels[i], 3);
}

static bool read_kind(const image_request *order, image *out) {
    const char *kind = image_kind(order->bytes, order->length);
    memset(out, 0, sizeof *out);
    if (kind)
        return kind[0] == 'P' ? image_png(order, out) : image_jpeg(order, out);
    snprintf(out->message, sizeof out->message,
             order->length ? "the file is neither PNG nor JPEG" : "the file is empty");
    return false;
}

static bool read_any(const image_request *order, image *out) {
    bool good = read_kind(order, out);
    if (image_exif_orientation(order->bytes, order->length) != 1)
        out->traits |= IMAGE_TURNED;
    return good;
}

bool image_header(const unsigned char *bytes, size_t length, image *out) {
    const image_request order = {.bytes = bytes, .length = length};
    return read_any(&order, out);
}

bool image_read(const unsigned char *bytes, size_t length, unsigned channels, image *out) {
    return image_read_part(bytes, length, channels, NULL, out);
}

bool image_read_part(const unsigned char *bytes, size_t length, unsigned channels,
                     const image_part *part, image *out) {
    const image_request order = {
        .bytes = bytes, .length = length, .pixels = true, .channels = channels, .part = part};
    if (!read_any(&order, out)) {
        image_free(out);
        return false;
    }
    size_t count = (size_t)out->part.height * out->part.width;
    out->channels = channels ? channels : out->stored;
    if (out->channels < out->stored)
        make_grey(out->pixels, count);
    else if (out->channels > out->stored)
        make_rgb(out->pixels, count);
    return true;
}

/* ---- label maps ---- */

static bool read_labels(const image_request *order, image *out) {
    memset(out, 0, sizeof *out);
    const char *kind = image_kind(order->bytes, order->length);
    if (kind && strcmp(kind, "PNG") == 0)
        return image_png(order, out);
    snprintf(out->message, sizeof out->message, "a label map must be a PNG file; the file is %s",
             kind ? kind : "neither PNG nor JPEG");
    return false;
}

bool image_labels_header(const unsigned char *bytes, size_t length, image *out) {
    const image_request order = {.bytes = bytes, .length = length, .labels = true};
    return read_labels(&order, out);
}

bool image_labels_read(const unsigned char *bytes, size_t length, const image_part *part,
                       image *out) {
    const image_request order = {.bytes = bytes,
                                 .length = length,
                                 .pixels = true,
                                 .labels = true,
                                 .channels = 1,
                                 .part = part};
    if (!read_labels(&order, out)) {
        image_free(out);
        return false;
    }
    out->channels = 1;
    return true;
}

void image_free(image *p) {
    free(p->pixels);
    p->pixels = NULL;
}
