/* The format jpeg: a picture that is uploaded. Its decoder is image_jpeg.c. */
#include "image.h"
#include "picture.h"

static bool begins(const unsigned char *body, size_t length) {
    const char *kind = image_kind(body, length);
    return kind && kind[0] == 'J';
}

const format format_jpeg = {
    .name = "jpeg",
    .media_type = "image/jpeg",
    .version = 1,
    .read = picture_read_body,
    .weigh = picture_weigh_body,
    .pictures = true,
    .begins = begins,
};
