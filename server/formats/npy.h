/*
 * npy.h - NumPy's array files: headers of answers, arrays of uploads
 */
#ifndef NPY_H
#define NPY_H

#include "format.h"

/* An npy file without its data, which begin at a multiple of 64. */
bool npy_header(const tensor *t, buffer *out);

/* Whether NumPy has such a type; `where` is what to blame. */
bool npy_holds(const tensor *t, const char *where, problem *p);

/* An npy file within an upload: fills *out, whose name is set, as a view of the bytes. */
bool npy_read_array(const unsigned char *bytes, size_t length, array *out, problem *p);

#endif
