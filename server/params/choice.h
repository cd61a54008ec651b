/*
 * choice.h - which method mixes a row, and which rows are mixed: prob, switch, scope, a list of
 * methods with policy and weights, and an alpha for each
 */
#ifndef CHOICE_H
#define CHOICE_H

#include "query.h"

/* Refuses combinations that have no meaning. False: explained. */
bool choice_check(const query *q, problem *p);

/* Returns true if two rows of one batch can have different methods. */
bool choice_varies(const query *q);

#endif
