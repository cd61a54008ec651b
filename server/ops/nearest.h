/*
 * nearest.h - the name that a mistyped word was meant to be
 */
#ifndef NEAREST_H
#define NEAREST_H

#include <stddef.h>

/* The name with the fewest insertions, deletions and replacements of a letter from the word, of
 * which there may be one for every three letters, or a name that begins with the whole word. Case,
 * and - against _, do not count. name: NULL past the last. NULL: no name is near. */
const char *nearest(const char *word, size_t length, const char *(*name)(size_t number));

#endif
