/*
 * shard_name.h - the name of a shard, which says all that is in it
 *
 * A reader's cache may know nothing but the name: the set, its digest, each parameter that is not
 * at its default, and the batch, as `garments==<digest>==n=64==seed=7==000003` with `+` for a comma
 * and
 * `~` for a point.
 */
#ifndef SHARD_NAME_H
#define SHARD_NAME_H

#include "hosted.h"

#define SHARD_SEPARATOR "=="

/* All but the number of the batch. RANGE: it would not fit `room`. */
fmix_status shard_name_of(const query *q, const dataset *d, char *out, size_t room);

/* Refuses, in p, what makes a name too long: the parameter that takes most of it. */
void shard_name_refuse(const query *q, problem *p);

/* What the name that the path holds says: the query's parameters, the set, retained, and the batch.
 * NULL: explained. */
dataset *shard_name_read(resource_request *c, uint64_t *step, problem *p);

#endif
