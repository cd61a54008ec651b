/*
 * file.h - reads and writes small text files that settings name
 */
#ifndef FILE_H
#define FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* The text of a file, which a NUL ends. NULL: the file cannot be read, is not a regular file
 * (opening a FIFO would wait for a writer), has more than `most` bytes, or holds a NUL; a message
 * on `errors` names the setting. secret: a file that users beside its owner and group may read or
 * write is read too, with a warning. */
char *file_read(const char *setting, const char *path, size_t most, bool secret, FILE *errors);

/* Overwrites the text before freeing it. May be NULL. */
void file_free(char *text);

/* Replaces the file atomically: readers see the old text or the new one. False: a message on
 * `errors` says why, and the old file stays. */
bool file_write(const char *setting, const char *path, const char *text, FILE *errors);

#endif
