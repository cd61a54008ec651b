/*
 * recipe.h - from parameters to the library's recipe, and to the one text that stands for it
 */
#ifndef RECIPE_H
#define RECIPE_H

#include "query.h"

/* Seed, lambda's and the mask's law; not the shape, and the first method of the list. */
bool recipe_law(const query *q, fmix_recipe *out, problem *p);

/* What follows from the mask's law together with its shape: what `spectrum=official` is not for. */
bool recipe_spectrum(const query *q, const fmix_shape *shape, problem *p);

/* Whether some method of the list has masks with soft edges. */
bool recipe_softens(const query *q);

/* The method that batch number `batch` has of the list. */
bool recipe_method(const query *q, uint64_t batch, fmix_method *out, problem *p);

/* Mask sides, within `elements` in all. `parameter` is what to name in a problem. */
bool recipe_shape(unsigned rank, const uint64_t *sides, uint64_t elements, const char *parameter,
                  fmix_shape *out, problem *p);

/* Settles q->index: given, else step * rows. The last of `batches` batches and the last of their
 * rows must have numbers of 64 bits. */
bool recipe_address(query *q, uint64_t rows, uint64_t batches, problem *p);

/* "stream=1 seed=7 …": every parameter of the groups that has a value, in the table's order, each
 * in one spelling. Equal texts mean equal answers. NULL without memory; the caller frees. */
char *recipe_text(const query *q, unsigned groups);

#define RECIPE_ETAG 40
/* A strong ETag, quoted: over the text, the resource, the format and its version. */
void recipe_etag(const char *text, const char *resource, const char *format, unsigned version,
                 char out[RECIPE_ETAG]);

/* Whether an If-None-Match list (NULL: none) holds the ETag, by weak comparison; and whether an
 * If-Match list does, by strong comparison. */
bool recipe_etag_matches(const char *list, const char *etag);
bool recipe_etag_is_named(const char *list, const char *etag);

#endif
