/*
 * verification.h - which pieces of a set's files were compared with their hashes, and how
 *
 * A piece is hashed before its first use, by the thread that needs it. If two threads need a piece
 * at once, both hash it. Where a file was touched, its pieces count as not compared from then on.
 *
 * Threads: any.
 */
#ifndef VERIFICATION_H
#define VERIFICATION_H

#include "pieces.h"

typedef struct verification verification;

typedef enum verification_result {
    VERIFICATION_TRUE,  /* the bytes have their hashes */
    VERIFICATION_WRONG, /* a piece has another hash, as was known */
    VERIFICATION_FOUND  /* the same, found just now */
} verification_result;

/* Takes the hashes (pieces_read), on success. The files of the set are open, and stay so. NULL: no
 * memory. */
verification *verification_new(const dataset *d, unsigned char *hashes);
void verification_free(verification *v); /* v may be NULL */

/* Compares the pieces that hold these bytes of a file, unless they were compared before. length: at
 * least 1. *piece: the first that is wrong, counted in the file. */
verification_result verification_need(verification *v, unsigned file, uint64_t from,
                                      uint64_t length, uint64_t *piece);

/* Marks a piece as wrong, for what its bytes mean. */
verification_result verification_condemn(verification *v, unsigned file, uint64_t piece);

/* Counts all pieces as compared. */
void verification_accept(verification *v);

/* Looks at a file, if it is still at this path. False: its length has changed, and its state is
 * broken. If it was written to, or touched, its pieces are forgotten. */
bool verification_look(verification *v, unsigned file, const char *path);

/* Increases each time that pieces are forgotten. */
uint64_t verification_generation(const verification *v);

typedef struct verification_counts {
    uint64_t pieces, compared, wrong; /* compared: the wrong ones, too */
} verification_counts;

/* Of a file, or of all files. */
verification_counts verification_count_file(const verification *v, unsigned file);
verification_counts verification_count(const verification *v);

#endif
