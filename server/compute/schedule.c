#include "schedule.h"

#include <math.h>
#include <stddef.h>

/* A client's use. */
#define HALF_LIFE 2e9  /* of the memory of past use */
#define RECENT    30e9 /* a client that asked within this time shares the capacity */
#define WITHHELD  0.4  /* part of the capacity, from a client with one and a half shares or more */

/* The pace. */
#define LEAST_COST 20e3   /* of a task that the pace learns from */
#define LEARNING   0.0625 /* part of a task's deviation: some sixteen tasks are remembered */
#define SLOWEST    64.0   /* bounds, so that a few odd tasks cannot make every admission fail */
#define FASTEST    (1 / 64.0)

/* A deadline. */
#define ALLOWANCE    0.9   /* of the run time, added to it: the rest is for work beside computing */
#define OVERRUN      0.125 /* of the run time so far: more time for a task past its estimate */
#define RENEWALS     64    /* of late tasks, at one admission */
#define LONGEST_SPAN 1e18  /* thirty years: keeps deadlines far from overflow */

void schedule_init(schedule *s, unsigned threads, unsigned limit, double patience) {
    *s = (schedule){.threads = threads, .limit = limit, .patience = patience, .pace = 1};
}

/* From the end: a deadline that is set now is seldom before many others. */
static void insert(schedule *s, task *t) {
    task *previous = s->last, *next = NULL;
    while (previous && previous->deadline > t->deadline) {
        next = previous;
        previous = previous->previous;
    }
    t->previous = previous;
    t->next = next;
    *(previous ? &previous->next : &s->first) = t;
    *(next ? &next->previous : &s->last) = t;
}

static void remove_task(schedule *s, task *t) {
    *(t->previous ? &t->previous->next : &s->first) = t->next;
    *(t->next ? &t->next->previous : &s->last) = t->previous;
}

static void set_deadline(schedule *s, task *t, uint64_t deadline) {
    if (t->deadline != SCHEDULE_IDLE)
        remove_task(s, t);
    t->deadline = deadline;
    if (deadline != SCHEDULE_IDLE)
        insert(s, t);
}

/* The long slices of lengthy tasks that may run at once. */
static unsigned most_lengthy(const schedule *s) {
    return s->threads > 1 ? s->threads - 1 : 1;
}

/* The deadline for work of the task: `parallel` can be divided among threads, `serial` cannot. */
static uint64_t deadline_for(const schedule *s, const task *t, double parallel, double serial,
                             uint64_t now) {
    unsigned most = t->lengthy ? most_lengthy(s) : s->threads;
    unsigned width = t->width && t->width < most ? t->width : most;
    double run_time = (parallel / width + serial) * s->pace;
    double wait = run_time * ALLOWANCE > s->patience ? run_time * ALLOWANCE : s->patience;
    double span = run_time + wait;
    return now + (uint64_t)(span < LONGEST_SPAN ? span : LONGEST_SPAN);
}

/* Includes the slices that run now. */
static double spent(const task *t, uint64_t now) {
    return t->spent + t->running * (double)(now - t->since);
}

/* The remaining run time. A task that waited for its reader runs one window at a time. While other
 * threads run, the time that an indivisible task waits for a core counts as run time, so this is
 * too little. */
static double left(const schedule *s, const task *t, uint64_t now) {
    double rest = t->reader_bound ? t->window * s->pace : t->cost * s->pace - spent(t, now);
    return rest < 0 ? 0 : rest;
}

double schedule_demand(const schedule *s, uint64_t now) {
    double demand = 0;
    for (const task *t = s->first; t; t = t->next)
        demand += left(s, t, now);
    return demand;
}

static bool is_idle(const schedule *s, uint64_t now) {
    const task *t = s->first;
    while (t && left(s, t, now) == 0)
        t = t->next;
    return !t;
}

/* A client that is not remembered takes the place of the client that asked longest ago. */
static schedule_client *client_of(schedule *s, uint64_t name, uint64_t now) {
    schedule_client *oldest = &s->clients[0];
    for (unsigned i = 0; i < SCHEDULE_CLIENTS; i++) {
        schedule_client *c = &s->clients[i];
        if (c->at && c->name == name)
            return c;
        oldest = c->at < oldest->at ? c : oldest;
    }
    *oldest = (schedule_client){name, 0, now};
    return oldest;
}

/* The client, with its use brought up to date. */
static schedule_client *client_at(schedule *s, uint64_t name, uint64_t now) {
    schedule_client *c = client_of(s, name, now);
    c->used *= exp2(-(double)(now - c->at) / HALF_LIFE);
    c->at = now;
    return c;
}

