/*
 * pictures.h - what imports of PNG and JPEG files share: a first look at all of them, and then the
 * rows, both on all cores
 */
#ifndef PICTURES_H
#define PICTURES_H

#include "import.h"
#include "picture_job.h"

typedef enum picture_next { PICTURE_ITEM, PICTURE_END, PICTURE_FAILED } picture_next;

/* A head of labels. */
typedef struct picture_head {
    const char *name;
    bool values;                    /* f32; else class numbers */
    uint64_t classes;               /* known after the first look */
    const char *const *class_names; /* NULL: classes have no names */
} picture_head;

/* Where pictures come from. Functions that fail explain. */
typedef struct picture_source {
    void *self;
    /* Goes to the first picture. The source is read twice, and must be the same both times. */
    bool (*rewind)(void *self);
    picture_next (*next)(void *self, picture_item *out);
    /* After the first look, with `read` false, and after the rows: whether the set may be written.
     * NULL: always. */
    bool (*check)(void *self, bool read);
    /* A picture became a row. May be NULL. */
    void (*taken)(void *self, const picture_item *item);
    unsigned heads;
    picture_head head[DATASET_HEADS];
} picture_source;

/* Imports all pictures into the set, and frees the writer, which was opened and has not begun. */
bool pictures_import(const import *in, picture_source *from, dataset_writer *w);

#endif
