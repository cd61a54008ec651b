/*
 * staging.h - the directory that a data set is written in until the set is whole
 *
 * A set ROOT/NAME is staged in ROOT/.NAME.partial, which no daemon serves, and is published by one
 * rename. The staging directory is locked while it is open, so a set has one writer at a time, but
 * on a file system without locks two writers may spoil each other's set. The directory of a writer
 * that was killed is used by the next writer, which empties it or goes on with its files.
 */
#ifndef STAGING_H
#define STAGING_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef enum staging_result {
    STAGING_OK,
    STAGING_NO_MEMORY,
    STAGING_BAD_NAME, /* `blamed` is not the name of a set */
    STAGING_EXISTS,   /* the set is there already */
    STAGING_BUSY,     /* another process writes the set */
    STAGING_FAILED,   /* errno says why `blamed` cannot be used */
} staging_result;

typedef struct staging {
    char *path;         /* of the set */
    char *parent;       /* the directory above the set */
    char *partial;      /* the name of the staging directory there */
    int directory;      /* descriptor of the staging directory; -1: none */
    bool left;          /* a writer that was killed left files there */
    const char *blamed; /* one of the texts above */
} staging;

/* Returns true if a set can be staged at this path: its name is valid, and the path is not taken.
 * Fills *out, which is freed by staging_free in any case. */
staging_result staging_check(const char *path, staging *out);

/* After a successful check: makes the directories above the set and the staging directory, locks
 * the latter. Files that a writer left stay there. */
staging_result staging_open(staging *s);

/* Removes the files of a set from the staging directory; files of other names stay. */
void staging_empty(const staging *s);

/* The same, but for files of so many names. */
void staging_empty_but(const staging *s, const char *const *kept, unsigned count);

/* A new file. NULL, here and below: errno says why. */
FILE *staging_create(const staging *s, const char *name);

/* A file that a writer left, cut to so many bytes, of which it must have at least as many, to write
 * on at its end. */
FILE *staging_reopen(const staging *s, const char *name, uint64_t length);

/* A new file without a name, for reading and writing. */
FILE *staging_scratch(const staging *s);

/* Removes a file. */
bool staging_drop(const staging *s, const char *name);

/* Writes a small file that replaces one of the same name in one step. Its bytes are on the disk
 * then; after a loss of power the name may still be that of the file before. */
bool staging_replace(const staging *s, const char *name, const char *text);

/* Gives the staged files the name of the set. Their bytes must be on the disk. Where it fails
 * behind the rename, the set is there all the same, and staging_remove leaves it. */
staging_result staging_publish(staging *s);

/* Removes the staged files and the directory. */
void staging_remove(staging *s);

void staging_free(staging *s);

#endif
