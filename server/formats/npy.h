/*
 * npy.h - NumPy's array files: headers of answers, arrays of uploads
 */
#ifndef NPY_H
#define NPY_H

#include "format.h"

/* Appends the header of an npy file. The data follow, at a multiple of 64 bytes. */
bool npy_header(const tensor *t, buffer *out);

/* Returns true if NumPy has the tensor's type. where: the format that a refusal names. */
bool npy_holds(const tensor *t, const char *where, problem *p);

/* Reads an npy file: *out becomes a view of the bytes. out->name is set by the caller. */
bool npy_read_array(const unsigned char *bytes, size_t length, array *out, problem *p);

#endif
