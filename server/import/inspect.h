/*
 * inspect.h - `fmixd info SET` and `fmixd verify SET`: what a data set is, and whether it is whole
 */
#ifndef INSPECT_H
#define INSPECT_H

#include <stdbool.h>
#include <stdio.h>

/* Returns true if `name` is one of these commands. */
bool inspect_knows(const char *name);

/* argv[0] is a command that inspect_knows. Returns the exit status of the process: 1 where the set
 * cannot be read or is damaged, 2 where the command line is wrong. */
int inspect_command(int argc, char **argv, FILE *out, FILE *errors);

#endif
