/*
 * import.h - `fmixd import`: other people's files into a data set, one file a kind, one row each
 */
#ifndef IMPORT_H
#define IMPORT_H

#include "datasets/dataset_writer.h"
#include "formats/label_array.h"
#include "report.h"

/* Options beside --from: a kind lists those that mean something to it. */
typedef enum import_option {
    IMPORT_LAYOUT = 1 << 0,
    IMPORT_CLASSES = 1 << 1,
    IMPORT_CHANNELS = 1 << 2,
    IMPORT_CIFAR = 1 << 3,
    IMPORT_SKIP_BAD = 1 << 4,
    IMPORT_ALLOW_EMPTY = 1 << 5,
} import_option;

/* What the command line says, and what is told at the end. */
typedef struct import {
    const char *path; /* of the set */
    const char *const *files;
    unsigned count;
    unsigned given;    /* import_option: set of those that were given */
    uint64_t layout;   /* query_layout */
    uint64_t classes;  /* 0: not given */
    uint64_t channels; /* 1 or 3; 0: not given */
    uint64_t cifar;    /* 10 or 100; 0: not given */
    report *report;
    FILE *errors;
} import;

typedef struct import_kind {
    const char *name, *arguments;
    unsigned least, most; /* files */
    unsigned options;     /* import_option: set of those that it takes */
    bool (*run)(const import *in);
} import_kind;

/* Every kind there is: import/NAME.c defines import_NAME, and a row here enters it. */
#define IMPORT_TABLE(ROW)                                                                          \
    ROW(npy)                                                                                       \
    ROW(idx)                                                                                       \
    ROW(cifar)                                                                                     \
    ROW(safetensors)                                                                               \
    ROW(folder)

#define IMPORT_DECLARE(name) extern const import_kind import_##name;
IMPORT_TABLE(IMPORT_DECLARE)
#undef IMPORT_DECLARE

/* argv[0] is "import". The exit status of the process. */
int import_command(int argc, char **argv, FILE *errors);

/* What kinds share. Each explains on in->errors, and is false then. */

bool import_fail(const import *in, const char *text, ...) __attribute__((format(printf, 2, 3)));

/* A line that is no failure. */
void import_tell(const import *in, const char *text, ...) __attribute__((format(printf, 2, 3)));

/* A whole file, mapped. */
bool import_map(const import *in, const char *path, mapped_file *out);

/* Asked once all of it was read: whether that was the file that was opened. */
bool import_unchanged(const import *in, const char *path, const mapped_file *file);

/* Whether the files that are bad, which were named, do not end it: there are none, or --skip-bad is
 * given. */
bool import_goes_on(const import *in);

/* A set of x's rows with these heads; y may be NULL, with no names. files: what they are views of,
 * in the order of in->files; NULL: of nothing that can change. */
bool import_arrays(const import *in, const array *x, const array *const *y, unsigned heads,
                   const mapped_file *files);

/* The heads of a set, in order, and the names of the classes of the first; NULL: they have none. */
typedef struct import_labels {
    const label *heads;
    const char *const *names; /* of the heads */
    unsigned count;
    const char *const *class_names;
} import_labels;

/* Writes the heads, gives the set its name, and tells what is in it. Frees the writer in any case.
 */
bool import_finish(const import *in, dataset_writer *w, const dataset_writer_facts *facts,
                   const import_labels *labels);

#endif
