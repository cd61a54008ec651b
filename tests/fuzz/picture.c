/* Pictures of an import: PNG and JPEG, their headers alone, as they are and as grey or RGB. */
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    image looked;
    bool good = image_header(data, size, &looked);
    FUZZ_ASSERT(!looked.pixels && (good || looked.message[0]));
    if (good && (uint64_t)looked.width * looked.height > PIXELS)
        return 0;
    read_as(data, size, &looked, good, 0);
    read_as(data, size, &looked, good, 1);
    read_as(data, size, &looked, good, 3);
    return 0;
}
