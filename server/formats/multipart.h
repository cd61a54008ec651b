/*
 * multipart.h - the parts of a multipart/form-data body (RFC 7578, RFC 2046 §5.1)
 *
 * The parser is strict, since a body that two parsers read in two ways hides data. The boundary is
 * that of Content-Type. Lines of headers end with CRLF and are not folded. Nothing stands before
 * the first boundary but an empty line, and nothing behind the last one but a line end.
 */
#ifndef MULTIPART_H
#define MULTIPART_H

#include "header_field.h"
#include "upload.h"

#define MULTIPART_BOUNDARY 70   /* characters at most */
#define MULTIPART_HEAD     4096 /* bytes of the headers of a part at most */
#define MULTIPART_PARTS    4096 /* at most */

/* Texts and bytes lie in the body. */
typedef struct multipart_part {
    char name[ARRAY_NAME];
    field_text file; /* the name of the file as it is sent */
    field_text type; /* Content-Type without its parameters; empty: not sent */
    const unsigned char *bytes;
    size_t length;
    bool is_file; /* filename was sent, perhaps empty */
} multipart_part;

typedef struct multipart {
    multipart_part *parts; /* owned */
    unsigned count;
} multipart;

/* Finds all parts. False: explained. multipart_free follows in either case. */
bool multipart_read(const upload_body *body, multipart *out, problem *p);
void multipart_free(multipart *m);

/* What the body seems to hold: the first byte of the first part, as far as it is found in the first
 * MULTIPART_HEAD bytes; else NULL. Takes next to no time. */
const unsigned char *multipart_peek(const upload_body *body);

#endif
