/*
 * import.h - `fmixd import`: other programs' files into data sets; one source file for each kind
 */
#ifndef IMPORT_H
#define IMPORT_H

#include "datasets/dataset_writer.h"
#include "formats/label_array.h"
#include "report.h"

/* Options beside --from. A kind lists the options that it takes. */
typedef enum import_option {
    IMPORT_LAYOUT = 1 << 0,
    IMPORT_CLASSES = 1 << 1,
    IMPORT_CHANNELS = 1 << 2,
    IMPORT_CIFAR = 1 << 3,
    IMPORT_SKIP_BAD = 1 << 4,
    IMPORT_ALLOW_EMPTY = 1 << 5,
    IMPORT_DENSE = 1 << 6,
    IMPORT_NEIGHBOURS = 1 << 7,
    IMPORT_VALUES = 1 << 8,
    IMPORT_STORE = 1 << 9,
    IMPORT_SHORT = 1 << 10,
} import_option;

/* What --dense may name beside an npy file: label maps, one for each picture (picture_maps.h). */
typedef enum import_map_places {
    IMPORT_MAPS_NONE,
    IMPORT_MAPS_FOLDERS, /* files of a folder, at the paths of the pictures */
    IMPORT_MAPS_MEMBERS  /* members of an archive, beside the pictures */
} import_map_places;

/* Dense targets, in the order of the command line. */
typedef struct import_denses {
    unsigned count;
    struct {
        char name[ARRAY_NAME]; /* "dense" or "dense.NAME" */
        const char *path;      /* of an npy file; of label maps the folder, or the end of names */
        bool maps;
    } item[DATASET_DENSE];
} import_denses;

/* The command line, and where the import reports. */
typedef struct import {
    const char *path; /* of the set */
    const char *const *files;
    unsigned count;
    unsigned given;    /* import_option: the options that were given */
    uint64_t layout;   /* query_layout */
    uint64_t classes;  /* 0: not given */
    uint64_t channels; /* 1 or 3; 0: not given */
    uint64_t cifar;    /* 10 or 100; 0: not given */
    uint64_t store;    /* dataset_store */
    uint64_t shorter;  /* side of pictures; 0: not given */
    import_denses dense;
    import_map_places maps; /* of the kind */
    const char *neighbours; /* a file; NULL: not given */
    struct extras *extras;  /* what stands beside the rows (extras.h) */
    report *report;
    FILE *errors;
} import;

typedef struct import_kind {
    const char *name;
    const char *arguments; /* as the synopsis shows them */
    const char *meaning;   /* of the files, for the help text */
    unsigned least, most;  /* files */
    unsigned options;      /* import_option: the options that the kind takes */
    bool (*run)(const import *in);
    import_map_places maps;
} import_kind;

/* Every kind: import/NAME.c defines import_NAME, and a row here enters it. */
#define IMPORT_TABLE(ROW)                                                                          \
    ROW(npy)                                                                                       \
    ROW(idx)                                                                                       \
    ROW(cifar)                                                                                     \
    ROW(safetensors)                                                                               \
    ROW(folder)                                                                                    \
    ROW(list)                                                                                      \
    ROW(tar)                                                                                       \
    ROW(ragged)

#define IMPORT_DECLARE(name) extern const import_kind import_##name;
IMPORT_TABLE(IMPORT_DECLARE)
#undef IMPORT_DECLARE

/* argv[0] is "import". Help is printed on `out`. Returns the exit status of the process: 2 where
 * the command line is wrong. */
int import_command(int argc, char **argv, FILE *out, FILE *errors);

/* ---- what kinds share; a function that fails explains on in->errors ---- */

/* Prints why the import fails. Always false. */
bool import_fail(const import *in, const char *text, ...) __attribute__((format(printf, 2, 3)));

/* Prints a line that is not a failure. */
void import_tell(const import *in, const char *text, ...) __attribute__((format(printf, 2, 3)));

/* Maps a whole file. */
bool import_map(const import *in, const char *path, mapped_file *out);

/* Maps an npy file, whose array gets this name. */
bool import_map_npy(const import *in, const char *path, const char *name, mapped_file *file,
                    array *out);

/* Says that a file is not what it was when it was opened; false. */
bool import_fail_changed(const import *in, const char *path);

/* Returns true if a file, after all of it was read, is still the file that was opened. */
bool import_unchanged(const import *in, const char *path, const mapped_file *file);

/* Returns true if the import may go on: every file can be read, or --skip-bad is given. */
bool import_may_go_on(const import *in);

/* Arrays that hold all rows and labels. */
typedef struct import_sources {
    const array *x;
    const array *offsets; /* of a ragged set's rows in x, checked; NULL: x[i] is a row */
    const array *const *y;
    unsigned heads;
    const mapped_file *files; /* that the arrays are views of, in the order of in->files; NULL: the
                                 arrays are copies */
} import_sources;

/* Writes a set of such arrays. */
bool import_arrays(const import *in, const import_sources *from);

/* Checks what stands beside facts->expected rows, then begins to write them. NULL: explained. */
dataset_writer *import_begin(const import *in, const dataset_writer_facts *facts);

typedef struct import_labels {
    const label *heads;
    const char *const *names; /* of the heads */
    unsigned count;
    const char *const *const *class_names; /* of each head, NULL where classes have no names; NULL
                                              if no head has any */
} import_labels;

/* Writes the heads and what stands beside the rows, gives the set its name, and prints what the set
 * holds. files: what the rows and labels are views of, as in import_sources; a file that has
 * changed until all of it was read ends the import. Frees the writer in any case. */
bool import_finish(const import *in, dataset_writer *w, const dataset_writer_facts *facts,
                   const import_labels *labels, const mapped_file *files);

#endif
