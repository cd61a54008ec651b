/*
 * survey.h - the images of a directory of classes: found, sorted, and their headers read
 */
#ifndef SURVEY_H
#define SURVEY_H

#include "formats/image.h"
#include "import.h"

#define SURVEY_DEPTH 64 /* directories within each other */

typedef struct survey_file {
    char *path;
    size_t folder_length; /* of the directory's part of the path */
    uint32_t class_number;
    uint32_t width, height;
    unsigned stored; /* channels; 0: the file cannot be used, which was reported */
} survey_file;

typedef struct survey {
    char **classes; /* their names, sorted by bytes */
    size_t class_count;
    /* Sorted by class, then by directory, then by name, as torchvision's ImageFolder sorts. */
    survey_file *files;
    size_t count, room;
} survey;

/* Finds all images below in->files[0], which has one directory for each class. Files that are
 * skipped or cannot be read are reported. False: explained. survey_free frees *out in any case. */
bool survey_walk(const import *in, survey *out);

/* Reads the header of every file. Files that cannot be read are reported. */
void survey_read_headers(const import *in, survey *all);

void survey_free(survey *s);

#endif
