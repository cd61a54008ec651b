/*
 * tensor_source.h - what an answer is made of: named tensors that fill themselves row by row
 *
 * A resource (api/) makes a source; a format (formats/) lays its tensors out; an answer computes
 * them in slices. A row belongs to one sample, or to one batch of them.
 */
#ifndef SOURCE_H
#define SOURCE_H

#include "dtype.h"
#include "lib/fmix.h"

#include <stddef.h>
#include <stdint.h>

#define TENSOR_RANK     6
#define SOURCE_TENSORS  16
#define SOURCE_METADATA 4

typedef struct tensor_source tensor_source;

/* Rows first … first+n-1 of the tensor, n * row_bytes bytes in the machine's order, to out. Called
 * by several threads at once, each with its own scratch. */
typedef fmix_status tensor_fill(const tensor_source *from, fmix_scratch *scratch, uint64_t first,
                                uint64_t n, void *out);

/* Where the channels of a tensor that is drawn lie among its sides. */
typedef enum channels_place { CHANNELS_NOWHERE, CHANNELS_BEFORE, CHANNELS_BEHIND } channels_place;

/* What a row of a tensor looks like: its sides are one to three spatial sides, and perhaps one of
 * channels before or behind them. */
typedef struct image_shape {
    unsigned sides;                 /* spatial ones; 0: the tensor is not drawn */
    uint64_t slices, height, width; /* elements along them; 1 where there is no such side */
    uint64_t channels;              /* 1 where they have no side of their own */
    bool apart;                     /* each channel is a plane of its own */
} image_shape;

typedef struct tensor {
    const char *name;
    dtype type;
    unsigned rank;
    uint64_t shape[TENSOR_RANK];
    uint64_t rows; /* that fill counts in: the source's, or its batches */
    uint64_t row_bytes;
    double row_cost; /* estimated nanoseconds */
    tensor_fill *fill;
    const tensor_source *from; /* what fill is given; NULL: the source that the tensor stands in */
    image_shape image;
} tensor;

/* Scalars beside the tensors; as text in json, for they pass 2^53. */
typedef struct metadata {
    const char *name;
    uint64_t value;
} metadata;

struct tensor_source {
    uint64_t rows;
    uint64_t batches; /* 0: one, without a side of its own; else the leading side of every tensor */
    tensor tensors[SOURCE_TENSORS];
    unsigned count, main; /* main: what a format of one tensor holds */
    metadata meta[SOURCE_METADATA];
    unsigned metas;
    unsigned columns, scale; /* of a png sheet; 0 columns: about a square */
    char *recipe;            /* canonical text; png keeps it */
    uint64_t memory;         /* bytes it holds beside its tensors, if it counts them */
    uint64_t held;           /* bytes it holds that are paid for already */
    uint64_t working;        /* bytes that a thread needs to fill a slice */
    bool warm;               /* filling needs nothing slow to be made first */
    bool passing;            /* under this URL there may be another answer one day */
    double prepare_cost;     /* estimated nanoseconds of prepare */
    /* Runs once, on a compute thread, before any fill. NULL: nothing to prepare. */
    fmix_status (*prepare)(tensor_source *self);
    /* Asked after a failure: whether what it is made of turned out not to be there. NULL: no. */
    bool (*is_lost)(const tensor_source *self);
    void (*destroy)(tensor_source *self); /* frees what `self` points to */
    void *self;
};

/* NULL without memory. */
tensor_source *tensor_source_new(uint64_t rows);
void tensor_source_free(tensor_source *s);

/* Appends a tensor of rows with these further sides; false if its size overflows. */
bool tensor_source_add(tensor_source *s, const char *name, dtype type, unsigned sides,
                       const uint64_t *side, double row_cost, tensor_fill *fill);
/* The same for a tensor of one value a sample that is filled batch by batch. */
bool tensor_source_add_batches(tensor_source *s, const char *name, dtype type, uint64_t samples,
                               double batch_cost, tensor_fill *fill);
void tensor_source_note(tensor_source *s, const char *name, uint64_t value);

/* Says that the tensor added last can be drawn. It cannot where it has too few sides or too many
 * for that. */
void tensor_source_draw(tensor_source *s, channels_place channels);

uint64_t tensor_bytes(const tensor *t);
/* Its elements, and the lists around them that json would make. */
uint64_t tensor_nodes(const tensor *t);

#endif
