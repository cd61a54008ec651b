/*
 * budget.h - the bytes that all requests together may hold
 *
 * The budget counts two kinds of memory. A request holds its body and the bytes that are inflated,
 * computed and encoded for it. Each compute thread has one working memory, as large as the largest
 * admitted answer needs that such a thread computes. There are as many threads for jobs with
 * long slices as for others. Any thread may call.
 *
 * Each claim is a client's. What one client holds leaves room for others: a claim must leave free
 * at least an eighth of what its client then holds, working memory included. (Choudhury and Hahne's
 * dynamic thresholds for shared buffers: the more clients hold much, the less each may hold.) So a
 * crowd of one client's requests takes 8/9 of the memory, and a client that holds little finds
 * room. Only one request may take all that is free: one beside which all others, of any client,
 * hold an eighth of the memory at most.
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

/* Of clients, and of requests, by number. Two that fall into one place count as one. */
#define BUDGET_PLACES 1024

typedef struct budget_share {
    uint64_t held;
    unsigned answers[2]; /* admitted with working memory; [true]: of indivisible jobs */
    unsigned top[2];     /* the number of their largest size, since there were none */
} budget_share;

typedef struct budget {
    pthread_mutex_t lock;
    uint64_t limit, held, peak;
    unsigned threads;          /* compute threads, of each kind */
    budget_workers workers[2]; /* [true]: threads for indivisible jobs */
    budget_share clients[BUDGET_PLACES], requests[BUDGET_PLACES];
} budget;

typedef struct budget_holder {
    uint64_t client;  /* client_key.h */
    uint64_t request; /* a number of its own */
} budget_holder;

/* Who pays for a claim. */
typedef struct budget_payer {
    budget *from; /* NULL: every claim fits, and nothing is counted */
    budget_holder holder;
} budget_payer;

void budget_init(budget *b, uint64_t limit, unsigned threads);
void budget_destroy(budget *b);

/* The bytes that a holder of `held` bytes can still take while nobody else holds any. */
uint64_t budget_left(const budget *b, uint64_t held);

/* Returns true if a claim of `bytes`, and of `working` bytes for each thread, fits while nobody
 * else holds any. */
bool budget_could_hold(const budget *b, uint64_t bytes, uint64_t working);

/* False: the claim does not fit now, and takes nothing. */
bool budget_take(budget_payer p, uint64_t bytes);
void budget_give(budget_payer p, uint64_t bytes);
/* indivisible: the working memory is for threads for indivisible jobs. */
bool budget_take_both(budget_payer p, uint64_t bytes, uint64_t working, bool indivisible);
void budget_give_working(budget_payer p, uint64_t working, bool indivisible);

/* Returns true if the client holds more than half of what is held. */
bool budget_is_mostly_of(budget_payer p);

/* Bytes of both kinds that are held. */
uint64_t budget_held(budget *b);

#endif
