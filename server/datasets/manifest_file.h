/*
 * manifest_file.h - the names of a data set's files on disk, and the bytes that each must have
 */
#ifndef MANIFEST_FILE_H
#define MANIFEST_FILE_H

#include "dataset_part.h"

#define MANIFEST_NAME      "manifest.json"
#define MANIFEST_JOURNAL   "journal" /* while a set is written (dataset_journal.h) */
#define MANIFEST_SCRATCH   "scratch"
#define MANIFEST_FILE_NAME (ARRAY_NAME + 16) /* bytes of the name of any file, with its end */
#define MANIFEST_ANY_BYTES UINT64_MAX        /* a file whose length no manifest says */

/* The name of file `number` of a set, in the order of dataset_file. */
void manifest_file_name(const dataset *d, unsigned number, char out[MANIFEST_FILE_NAME]);

/* The bytes of a row in the same file; 0 for the data of a ragged set, and for the data and the
 * dense targets of an image set. */
uint64_t manifest_row_bytes(const dataset *d, unsigned number);

/* The bytes that the same file must have; MANIFEST_ANY_BYTES for the data of a ragged set whose
 * manifest does not tell its lengths, which its offsets say, and for the data and the dense targets
 * of an image set. False: more than 64 bits can count. */
bool manifest_file_bytes(const dataset *d, unsigned number, uint64_t *out);

/* The name of the labels of a head while rows are still written. */
void manifest_column_name(unsigned head, char out[MANIFEST_FILE_NAME]);

/* Returns true if some set may have a file of this name, manifest.json included, or has it while
 * the set is written. */
bool manifest_owns_file(const char *name);

#endif
