/* Pictures of an import: PNG and JPEG, as they are and as grey or RGB. */
#include "fuzz.h"

#include "picture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    for (unsigned channels = 0; channels <= 3; channels += channels ? 2 : 1) {
        picture p;
        const char *why = picture_read(data, size, channels, &p);
        if (why ? p.pixels != NULL : p.pixels == NULL || (channels && p.channels != channels))
            abort();
        unsigned sum = 0; /* every pixel is there */
        for (size_t i = 0; p.pixels && i < (size_t)p.width * p.height * p.channels; i++)
            sum += p.pixels[i];
        if (sum == 1 && size == 0)
            abort();
        picture_free(&p);
    }
    return 0;
}
