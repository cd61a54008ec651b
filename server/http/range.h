/*
 * range.h - parses a Range header field: RFC 9110 §14
 */
#ifndef RANGE_H
#define RANGE_H

#include <stdint.h>

typedef enum range_kind {
    RANGE_ALL,    /* not one well-formed range of bytes: the field is ignored */
    RANGE_PART,   /* 206 */
    RANGE_BEYOND, /* 416: the range does not contain any byte of the body */
} range_kind;

/* *first and *count: the range within a body of `length` bytes. The header may be NULL. */
range_kind range_parse(const char *header, uint64_t length, uint64_t *first, uint64_t *count);

#endif
