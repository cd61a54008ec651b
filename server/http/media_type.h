/*
 * media_type.h - which Content-Type and Content-Encoding an upload may have: RFC 9110 §8.3, §8.4
 */
#ifndef MEDIA_TYPE_H
#define MEDIA_TYPE_H

#include "params/problem.h"

/* NULL: the field was not sent. A field that is not acceptable is 415 in p. An unknown type is left
 * to the formats, which look at the body too. */
void media_type_check(const char *type, const char *encoding, problem *p);

#endif
