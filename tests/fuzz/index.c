/* The index of an image set of at most four pictures, beside 64 bytes of data: no entry leads out
 * of them. The first byte says how the pictures are stored. */
#include "fuzz.h"

#include "datasets/dataset_picture.h"
#include "formats/image.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    unsigned char index[4 * DATASET_PICTURE_ENTRY] = {0};
    static const unsigned char bytes[64];
    dataset d = {.images = true, .x.rank = 2, .x.file = {.bytes = bytes, .length = sizeof bytes}};
    dataset_picture p;
    if (size == 0)
        return 0;
    d.store = data[0] & 1 ? DATASET_PIXELS : DATASET_FILES;
    d.x.rank = data[0] & 2 ? 3 : 2;
    d.count = 1 + (data[0] >> 2 & 3);
    memcpy(index, data + 1, size - 1 < sizeof index ? size - 1 : sizeof index);
    d.x.index = (mapped_file){.bytes = index, .length = d.count * DATASET_PICTURE_ENTRY};
    for (uint64_t row = 0; row < 5; row++) {
        if (!dataset_picture_of(&d, row, &p))
            continue;
        FUZZ_ASSERT(row < d.count && p.length >= 1 && p.length <= sizeof bytes);
        FUZZ_ASSERT(p.bytes >= bytes && p.bytes + p.length <= bytes + sizeof bytes);
        FUZZ_ASSERT(p.height >= 1 && p.width >= 1);
        FUZZ_ASSERT((uint64_t)p.height * p.width <= IMAGE_PIXELS);
        FUZZ_ASSERT(d.store == DATASET_FILES ||
                    p.length == (uint64_t)p.height * p.width * dataset_picture_channels(&d));
    }
    return 0;
}
