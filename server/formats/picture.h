/*
 * picture.h - uploaded pictures as rows of an array: views of one size (STREAM §9)
 */
#ifndef PICTURE_H
#define PICTURE_H

#include "format.h"
#include "header_field.h"

#define PICTURE_PIXELS (1u << 28) /* of all pictures of an upload at most */

typedef struct picture_file {
    const unsigned char *bytes;
    size_t length;
    field_text name; /* of the file, for refusals */
} picture_file;

/* Pictures of x, and behind them as many of x2. */
typedef struct picture_list {
    const picture_file *files;
    uint64_t rows;
    bool partners;   /* there is x2 */
    uint64_t beside; /* bytes to reserve in out->inflated, behind the views */
} picture_list;

/* Decodes the pictures, draws the view of each, and adds the arrays x and x2 of u8 to `out`. They
 * have three channels, or one where all pictures are grey. Views of x2 are drawn as those of
 * neighbours. The headers of all pictures are checked before a pixel is decoded. */
bool picture_read(const picture_list *list, const upload_body *body, upload *out, problem *p);

/* What it may take to read so many bytes of pictures. */
weight picture_weight(uint64_t bytes);

/* Of a body that is a picture: a format's read, weigh and begins. */
bool picture_read_body(const upload_body *body, upload *out, problem *p);
weight picture_weigh_body(const upload_body *body, uint64_t most);

#endif
