/*
 * shard_name.h - the name of a shard, which determines everything in the shard
 *
 * A reader may cache shards by name alone. The name holds the set, the digest of the set, each
 * parameter that is not at its default, and the batch: `garments==<digest>==n=64==seed=7==000003`,
 * with `+` for a comma and `~` for a point.
 */
#ifndef SHARD_NAME_H
#define SHARD_NAME_H

#include "requested_dataset.h"

#define SHARD_SEPARATOR "=="

/* Writes the name without the number of the batch. FMIX_ERROR_RANGE: the name needs more `room`. */
fmix_status shard_name_of(const query *q, const dataset *d, char *out, size_t room);

/* Refuses, in p, a name that is too long, and names the parameter that takes most of the name. */
void shard_name_refuse(const query *q, problem *p);

/* Reads the name in the path: the parameters, into request->query, the set, retained, and the
 * number of the batch. NULL: explained. */
dataset *shard_name_read(resource_request *request, uint64_t *step, problem *p);

#endif
