#include "budget.h"

#include <string.h>

void budget_init(budget *b, uint64_t limit, unsigned threads) {
    memset(b, 0, sizeof *b);
    pthread_mutex_init(&b->lock, NULL);
    b->limit = limit;
    b->threads = threads;
}

void budget_destroy(budget *b) {
    pthread_mutex_destroy(&b->lock);
}

#define UNIT 4096

/* The number of a size class: 0 for no bytes, else sizes in units of 4 KiB, rounded up to a quarter
 * of a power of two. */
static unsigned size_number(uint64_t bytes) {
    uint64_t units = bytes / UNIT + (bytes % UNIT != 0);
    unsigned octave = 0;
    while (units >> octave >= 8)
        octave++;
    uint64_t quarters = (units >> octave) + ((units >> octave << octave) != units);
    return 4 * octave + (unsigned)quarters; /* at most 4 * 50 + 8 */
}

static uint64_t size_of(unsigned number) {
    unsigned octave = number < 8 ? 0 : number / 4 - 1;
    return (uint64_t)(number - 4 * octave) << octave << 12;
}
_Static_assert(UNIT == 1 << 12, "size_of shifts by it");

/* The most that all threads together may hold. With the lock held. */
static uint64_t working(const budget *b) {
    return b->threads * (size_of(b->workers[0].top) + size_of(b->workers[1].top));
}

/* The same if a size of this number is admitted too. */
static uint64_t working_with(const budget *b, unsigned number, bool indivisible) {
    unsigned top = b->workers[indivisible].top;
    return b->threads *
           (size_of(top > number ? top : number) + size_of(b->workers[!indivisible].top));
}

uint64_t budget_left(const budget *b, uint64_t held) {
    return held < b->limit ? b->limit - held : 0;
}

bool budget_could_hold(const budget *b, uint64_t bytes, uint64_t working_bytes) {
    if (b && working_bytes > b->limit)
        return false;
    uint64_t all = b ? b->threads * size_of(size_number(working_bytes)) : 0;
    return !b || (all <= b->limit && bytes <= b->limit - all);
}

bool budget_take_both(budget *b, uint64_t bytes, uint64_t working_bytes, bool indivisible) {
    if (!b)
        return true;
    unsigned number = size_number(working_bytes);
    pthread_mutex_lock(&b->lock);
    budget_workers *w = &b->workers[indivisible];
    uint64_t most = working_with(b, number, indivisible);
    bool fits =
        most <= b->limit && b->held <= b->limit - most && bytes <= b->limit - most - b->held;
    if (fits) {
        b->held += bytes;
        w->holders[number] += number > 0;
        w->top = number > w->top ? number : w->top;
        b->peak = b->held + most > b->peak ? b->held + most : b->peak;
    } else {
        b->refused++;
    }
    pthread_mutex_unlock(&b->lock);
    return fits;
}

bool budget_take(budget *b, uint64_t bytes) {
    return budget_take_both(b, bytes, 0, false);
}

void budget_give(budget *b, uint64_t bytes) {
    if (!b)
        return;
    pthread_mutex_lock(&b->lock);
    b->held -= bytes;
    pthread_mutex_unlock(&b->lock);
}

void budget_give_working(budget *b, uint64_t working_bytes, bool indivisible) {
    unsigned number = size_number(working_bytes);
    if (!b || number == 0)
        return;
    pthread_mutex_lock(&b->lock);
    budget_workers *w = &b->workers[indivisible];
    w->holders[number]--;
    while (w->top > 0 && w->holders[w->top] == 0)
        w->top--;
    pthread_mutex_unlock(&b->lock);
}

uint64_t budget_held(budget *b) {
    pthread_mutex_lock(&b->lock);
    uint64_t held = b->held + working(b);
    pthread_mutex_unlock(&b->lock);
    return held;
}
