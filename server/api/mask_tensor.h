/*
 * mask_tensor.h - the tensor of masks that a request asks for, in the element type of `dtype`
 */
#ifndef MASK_TENSOR_H
#define MASK_TENSOR_H

#include "params/query.h"
#include "tensor/tensor_source.h"

/* False, explained: `dtype` cannot hold the output. Soft masks and greys take more than a bit. */
bool mask_tensor_check(const query *q, problem *p);

/* The library's element type of a choice of `dtype`. */
fmix_dtype mask_tensor_dtype(unsigned choice);

/* Adds the tensor `masks`, of the sides of q->shape; bits are packed into bytes. */
bool mask_tensor_add(tensor_source *s, const query *q, fmix_dtype type, double cost,
                     tensor_fill *fill, const void *self);

#endif
