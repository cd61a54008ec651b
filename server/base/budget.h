/*
 * budget.h - the bytes that all requests together may hold
 *
 * The budget counts two kinds of memory. A request holds its body and the bytes that are inflated,
 * computed and encoded for it. Each compute thread has one working memory, as large as the largest
 * admitted answer needs that such a thread computes. There are as many threads for jobs with
 * long slices as for others. Any thread may call.
 */
#ifndef BUDGET_H
#define BUDGET_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define BUDGET_SIZES 256 /* of working memory: four for each power of two */

typedef struct budget_workers {
    unsigned holders[BUDGET_SIZES]; /* admitted answers, by their working memory */
    unsigned top;                   /* the largest size with a holder, or 0 */
} budget_workers;

typedef struct budget {
    pthread_mutex_t lock;
    uint64_t limit, held, peak;
    uint64_t refused;          /* claims that did not fit */
    unsigned threads;          /* compute threads, of each kind */
    budget_workers workers[2]; /* [true]: threads for indivisible jobs */
} budget;

void budget_init(budget *b, uint64_t limit, unsigned threads);
void budget_destroy(budget *b);

/* The bytes that a holder of `held` bytes can still take while nobody else holds any. */
uint64_t budget_left(const budget *b, uint64_t held);

/* Returns true if a claim of `bytes`, and of `working` bytes for each thread, fits while nobody
 * else holds any. */
bool budget_could_hold(const budget *b, uint64_t bytes, uint64_t working);

/* False: the claim does not fit now, and takes nothing. In a NULL budget every claim fits. */
bool budget_take(budget *b, uint64_t bytes);
void budget_give(budget *b, uint64_t bytes);
/* indivisible: the working memory is for threads for indivisible jobs. */
bool budget_take_both(budget *b, uint64_t bytes, uint64_t working, bool indivisible);
void budget_give_working(budget *b, uint64_t working, bool indivisible);

/* Bytes of both kinds that are held. */
uint64_t budget_held(budget *b);

#endif
