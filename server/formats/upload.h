/*
 * upload.h - the arrays of a request's body
 */
#ifndef UPLOAD_H
#define UPLOAD_H

#include "base/buffer.h"
#include "params/problem.h"
#include "params/query.h"
#include "tensor/dtype.h"

#define ARRAY_NAME    32
#define UPLOAD_ARRAYS 34 /* x, eight heads of labels, eight dense targets; the same of partners */

/* An uploaded array: a little-endian view of the body, or of upload.inflated. */
typedef struct array {
    char name[ARRAY_NAME]; /* "x" where the format does not name its array */
    const unsigned char *bytes;
    dtype type;
    unsigned rank;
    uint64_t shape[QUERY_RANK];
} array;

/* The body of a request as its reader sees it. */
typedef struct upload_body {
    const unsigned char *bytes;
    size_t length;
    const char *content_type; /* NULL: not sent */
    const query *query;
    uint64_t elements;           /* of a mask, and so pixels of a view, at most */
    bool (*cancelled)(void *of); /* NULL: never */
    void *of;
} upload_body;

typedef struct upload {
    array arrays[UPLOAD_ARRAYS];
    unsigned count;
    bool views;      /* x and x2 are views of pictures, u8 ... */
    unsigned layout; /* ... in this query_layout, where the query names none */
    buffer inflated; /* owned; empty if every array lies in the body */
    uint64_t held;   /* bytes of memory that the body takes */
} upload;

/* The array of this name, or NULL. */
const array *upload_find(const upload *u, const char *name);

/* What follows the stem in the name STEM or STEM.NAME: an empty text or .NAME. NULL: neither. */
const char *array_suffix(const char *name, const char *stem);

/* Prints sides as "3x4x5", cut to the room; no sides: an empty text. */
void array_print_sides(const uint64_t *side, unsigned sides, char *out, size_t room);

/* Returns true if both arrays have one type and one shape. */
bool array_same(const array *a, const array *b);

/* The array `stem` + `suffix`, which goes with the rows of x2 as `of` goes with the rows of x, and
 * has the type and shape of `of`. NULL: explained. */
const array *upload_partners(const upload *u, const array *of, const char *stem, const char *suffix,
                             problem *p);

/* Appends an array with this name: letters, digits and _, with single . and - between. NULL: there
 * are too many arrays, or the name is invalid or taken. */
array *upload_add(upload *u, const char *name, size_t length, problem *p);

/* Compares shape and type with the bytes that the body has, before anything of the claimed size is
 * allocated. */
bool array_check(const array *a, uint64_t bytes, problem *p);

/* Brings the elements into the machine's byte order, in place: formats refuse arrays that overlap.
 */
void upload_swap(upload *u);

#endif
