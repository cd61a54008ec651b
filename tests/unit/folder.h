/*
 * folder.h - a temporary directory, removed with all that is in it, and a stream that keeps what is
 * printed there
 */
#ifndef FOLDER_H
#define FOLDER_H

#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder_root[64];
static FILE *folder_errors; /* where the code under test prints */
static char *folder_text;
static size_t folder_length;

static inline int folder_begin(void **state) {
    (void)state;
    snprintf(folder_root, sizeof folder_root, "/tmp/fmixd-unit-XXXXXX");
    folder_errors = open_memstream(&folder_text, &folder_length);
    return mkdtemp(folder_root) && folder_errors ? 0 : -1;
}

static inline int folder_remove(const char *path, const struct stat *s, int kind, struct FTW *at) {
    (void)s;
    (void)kind;
    (void)at;
    return remove(path);
}

static inline int folder_end(void **state) {
    (void)state;
    fclose(folder_errors);
    free(folder_text);
    return nftw(folder_root, folder_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* The path of a name in the directory; one of eight, by turns. */
static inline const char *folder_path(const char *name) {
    static char paths[8][512];
    static unsigned turn;
    char *path = paths[turn++ % 8];
    int length = snprintf(path, sizeof paths[0], "%s/%s", folder_root, name);
    assert_in_range(length, 1, sizeof paths[0] - 1);
    return path;
}

static inline void folder_make(const char *name) {
    assert_int_equal(mkdir(folder_path(name), 0700), 0);
}

static inline void folder_write(const char *name, const void *bytes, size_t length) {
    FILE *file = fopen(folder_path(name), "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

/* A whole file of at most `room` bytes; its length. */
static inline size_t folder_read(const char *name, void *out, size_t room) {
    FILE *file = fopen(folder_path(name), "r");
    assert_non_null(file);
    size_t length = fread(out, 1, room, file);
    assert_true(feof(file) || length < room);
    fclose(file);
    return length;
}

/* How many entries a directory has. */
static inline unsigned folder_count(const char *name) {
    DIR *directory = opendir(folder_path(name));
    unsigned count = 0;
    assert_non_null(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count - 2;
}

static inline bool folder_exists(const char *name) {
    struct stat s;
    return lstat(folder_path(name), &s) == 0;
}

/* Whether the code under test printed this since the last folder_forget. */
static inline bool folder_said(const char *words) {
    fflush(folder_errors);
    if (strstr(folder_text, words))
        return true;
    print_message("not in what was printed: %s\n%s\n", words, folder_text);
    return false;
}

static inline bool folder_said_nothing_of(const char *words) {
    fflush(folder_errors);
    return !strstr(folder_text, words);
}

static inline void folder_forget(void) {
    fflush(folder_errors);
    rewind(folder_errors);
    fputc(0, folder_errors);
    fflush(folder_errors);
    rewind(folder_errors);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_begin, folder_end)

#endif
