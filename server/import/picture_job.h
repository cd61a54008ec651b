/*
 * picture_job.h - one picture of an import, as one of the workers reads it
 */
#ifndef PICTURE_JOB_H
#define PICTURE_JOB_H

#include "datasets/dataset_picture.h"
#include "formats/image.h"
#include "picture_file.h"
#include "picture_maps.h"
#include "workers.h"

#define PICTURE_NOWHERE SIZE_MAX /* in place of where a path begins */

/* A part of a file. */
typedef struct picture_part {
    bool there;
    uint64_t offset, length;
} picture_part;

/* A picture of a source: a whole file, or a part of a file that is open. */
typedef struct picture_item {
    const char *name; /* for messages; of a whole file the path */
    int file;         /* -1: the file of this name */
    uint64_t offset, length;
    uint64_t stamp; /* when the file of which it is a part was written */
    size_t within; /* where in the name of a whole file the path from the source's folder on begins;
                      PICTURE_NOWHERE: the path is absolute */
    picture_part map[DATASET_DENSE]; /* its label maps, of a part of a file */
    uint32_t labels[DATASET_HEADS];  /* class numbers, or the bits of f32 */
    const char *refused; /* why the item is no picture, whatever its bytes; NULL: it may be one */
} picture_item;

/* What a first look found. */
typedef struct picture_look {
    uint32_t width, height;
    uint32_t stored; /* channels; 0: the picture cannot be used, which was reported */
    uint32_t traits; /* of the image */
    uint32_t narrow; /* a bit for each label map: it is grey, of less than 8 bits */
} picture_look;

/* How pictures are taken in. */
typedef struct picture_order {
    bool pixels;              /* read them; else the header alone */
    bool keeps_file;          /* what is wanted are the bytes of the file, once they were decoded */
    unsigned channels;        /* of the pixels: 1 or 3 */
    uint32_t shorter;         /* the pixels are shrunk to this shorter side; 0: not */
    const picture_maps *maps; /* NULL: there are none */
} picture_order;

/* A label map of a picture. */
typedef struct picture_map {
    char *name;
    picture_file file;
    image picture; /* shrunk as the picture is */
} picture_map;

typedef struct picture_job {
    picture_item item;
    char *name; /* a copy of the item's */
    picture_order order;
    uint64_t number; /* of the item */
    picture_look look;

    picture_file file;
    image picture;
    picture_map map[DATASET_DENSE];
    bool read;
    bool changed; /* a file is not what it was when it was opened */
    bool shrunk;
    char why[IMAGE_MESSAGE]; /* if not read; or a warning, or empty */
    const char *blamed;      /* the file of which `why` tells: the picture, or a label map */
    uint32_t height, width;  /* of the pixels */
} picture_job;

/* Copies the item, with a descriptor of its own. False: no memory, or no descriptor; the job is to
 * be ended. */
bool picture_job_begin(picture_job *j, const picture_item *item, const picture_order *order);

/* Called by workers. */
void picture_job_run(workers *w, void *job);

/* The bytes to store, and those of label map i. */
dataset_picture picture_job_bytes(const picture_job *j);
dataset_picture picture_job_map(const picture_job *j, unsigned i);

/* Frees what the job holds. */
void picture_job_end(picture_job *j);

#endif
