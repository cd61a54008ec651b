/*
 * buffer.h - bytes that grow up to a cap they are born with
 */
#ifndef BUFFER_H
#define BUFFER_H

#include "budget.h"
#include "buffer_pool.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct buffer {
    unsigned char *bytes;
    size_t length, room, cap;
    bool failed;         /* past the cap, or out of memory: nothing is added any more */
    bool starved;        /* failed because the budget had no more, */
    size_t wanted;       /* and of what room */
    budget *payer;       /* what room is taken from; NULL: nobody counts */
    buffer_pool *spares; /* where it comes from, if it can be had there at once; NULL: malloc */
} buffer;

static inline buffer buffer_of(size_t cap) {
    return (buffer){.cap = cap};
}

/* For what one request may hold much of. */
static inline buffer buffer_paid(size_t cap, budget *payer) {
    return (buffer){.cap = cap, .payer = payer};
}

void buffer_free(buffer *b);

/* So many bytes are to come: takes what is kept for as many, if there is such, and else nothing. */
bool buffer_expect(buffer *b, size_t length);

/* Room for `length` in all, at once. */
bool buffer_reserve(buffer *b, size_t length);
bool buffer_add(buffer *b, const void *bytes, size_t length);
bool buffer_text(buffer *b, const char *text);

/* In decimal digits; a real so that it reads back, as by %.17g. */
bool buffer_number(buffer *b, uint64_t number);
bool buffer_real(buffer *b, double number);
bool buffer_print(buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
