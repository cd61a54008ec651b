#include "picture.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

static bool make_room(picture *out) {
    if (out->width == 0 || out->height == 0 || out->width > PICTURE_SIDE ||
        out->height > PICTURE_SIDE)
        return false;
    out->pixels = malloc((size_t)out->width * out->height * out->channels);
    return out->pixels != NULL;
}

static const char *read_png(const unsigned char *bytes, size_t length, unsigned channels,
                            picture *out) {
    png_image image;
    const png_color black = {0, 0, 0};
    memset(&image, 0, sizeof image);
    image.version = PNG_IMAGE_VERSION;
    if (!png_image_begin_read_from_memory(&image, bytes, length))
        return "libpng cannot read it";
    bool colour = (image.format & PNG_FORMAT_FLAG_COLOR) != 0;
    out->channels = channels ? channels : colour ? 3 : 1;
    out->width = image.width;
    out->height = image.height;
    image.format = out->channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    if (!make_room(out)) {
        png_image_free(&image);
        return "it has too many pixels";
    }
    if (png_image_finish_read(&image, &black, out->pixels, 0, NULL) && image.warning_or_error < 2)
        return NULL;
    png_image_free(&image);
    picture_free(out);
    return "libpng cannot read it";
}

static const char *read_jpeg(const unsigned char *bytes, size_t length, unsigned channels,
                             picture *out) {
    tjhandle reader = tjInitDecompress();
    int width, height, sampling, space;
    const char *why = "libturbojpeg cannot read it";
    if (!reader)
        return "out of memory";
    if (tjDecompressHeader3(reader, bytes, (unsigned long)length, &width, &height, &sampling,
                            &space) != 0)
        goto out;
    out->channels = channels ? channels : space == TJCS_GRAY ? 1 : 3;
    out->width = (uint32_t)width;
    out->height = (uint32_t)height;
    why = "it has too many pixels";
    if (!make_room(out))
        goto out;
    /* The slow transform is the accurate one, and no faster one is the same on every machine. */
    int format = out->channels == 3 ? TJPF_RGB : TJPF_GRAY;
    why = NULL;
    if (tjDecompress2(reader, bytes, (unsigned long)length, out->pixels, width, 0, height, format,
                      TJFLAG_ACCURATEDCT | TJFLAG_STOPONWARNING) != 0) {
        why = "libturbojpeg cannot read it";
        picture_free(out);
    }
out:
    tjDestroy(reader);
    return why;
}

const char *picture_read(const unsigned char *bytes, size_t length, unsigned channels,
                         picture *out) {
    static const unsigned char png[] = {0x89, 'P', 'N', 'G'}, jpeg[] = {0xff, 0xd8, 0xff};
    *out = (picture){0, 0, 0, NULL};
    if (length >= sizeof png && memcmp(bytes, png, sizeof png) == 0)
        return read_png(bytes, length, channels, out);
    if (length >= sizeof jpeg && memcmp(bytes, jpeg, sizeof jpeg) == 0)
        return read_jpeg(bytes, length, channels, out);
    return "it is neither PNG nor JPEG";
}

void picture_free(picture *p) {
    free(p->pixels);
    p->pixels = NULL;
}
