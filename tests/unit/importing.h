/*
 * importing.h - `fmixd import` as a function: into the set "set" of a temporary directory
 */
#ifndef IMPORTING_H
#define IMPORTING_H

#include "bodies.h"
#include "small_set.h"

#include "formats/png_plain.h"
#include "import/extras.h"

/* The status of `fmixd import SET` with more arguments, NULL at the end. */
static inline int importing_run(const char *first, ...) {
    char set[] = "set", *argv[16] = {set, (char *)folder_path("set")};
    int argc = 2;
    va_list more;
    va_start(more, first);
    for (const char *text = first; text && argc < 15; text = va_arg(more, const char *))
        argv[argc++] = (char *)text;
    va_end(more);
    return import_command(argc, argv, folder_errors, folder_errors);
}

#define IMPORT(...) importing_run(__VA_ARGS__, (const char *)NULL)

/* The set, verified, or the test fails. */
static inline dataset *importing_open(void) {
    dataset *d = dataset_open(folder_root, "set", DATASET_VERIFY_START, NULL, folder_errors);
    assert_non_null(d);
    return d;
}

/* Whether an import failed with these words, and left nothing in the directory of sets. */
static inline bool importing_refused(int status, const char *words) {
    return status == 1 && folder_said(words) && !folder_exists("set") &&
           !folder_exists(".set.partial");
}

/* An import as a kind's `run` gets it: for functions below the command line. */
static inline import importing_of(const char *const *files, unsigned count, report *counts) {
    static char set[512];
    static extras beside;
    snprintf(set, sizeof set, "%s/set", folder_root);
    *counts = (report){.to = folder_errors};
    beside = (extras){.denses = 0};
    return (import){.path = set,
                    .files = files,
                    .count = count,
                    .extras = &beside,
                    .report = counts,
                    .errors = folder_errors};
}

/* A PNG file of grey (1) or RGB (3) pixels of one value. */
static inline void importing_png(const char *name, uint32_t width, uint32_t height,
                                 unsigned channels, unsigned char value) {
    size_t length = (size_t)png_plain_length(width, height, channels);
    size_t bytes = (size_t)width * height * channels;
    unsigned char *pixels = malloc(bytes), *file = malloc(length);
    memset(pixels, value, bytes);
    png_plain(width, height, channels, pixels, file);
    folder_write(name, file, length);
    free(pixels);
    free(file);
}

#endif
