/*
 * nearest.h - suggests a name for a mistyped word
 */
#ifndef NEAREST_H
#define NEAREST_H

#include <stddef.h>

/* Returns the name that differs from the word by the fewest insertions, deletions and replacements
 * of a letter: at most one, and one more for every three letters of the word. A name that begins
 * with the word differs by one. Upper and lower case are the same, and so are - and _. name(number)
 * is NULL past the last name. NULL: every name differs by more. */
const char *nearest(const char *word, size_t length, const char *(*name)(size_t number));

#endif
