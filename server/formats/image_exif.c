/* Exif 2.3: a TIFF file, in an APP1 segment of JPEG that begins with "Exif", or in an eXIf chunk of
 * PNG (third edition). */
#include "image_exif.h"

#include <stdint.h>
#include <string.h>

#define SOI         0xd8
#define SOS         0xda
#define APP1        0xe1
#define ORIENTATION 0x0112
#define SHORT       3  /* the type of its value */
#define ENTRY       12 /* bytes of a directory's entry */
#define SIGNATURE   8  /* bytes before the first chunk of PNG */
#define CHUNK       12 /* bytes of a chunk without data */

typedef struct tiff {
    const unsigned char *bytes;
    size_t length;
    bool little; /* least byte first */
} tiff;

/* A number of 2 or 4 bytes; 0 outside the segment. */
static uint32_t number_at(const tiff *t, size_t at, unsigned bytes) {
    uint32_t number = 0;
    if (at > t->length || t->length - at < bytes)
        return 0;
    for (unsigned i = 0; i < bytes; i++)
        number = number << 8 | t->bytes[at + (t->little ? bytes - 1 - i : i)];
    return number;
}

static unsigned orientation_of(const unsigned char *bytes, size_t length) {
    const tiff t = {bytes, length, length >= 2 && bytes[0] == 'I'};
    if (number_at(&t, 2, 2) != 42)
        return 1;
    size_t directory = number_at(&t, 4, 4);
    uint32_t entries = number_at(&t, directory, 2);
    for (uint32_t i = 0; i < entries; i++) {
        size_t at = directory + 2 + (size_t)i * ENTRY;
        if (number_at(&t, at, 2) != ORIENTATION || number_at(&t, at + 2, 2) != SHORT)
            continue;
        uint32_t value = number_at(&t, at + 8, 2);
        return value >= 1 && value <= 8 ? value : 1;
    }
    return 1;
}

static unsigned orientation_of_jpeg(const unsigned char *bytes, size_t length) {
    static const char exif[6] = "Exif\0";
    size_t at = 2;
    while (length - at >= 4 && bytes[at] == 0xff && bytes[at + 1] != SOS) {
        size_t segment = (size_t)bytes[at + 2] << 8 | bytes[at + 3], end = at + 2 + segment;
        const unsigned char *inside = bytes + at + 4;
        if (segment < 2 || end > length)
            return 1;
        if (bytes[at + 1] == APP1 && segment >= 2 + sizeof exif &&
            memcmp(inside, exif, sizeof exif) == 0)
            return orientation_of(inside + sizeof exif, segment - 2 - sizeof exif);
        at = end;
    }
    return 1;
}

/* The chunk may be before the image data or behind it. */
static unsigned orientation_of_png(const unsigned char *bytes, size_t length) {
    const tiff t = {bytes, length, false};
    for (size_t at = SIGNATURE; length - at >= CHUNK;) {
        size_t data = number_at(&t, at, 4);
        if (data > length - at - CHUNK)
            return 1;
        if (memcmp(bytes + at + 4, "eXIf", 4) == 0)
            return orientation_of(bytes + at + 8, data);
        at += CHUNK + data;
    }
    return 1;
}

unsigned image_exif_orientation(const unsigned char *bytes, size_t length) {
    static const unsigned char png[SIGNATURE] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    if (length >= SIGNATURE && memcmp(bytes, png, SIGNATURE) == 0)
        return orientation_of_png(bytes, length);
    return length >= 2 && bytes[0] == 0xff && bytes[1] == SOI ? orientation_of_jpeg(bytes, length)
                                                              : 1;
}
