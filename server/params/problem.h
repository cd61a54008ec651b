/*
 * problem.h - why a request is refused: RFC 9457, with the parameters named
 */
#ifndef PROBLEM_H
#define PROBLEM_H

#include "base/buffer.h"
#include "refusal.h"

#include <stdbool.h>

#define PROBLEM_ERRORS 8 /* more are counted, not kept */

typedef struct problem {
    int status;     /* HTTP; 0: no problem */
    refusal reason; /* the first problem_add sets it by the status, unless it is set already */
    unsigned count;
    unsigned retry_after; /* seconds; with 429 and 503 */
    char allow[32];       /* with 405 */
    bool uncoded;         /* with 415: no content coding of a body is taken */
    struct {
        char parameter[64]; /* empty: none in particular */
        char detail[400];
    } errors[PROBLEM_ERRORS];
} problem;

/* Adds one error. The first sets the status. parameter may be NULL. */
void problem_add(problem *p, int status, const char *parameter, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

const char *problem_title(int status);
const char *refusal_name(refusal reason);

/* application/problem+json */
void problem_render(const problem *p, buffer *out);

#endif
