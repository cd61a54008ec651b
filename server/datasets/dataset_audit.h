/*
 * dataset_audit.h - `fmixd verify`: reads all of a set, and names everything that is wrong
 */
#ifndef DATASET_AUDIT_H
#define DATASET_AUDIT_H

#include "dataset.h"

/* Of a set that is open, none of whose bytes were checked: compares each piece with its hash and
 * all files with the digest, then checks the contents. Returns true if nothing is wrong; what is,
 * is printed on `errors`, a line each, with the ranges of bytes and rows. */
bool dataset_audit(dataset *d, const atomic_bool *stop, FILE *errors);

#endif
