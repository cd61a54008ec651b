/*
 * view.h - from parameters to the library's views of pictures (STREAM §9)
 */
#ifndef PARAMS_VIEW_H
#define PARAMS_VIEW_H

#include "query.h"

/* Refuses a missing size, views of more than `elements` pixels, and parameters of another view.
 * `whose` names the pictures in a refusal: "the pictures of the data set photos". */
bool view_check(const query *q, const char *whose, uint64_t elements, problem *p);

/* The views that a query asks for, which view_check has passed. */
fmix_view_recipe view_recipe(const query *q);

/* Refuses every parameter of these groups that is given. `why` says what there is in place of
 * pictures: "but x is an array". */
void view_refuse(const query *q, unsigned groups, const char *why, problem *p);

#endif
