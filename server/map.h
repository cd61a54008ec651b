/*
 * map.h - files mapped for reading, which may be cut short or fail to be read while they are
 *
 * A page that is then gone reads as zeros instead of ending the process, and the file is marked:
 * who has read from it asks afterwards whether what was read is true. The handler of SIGBUS is the
 * process's; what it is not for it leaves to the default. What is cut off within a page, or written
 * over, raises no signal: that is seen by the file's length and time.
 *
 * Threads: any; open and close come from one at a time.
 */
#ifndef MAP_H
#define MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAPS_MOST 8192

typedef struct map {
    const unsigned char *bytes; /* NULL: an empty file, or closed */
    size_t length;
    int slot;
    uint64_t stamp[3]; /* device, inode, time of the last change */
} map;

/* Installs the handler; again does no harm. */
void map_start(void);

/* A file of a directory, not through a symbolic link. False: errno says why (EMFILE also where
 * MAPS_MOST are open). */
bool map_open(int directory, const char *name, map *out);

/* A file by its path, also through links. */
bool map_open_path(const char *path, map *out);
void map_close(map *m);

/* Whether something of it could not be read, or was seen to have changed. */
bool map_is_broken(const map *m);

/* Looks at the file, if it is still there under this path: whether its length and time are what
 * they were. If not it is broken from now on. */
bool map_is_current(const map *m, const char *path);

#endif
