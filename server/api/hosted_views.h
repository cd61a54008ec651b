/*
 * hosted_views.h - the pictures of a batch as views of one size, each made once (STREAM §9); and
 * the same of their label maps (§13)
 *
 * The first slice that needs a view makes it, with all other views of the same stored picture,
 * which is decoded once. A slice that needs a view in the making waits. Whoever makes a view waits
 * for nobody, so that slices cannot wait for each other.
 */
#ifndef HOSTED_VIEWS_H
#define HOSTED_VIEWS_H

#include "base/buffer_pool.h"
#include "datasets/dataset_picture.h"
#include "hosted_samples.h"
#include "ops/metrics.h"

#define HOSTED_VIEWS_REASON 384

typedef struct hosted_view hosted_view;

typedef struct hosted_views {
    const hosted_samples *samples; /* borrowed */
    const dataset_array *array;    /* x of the set, or a dense target; borrowed */
    buffer_pool *spares;        /* borrowed, may be NULL; memory of views that were made before */
    metrics *metrics;           /* borrowed; counts the files that are decoded */
    dataset_unusable *unusable; /* borrowed; of the array */
    fmix_view_recipe recipe;
    fmix_filter filter;
    dataset_array rows;         /* views as rows of one shape, without a file */
    uint64_t share;             /* rows of the rank; 0: none of them is mixed */
    uint64_t working;           /* bytes that a thread needs to make a view */
    double cost;                /* estimated nanoseconds to make all views */
    hosted_view *each;          /* of each sample */
    uint64_t slots;             /* views that are needed */
    pooled_buffer bytes;        /* the views themselves */
    char what[ARRAY_NAME + 16]; /* "picture", or "label map" with the name of the target */
    bool begun;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    char reason[HOSTED_VIEWS_REASON]; /* with the lock: why a view could not be made; or empty */
} hosted_views;

/* Allocates what is kept of each sample. The views are those of a query that params/view.h has
 * passed; those of label maps are resized by the nearest pixel, whatever the query says. False:
 * explained. hosted_views_end follows in either case. */
bool hosted_views_begin(hosted_views *h, const query *q, problem *p);
void hosted_views_end(hosted_views *h);

/* Finds the pictures of the samples, whose numbers are found, and draws their views.
 * FMIX_ERROR_LIBRARY: the index of the set is damaged, or a picture could not be decoded before, as
 * h->reason says. */
fmix_status hosted_views_find(hosted_views *h);

/* Makes room for the views of rows first … first+n-1 and of their partners. */
fmix_status hosted_views_locate(hosted_views *h, uint64_t first, uint64_t n,
                                const int64_t *pairing);

/* Verifies the bytes of the picture of sample i, and that the header of its file says the sides
 * that the index says. What follows the header is not decoded. FMIX_ERROR_LIBRARY: the bytes are
 * damaged, or the header is wrong, as h->reason says. FMIX_ERROR_MEMORY: there is not enough
 * memory. */
fmix_status hosted_views_verify(hosted_views *h, uint64_t i);

/* Returns when the views of these rows and of their partners are made. FMIX_ERROR_LIBRARY: one of
 * them cannot be made, as h->reason or the fault of the samples says. FMIX_ERROR_MEMORY: there is
 * not enough memory. */
fmix_status hosted_views_need(hosted_views *h, fmix_scratch *scratch, uint64_t first, uint64_t n,
                              const int64_t *pairing);

/* The first byte of the view of a sample; NULL where there is no room for it. */
const unsigned char *hosted_views_row(const hosted_views *h, uint64_t i);

/* Copies why a view could not be made. False: all that were needed until now are made. */
bool hosted_views_failed(hosted_views *h, char out[HOSTED_VIEWS_REASON]);

/* Bytes that a batch holds, and estimated nanoseconds that views take for each row of the rank. */
uint64_t hosted_views_memory(const hosted_views *h);
double hosted_views_cost(const hosted_views *h);

#endif
