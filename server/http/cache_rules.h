/*
 * cache_rules.h - what caches may do with an answer: RFC 9111, RFC 8246
 */
#ifndef CACHE_RULES_H
#define CACHE_RULES_H

#include "tensor/tensor_source.h"

/* The value of Cache-Control. guarded: the answer depends on a token, so a cache that clients share
 * must not keep it. */
const char *cache_rule(freshness fresh, bool guarded);

#endif
