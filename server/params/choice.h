/*
 * choice.h - which method mixes a row, and which rows are mixed: prob, switch, scope, a list of
 * methods with policy and weights, and an alpha for each
 */
#ifndef CHOICE_H
#define CHOICE_H

#include "query.h"

/* Refuses combinations that have no meaning. False: explained. */
bool choice_check(const query *q, problem *p);

/* The choice of a query that choice_check takes: it points into the query. */
void choice_of(const query *q, fmix_choice *out);

/* The same for one batch: where the batch decides its method, only that one. False: the numbers do
 * not make sense, which choice_check refuses. */
bool choice_of_batch(const query *q, uint64_t batch, fmix_choice *out);

/* Returns true if two rows of one batch can have different methods, but for scope=batch. */
bool choice_varies(const query *q);

#endif
