/*
 * summary.h - what an import prints of the set that it wrote
 */
#ifndef SUMMARY_H
#define SUMMARY_H

#include "import.h"

void summary_shape(const import *in, const dataset_writer_facts *facts);

/* The lengths of a ragged set's rows. offsets: as import_sources has them. */
void summary_lengths(const import *in, const array *offsets);

/* Of each head, how many rows each class has, or the range of its values. */
void summary_labels(const import *in, const import_labels *labels);

#endif
