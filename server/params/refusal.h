/*
 * refusal.h - what is said to a client whose answer cannot be taken on now
 */
#ifndef REFUSAL_H
#define REFUSAL_H

#include "compute/jobs.h"
#include "problem.h"

/* In place of what p said. why: not JOBS_ADMITTED. */
void refusal_explain(jobs *line, jobs_verdict why, problem *p);

#endif
