/*
 * tuner.h - a thread that finds faster transforms for the shapes in use
 *
 * The thread checks ten times a second which shapes are used enough, and measures transforms for
 * one shape at a time. Answers do not depend on the result. A file, if it has a path, keeps the
 * results for later processes.
 */
#ifndef TUNER_H
#define TUNER_H

#include "lib/fmix.h"

#include <stdio.h>

typedef struct tuner tuner;

/* Borrows the context and the path. The file is read now, if it exists, and written after each
 * measurement; an empty path: results are not kept. A file that cannot be used only leads to a
 * message on `errors`. NULL: there is not enough memory, or the thread cannot be started. */
tuner *tuner_new(fmix_context *context, const char *path, FILE *errors);

/* Waits for the end of a running measurement, some two thirds of a second. May be NULL. */
void tuner_free(tuner *t);

#endif
