/*
 * tensor_source.h - the named tensors of an answer, which are filled row by row
 *
 * A resource (api/) makes a source; a format (formats/) lays out the tensors of the source; an
 * answer (compute/) fills the tensors in slices. A row belongs to one sample or to one batch.
 */
#ifndef TENSOR_SOURCE_H
#define TENSOR_SOURCE_H

#include "dtype.h"
#include "lib/fmix.h"

#include <stddef.h>
#include <stdint.h>

#define TENSOR_RANK     6
#define SOURCE_TENSORS  24 /* eight heads of labels, eight dense targets, eight more */
#define SOURCE_METADATA 4

typedef struct tensor_source tensor_source;

/* Writes rows first … first+n-1 of a tensor to `out`: n * row_bytes bytes in the machine's order.
 * `self` is tensor.self. Several threads call a fill at once, each with a scratch of its own. */
typedef fmix_status tensor_fill(const void *self, fmix_scratch *scratch, uint64_t first, uint64_t n,
                                void *out);

/* Where rows first … first+n-1 of a tensor lie, as `fill` would write them and in the format's
 * order of bytes, as long as the source lives. The rows are verified, and in main memory as far as
 * can be asked. NULL: the rows are lost. Several threads call it at once. */
typedef const void *tensor_lend(const void *self, uint64_t first, uint64_t n);

/* Where the side of channels lies among the sides of a tensor that is drawn. */
typedef enum channels_place { CHANNELS_NOWHERE, CHANNELS_BEFORE, CHANNELS_BEHIND } channels_place;

/* A row of a tensor as an image: one to three spatial sides, and at most one side of channels
 * before or behind the spatial sides. */
typedef struct image_shape {
    unsigned sides;                 /* spatial sides; 0: the tensor is not drawn */
    uint64_t slices, height, width; /* elements along each spatial side; 1: the side is missing */
    uint64_t channels;              /* 1 where there is no side of channels */
    bool apart;                     /* each channel is a plane of its own */
} image_shape;

typedef struct tensor {
    const char *name;
    dtype type;
    unsigned rank;
    uint64_t shape[TENSOR_RANK];
    uint64_t rows; /* the rows that `fill` counts: samples of the source, or batches */
    uint64_t row_bytes;
    double row_cost; /* estimated nanoseconds, beside writing the row */
    tensor_fill *fill;
    tensor_lend *lend; /* instead, for a reader that takes bytes where they lie; or NULL */
    const void *self;  /* the first argument of these; borrowed, valid as long as the source */
    image_shape image;
} tensor;

/* A scalar beside the tensors. JSON holds the value as text, since the value may exceed 2^53. */
typedef struct metadata {
    const char *name;
    uint64_t value;
} metadata;

/* How long a copy of an answer may be used without asking again. */
typedef enum freshness {
    FRESH_FOR_EVER,
    FRESH_UNTIL_REPLACED, /* the answer may change, so its ETag must be compared each time */
    FRESH_NEVER,
    FRESHNESS_KINDS
} freshness;

struct tensor_source {
    uint64_t rows;
    uint64_t batches;     /* the leading side of every tensor; 0: one batch, without such a side */
    unsigned count, main; /* main: the tensor that a format of one tensor holds */
    unsigned metas;
    unsigned columns, scale; /* of a png sheet; 0 columns: about a square */
    char *recipe;            /* canonical text; a png file keeps the text */
    uint64_t memory;         /* bytes held beside the tensors, not counted in the budget yet */
    uint64_t held;           /* bytes held that are counted in the budget already */
    uint64_t working;        /* bytes that a thread needs to fill a slice */
    bool warm;               /* the first fill makes nothing slow */
    double first_cost;       /* estimated nanoseconds of what the first fill makes, or 0 */
    freshness fresh;         /* how long the answer under this URL stays the same */
    double prepare_cost;     /* estimated nanoseconds of prepare */
    void *self;              /* the argument of the functions below */
    /* Runs once, on a compute thread, before any fill. NULL: nothing to prepare. */
    fmix_status (*prepare)(void *self);
    /* Asked after all lent rows were read: whether they were right all the time. */
    bool (*lent_well)(const void *self);
    /* Asked after a failure: whether the data that the source reads were lost. NULL: never. */
    bool (*is_lost)(const void *self);
    /* Says which data were lost, or writes an empty text. NULL: an empty text. */
    void (*tell_loss)(const void *self, char *out, size_t room);
    void (*destroy)(void *self); /* frees `self`; NULL: nothing to free */

    /* Not cleared past their counts. */
    metadata meta[SOURCE_METADATA];
    tensor tensors[SOURCE_TENSORS];
};

/* NULL without memory. */
tensor_source *tensor_source_new(uint64_t rows);
void tensor_source_free(tensor_source *s);

/* Sets `warm` and `first_cost`. made: the tables of masks of so many elements are made. */
void tensor_source_set_warm(tensor_source *s, bool made, uint64_t elements);

/* Appends a tensor whose rows have these sides, to be filled by fill(self, …). False: the size of
 * the tensor overflows, or the source is full. */
bool tensor_source_add(tensor_source *s, const char *name, dtype type, unsigned sides,
                       const uint64_t *side, double row_cost, tensor_fill *fill, const void *self);
/* The same for a tensor of one value a sample that is filled batch by batch. */
bool tensor_source_add_batches(tensor_source *s, const char *name, dtype type, uint64_t samples,
                               double batch_cost, tensor_fill *fill, const void *self);
void tensor_source_note(tensor_source *s, const char *name, uint64_t value);

/* Marks the tensor added last as one to draw, unless the tensor has too few or too many sides. */
void tensor_source_draw(tensor_source *s, channels_place channels);

uint64_t tensor_bytes(const tensor *t);
/* The elements of a tensor, and the lists that JSON puts around the elements. */
uint64_t tensor_nodes(const tensor *t);

#endif
