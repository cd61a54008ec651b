/*
 * schedule.h - which task runs next, and which tasks are admitted
 *
 * An admitted task has a deadline: 1.9 times its estimated run time, or that time plus `patience`,
 * whichever is later. The task with the nearest deadline runs next, slice by slice, so small tasks
 * overtake large ones, and a stream of small tasks cannot starve a large one. A task is admitted
 * only if every task, by its estimated cost, can still meet its deadline: up to each deadline the
 * demand is at most what all threads compute until then. (Liu and Layland: on one processor,
 * earliest deadline first meets all deadlines of such a set.) So a queue that is too long does not
 * come about.
 *
 * A long slice (of a task that is indivisible at that time) runs at a lower priority than others,
 * on threads for such slices. A task with long slices yields: it may miss its deadline for tasks
 * without, and does not count before their deadlines. A task that waits past its deadline gets one
 * more. Missed and renewed deadlines refuse nobody.
 *
 * A lengthy task has a slice of seconds. Its long slices leave one of the threads for long slices
 * to other tasks, if there are several: else a few would delay all uploads until their end.
 *
 * Clients share fairly: the schedule remembers the recent use of each client. While several clients
 * ask, a client that has used its share is held to a part of the capacity, and the rest is for
 * clients that have used less. A client that asks alone may use all of the capacity.
 *
 * This is a pure data structure: it has neither clock nor thread, and does not allocate. Times are
 * in nanoseconds.
 */
#ifndef SCHEDULE_H
#define SCHEDULE_H

#include "params/refusal.h"

#include <stdbool.h>
#include <stdint.h>

/* The schedule's view of a job; a member of the job. */
typedef struct task {
    double cost;        /* estimated run time on one core, in all */
    double serial;      /* the part of the cost that must run on one thread */
    double window;      /* the part of the cost that can run while the reader does not read */
    unsigned width;     /* slices that can run at once; 0: any number */
    uint64_t client;    /* the client that asks */
    bool indivisible;   /* the task's next slice is long */
    bool yields;        /* some slice of the task is long */
    bool lengthy;       /* some slice of the task takes seconds */
    bool cost_is_guess; /* the cost is a guess, which the pace must not learn from */

    /* Private to the schedule. */
    double spent;      /* run time of all slices until `since` */
    uint64_t since;    /* the last change of `running` */
    uint64_t deadline; /* SCHEDULE_IDLE: the task waits for its reader, and is in no list */
    unsigned running;  /* slices that run now */
    bool admitted, waiting, cancelled;
    bool late;                    /* the task has missed a deadline */
    bool reader_bound;            /* the task has waited for its reader at least once */
    struct task *next, *previous; /* tasks with a deadline, by it */
} task;

#define SCHEDULE_IDLE    UINT64_MAX
#define SCHEDULE_CLIENTS 64 /* clients that are remembered: the last to ask */

typedef struct schedule_client {
    uint64_t name;
    double used; /* nanoseconds of one core; decays with time */
    uint64_t at; /* when the client asked last; 0: this place is free */
} schedule_client;

typedef struct schedule {
    unsigned threads, limit; /* cores; admitted tasks */
    double patience;
    /* Measured time divided by estimated time: an average of recent tasks that do not
     * yield. */
    double pace;
    task *first, *last;
    unsigned admitted, waiting[2]; /* [true]: indivisible tasks */
    unsigned lengthy;              /* long slices of lengthy tasks that run now */
    schedule_client clients[SCHEDULE_CLIENTS];
} schedule;

void schedule_init(schedule *s, unsigned threads, unsigned limit, double patience);

/* REFUSAL_NONE: the task is admitted. QUEUE: `limit` tasks are admitted already. PATIENCE: a task
 * would miss its deadline. SHARE: other clients ask, and this one has used its share, or a deadline
 * would be missed while its other tasks are most of the demand. */
refusal schedule_admit(schedule *s, task *t, uint64_t now);

/* Says that a slice of the task can run. False: the task is not admitted, or waits already. */
bool schedule_wake(schedule *s, task *t, uint64_t now);

/* Says whether the task's next slice is long, of a task that does not wait. */
void schedule_set_indivisible(schedule *s, task *t, bool indivisible, uint64_t now);

/* The waiting task with the nearest deadline, of the indivisible tasks or of the others; that task
 * stops waiting. NULL: no such task waits. The caller calls schedule_ran once for each task that it
 * takes, also where it finds no slice to run, with the same `indivisible`. */
task *schedule_take(schedule *s, bool indivisible, uint64_t now);
void schedule_ran(schedule *s, task *t, bool indivisible, uint64_t now);

/* Ends a task, whose slices may still run. cancelled: the work is not done. True: the task was
 * waiting. */
bool schedule_leave(schedule *s, task *t, bool cancelled);

/* Remembers that the client asks. Returns true if others asked lately. */
bool schedule_others_ask(schedule *s, uint64_t client, uint64_t now);

/* The remaining run time, on one core, of all tasks that wait or run. */
double schedule_demand(const schedule *s, uint64_t now);

#endif
