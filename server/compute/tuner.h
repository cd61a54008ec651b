/*
 * tuner.h - a thread that finds faster transforms for the shapes in use
 *
 * It looks ten times a second whether a shape is worth it, and measures one at a time. Answers do
 * not change. What was measured outlives the process in a file, if there is a path to one.
 */
#ifndef TUNER_H
#define TUNER_H

#include "lib/fmix.h"

#include <stdio.h>

typedef struct tuner tuner;

/* path: of the file, read now if there is one and written after each measurement; empty: none. What
 * is wrong with it is said on `errors`, and that is all. NULL: no memory or no thread. The context
 * is borrowed. */
tuner *tuner_new(fmix_context *context, const char *path, FILE *errors);

/* Waits for a measurement under way, a third of a second at most. May be NULL. */
void tuner_free(tuner *t);

#endif
