/*
 * selftest.h - golden answers that every machine must give before it serves
 */
#ifndef SELFTEST_H
#define SELFTEST_H

#include "lib/fmix.h"

#include <stdio.h>

/* Computes the golden recipes; false, naming the recipe on `errors`, where one differs. golden: 32
 * hexadecimal digits over all of them, the same on every machine. */
bool selftest_run(fmix_context *context, char golden[33], FILE *errors);

#endif
