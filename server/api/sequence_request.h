/*
 * sequence_request.h - what a request asks of a set of sequences, whose rows have lengths of their
 * own
 */
#ifndef SEQUENCE_REQUEST_H
#define SEQUENCE_REQUEST_H

#include "datasets/dataset.h"

/* Refuses parameters that only a ragged set has where rows have one length; of a ragged set,
 * windows of more places than the library sorts, and what the shortest or the longest row does not
 * allow, so that every batch of an epoch is answered or none. A mask has at most `elements`. */
bool sequence_request_check(const query *q, const dataset *set, uint64_t elements, problem *p);

/* What it takes to find the rows of a batch before the answer can be laid out, whose sides depend
 * on the longest of them; q->n is set. Of a ragged set that is a whole window, which the client
 * chooses; of any other set nothing. */
weight sequence_request_weight(const query *q, const dataset *set);

#endif
