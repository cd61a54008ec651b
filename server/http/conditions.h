/*
 * conditions.h - conditional requests and range requests: RFC 9110 §13 and §14
 */
#ifndef CONDITIONS_H
#define CONDITIONS_H

#include "compute/answer.h"
#include "params/etag.h"

struct MHD_Connection;

typedef struct conditions {
    char etag[ETAG_ROOM];  /* empty: the answer has no validator */
    freshness fresh;       /* of the source */
    bool failed;           /* If-Match does not list the ETag */
    bool not_modified;     /* If-None-Match lists the ETag */
    uint64_t first, total; /* offset of a range, and the whole length; total 0: no range */
} conditions;

/* Sets all but the range. s NULL: the answer is a text, which does not have an ETag. exists: the
 * method reads the resource, rather than processes a body. 500 in p: out of memory. */
void conditions_check(conditions *c, struct MHD_Connection *connection, const tensor_source *s,
                      const char *path, const format *f, bool exists, problem *p);

/* Limits the answer to the range that the request asks for, if any. 416 in p: the range is
 * outside the answer. */
void conditions_cut(conditions *c, struct MHD_Connection *connection, answer *a, problem *p);

#endif
