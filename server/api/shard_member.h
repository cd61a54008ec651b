/*
 * shard_member.h - a file in a record of a shard that holds the row of one tensor: npy or png
 */
#ifndef SHARD_MEMBER_H
#define SHARD_MEMBER_H

#include "base/buffer.h"
#include "formats/upload.h"
#include "params/problem.h"
#include "tensor/tensor_source.h"

typedef enum shard_member_kind {
    SHARD_MEMBER_NPY,
    SHARD_MEMBER_PNG,     /* pixels */
    SHARD_MEMBER_INDICES, /* a png file with a palette, whose pixels are class numbers */
} shard_member_kind;

typedef struct shard_member {
    char suffix[ARRAY_NAME + 4]; /* of its name, after the key: "npy", "dense.map.png" */
    shard_member_kind kind;
    uint64_t start, length; /* where its bytes begin in a record, and how many there are */
    uint64_t row_bytes;     /* of the tensor */
    uint64_t width, height; /* of a png file */
    unsigned channels;      /* of a png file of pixels */
    buffer head;            /* of an npy file, the same for every row */
} shard_member;

/* Measures the sample, a row of `mixed`: a png file if `png` is set. False here and below:
 * explained. shard_member_end follows in either case. */
bool shard_member_sample(shard_member *m, const tensor *mixed, bool png, problem *p);

/* Measures a row of a dense target beside a row of `mixed`. If `png` is set, a label map becomes a
 * png file: integers of one byte, or bools, without channels, of two spatial dimensions. Any other
 * target is an npy file. */
bool shard_member_dense(shard_member *m, const tensor *dense, const tensor *mixed, bool png,
                        problem *p);
void shard_member_end(shard_member *m);

/* Writes the `length` bytes of the file that holds a row, little-endian. */
void shard_member_write(const shard_member *m, const unsigned char *row, unsigned char *out);

#endif
