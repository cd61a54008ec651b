/*
 * tar_reader.h - the members of a tar file: POSIX ustar and pax, and the long names of GNU tar
 *
 * Every header's sum is checked, and the file must have the two blocks of zeros at its end (one is
 * enough) with nothing but zeros behind them, so that a file that was cut off or written on is
 * found.
 */
#ifndef TAR_READER_H
#define TAR_READER_H

#include <stdbool.h>
#include <stdint.h>

#define TAR_NAME   4096       /* bytes of the longest name, with its end */
#define TAR_EXTRA  (1u << 16) /* bytes of the longest pax header */
#define TAR_REASON 200        /* bytes, with the end */

typedef enum tar_result {
    TAR_MEMBER,
    TAR_END,
    TAR_BAD /* reason says why; the bad header is at offset `header` */
} tar_result;

typedef struct tar_reader {
    int file;
    uint64_t length, at; /* of the file, and where the next header is */
    uint64_t header;
    /* Of a member: */
    char name[TAR_NAME];
    bool regular;          /* not a directory, link or device */
    uint64_t offset, size; /* where its bytes are */
    char reason[TAR_REASON];
} tar_reader;

/* A file that is open for reading, and has so many bytes. */
void tar_reader_start(tar_reader *r, int file, uint64_t length);

tar_result tar_reader_next(tar_reader *r);

#endif
