/*
 * range.h - which bytes a Range header asks for: RFC 9110 §14
 */
#ifndef RANGE_H
#define RANGE_H

#include <stdint.h>

typedef enum range_kind {
    RANGE_ALL,    /* no single range of bytes that is well formed: the header is ignored */
    RANGE_PART,   /* 206 */
    RANGE_BEYOND, /* 416: there are no such bytes */
} range_kind;

/* Of a body of `length` bytes: the first and how many. The header may be NULL. */
range_kind range_parse(const char *header, uint64_t length, uint64_t *first, uint64_t *count);

#endif
