/*
 * problem.h - why a request is refused: RFC 9457, with the parameters named
 */
#ifndef PROBLEM_H
#define PROBLEM_H

#include "base/buffer.h"

#include <stdbool.h>

#define PROBLEM_ERRORS 8 /* more are counted, not kept */

/* What was in the way: fmixd_refused_total counts by it. */
typedef enum problem_reason {
    PROBLEM_REQUEST,  /* what is asked for is malformed, or not to be had here */
    PROBLEM_GUARD,    /* its framing cannot be believed */
    PROBLEM_LARGE,    /* it is past a limit of size */
    PROBLEM_LATE,     /* it did not come in time */
    PROBLEM_TOKEN,    /* nobody knows who asks */
    PROBLEM_QUEUE,    /* the line is full */
    PROBLEM_PATIENCE, /* it would be answered too late */
    PROBLEM_SHARE,    /* the client has more than its share */
    PROBLEM_MEMORY,   /* the budget is exhausted */
    PROBLEM_DRAINING, /* this replica stops */
    PROBLEM_INTERNAL, /* us */
    PROBLEM_REASONS
} problem_reason;

typedef struct problem {
    int status; /* HTTP; 0: no problem */
    /* The first problem_add makes of PROBLEM_REQUEST what its status says, if that says more. */
    problem_reason reason;
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
const char *problem_reason_name(problem_reason reason);

/* application/problem+json */
void problem_render(const problem *p, buffer *out);

#endif
