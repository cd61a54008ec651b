#include "refusal_pace.h"
#include "base/clock.h"

static uint64_t smaller(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* Nanoseconds in which the allowance grows by so many bytes; 30 years stand for anything longer. */
static uint64_t time_of(const refusal_pace *p, uint64_t bytes) {
    const double most = 1e9 * (double)CLOCK_SECOND;
    const double time = (double)bytes * (double)CLOCK_SECOND / (double)p->rate;
    return (uint64_t)(time < most ? time : most);
}

/* The allowance is empty while `paid` is a whole burst ahead of the clock. It is never further
 * ahead than that and the longest wait, so a flood is forgotten soon after its end. */
uint64_t refusal_pace_pay(refusal_pace *p, uint64_t bytes, uint64_t now) {
    const uint64_t burst = time_of(p, p->burst), most = now + burst + p->longest;
    uint64_t paid = atomic_load(&p->paid), begin, end;
    if (bytes < p->least)
        return now;
    do {
        begin = paid > now ? paid : now;
        end = smaller(begin + time_of(p, bytes) + time_of(p, p->each), most);
    } while (!atomic_compare_exchange_weak(&p->paid, &paid, end));
    return begin - now > burst ? smaller(begin - burst, now + p->longest) : now;
}
