/*
 * survey.h - the pictures of a folder of classes: found, sorted, and their headers looked at
 */
#ifndef SURVEY_H
#define SURVEY_H

#include "datasets/image.h"
#include "import.h"

#define SURVEY_DEPTH 64 /* folders within each other */

typedef struct found {
    char *path;
    size_t folder;   /* the length of the path of what it lies in */
    uint32_t number; /* of its class */
    uint32_t width, height;
    unsigned stored; /* channels; 0: its header cannot be read, which was said */
} found;

typedef struct survey {
    char **classes; /* their names, sorted */
    size_t class_count;
    found *
        files; /* by class, then by folder, then by name, as torchvision's ImageFolder sorts them */
    size_t count, room;
} survey;

/* Finds all pictures below in->files[0]. What is left out, or cannot be read, is reported. False:
 * explained. */
bool survey_walk(const import *in, survey *out);

/* Looks at every header. Files that cannot be read are reported. */
void survey_look(const import *in, survey *all);

void survey_free(survey *s);

#endif
