/*
 * conditions.h - what a client has already, and which part it wants: RFC 9110 §13 and §14
 */
#ifndef CONDITIONS_H
#define CONDITIONS_H

#include "compute/answer.h"
#include "params/recipe.h"

struct MHD_Connection; /* asked for its headers */

typedef struct conditions {
    char etag[RECIPE_ETAG]; /* empty: the answer has no validator */
    bool passing;           /* of the source */
    bool failed;            /* If-Match wants another answer than this */
    bool not_modified;      /* the client has it */
    uint64_t first, total;  /* of a range; no total: all is sent */
} conditions;

/* A source from a GET has a validator; a client may have named it. s NULL: the answer is a text,
 * without one. exists: the method asks for what the resource is, not for what becomes of a body.
 * Where there is no memory to look, 500 in p. */
void conditions_check(conditions *c, struct MHD_Connection *connection, const tensor_source *s,
                      const char *path, const format *f, bool exists, problem *p);

/* Cuts the answer to the range that is wanted, if any; 416 in p if there is no such. */
void conditions_cut(conditions *c, struct MHD_Connection *connection, answer *a, problem *p);

#endif
