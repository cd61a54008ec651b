/*
 * digest.h - BLAKE2b-256 over the facts of a data set and every byte of its files
 */
#ifndef DIGEST_H
#define DIGEST_H

#include "dataset.h"

/* Reads all files of the set. The digest is written in hexadecimal. False: a file cannot be read,
 * or the process or *stop tells it to stop (stop may be NULL). */
bool digest_compute(const dataset *d, const atomic_bool *stop, char out[DATASET_DIGEST + 1]);

#endif
