/*
 * pieces.h - hashes of each MiB of the files of a data set, so that a part of a file can be checked
 * without the rest
 *
 * pieces.bin holds the BLAKE2b-256 of each piece of 2^20 bytes, file after file in the order of the
 * digest; the last piece of a file may be shorter. The manifest holds the root: BLAKE2b-256 over
 * the line "fmixd pieces 1", the facts of the set as the digest covers them, the digest, the
 * lengths of the rows of a ragged set, and pieces.bin.
 */
#ifndef PIECES_H
#define PIECES_H

#include "dataset.h"
#include "digest.h"

#define PIECES_NAME "pieces.bin"
#define PIECE_BYTES ((size_t)1 << 20)

/* The number of pieces of a file, and of all files of a set, which are open. */
size_t pieces_of_file(const mapped_file *file);
size_t pieces_count(const dataset *d);

/* The root over these hashes, in hexadecimal. False: no memory. */
bool pieces_root(const dataset *d, const unsigned char *hashes, size_t count,
                 char out[DATASET_DIGEST + 1]);

/* Reads pieces.bin of a set whose files are open, and checks the hashes against the root in
 * d->pieces. NULL: `reason` says why. The caller frees the hashes. */
unsigned char *pieces_read(const dataset *d, int directory, char reason[DATASET_REASON]);

#endif
