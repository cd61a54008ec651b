/*
 * recipe.h - from parameters to the library's recipe, and to its canonical text
 */
#ifndef RECIPE_H
#define RECIPE_H

#include "query.h"

/* Sets every field of the recipe but its shape. The method and the alpha are the first of their
 * lists. */
bool recipe_from_query(const query *q, fmix_recipe *out, problem *p);

/* Refuses what `spectrum=official` does not define. */
bool recipe_spectrum(const query *q, const fmix_shape *shape, problem *p);

/* Returns true if a method of the list has masks with soft edges. */
bool recipe_softens(const query *q);

/* Checks the sides of a mask of at most `elements`. `parameter` is the name in a refusal. */
bool recipe_shape(unsigned rank, const uint64_t *sides, uint64_t elements, const char *parameter,
                  fmix_shape *out, problem *p);

/* Sets q->index to step * rows, unless index is given. Refuses numbers of batches and rows that do
 * not fit 64 bits. */
bool recipe_address(query *q, uint64_t rows, uint64_t batches, problem *p);

/* "stream=1 seed=7 …": every parameter of the groups that has a value, in the table's order and in
 * its one spelling. Equal texts mean equal bytes, but for steps=1 of plans, which adds a dimension
 * where it is given. NULL without memory. The caller frees the text.
 */
char *recipe_text(const query *q, unsigned groups);

#endif
