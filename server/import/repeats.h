/*
 * repeats.h - which of many names were given more than once, with what belongs to each
 *
 * Memory holds only some of the names (sorter.h).
 */
#ifndef REPEATS_H
#define REPEATS_H

#include "sorter.h"

#define REPEATS_NAME 160 /* bytes of a name that is told, with its end */

typedef struct repeats {
    uint64_t names;           /* given more than once */
    uint64_t differ;          /* of these, with other bytes behind the name */
    char first[REPEATS_NAME]; /* in the order of bytes, of those that differ if there are any */
} repeats;

/* Counts the names among strings: each is a name, a NUL and any other bytes. All strings were added
 * to the sorter. False: errno says why. */
bool repeats_count(sorter *strings, repeats *out);

#endif
