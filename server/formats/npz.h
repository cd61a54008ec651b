/*
 * npz.h - NumPy's archives, written and read
 */
#ifndef NPZ_H
#define NPZ_H

#include "format.h"

/* At least the bytes of an npz file of this source, and a little more. */
uint64_t npz_bound(const tensor_source *s);

/* Appends an npz file. Sizes and offsets of `wide` or more go into zip64 records; only tests pass
 * another value than 0xffffffff. */
bool npz_encode(const tensor_source *s, const unsigned char *const *data, uint64_t wide,
                buffer *out);

bool npz_read(const upload_body *body, upload *out, problem *p);
weight npz_weigh(const upload_body *body, uint64_t most);
bool npz_begins(const unsigned char *body, size_t length);

#endif
