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
#define MAPPED_FILES_MOST 32768
#define MAPPED_FILES_FULL EUSERS /* errno where that many are open */

struct stat;

typedef enum mapped_file_state {
    MAPPED_FILE_WHOLE,
    MAPPED_FILE_DOUBTFUL,
    MAPPED_FILE_BROKEN
} mapped_file_state;

/* Which file it is, and whether it is still what it was; times in nanoseconds. */
typedef struct mapped_file_stamp {
    uint64_t device, inode, length, written, changed;
} mapped_file_stamp;

typedef struct mapped_file {
    const unsigned char *bytes; /* NULL: an empty file, or closed */
    size_t length;
    int slot;
    mapped_file_stamp stamp;
} mapped_file;

/* Installs the handler; again does no harm. */
void mapped_file_start(void);

/* A file of a directory, not through a symbolic link. False: errno says why. */
bool mapped_file_open(int directory, const char *name, mapped_file *out);

/* A file by its path, also through links. */
bool mapped_file_open_path(const char *path, mapped_file *out);
void mapped_file_close(mapped_file *m);

/* What was seen so far: broken is what could not be read in part, or has another length or time of
 * writing. */
mapped_file_state mapped_file_state_of(const mapped_file *m);

/* Looks at the file, if it is still there under this path: whether its length and times are what
 * they were. If not it is doubtful or broken from now on. */
bool mapped_file_is_current(const mapped_file *m, const char *path);

mapped_file_stamp mapped_file_stamp_of(const struct stat *s);
bool mapped_file_stamp_same(const mapped_file_stamp *a, const mapped_file_stamp *b);

#endif
