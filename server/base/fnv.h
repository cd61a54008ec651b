/*
 * fnv.h - FNV-1a with 64 bits: tells things apart where nobody wants them to be alike
 */
#ifndef FNV_H
#define FNV_H

#include <stddef.h>
#include <stdint.h>

#define FNV_BEGIN UINT64_C(0xcbf29ce484222325)

/* The hash of all bytes so far, with some more. */
uint64_t fnv_add(uint64_t hash, const void *bytes, size_t length);

#endif
