/*
 * shard_record.h - a record of a WebDataset shard: a sample, its dense targets, and its labels and
 * numbers as JSON
 *
 * Records of one shard have one length, so that a range of a shard is found without the rest.
 */
#ifndef SHARD_RECORD_H
#define SHARD_RECORD_H

#include "dense.h"
#include "shard_member.h"

#define SHARD_MEMBERS (1 + DENSE_TARGETS)

typedef struct shard_record {
    const tensor_source *batch; /* tensor 0 is the sample */
    uint64_t step;              /* of the batch in its epoch; part of the members' names */
    bool png;                   /* the sample and label maps are png files rather than npy files */
    unsigned count;
    shard_member members[SHARD_MEMBERS]; /* the sample, then the dense targets */
    uint64_t facts_start, facts_length;  /* of the JSON that holds all other tensors */
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
