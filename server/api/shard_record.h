/*
 * shard_record.h - a record of a WebDataset shard: a sample, and its labels and numbers as JSON
 *
 * Records of one shard have one length, so that a range of a shard is found without the rest.
 */
#ifndef SHARD_RECORD_H
#define SHARD_RECORD_H

#include "base/buffer.h"
#include "params/problem.h"
#include "tensor/tensor_source.h"

/* A member of the tar archive: where its bytes begin in a record, and how many there are. */
typedef struct shard_member {
    uint64_t start, length;
} shard_member;

typedef struct shard_record {
    const tensor_source *batch; /* tensor 0 becomes the sample, the others the JSON */
    uint64_t step;              /* of the batch in its epoch; part of the members' names */
    bool png;                   /* the sample is a png file rather than an npy file */
    shard_member sample, facts;
    uint64_t width, height; /* of a png file */
    unsigned channels;      /* of a png file */
    buffer head;            /* of an npy file, the same for every sample */
} shard_record;

/* Measures the members; batch, step and png are set. False: explained. shard_record_end follows in
 * either case. */
bool shard_record_begin(shard_record *r, problem *p);
void shard_record_end(shard_record *r);

uint64_t shard_record_length(const shard_record *r);

/* Writes the record of row `number` of the batch, whose values stand in row `row` of data[i] of
 * each tensor i, little-endian. False: no memory. */
bool shard_record_write(const shard_record *r, uint64_t row, uint64_t number,
                        unsigned char *const *data, unsigned char *out);

#endif
