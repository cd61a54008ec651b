/*
 * media_type.h - whether an upload's head says that its body can be read: RFC 9110 §8.3, §8.4
 */
#ifndef MEDIA_TYPE_H
#define MEDIA_TYPE_H

#include "params/problem.h"

/* The fields Content-Type and Content-Encoding; NULL: not sent. What is wrong is 415 in p. A type
 * that is not known is left to the formats, which look at the body too. */
void media_type_check(const char *type, const char *encoding, problem *p);

#endif
