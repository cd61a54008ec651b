/*
 * manifest.h - manifest.json of a data set, format 1, and every name that a set has on disk
 *
 *   manifest.json   the facts of the set, and a digest over the facts and all other files
 *   data.bin        the rows in order, little-endian
 *   labels.bin, labels.NAME.bin
 *                   one file for each head: class numbers as i32, rows of f32 weights, or f32
 *                   values
 *   dense.bin, dense.NAME.bin
 *                   dense targets, whose rows have the spatial sides of those in data.bin; of an
 *                   image set label maps, stored as the pictures are
 *   neighbours.bin  the numbers of each row's neighbours, i64
 *   offsets.bin     of a ragged set: where each row begins in data.bin, and the last ends, in
 *                   steps, i64
 *   index.bin       of an image set: where each picture lies in data.bin, and its sides
 *                   (dataset_picture.h)
 *   index.dense.bin, index.dense.NAME.bin
 *                   of an image set: the same for the label maps in dense.bin, dense.NAME.bin
 *   pieces.bin      hashes of each MiB of all these files (pieces.h); sets that older versions
 *                   wrote have none
 *
 * A stored set must stay readable, whatever parameters of HTTP requests are called. So the names on
 * disk (of files, element types, layouts and kinds of labels) stand in manifest.c and
 * manifest_file.c, nowhere else, and none of them ever changes.
 */
#ifndef MANIFEST_H
#define MANIFEST_H

#include "base/json_build.h"
#include "dataset.h"
#include "dataset_part.h"
#include "manifest_file.h"

/* Bytes of the file: room for as many classes as a head may have, whose names take 57 bytes each.
 * Beside the names of all classes stand less than MANIFEST_FACTS. */
#define MANIFEST_MOST   (64u << 20)
#define MANIFEST_FACTS  (64u << 10)
#define MANIFEST_NAMES  (MANIFEST_MOST - MANIFEST_FACTS)
#define MANIFEST_REASON 256 /* bytes of why a manifest is refused, with its end */

/* Returns true if a set, or the NAME of a head y.NAME, may be called `name`: letters, digits, _ and
 * -, at most DATASET_NAME of them. */
bool manifest_name_is_valid(const char *name);

/* Returns true if a head of labels may be called `name`: y or y.NAME. */
bool manifest_head_is_valid(const char *name);

/* Returns true if dense targets may be called `name`: dense or dense.NAME. */
bool manifest_dense_is_valid(const char *name);

/* The names of an element type, a layout (query_layout), a kind of labels and a store on disk. */
const char *manifest_type_name(dtype type);
const char *manifest_layout_name(unsigned layout);
const char *manifest_kind_name(dataset_head_kind kind);
const char *manifest_store_name(dataset_store store);
bool manifest_layout_of(const char *name, unsigned *out);
bool manifest_store_of(const char *name, unsigned *out);

/* Fills the facts, the heads and the digest of *out from a manifest. False: `reason` says why the
 * manifest is refused. */
bool manifest_read(const json_t *root, dataset *out, char reason[MANIFEST_REASON]);

/* At least the bytes that the name of a class takes in the file. */
size_t manifest_class_bytes(const char *name);

/* The manifest of a set. class_names: a list of names for each head. NULL: no memory. */
json_t *manifest_write(const dataset *d, json_t *class_names);

/* The shape of a row, where null stands for a dimension that each row has of its own; and the
 * least, the most and all steps of a ragged set's rows. NULL: no memory. */
json_t *manifest_shape(const dataset_array *a);
json_t *manifest_lengths(const dataset *d);

/* Appends the facts and heads as the digest covers them. */
void manifest_print_facts(const dataset *d, buffer *out);

#endif
