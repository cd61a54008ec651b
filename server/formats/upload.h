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
#define UPLOAD_ARRAYS 16

/* An uploaded array: a view of the body, or of what was inflated from it; little-endian. */
typedef struct array {
    char name[ARRAY_NAME]; /* "x" where the format holds one and names none */
    const unsigned char *bytes;
    dtype type;
    unsigned rank;
    uint64_t shape[QUERY_RANK];
} array;

typedef struct upload {
    array arrays[UPLOAD_ARRAYS];
    unsigned count;
    buffer inflated; /* owned; empty where every array lies in the body */
    uint64_t held;   /* bytes that the body takes */
} upload;

/* The array of this name, or NULL. */
const array *upload_find(const upload *u, const char *name);

/* One more array, its name set: letters, digits and _, with . and - between. NULL: too many, named
 * oddly or twice. */
array *upload_add(upload *u, const char *name, size_t length, problem *p);

/* Shape and type against the bytes there are: what is claimed is never allocated. */
bool array_check(const array *a, uint64_t bytes, problem *p);

/* Brings what was read into the machine's order, in the body's own bytes: formats refuse arrays
 * that overlap. */
void upload_swap(upload *u);

#endif
