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

static budget_share *client_of(budget_payer p) {
    return &p.from->clients[p.holder.client % BUDGET_PLACES];
}

static budget_share *request_of(budget_payer p) {
    return &p.from->requests[p.holder.request % BUDGET_PLACES];
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

/* The working memory of a client's answers if one of this size is admitted too. */
static uint64_t working_of(const budget *b, const budget_share *c, unsigned number, bool kind) {
    unsigned top = c->top[kind] > number ? c->top[kind] : number;
    return b->threads * (size_of(top) + size_of(c->top[!kind]));
}

/* The number of the largest size that a request other than this one holds. The answers of one
 * request are taken for the largest. */
static unsigned top_of_others(const budget_workers *w, const budget_share *r, bool kind) {
    unsigned number = w->top, own = r->answers[kind];
    for (; number > 0; number--) {
        if (w->holders[number] > (number > r->top[kind] ? 0 : own))
            break;
        own -= w->holders[number];
    }
    return number;
}

static uint64_t held_by_others(const budget *b, const budget_share *r) {
    return b->held - r->held +
           b->threads * (size_of(top_of_others(&b->workers[0], r, false)) +
                         size_of(top_of_others(&b->workers[1], r, true)));
}

#define SHARE 8 /* a client may hold so many times what it leaves free */

/* Returns true if a claim leaves enough to others. own: what the client then holds; free: the bytes
 * that are left. */
static bool leaves_enough(budget_payer p, uint64_t own, uint64_t free) {
    return own / SHARE <= free || held_by_others(p.from, request_of(p)) <= p.from->limit / SHARE;
}

static void add(budget_share *s, uint64_t bytes, unsigned number, bool kind) {
    s->held += bytes;
    s->answers[kind] += number > 0;
    s->top[kind] = number > s->top[kind] ? number : s->top[kind];
}

bool budget_take_both(budget_payer p, uint64_t bytes, uint64_t working_bytes, bool indivisible) {
    budget *b = p.from;
    if (!b)
        return true;
    unsigned number = size_number(working_bytes);
    pthread_mutex_lock(&b->lock);
    budget_share *c = client_of(p);
    budget_workers *w = &b->workers[indivisible];
    uint64_t most = working_with(b, number, indivisible);
    bool fits = most <= b->limit && b->held <= b->limit - most &&
                bytes <= b->limit - most - b->held &&
                leaves_enough(p, c->held + bytes + working_of(b, c, number, indivisible),
                              b->limit - most - b->held - bytes);
    if (fits) {
        b->held += bytes;
        add(c, bytes, number, indivisible);
        add(request_of(p), bytes, number, indivisible);
        w->holders[number] += number > 0;
        w->top = number > w->top ? number : w->top;
        b->peak = b->held + most > b->peak ? b->held + most : b->peak;
    }
    pthread_mutex_unlock(&b->lock);
    return fits;
}

bool budget_take(budget_payer p, uint64_t bytes) {
    return budget_take_both(p, bytes, 0, false);
}

void budget_give(budget_payer p, uint64_t bytes) {
    if (!p.from)
        return;
    pthread_mutex_lock(&p.from->lock);
    p.from->held -= bytes;
    client_of(p)->held -= bytes;
    request_of(p)->held -= bytes;
    pthread_mutex_unlock(&p.from->lock);
}

static void remove_answer(budget_share *s, bool kind) {
    s->answers[kind]--;
    if (s->answers[kind] == 0)
        s->top[kind] = 0;
}

void budget_give_working(budget_payer p, uint64_t working_bytes, bool indivisible) {
    budget *b = p.from;
    unsigned number = size_number(working_bytes);
    if (!b || number == 0)
        return;
    pthread_mutex_lock(&b->lock);
    remove_answer(client_of(p), indivisible);
    remove_answer(request_of(p), indivisible);
    budget_workers *w = &b->workers[indivisible];
    w->holders[number]--;
    while (w->top > 0 && w->holders[w->top] == 0)
        w->top--;
    pthread_mutex_unlock(&b->lock);
}

bool budget_is_mostly_of(budget_payer p) {
    budget *b = p.from;
    if (!b)
        return false;
    pthread_mutex_lock(&b->lock);
    uint64_t own = client_of(p)->held + working_of(b, client_of(p), 0, false);
    bool mostly = own > (b->held + working(b)) / 2;
    pthread_mutex_unlock(&b->lock);
    return mostly;
}

uint64_t budget_held(budget *b) {
    pthread_mutex_lock(&b->lock);
    uint64_t held = b->held + working(b);
    pthread_mutex_unlock(&b->lock);
    return held;
}
