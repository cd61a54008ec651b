/*
 * map.h - files mapped for reading, which may be cut short or fail to be read while they are
 *
 * A page that is then gone reads as zeros instead of ending the process, and the file is marked:
 * who has read from it asks afterwards whether what was read is true. The handler of SIGBUS is the
 * process's; what it is not for it leaves to the default. What is cut off within a page, or written
 * over, raises no signal: that is seen by the file's length and times. The time of writing can be
 * put back by who writes; the kernel's time of change cannot, but it also moves where nothing is
 * written, as by chmod, by a hard link or by a rename. A file of which only that has moved is
 * doubtful: its bytes are not used until somebody has compared them with a digest.
 *
 * Threads: any.
 */
#ifndef MAP_H
#define MAP_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Half of Linux's default limit of a process (vm.max_map_count), which counts more than these. */
#define MAPS_MOST 32768
#define MAPS_FULL EUSERS /* errno where that many are open */

struct stat;

typedef enum map_state { MAP_WHOLE, MAP_DOUBTFUL, MAP_BROKEN } map_state;

/* Which file it is, and whether it is still what it was; times in nanoseconds. */
typedef struct map_stamp {
    uint64_t device, inode, length, written, changed;
} map_stamp;

typedef struct map {
    const unsigned char *bytes; /* NULL: an empty file, or closed */
    size_t length;
    int slot;
    map_stamp stamp;
} map;

/* Installs the handler; again does no harm. */
void map_start(void);

/* A file of a directory, not through a symbolic link. False: errno says why. */
bool map_open(int directory, const char *name, map *out);

/* A file by its path, also through links. */
bool map_open_path(const char *path, map *out);
void map_close(map *m);

/* What was seen so far: broken is what could not be read in part, or has another length or time of
 * writing. */
map_state map_state_of(const map *m);

/* Looks at the file, if it is still there under this path: whether its length and times are what
 * they were. If not it is doubtful or broken from now on. */
bool map_is_current(const map *m, const char *path);

map_stamp map_stamp_of(const struct stat *s);
bool map_stamp_same(const map_stamp *a, const map_stamp *b);

#endif
