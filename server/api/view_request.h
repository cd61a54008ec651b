/*
 * view_request.h - what a request asks of an image set, whose pictures become views of one size
 * (STREAM §9)
 */
#ifndef VIEW_REQUEST_H
#define VIEW_REQUEST_H

#include "datasets/dataset.h"

/* Refuses parameters of views where rows have one shape, or lengths of their own; of an image set,
 * parameters of windows in rows of one shape, and views that params/view.h refuses. */
bool view_request_check(const query *q, const dataset *set, uint64_t elements, problem *p);

/* What it takes to find the pictures of a batch before the answer can be laid out, whose memory
 * depends on their sides; q->n is set. Of a set that has no pictures nothing. */
weight view_request_weight(const query *q, const dataset *set);

#endif
