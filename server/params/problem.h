/*
 * problem.h - why a request is refused: RFC 9457, with the names of parameters
 */
#ifndef PROBLEM_H
#define PROBLEM_H

#include "base/buffer.h"
#include "refusal.h"

#include <stdbool.h>

#define PROBLEM_ERRORS 8 /* further errors are counted and not kept */

typedef struct problem {
    int status;     /* HTTP status; 0: there is no problem */
    refusal reason; /* set by the first problem_add, by the status, unless it is set already */
    unsigned count;
    unsigned retry_after; /* seconds; with 429 and 503 */
    char allow[32];       /* with 405 */
    bool uncoded;         /* with 415: bodies must not have a content coding */
    /* Not cleared past the count by those who make many problems. */
    struct {
        char parameter[64]; /* empty: the error does not concern a parameter */
        char detail[640];
    } errors[PROBLEM_ERRORS];
} problem;

/* Adds one error. The first sets the status. parameter may be NULL. */
void problem_add(problem *p, int status, const char *parameter, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Adds 413: the parameter asks for an answer or a shard past the 63 bits that lengths have. */
void problem_add_too_long(problem *p, const char *parameter, const char *what);

const char *problem_title(int status);

/* application/problem+json */
void problem_render(const problem *p, buffer *out);

#endif