/* What the client of a new task may claim. */
typedef struct claim {
    double part;      /* of the capacity */
    unsigned clients; /* that asked lately, this one included */
} claim;

/* Clients that asked lately. */
static unsigned recent_clients(const schedule *s, uint64_t now) {
    unsigned clients = 0;
    for (unsigned i = 0; i < SCHEDULE_CLIENTS; i++)
        clients += s->clients[i].at && (double)(now - s->clients[i].at) < RECENT;
    return clients;
}

bool schedule_others_ask(schedule *s, uint64_t client, uint64_t now) {
    client_at(s, client, now);
    return recent_clients(s, now) > 1;
}

/* A client may claim all of the capacity up to half a share of recent use; from there WITHHELD is
 * withheld linearly, fully at one and a half shares. A share is an even part of the use that all
 * threads together reach: HALF_LIFE / ln 2 each. */
static claim claim_of(const schedule *s, const schedule_client *c, uint64_t now) {
    unsigned clients = recent_clients(s, now);
    double shares = c->used * clients / (s->threads * HALF_LIFE * M_LOG2E);
    double over = clients < 2 || shares < 0.5 ? 0 : shares > 1.5 ? 1 : shares - 0.5;
    return (claim){1 - WITHHELD * over, clients};
}

/* What is to be computed until a deadline, with the new task. */
typedef struct demand {
    double all;
    double own;     /* of the other tasks of the new task's client */
    double lengthy; /* of lengthy tasks */
} demand;

/* Adds to the demand until a deadline of a task that does not yield, demands[0], and of one that
 * does. A task that yields delays only its like. */
static void add(demand demands[2], const task *t, double run_time, bool is_own) {
    for (unsigned i = t->yields; i < 2; i++) {
        demands[i].all += run_time;
        demands[i].own += is_own ? run_time : 0;
        demands[i].lengthy += t->lengthy ? run_time : 0;
    }
}

static bool delays(const task *t, const task *other) {
    return !t->yields || other->yields;
}

/* Whether a part of the capacity meets the demand within so many nanoseconds. What lengthy tasks
 * want beyond the threads that they may have waits, and delays none but them. */
static bool is_met(const schedule *s, const demand *d, const task *by, double part, double span) {
    double most = most_lengthy(s) * span, held = d->lengthy > most ? d->lengthy - most : 0;
    return d->all - held <= part * s->threads * span && !(by->lengthy && held > 0);
}

/* Checks a task's deadline. Where it would be missed, and most of the demand is the client's own,
 * the reason is its share. */
static refusal check_span(const schedule *s, const demand *d, const claim *c, const task *by,
                          double span) {
    bool crowds = c->clients > 1 && 2 * d->own > d->all;
    return is_met(s, d, by, c->part, span)       ? REFUSAL_NONE
           : is_met(s, d, by, 1, span) || crowds ? REFUSAL_SHARE
                                                 : REFUSAL_PATIENCE;
}

/* Checks the new task's deadline and every later one. The new task does not delay earlier ones of
 * its kind; that it may delay earlier ones that yield is what their priority means. A
 * deadline of a task that missed one before, or that would be missed without the new task too,
 * because the machine is slower than estimated, is not a reason to refuse: a long answer would lock
 * all others out until its end. An idle schedule admits anything. */
static refusal check_deadlines(const schedule *s, const task *t, const claim *c, uint64_t now) {
    demand demands[2] = {0};
    const task *at = s->first;
    double cost = t->cost * s->pace;
    if (is_idle(s, now))
        return REFUSAL_NONE;
    for (; at && at->deadline <= t->deadline; at = at->next)
        add(demands, at, left(s, at, now), at->client == t->client);
    add(demands, t, cost, false);
    refusal worst = check_span(s, &demands[t->yields], c, t, (double)(t->deadline - now));
    for (; worst != REFUSAL_PATIENCE && at; at = at->next) {
        add(demands, at, left(s, at, now), at->client == t->client);
        const demand *d = &demands[at->yields];
        const demand before = {.all = d->all - cost,
                               .lengthy = d->lengthy - (t->lengthy ? cost : 0)};
        double span = (double)(at->deadline - now);
        bool lost = at->late || !is_met(s, &before, at, 1, span);
        refusal here = lost || !delays(t, at) ? REFUSAL_NONE : check_span(s, d, c, at, span);
        worst = here == REFUSAL_NONE ? worst : here;
    }
    return worst;
}

/* Sets the next deadline of a task that missed one because its estimate, or that of a task before
 * it, was wrong. Other tasks must not pay for that, so the new deadline allows for the remaining
 * work. If the estimate is used up, it allows for a part of the run time so far: a task that is a
 * little late still runs before newcomers, and a task that never ends runs later and later. */
