/*
 * preprocessor.h - prepares a row of a data set for mixing: crop and flip, layout, normalisation
 *
 * Threads: several threads may call preprocessor_run at once, each with a room of its own.
 */
#ifndef PREPROCESSOR_H
#define PREPROCESSOR_H

#include "batch_geometry.h"
#include "sequence_padding.h"

typedef struct preprocessor {
    const dataset_array *array;  /* whose rows are preprocessed; borrowed */
    uint64_t seed;               /* of crop and flip */
    uint64_t channels, elements; /* elements: of one channel */
    bool last;                   /* stored rows have their channels last */
    bool moves;                  /* crop or flip is asked for */
    bool transposes;             /* the answer has another layout than the set */
    bool normalises;             /* mean or std is given */
    fmix_window window;
    fmix_normal normal;
    double mean[QUERY_LIST], std[QUERY_LIST];
    uint64_t stored_bytes; /* of a stored row, or of the longest */
    uint64_t row_bytes;    /* of a preprocessed row, padded */
    uint64_t longest;      /* steps that each row is padded to; 0: rows have one length */
    sequence_padding padding;
} preprocessor;

/* Sets the sides of x after the first: the sides of a row, as `from` has it, in the layout that the
 * query gives, or else in the layout of `from`, which q->layout becomes. A layout with channels
 * gives rows without channels a side of 1; layout=none drops the side of a single channel. False:
 * explained. */
bool preprocessor_shape(query *q, const dataset *set, const dataset_array *from, array *x,
                        problem *p);

/* Sets the sides, after the first, and the name of a dense target of a set. A target without
 * channels has none in any layout. Where neither the answer nor the set has channels in x, a target
 * keeps its own as they are stored. False: explained. */
bool preprocessor_dense_shape(const query *q, const dataset *set, const dataset_array *from,
                              array *out, problem *p);

/* Appends the layout of the set to a canonical text if the query gives another layout. Such answers
 * had other bytes in earlier versions, so that they need another ETag now. */
void preprocessor_note(const query *q, const dataset *set, buffer *recipe);

/* For rows from an array that get geometry g, whose spatial sides are `mask`. *type: the element
 * type of preprocessed rows. False: explained. */
bool preprocessor_begin(preprocessor *r, const query *q, const dataset_array *from,
                        const batch_geometry *g, const fmix_shape *mask, dtype *type, problem *p);

/* For rows of a dense target that get this layout: they keep their type and their values. The
 * window is that of x, which preprocessor_begin checked. */
void preprocessor_begin_dense(preprocessor *r, const query *q, const dataset_array *from,
                              fmix_layout layout, const fmix_shape *mask);

/* Rows are views, which were mirrored as they were made: the preprocessor does not move them. */
void preprocessor_keep(preprocessor *r);

/* For rows of lengths of their own, after preprocessor_begin with the mask of the longest of the
 * batch: each is preprocessed at its own length, then padded to `longest` steps. type: that of
 * preprocessed rows. False: explained. */
bool preprocessor_pad(preprocessor *r, const query *q, uint64_t longest, dtype type, problem *p);

/* Returns true if preprocessing leaves every byte of a row unchanged. */
bool preprocessor_is_identity(const preprocessor *r);

/* Bytes of working memory that preprocessor_run needs. */
uint64_t preprocessor_room(const preprocessor *r);

/* A row that waits for the preprocessor. */
typedef struct preprocessor_row {
    const unsigned char *stored; /* its first byte */
    uint64_t length;             /* steps, where rows are padded */
    uint64_t t;                  /* at which its window and flip are drawn (STREAM §6) */
    bool neighbour;              /* it is the partner of the row with this t (STREAM §11) */
} preprocessor_row;

/* Preprocesses a row, in the machine's order, and pads it. */
fmix_status preprocessor_run(const preprocessor *r, const preprocessor_row *row,
                             unsigned char *room, void *out);

#endif
