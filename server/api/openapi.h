/*
 * openapi.h - what may be asked and what is answered, as an OpenAPI 3.1 document
 */
#ifndef OPENAPI_H
#define OPENAPI_H

#include "base/buffer.h"

#define OPENAPI_MOST (1u << 20) /* bytes; it has some 40,000 */

/* Made of the tables of routes, parameters and formats. False: no memory. It takes a millisecond,
 * so it is made once. */
bool openapi_write(buffer *out);

#endif
