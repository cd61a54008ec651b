/*
 * openapi.h - the OpenAPI 3.1 document, made of the tables of routes, parameters and formats
 */
#ifndef OPENAPI_H
#define OPENAPI_H

#include "base/buffer.h"

#define OPENAPI_MOST (1u << 20) /* bytes; the document has about 40,000 */

/* Takes about a millisecond; the daemon makes the document once. False: no memory. */
bool openapi_write(buffer *out);

#endif
