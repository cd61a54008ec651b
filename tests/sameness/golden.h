/*
 * golden.h - what the golden sets share: the run that asks for their answers, and the hashing
 *
 * An answer is a function of its number alone, whatever the options of the run.
 */
#ifndef GOLDEN_H
#define GOLDEN_H

#include "lib/context.h"
#include "lib/scratch.h"

#include <pthread.h>
#include <sodium.h>

enum { ELEMENTS_MOST = 6144, VALUES_MOST = 12 * ELEMENTS_MOST }; /* of a mask; of a batch to mix */

typedef crypto_generichash_state hash;
typedef struct bench bench;

/* Writes the digest of all that libfmix answers to a recipe. */
typedef void answerer(bench *b, uint64_t number, unsigned char digest[16]);
extern answerer recipe_answer, choice_answer, view_answer;

typedef struct options {
    uint64_t recipes;
    const char *kernels;
    unsigned threads;
    bool single; /* each row is asked for by itself */
    answerer *answer;
} options;

/* One thread's. x, x2 and out have room for VALUES_MOST values of eight bytes. */
struct bench {
    fmix_context *context;
    fmix_scratch *scratch;
    unsigned char *x, *x2, *out;
    hash raw;
    const options *options;
    uint64_t first, step;
    unsigned char (*digests)[16];
    pthread_t thread;
};

void must(bool good, const char *what, uint64_t number);

/* Random numbers, the same on every machine. */
uint64_t next(uint64_t *random);
uint64_t below(uint64_t *random, uint64_t n);

/* Draws all of a recipe but its method. */
void choose_law(fmix_recipe *r, uint64_t *random);

/* Values of a type to mix, small where they are integers. */
void make_values(void *to, fmix_dtype dtype, uint64_t count, uint64_t number);

/* Numbers go in by their bytes from the lowest on, whatever this machine's order. */
void add_number(hash *h, uint64_t value);
void add_double(hash *h, double value);
void add_elements(hash *h, fmix_dtype type, const void *elements, uint64_t n);
void add_row(hash *h, const fmix_row *row);

#endif
