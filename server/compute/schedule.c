#include "schedule.h"

#include <math.h>
#include <stddef.h>

#define MEMORY   2e9  /* in which what a client had counts for half */
#define RECENT   30e9 /* a client that asked within this is one to be fair to */
#define HELD     0.4  /* of the room, kept from a client that had one and a half shares or more */
#define WORTH    20e3 /* estimates below it say nothing about pace */
#define LEARNING 0.0625
#define SLOWEST  64.0 /* bounds of the pace, so that a few odd jobs cannot lock everybody out */
#define FASTEST  (1 / 64.0)
#define SECOND   0.9   /* of the time alone a second time: the rest is for what is not computed */
#define OVERRUN  0.125 /* of what a job took, that it may take again past its estimate */
#define LONGEST  1e18  /* of a promise: thirty years */

void schedule_init(schedule *s, unsigned threads, unsigned limit, double patience) {
    *s = (schedule){.threads = threads, .limit = limit, .patience = patience, .pace = 1};
}

static void insert(schedule *s, turn *t) {
    turn *previous = NULL, *next = s->first;
    while (next && next->deadline <= t->deadline) {
        previous = next;
        next = next->next;
    }
    t->previous = previous;
    t->next = next;
    *(previous ? &previous->next : &s->first) = t;
    if (next)
        next->previous = t;
}

static void remove_turn(schedule *s, turn *t) {
    *(t->previous ? &t->previous->next : &s->first) = t->next;
    if (t->next)
        t->next->previous = t->previous;
}

static void move(schedule *s, turn *t, uint64_t deadline) {
    remove_turn(s, t);
    t->deadline = deadline;
    insert(s, t);
}

/* When so much work is promised to be done. */
static uint64_t promise(const schedule *s, const turn *t, double wide, double serial,
                        uint64_t now) {
    unsigned width = t->width && t->width < s->threads ? t->width : s->threads;
    double alone = (wide / width + serial) * s->pace;
    double wait = alone * SECOND > s->patience ? alone * SECOND : s->patience;
    double span = alone + wait;
    return now + (uint64_t)(span < LONGEST ? span : LONGEST);
}

/* With the slices that run now. */
static double spent(const turn *t, uint64_t now) {
    return t->spent + t->running * (double)(now - t->since);
}

/* A reader that falls behind wants no more than its window at a time. */
static double left(const schedule *s, const turn *t, uint64_t now) {
    double rest = t->paced ? t->window * s->pace : t->cost * s->pace - spent(t, now);
    return t->deadline == SCHEDULE_IDLE || rest < 0 ? 0 : rest;
}

double schedule_demand(const schedule *s, uint64_t now) {
    double demand = 0;
    for (const turn *t = s->first; t && t->deadline != SCHEDULE_IDLE; t = t->next)
        demand += left(s, t, now);
    return demand;
}

/* Its place, or that of the one that asked longest ago. */
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

static schedule_client *asks(schedule *s, uint64_t name, uint64_t now) {
    schedule_client *c = client_of(s, name, now);
    c->had *= exp2(-(double)(now - c->at) / MEMORY);
    c->at = now;
    return c;
}

/* The part of the room that is open to it: all, to who had up to half its share; HELD less, to who
 * had one and a half. The share is an even one of what the machine gives in MEMORY's time. */
static double part_of(const schedule *s, const schedule_client *c, uint64_t now) {
    unsigned clients = 0;
    for (unsigned i = 0; i < SCHEDULE_CLIENTS; i++)
        clients += s->clients[i].at && (double)(now - s->clients[i].at) < RECENT;
    double shares = c->had * clients / (s->threads * MEMORY * M_LOG2E);
    double over = clients < 2 || shares < 0.5 ? 0 : shares > 1.5 ? 1 : shares - 0.5;
    return 1 - HELD * over;
}

static refusal verdict(const schedule *s, double due, double part, uint64_t span) {
    double room = s->threads * (double)span;
    return due > room ? REFUSAL_PATIENCE : due > part * room ? REFUSAL_SHARE : REFUSAL_NONE;
}

/* Every promise from the new one's on must still be kept; those before it do not notice. One that
 * would be broken without the new one too, because the machine is slower than it was thought to be,
 * refuses nobody: else a long answer would lock all others out until its end. Where there are no
 * promises, anything may be tried. */
