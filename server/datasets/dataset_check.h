/*
 * dataset_check.h - whether the files of a data set hold what may be in them
 */
#ifndef DATASET_CHECK_H
#define DATASET_CHECK_H

#include "dataset.h"

/* Of a set whose files are open and have the lengths that its manifest requires: every class number
 * is below the number of classes, every neighbour is a row, and every row of a ragged set has at
 * least one step and lies in x. Fills d->shortest, d->longest and d->steps of a ragged set, which
 * must be those of the manifest if that tells them. False: `reason` says what is wrong, or that the
 * process or *stop told the reader to stop (stop may be NULL). */
bool dataset_check(dataset *d, const atomic_bool *stop, char reason[DATASET_REASON]);

#endif
