/*
 * picture_maps.h - label maps beside the pictures of an import: dense targets, each in a PNG file
 *
 * The map of the picture PATH/x.jpg of a folder or a list is DIR/PATH/x.png; the map of the picture
 * KEY.jpg of an archive is its member KEY.END.png. DIR and END are what --dense says.
 */
#ifndef PICTURE_MAPS_H
#define PICTURE_MAPS_H

#include "import.h"

#define PICTURE_MAPS_END 128 /* bytes of the end of a member's name, with its own end */

typedef struct picture_maps {
    unsigned count;
    bool members;                              /* they are members of an archive */
    const char *name[DATASET_DENSE];           /* "dense" or "dense.NAME" */
    const char *folder[DATASET_DENSE];         /* unless they are members */
    char end[DATASET_DENSE][PICTURE_MAPS_END]; /* of members' names, behind the key and its dot */
} picture_maps;

/* Finds which of the --dense options of the command line name label maps, as the kind of files has
 * them, and marks these. False: explained. */
bool picture_maps_mark(import *in, import_map_places kind);

/* The maps that were marked. */
picture_maps picture_maps_of(const import *in);

/* The number of the map that a member with this end of its name is; `count` if it is none. */
unsigned picture_maps_member(const picture_maps *m, const char *end);

/* The name of map i of a picture: of the file, of which the path from the source's folder on begins
 * at `within`, or for messages. The caller frees it. NULL: no memory. */
char *picture_maps_name(const picture_maps *m, unsigned i, const char *picture, size_t within);

/* Prints what was imported. */
void picture_maps_tell(const import *in);

#endif
