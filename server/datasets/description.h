/*
 * description.h - what there is to know of a data set, and of all of them, as JSON
 *
 * A set has as many names of classes as it likes, so its text is made once, when it is opened, and
 * that of all sets when they change. Those who ask for it share it.
 */
#ifndef DESCRIPTION_H
#define DESCRIPTION_H

#include "base/json_build.h"
#include "dataset.h"

/* Of one set: its manifest, in which nothing grows when it is written again but what is around it.
 */
#define DESCRIPTION_MOST (2u * DATASET_MANIFEST)

/* A line. names: the manifest's, a list for each head, or NULL. False: no memory. */
bool description_write(const dataset *d, json_t *names, buffer *out);

/* The line of all sets, for as long as somebody holds it. */
typedef struct description {
    buffer text;
    _Atomic unsigned uses;
} description;

/* NULL: no memory. */
description *description_of_all(dataset *const *sets, size_t count);
description *description_retain(description *all);
void description_release(description *all); /* NULL: nothing */

#endif
