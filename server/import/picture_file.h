/*
 * picture_file.h - the bytes of a file that an import reads: a whole file, which is mapped, or a
 * part of a file that is open, which is copied
 */
#ifndef PICTURE_FILE_H
#define PICTURE_FILE_H

#include "datasets/mapped_file.h"

#define PICTURE_FILE_WHY 120 /* bytes of why a file cannot be read, with its end */

typedef struct picture_file {
    mapped_file mapped;
    unsigned char *copy; /* of a part of a file, which may be cut off while it is read */
    uint64_t length;
    uint64_t stamp; /* a fingerprint of the file's length and times */
    bool changed;   /* the file is not what it was when it was opened */
    char why[PICTURE_FILE_WHY];
} picture_file;

/* Returns true if so many bytes may be read. False here and below: f->why says why. */
bool picture_file_fits(picture_file *f, uint64_t length);

/* picture_file_close follows in any case. */
bool picture_file_open(picture_file *f, const char *path);

/* The same for a part of a file that was written at this time. */
bool picture_file_copy(picture_file *f, int file, uint64_t offset, uint64_t length,
                       uint64_t written);

const unsigned char *picture_file_bytes(const picture_file *f);

/* Returns true if a mapped file, which is still at this path, was left alone so far. */
bool picture_file_is_unchanged(const picture_file *f, const char *path);

void picture_file_close(picture_file *f);

#endif
