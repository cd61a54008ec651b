/*
 * cors.h - which pages of other origins may read what is answered (the Fetch standard's CORS)
 *
 * A pure function: no socket, no library.
 */
#ifndef CORS_H
#define CORS_H

#include <stdbool.h>

#define CORS_HEADERS 5

typedef struct cors_request {
    const char *method;
    const char *origin; /* of the page, or NULL */
    const char *wanted; /* the method that a preflight asks for, or NULL */
} cors_request;

typedef struct cors {
    struct {
        const char *name, *value; /* constants, the request's, or those that were given */
    } headers[CORS_HEADERS];
    unsigned count;
    bool vary; /* the answer depends on Origin */
} cors;

/* Whether it is "", "*", or origins with commas between: http://localhost:3000,https://a.example */
bool cors_is_list(const char *allowed);

/* What an answer says to this request. methods: what the resource takes, as GET, HEAD. */
void cors_answer(const char *allowed, const cors_request *r, const char *methods, cors *out);

#endif
