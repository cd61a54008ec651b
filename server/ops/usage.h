/*
 * usage.h - what `fmixd --help` and `fmixd settings` print
 */
#ifndef USAGE_H
#define USAGE_H

#include <stdio.h>

/* Lines of at most 80 columns. */
void usage_print(FILE *out);

/* Every setting, as a table in Markdown. */
void usage_table(FILE *out);

#endif
