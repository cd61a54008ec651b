/*
 * mapped_file.h - files mapped for reading, which may be cut short or become unreadable meanwhile
 *
 * A page that is gone when it is read reads as zeros instead of ending the process, and the file is
 * marked: a reader asks for the file's state after reading, to learn whether the bytes were true.
 * The handler of SIGBUS serves the whole process; other bus errors keep their default action.
 *
 * Bytes that are cut off within a page, or overwritten, raise no signal: the file's length and
 * times show them. A writer can set the time of writing (mtime) back, but not the kernel's time of
 * change (ctime). The ctime also moves where no byte is written, as by chmod, a hard link or a
 * rename. A file of which only the ctime moved is doubtful: its bytes are not used until they have
 * been compared with a digest.
 *
 * Threads: any.
 */
#ifndef MAPPED_FILE_H
#define MAPPED_FILE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Half of Linux's default limit of mappings of a process (vm.max_map_count), which counts all of
 * them, not only these. */
#define MAPPED_FILES_MOST 32768

/* Values of errno where MAPPED_FILES_MOST files are open, and where a file is not a regular file.
 * No system call here sets either. */
#define MAPPED_FILES_FULL       EUSERS
#define MAPPED_FILE_NOT_REGULAR EMEDIUMTYPE

struct stat;

typedef enum mapped_file_state {
    MAPPED_FILE_WHOLE,
    MAPPED_FILE_DOUBTFUL,
    MAPPED_FILE_BROKEN
} mapped_file_state;

/* What tells a file from another, and from its own later contents; times in nanoseconds. */
typedef struct mapped_file_stamp {
    uint64_t device, inode, length, written, changed;
} mapped_file_stamp;

typedef struct mapped_file {
    const unsigned char *bytes; /* NULL: an empty file, or closed */
    size_t length;
    int slot;
    mapped_file_stamp stamp;
} mapped_file;

/* Installs the handler of SIGBUS. May be called again. */
void mapped_file_start(void);

/* Maps a file of a directory; symbolic links are not followed. False: errno says why. */
bool mapped_file_open(int directory, const char *name, mapped_file *out);

/* Maps the file at a path; symbolic links are followed. False: errno says why. */
bool mapped_file_open_path(const char *path, mapped_file *out);

/* Maps a file that is open, whose descriptor may be closed then. False: errno says why. */
bool mapped_file_map(int fd, mapped_file *out);

void mapped_file_close(mapped_file *m);

/* These bytes will not be read soon: whole pages of them no longer count as memory of the process,
 * until they are read again. */
void mapped_file_forget(const mapped_file *m, size_t offset, size_t length);

/* Reads these bytes from the disk now, as far as they are not in main memory. Bytes that cannot be
 * read break the map. */
void mapped_file_load(const mapped_file *m, size_t offset, size_t length);

/* The text of an errno that either function left. */
const char *mapped_file_error(int error);

/* The state as seen so far. Broken: part of the file could not be read, or its length or time of
 * writing is another. */
mapped_file_state mapped_file_state_of(const mapped_file *m);

/* Looks at the file, if it is still at this path: whether its length and times are what they were.
 * If they are not, the file is doubtful or broken from now on. */
bool mapped_file_is_current(const mapped_file *m, const char *path);

/* The state is at least this bad from now on. */
void mapped_file_mark(const mapped_file *m, mapped_file_state state);

/* Compares the file, if it is still at this path, with a stamp: whole if the stamps are the same,
 * doubtful if only the times of change differ, else broken. *now is its stamp, if it was found. */
mapped_file_state mapped_file_compare(const mapped_file_stamp *stamp, const char *path,
                                      mapped_file_stamp *now);

mapped_file_stamp mapped_file_stamp_of(const struct stat *s);
bool mapped_file_stamp_same(const mapped_file_stamp *a, const mapped_file_stamp *b);

#endif
