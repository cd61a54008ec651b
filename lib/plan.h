/*
 * plan.h - a recipe that was checked, and working memory
 */
#ifndef FMIX_PLAN_H
#define FMIX_PLAN_H

#include "context.h"
#include "law.h"
#include "words.h"

struct fmix_plan {
    fmix_context *context;
    fmix_recipe recipe;
    fmix_law law; /* of its spectrum */
    uint64_t elements;
    bool soft;                                  /* masks may hold weights between 0 and 1 */
    uint64_t lambda;                            /* L, if the recipe gives it */
    fmix_key lambda_key, spectrum_key, box_key; /* those that its method draws from */
};

struct fmix_scratch {
    double *x, *g, *work; /* spectrum, values, room to select */
    unsigned char *mask;
    size_t x_room, g_room, mask_room;
    uint64_t transforms; /* run in this drawing */
    bool (*cancelled)(void *user);
    void *user;
};

/* Rooms for a shape's spectrum and values. */
fmix_status fmix_scratch_reserve(fmix_scratch *scratch, uint64_t bins, uint64_t elements);
/* Room for one mask as bytes. */
fmix_status fmix_scratch_reserve_mask(fmix_scratch *scratch, uint64_t elements);

#endif
