/*
 * digest.h - BLAKE2b-256 over the facts of a data set and every byte of its files, and over parts
 * of them
 */
#ifndef DIGEST_H
#define DIGEST_H

#include "dataset.h"

#define DIGEST_BYTES (DATASET_DIGEST / 2)

/* Reads all files of the set. The digest is written in hexadecimal. pieces: room for the hash of
 * each piece of each file (pieces.h), found on the way; may be NULL. False: a file cannot be read,
 * or the process or *stop tells it to stop (stop may be NULL). */
bool digest_compute(const dataset *d, const atomic_bool *stop, unsigned char *pieces,
                    char out[DATASET_DIGEST + 1]);

/* The hash of these bytes. */
void digest_bytes(const void *bytes, size_t length, unsigned char out[DIGEST_BYTES]);

/* The hash of two texts, one after the other, in hexadecimal. */
void digest_pair(const void *first, size_t first_length, const void *second, size_t second_length,
                 char out[DATASET_DIGEST + 1]);

#endif
