/*
 * description.h - what clients are told of a data set, and of all sets, as JSON
 *
 * A set may have a million names of classes. So the text of a set is made once, when the set is
 * opened, the text of all sets once for each scan, and answers share these texts.
 */
#ifndef DESCRIPTION_H
#define DESCRIPTION_H

#include "manifest.h"

/* The most bytes of one set's text: a manifest grows by less than its own size when it is printed
 * again without its white space. */
#define DESCRIPTION_MOST (2u * MANIFEST_MOST)

/* Appends a line. names: the manifest's class_names, a list for each head, or NULL. False: no
 * memory. */
bool description_write(const dataset *d, json_t *names, buffer *out);

/* The line of all sets, freed when its last holder releases it. */
typedef struct description {
    buffer text;
    _Atomic unsigned uses;
} description;

/* NULL: no memory. */
description *description_of_all(dataset *const *sets, size_t count);
description *description_retain(description *all);
void description_release(description *all); /* all may be NULL */

#endif
