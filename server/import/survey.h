/*
 * survey.h - the images of a directory of classes, in the order of torchvision's ImageFolder
 */
#ifndef SURVEY_H
#define SURVEY_H

#include "import.h"
#include "sorter.h"

#define SURVEY_DEPTH 64 /* directories within each other */

/* Memory holds the names of classes; those of files are sorted on the disk. */
typedef struct survey {
    char **classes; /* their names, sorted by bytes */
    size_t class_count;
    uint64_t *filled;         /* the image files of each class */
    uint64_t count;           /* image files in all */
    sorter *files;            /* each as its class, directory and name */
    char path[SORTER_LENGTH]; /* that was told last */
} survey;

/* Finds all images below in->files[0], which has one directory for each class. Files that are
 * skipped or cannot be read are reported. scratch: as sorter_new takes it. False: explained.
 * survey_free frees *out in any case. */
bool survey_walk(const import *in, FILE *scratch, survey *out);

/* The next file: by class, then by directory, then by name. The path is valid until the next call.
 */
sorter_result survey_next(survey *s, const char **path, uint32_t *class_number);

void survey_free(survey *s);

#endif
