/*
 * cors.h - which pages of other origins may read answers (the Fetch standard's CORS)
 *
 * Pure functions, without sockets and libraries.
 */
#ifndef CORS_H
#define CORS_H

#include <stdbool.h>

#define CORS_HEADERS 5

typedef struct cors_request {
    const char *method;
    const char *origin; /* of the page; NULL: the request has none */
    const char *wanted; /* the method a preflight asks for; NULL: the request is no preflight */
} cors_request;

typedef struct cors {
    struct {
        const char *name, *value; /* constants, or borrowed from the request and the settings */
    } headers[CORS_HEADERS];
    unsigned count;
    bool vary; /* the answer depends on Origin */
} cors;

/* Returns true if the text is "", "*", or a list: http://localhost:3000,https://a.example */
bool cors_is_list(const char *allowed);

/* The headers of the answer to this request. methods: those of the resource, such as "GET, HEAD".
 */
void cors_answer(const char *allowed, const cors_request *r, const char *methods, cors *out);

#endif
