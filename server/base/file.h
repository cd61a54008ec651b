/*
 * file.h - a small text file that a setting names, read or written whole
 */
#ifndef FILE_H
#define FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* NULL: explained on `errors`, by the setting's name: it cannot be read, is no regular file (a FIFO
 * would be waited for), has more than `most` bytes, or holds a NUL. A NUL ends the text. If it is
 * secret, and others than its owner and group may read or write it, that is said, and the text
 * given all the same. */
char *file_read(const char *setting, const char *path, size_t most, bool secret, FILE *errors);

/* Overwrites the text before it goes. May be NULL. */
void file_free(char *text);

/* In one step: who reads meanwhile sees the old text or the new. False: explained as above, and
 * whatever there was stays. */
bool file_write(const char *setting, const char *path, const char *text, FILE *errors);

#endif
