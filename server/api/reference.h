/*
 * reference.h - routes, parameters and formats as tables in Markdown, for deploy/API.md
 */
#ifndef REFERENCE_H
#define REFERENCE_H

#include "base/buffer.h"

#define REFERENCE_MOST (1u << 18) /* bytes; the text has some 14,000 */

/* The text is made of the tables by which requests are checked. False: no memory. */
bool reference_write(buffer *out);

#endif
