/*
 * budget.h - the bytes that all requests together may hold
 *
 * Two kinds: what a request holds by itself (its body, what was inflated, computed and encoded),
 * and the working memory of compute threads, which each thread has once, as large as the largest
 * answer in work needs it. Any thread may call.
 */
#ifndef BUDGET_H
#define BUDGET_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define BUDGET_SIZES 256 /* of working memory, four to an octave */

typedef struct budget {
    pthread_mutex_t lock;
    uint64_t limit, held, peak;
    uint64_t refused; /* claims that did not fit */
    unsigned threads; /* that compute */
    unsigned holders[BUDGET_SIZES];
} budget;

void budget_init(budget *b, uint64_t limit, unsigned threads);
void budget_destroy(budget *b);

/* Bytes that are left of the limit for one who holds so many, while nobody else holds anything. */
uint64_t budget_left(const budget *b, uint64_t held);

/* What a claim of bytes, and of working memory a thread, may be at most while nobody else holds
 * anything. */
bool budget_could_hold(const budget *b, uint64_t bytes, uint64_t working);

/* False: it does not fit now, and nothing is held. NULL budgets hold anything. */
bool budget_take(budget *b, uint64_t bytes);
void budget_give(budget *b, uint64_t bytes);
bool budget_take_both(budget *b, uint64_t bytes, uint64_t working);
void budget_give_working(budget *b, uint64_t working);

/* Bytes that are held, of both kinds. */
uint64_t budget_held(budget *b);

#endif
