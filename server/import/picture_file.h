/*
 * picture_file.h - the bytes of a file that an import reads: a whole file, or a part of a file that
 * is open
 */
#ifndef PICTURE_FILE_H
#define PICTURE_FILE_H

#include "datasets/mapped_file.h"

#define PICTURE_FILE_WHY 120 /* bytes of why a file cannot be read, with its end */

/* Whole files of more bytes are mapped. To unmap a file interrupts all other threads, which costs
 * more than to copy so many bytes. */
#define PICTURE_FILE_COPIED (1 << 17)

typedef struct picture_file {
    mapped_file mapped;
    unsigned char *copy; /* of a short file, or of a part of a file */
    uint64_t length;
    mapped_file_stamp whole; /* of a whole file; of a part: its length is 0 */
    uint64_t stamp;          /* a fingerprint of the file's length and times */
    bool changed;            /* the file is not what it was when it was opened */
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

/* Returns true if a whole file, which is still at this path, was left alone so far. Parts of files
 * are not looked at. */
bool picture_file_is_unchanged(const picture_file *f, const char *path);

void picture_file_close(picture_file *f);

#endif
