/*
 * import.h - `fmixd import`: other people's files into a data set, one file a kind, one row each
 */
#ifndef IMPORT_H
#define IMPORT_H

#include "../writer.h"

/* What the command line says. */
typedef struct import {
    const char *path; /* of the set */
    const char *const *files;
    unsigned count;
    const char *layout; /* NULL: not given */
    uint64_t classes;   /* 0: not given */
    FILE *errors;
} import;

typedef struct import_kind {
    const char *name, *arguments;
    unsigned least, most; /* files */
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

/* A whole file, mapped. */
bool import_map(const import *in, const char *path, map *out);

/* Asked once all of it was read: whether that was the file that was opened. */
bool import_unchanged(const import *in, const char *path, const map *file);

/* The layout of rows with so many sides: what was asked for, or what there is no doubt of. */
bool import_layout(const import *in, unsigned sides, unsigned *out);

/* A set of x's rows with these heads; y may be NULL, with no names. files: what they are views of,
 * in the order of in->files; NULL: of nothing that can change. */
bool import_arrays(const import *in, const array *x, const array *const *y, unsigned heads,
                   const map *files);

#endif