static refusal judge(const schedule *s, const turn *t, double part, uint64_t now) {
    double due = 0;
    const turn *at = s->first;
    if (schedule_demand(s, now) == 0)
        return REFUSAL_NONE;
    for (; at && at->deadline <= t->deadline; at = at->next)
        due += left(s, at, now);
    due += t->cost * s->pace;
    refusal worst = verdict(s, due, part, t->deadline - now);
    for (; worst != REFUSAL_PATIENCE && at && at->deadline != SCHEDULE_IDLE; at = at->next) {
        due += left(s, at, now);
        uint64_t span = at->deadline - now;
        bool lost = verdict(s, due - t->cost * s->pace, 1, span) == REFUSAL_PATIENCE;
        refusal here = lost ? REFUSAL_NONE : verdict(s, due, part, span);
        worst = here == REFUSAL_NONE ? worst : here;
    }
    return worst;
}

refusal schedule_admit(schedule *s, turn *t, uint64_t now) {
    schedule_client *c = asks(s, t->client, now);
    if (s->admitted >= s->limit)
        return REFUSAL_QUEUE;
    t->deadline = promise(s, t, t->cost - t->serial, t->serial, now);
    refusal v = judge(s, t, part_of(s, c, now), now);
    if (v != REFUSAL_NONE)
        return v;
    c->had += t->cost * s->pace;
    t->admitted = true;
    s->admitted++;
    insert(s, t);
    return v;
}

/* A promise that is broken, for the estimate was wrong, must not be made up for at the cost of all
 * others: a new one, for what is left. Where nothing should be, for a part of what was done: so one
 * that is a little late still comes before those that came after it, and one that never ends comes
 * later and later. */
static uint64_t renewal(const schedule *s, const turn *t, uint64_t now) {
    double rest = left(s, t, now), more = spent(t, now) * OVERRUN;
    return promise(s, t, (rest > more ? rest : more) / s->pace, 0, now);
}

bool schedule_wake(schedule *s, turn *t, uint64_t now) {
    if (!t->admitted || t->waiting)
        return false;
    if (t->deadline == SCHEDULE_IDLE) {
        t->paced = true;
        move(s, t, promise(s, t, t->window, 0, now));
    } else if (now > t->deadline) {
        move(s, t, renewal(s, t, now));
    }
    t->waiting = true;
    s->waiting++;
    return true;
}

static void run(turn *t, int more, uint64_t now) {
    t->spent = spent(t, now);
    t->since = now;
    t->running += (unsigned)more;
}

static turn *take(schedule *s, bool uncut, uint64_t now) {
    turn *t = s->waiting ? s->first : NULL;
    while (t && !(t->waiting && t->uncut == uncut))
        t = t->next;
    if (!t)
        return NULL;
    t->waiting = false;
    s->waiting--;
    run(t, 1, now);
    return t;
}

turn *schedule_take(schedule *s, uint64_t now) {
    return take(s, false, now);
}

turn *schedule_take_uncut(schedule *s, uint64_t now) {
    return take(s, true, now);
}

/* Only of what was done to its end is the time known. */
static void learn(schedule *s, const turn *t) {
    if (t->cancelled || t->vague || t->cost < WORTH)
        return;
    s->pace += (t->spent / t->cost - s->pace) * LEARNING;
    s->pace = s->pace > SLOWEST ? SLOWEST : s->pace < FASTEST ? FASTEST : s->pace;
}

/* What a guess had left out is charged to who asked for it. */
static void charge(schedule *s, const turn *t, uint64_t now) {
    double more = t->spent - t->cost * s->pace;
    if (t->vague && more > 0)
        asks(s, t->client, now)->had += more;
}

void schedule_ran(schedule *s, turn *t, uint64_t now) {
    run(t, -1, now);
    if (t->running > 0)
        return;
    if (!t->admitted) {
        charge(s, t, now);
        learn(s, t);
    } else if (!t->waiting)
        move(s, t, SCHEDULE_IDLE);
}

bool schedule_leave(schedule *s, turn *t, bool cancelled) {
    bool waiting = t->waiting;
    if (!t->admitted)
        return false;
    t->admitted = t->waiting = false;
    t->cancelled = cancelled;
    s->admitted--;
    s->waiting -= waiting;
    remove_turn(s, t);
    return waiting;
}
