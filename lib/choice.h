/*
 * choice.h - the method of each row of a batch (STREAM §7, §10)
 */
#ifndef FMIX_CHOICE_H
#define FMIX_CHOICE_H

#include "words.h"

#define FMIX_UNMIXED FMIX_MAX_METHODS /* in the place of a method's place in the list */

/* A checked choice with its stream keys; it borrows nothing. */
typedef struct fmix_chooser {
    unsigned count;
    uint32_t weights[FMIX_MAX_METHODS];
    uint64_t sum;   /* of the weights */
    uint64_t below; /* a row whose word is below this is mixed */
    fmix_policy_kind policy;
    bool by_sample, prob_given;
    fmix_scope scope;
    fmix_key policy_key, choice_key;
} fmix_chooser;

/* FMIX_ERROR_RANGE: a number of the choice is outside its range; methods and alphas are not looked
 * at. */
fmix_status fmix_chooser_init(fmix_chooser *chooser, uint64_t seed, const fmix_choice *choice);

/* True if rows of one batch can have different methods, unmixed rows included. */
bool fmix_chooser_varies(const fmix_chooser *chooser);

/* True if a row of this batch can have the method at this place of the list, by whatever weights
 * and probability. */
bool fmix_chooser_allows(const fmix_chooser *chooser, uint64_t batch, unsigned place);

/* The place in the list of the method of a row that draws at t, or FMIX_UNMIXED. */
unsigned fmix_chooser_place(const fmix_chooser *chooser, uint64_t batch, uint64_t t);

#endif