static void renew(schedule *s, task *t, uint64_t now) {
    double rest = left(s, t, now), more = spent(t, now) * OVERRUN;
    t->late = true;
    set_deadline(s, t, deadline_for(s, t, (rest > more ? rest : more) / s->pace, 0, now));
}

/* A task that waits is renewed once. If it misses that deadline too, it stays first until a thread
 * takes it. After a pause there can be many, of which a call renews a few. */
static void renew_late(schedule *s, uint64_t now) {
    unsigned renewed = 0;
    for (task *t = s->first, *next; t && t->deadline < now && renewed < RENEWALS; t = next) {
        next = t->next;
        if (!t->waiting || t->late)
            continue;
        renew(s, t, now);
        renewed++;
    }
}

refusal schedule_admit(schedule *s, task *t, uint64_t now) {
    schedule_client *c = client_at(s, t->client, now);
    if (s->admitted >= s->limit)
        return REFUSAL_QUEUE;
    renew_late(s, now);
    t->deadline = deadline_for(s, t, t->cost - t->serial, t->serial, now);
    const claim own = claim_of(s, c, now);
    refusal why = check_deadlines(s, t, &own, now);
    if (why != REFUSAL_NONE)
        return why;
    c->used += t->cost * s->pace;
    t->admitted = true;
    s->admitted++;
    insert(s, t);
    return why;
}

bool schedule_wake(schedule *s, task *t, uint64_t now) {
    if (!t->admitted || t->waiting)
        return false;
    if (t->deadline == SCHEDULE_IDLE) {
        t->reader_bound = true;
        t->late = false;
        set_deadline(s, t, deadline_for(s, t, t->window, 0, now));
    } else if (now > t->deadline) {
        renew(s, t, now);
    }
    t->waiting = true;
    s->waiting[t->indivisible]++;
    return true;
}

static void change_running(task *t, int change, uint64_t now) {
    t->spent = spent(t, now);
    t->since = now;
    t->running += (unsigned)change;
}

/* Beyond the estimate of serial work, an indivisible slice waited for a core. */
void schedule_set_indivisible(schedule *s, task *t, bool indivisible, uint64_t now) {
    if (t->indivisible && !indivisible && t->admitted) {
        double most = t->serial * s->pace;
        change_running(t, 0, now);
        t->spent = t->spent < most ? t->spent : most;
    }
    t->indivisible = indivisible;
}

static bool can_take(const schedule *s, const task *t, bool indivisible) {
    bool held = indivisible && t->lengthy && s->lengthy >= most_lengthy(s);
    return t->waiting && t->indivisible == indivisible && !held;
}

task *schedule_take(schedule *s, bool indivisible, uint64_t now) {
    task *t = s->waiting[indivisible] ? s->first : NULL;
    while (t && !can_take(s, t, indivisible))
        t = t->next;
    if (!t)
        return NULL;
    t->waiting = false;
    s->waiting[indivisible]--;
    s->lengthy += indivisible && t->lengthy;
    change_running(t, 1, now);
    return t;
}

/* The run time of a task that was cancelled, or that ran at a lower priority, is not known. */
static void learn(schedule *s, const task *t) {
    if (t->cancelled || t->cost_is_guess || t->yields || t->cost < LEAST_COST)
        return;
    s->pace += (t->spent / t->cost - s->pace) * LEARNING;
    s->pace = s->pace > SLOWEST ? SLOWEST : s->pace < FASTEST ? FASTEST : s->pace;
}

/* Charges the client for run time that the guess of the cost had left out. */
static void charge(schedule *s, const task *t, uint64_t now) {
    double more = t->spent - t->cost * s->pace;
    if (t->cost_is_guess && more > 0)
        client_at(s, t->client, now)->used += more;
}

void schedule_ran(schedule *s, task *t, bool indivisible, uint64_t now) {
    s->lengthy -= indivisible && t->lengthy;
    change_running(t, -1, now);
    if (t->running > 0)
        return;
    if (!t->admitted) {
        charge(s, t, now);
        learn(s, t);
    } else if (!t->waiting) {
        set_deadline(s, t, SCHEDULE_IDLE);
    }
}

bool schedule_leave(schedule *s, task *t, bool cancelled) {
    bool waiting = t->waiting;
    if (!t->admitted)
        return false;
    t->admitted = t->waiting = false;
    t->cancelled = cancelled;
    s->admitted--;
    s->waiting[t->indivisible] -= waiting;
    if (t->deadline != SCHEDULE_IDLE)
        remove_task(s, t);
    return waiting;
}
