/*
 * selftest.h - golden answers, which every machine must compute before it serves
 */
#ifndef SELFTEST_H
#define SELFTEST_H

#include "lib/fmix.h"

#include <stdio.h>

/* Computes the golden recipes, and rows that choose their methods and partners. False: an answer
 * differs, which is named on `errors`. golden: a digest over the recipes in 32 hexadecimal digits,
 * the same on every machine. */
bool selftest_run(fmix_context *context, char golden[33], FILE *errors);

#endif
