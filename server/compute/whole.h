/*
 * whole.h - an answer that is built whole: all rows of all its tensors are collected, then encoded
 *
 * The owner locks; the room of rows has one writer.
 */
#ifndef WHOLE_H
#define WHOLE_H

#include "formats/format.h"
#include "slicing.h"

typedef struct whole {
    pooled_buffer collected; /* until they are encoded */
    buffer encoded;
} whole;

void whole_init(whole *w, budget *payer, buffer_pool *spares);
void whole_free(whole *w);

/* Cuts what the format holds of the source. False: more than it can, explained. */
bool whole_plan(const tensor_source *s, const format *f, slicing *out, double *cost, problem *p);

/* Room for all that is cut. False: no memory. */
bool whole_begin(whole *w, const slicing *all);
unsigned char *whole_room(const whole *w, const slicing_part *c, uint64_t first);

/* False: no memory; w->encoded.starved tells whether of the budget. */
bool whole_encode(whole *w, const tensor_source *s, const format *f, const slicing *all);

/* Of what it comes to when it is encoded, which pays for itself: bytes that it takes at least. */
uint64_t whole_least(const tensor_source *s, const format *f);

#endif
