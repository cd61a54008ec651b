/*
 * buffer.h - a byte buffer that grows up to a fixed cap
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
    bool starved;        /* the budget did not have enough */
    size_t wanted;       /* the room that was asked for last */
    budget_payer payer;  /* pays for the room */
    buffer_pool *spares; /* gives and takes back memory; NULL: malloc and free */
} buffer;

static inline buffer buffer_of(size_t cap) {
    return (buffer){.cap = cap};
}

/* For buffers that one request may fill with many bytes. */
static inline buffer buffer_paid(size_t cap, budget_payer payer) {
    return (buffer){.cap = cap, .payer = payer};
}

void buffer_free(buffer *b);

/* Takes memory for `length` bytes from the pool. False: the pool keeps none that fits, or the
 * budget cannot pay for it; the buffer can still grow later. */
bool buffer_expect(buffer *b, size_t length);

/* Makes room for `length` bytes in all. */
bool buffer_reserve(buffer *b, size_t length);
bool buffer_add(buffer *b, const void *bytes, size_t length);
bool buffer_text(buffer *b, const char *text);

/* Adds decimal digits. A real number reads back as the same number, as by %.17g. */
bool buffer_number(buffer *b, uint64_t number);
bool buffer_real(buffer *b, double number);
/* Fails where the text is longer than 511 bytes. */
bool buffer_print(buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
