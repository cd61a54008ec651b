/* Pictures of an import: PNG and JPEG, their headers alone, as they are and as grey or RGB; and
 * what of them is a label map. */
#include "fuzz.h"

#include "formats/image.h"

/* What is decoded here: larger ones take seconds under sanitizers, and their cap has a test. */
#define PIXELS (1u << 20)

/* What is read is what was looked at, has every pixel, and says why where there is none. */
static void read_as(const uint8_t *data, size_t size, const image *looked, bool good,
                    unsigned channels) {
    image p;
    bool read = image_read(data, size, channels, &p);
    FUZZ_ASSERT(read ? good : p.message[0] != 0);
    FUZZ_ASSERT(read == (p.pixels != NULL));
    if (!read)
        return;
    FUZZ_ASSERT(p.width == looked->width && p.height == looked->height);
    FUZZ_ASSERT(p.stored == looked->stored && p.traits == looked->traits);
    FUZZ_ASSERT(p.channels == (channels ? channels : p.stored));
    FUZZ_ASSERT((uint64_t)p.width * p.height <= IMAGE_PIXELS);
    unsigned sum = 0;
    for (size_t i = 0; i < (size_t)p.width * p.height * p.channels; i++)
        sum += p.pixels[i];
    FUZZ_ASSERT(sum != 1 || size != 0);
    image_free(&p);
}

/* A part of it has the same pixels as the whole. */
static void read_part(const uint8_t *data, size_t size, const image *looked, unsigned where) {
    image whole, p;
    if (!image_read(data, size, 0, &whole))
        return;
    uint32_t top = where * 7 % looked->height, left = where * 5 % looked->width;
    const image_part part = {top, left, 1 + where % (looked->height - top),
                             1 + where * 3 % (looked->width - left)};
    FUZZ_ASSERT(image_read_part(data, size, 0, &part, &p));
    FUZZ_ASSERT(p.part.top <= top && p.part.left <= left);
    FUZZ_ASSERT(p.part.top + p.part.height >= top + part.height);
    FUZZ_ASSERT(p.part.left + p.part.width >= left + part.width);
    for (uint32_t y = top; y < top + part.height; y++) {
        size_t from = ((size_t)y * whole.width + left) * whole.channels;
        size_t at = (size_t)(y - p.part.top) * p.part.width + left - p.part.left;
        FUZZ_ASSERT(memcmp(whole.pixels + from, p.pixels + at * p.channels,
                           (size_t)part.width * p.channels) == 0);
    }
    image_free(&whole);
    image_free(&p);
}

/* Class numbers of a part of a map are those of all of it. */
static void read_map(const uint8_t *data, size_t size, unsigned where) {
    image looked, whole, p;
    bool good = image_labels_header(data, size, &looked);
    bool read = image_labels_read(data, size, NULL, &whole);
    FUZZ_ASSERT(read ? good : whole.message[0] != 0);
    FUZZ_ASSERT(read == (whole.pixels != NULL));
    if (!read)
        return;
    FUZZ_ASSERT(whole.width == looked.width && whole.height == looked.height);
    FUZZ_ASSERT(whole.channels == 1 && looked.stored == 1);
    uint32_t top = where % looked.height;
    const image_part part = {top, 0, 1, looked.width};
    FUZZ_ASSERT(image_labels_read(data, size, &part, &p));
    FUZZ_ASSERT(memcmp(p.pixels + (size_t)(top - p.part.top) * p.part.width,
                       whole.pixels + (size_t)top * whole.width, whole.width) == 0);
    image_free(&whole);
    image_free(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    image looked;
    bool good = image_header(data, size, &looked);
    FUZZ_ASSERT(!looked.pixels && (good || looked.message[0]));
    if (good && (uint64_t)looked.width * looked.height > PIXELS)
        return 0;
    read_as(data, size, &looked, good, 0);
    read_as(data, size, &looked, good, 1);
    read_as(data, size, &looked, good, 3);
    if (good)
        read_part(data, size, &looked, (unsigned)size);
    read_map(data, size, (unsigned)size);
    return 0;
}
