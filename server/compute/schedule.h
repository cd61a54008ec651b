/*
 * schedule.h - whose turn it is, and who may have one
 *
 * A job that is admitted has a promise: to be done within twice the time that it would take alone,
 * or within that and `patience` more, whichever is later. Turns go to the nearest promise, slice by
 * slice, so small jobs overtake large ones and no flow of them starves a large one. A job is
 * admitted only if every promise can still be kept, by its estimated cost and theirs (the demand of
 * each deadline is at most what all threads do until then; Liu and Layland's nearest deadline first
 * meets every set of which that holds). So a line that is too long is never stood in.
 *
 * Fair: what each client had of late is kept. Where several ask, one that had its share or more is
 * held to a part of the room, and what it leaves is for those that had less. So who asks for little
 * is served, and who asks for much gets as much as the others. Whoever asks alone may have all.
 *
 * A pure data structure: no clock, no thread, no memory of its own. Times are in nanoseconds.
 */
#ifndef SCHEDULE_H
#define SCHEDULE_H

#include "params/refusal.h"

#include <stdbool.h>
#include <stdint.h>

/* A job's place, which lies in the job. */
typedef struct turn {
    double cost;     /* estimated, of one core, in all */
    double serial;   /* of that, what one thread must do alone */
    double window;   /* of that, what can be done while its reader takes nothing */
    unsigned width;  /* slices that can be computed at once; 0: any number */
    uint64_t client; /* who asks */
    bool uncut;      /* one long slice: it is taken by schedule_take_uncut */
    bool vague;      /* the cost is a guess: what it took says nothing about the pace */

    /* The schedule's own. */
    double spent;      /* of all slices, until `since` */
    uint64_t since;    /* `running` changed last */
    uint64_t deadline; /* SCHEDULE_IDLE: it waits for its reader */
    unsigned running;  /* slices */
    bool admitted, waiting, paced, cancelled;
    struct turn *next, *previous; /* of those admitted, by deadline */
} turn;

#define SCHEDULE_IDLE    UINT64_MAX
#define SCHEDULE_CLIENTS 64 /* that are remembered; of more, those that asked last */

typedef struct schedule_client {
    uint64_t name;
    double had;  /* nanoseconds of one core that it was given, of late */
    uint64_t at; /* when it asked last; 0: no client */
} schedule_client;

typedef struct schedule {
    unsigned threads, limit; /* cores; jobs at once */
    double patience;
    double pace; /* measured time over estimated time, of the last jobs */
    turn *first;
    unsigned admitted, waiting;
    schedule_client clients[SCHEDULE_CLIENTS];
} schedule;

void schedule_init(schedule *s, unsigned threads, unsigned limit, double patience);

/* REFUSAL_NONE: the task is admitted. QUEUE: `limit` jobs are. PATIENCE: some deadline would be
 * missed. SHARE: there is room, but not for a client that had so much. */
refusal schedule_admit(schedule *s, turn *t, uint64_t now);

/* It has a slice to be computed. False: not admitted, or waiting already. */
bool schedule_wake(schedule *s, turn *t, uint64_t now);

/* Whose slice is next, no longer waiting; NULL: nobody waits. schedule_ran once it was computed, or
 * there was none. */
turn *schedule_take(schedule *s, uint64_t now);
turn *schedule_take_uncut(schedule *s, uint64_t now);
void schedule_ran(schedule *s, turn *t, uint64_t now);

/* Its work is done, or nobody wants it any more. It may still be running. True: it was waiting. */
bool schedule_leave(schedule *s, turn *t, bool cancelled);

/* What is still to be done of all that waits or runs: nanoseconds of one core. */
double schedule_demand(const schedule *s, uint64_t now);

#endif
