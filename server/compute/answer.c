#include "answer.h"
#include "base/crash.h"
#include "ring.h"
#include "slicing.h"
#include "whole.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AHEAD_BYTES (4u << 20)

typedef enum stage { STAGE_NEW, STAGE_PREPARE, STAGE_ROWS, STAGE_ENCODE, STAGE_DONE } stage;

struct answer {
    job job; /* first */
    jobs *line;
    tensor_source *source;
    const format *format;
    job_waiter waiter;
    outline outline;        /* of a format with a length known ahead */
    uint64_t start, length; /* what is read of it */
    slicing cuts;
    double encode_cost; /* estimated nanoseconds */
    char request[CRASH_REQUEST];

    pthread_mutex_t lock;
    stage stage;
    bool claimed; /* the one slice of PREPARE or ENCODE */
    bool waiting, failed, ended, borrowed;
    atomic_bool abandoned; /* also read, without the lock, by what computes */
    uint64_t next, done;   /* slices claimed, slices computed */
    ring ring;
    whole whole;
};

static bool is_whole(const answer *a) {
    return a->format->encode != NULL;
}

/* Bytes of a segment at `at` that are read: from … to-1. */
static void clip(const answer *a, uint64_t at, uint64_t length, uint64_t *from, uint64_t *to) {
    uint64_t end = a->start + a->length;
    *from = a->start > at ? a->start - at : 0;
    *to = end < at ? 0 : end - at < length ? end - at : length;
}

/* Slices of the rows that are read, and no others. */
static void cut_windows(answer *a) {
    uint64_t at = 0, from, to;
    a->cuts = (slicing){0};
    for (unsigned i = 0; i < a->outline.count; i++) {
        const segment *s = &a->outline.segments[i];
        clip(a, at, s->length, &from, &to);
        at += s->length;
        if (s->from)
            slicing_add_bytes(&a->cuts, s->from, from, to);
    }
    ring_init(&a->ring, slicing_slice_bytes(&a->cuts), AHEAD_BYTES, jobs_slabs(a->line));
}

/* `wide` slices are computed at once at most. */
static void estimate_time(answer *a, uint64_t wide) {
    turn *t = &a->job.turn;
    double rows = slicing_cost(&a->cuts);
    t->serial = a->source->prepare_cost + a->encode_cost;
    t->cost = t->serial + rows;
    t->window = a->cuts.slices ? rows * (double)wide / (double)a->cuts.slices : 0;
    t->width = wide > UINT_MAX ? UINT_MAX : (unsigned)wide;
    t->client = a->waiter.client;
}

/* What the answer holds at most while it is computed and read, and what a thread works with. What
 * is encoded pays for itself as it grows. */
static void estimate(answer *a) {
    uint64_t slots = a->cuts.slices < a->ring.ahead ? a->cuts.slices : a->ring.ahead;
    a->job.memory = sizeof *a + a->source->memory;
    a->job.memory += is_whole(a) || a->length > ANSWER_BLOCK ? ANSWER_BLOCK : a->length;
    if (is_whole(a))
        a->job.memory += slicing_tensor_bytes(&a->cuts) +
                         (a->format->working ? a->format->working(a->source) : 0);
    else
        a->job.memory += slots * slicing_slice_bytes(&a->cuts);
    a->job.working = a->source->working;
    a->job.heavy = a->job.memory + a->source->held > JOB_HEAVY ? a->line : NULL;
    estimate_time(a, is_whole(a) ? a->cuts.slices : slots);
}

static bool plan_windows(answer *a, problem *p) {
    if (!a->format->lay_out(a->source, &a->outline)) {
        problem_add(p, 500, NULL, "out of memory");
        return false;
    }
    a->length = a->outline.length;
    cut_windows(a);
    return true;
}

static const job_class answer_class;

answer *answer_new(jobs *line, tensor_source *s, const format *f, const job_waiter *waiter,
                   problem *p) {
    answer *a = calloc(1, sizeof *a);
    if (!a) {
        tensor_source_free(s);
        problem_add(p, 500, NULL, "out of memory");
        return NULL;
    }
    pthread_mutex_init(&a->lock, NULL);
    a->line = line;
    a->source = s;
    a->format = f;
    a->waiter = *waiter;
    whole_init(&a->whole, jobs_payer(line), jobs_slabs(line));
    job_init(&a->job, &answer_class);
    a->job.heavy = s->held > JOB_HEAVY ? line : NULL;
    if ((f->check && !f->check(s, p)) ||
        !(is_whole(a) ? whole_plan(s, f, &a->cuts, &a->encode_cost, p) : plan_windows(a, p))) {
        answer_release(a);
        return NULL;
    }
    estimate(a);
    if (jobs_could_run(line, &a->job, s->held + whole_least(s, f)))
        return a;
    problem_add(p, 413, NULL,
                "the answer would need %llu MiB of memory and %llu MiB a thread, more than this "
                "server gives all requests together: ask for fewer rows or smaller ones",
                (unsigned long long)(a->job.memory >> 20),
                (unsigned long long)(a->job.working >> 20));
    answer_release(a);
    return NULL;
}

void answer_describe(answer *a, const char *request) {
    snprintf(a->request, sizeof a->request, "%s", request);
}

void answer_range(answer *a, uint64_t start, uint64_t length) {
    a->start = start;
    a->length = length;
    cut_windows(a);
    estimate(a);
}

static void destroy(job *j) {
    answer *a = (answer *)j;
    ring_free(&a->ring);
    whole_free(&a->whole);
    outline_free(&a->outline);
    tensor_source_free(a->source);
    pthread_mutex_destroy(&a->lock);
    if (a->borrowed)
        jobs_return(a->line, &a->job);
    free(a);
}

answer *answer_retain(answer *a) {
    job_retain(&a->job);
    return a;
}

void answer_release(answer *a) {
    if (a)
        job_release(&a->job);
}

job *answer_job(answer *a) {
    return &a->job;
}

const format *answer_format(const answer *a) {
    return a->format;
}

const tensor_source *answer_source(const answer *a) {
    return a->source;
}

uint64_t answer_length(answer *a) {
    pthread_mutex_lock(&a->lock);
    uint64_t encoded = a->stage == STAGE_DONE ? a->whole.encoded.length : UINT64_MAX;
    uint64_t length = is_whole(a) ? encoded : a->length;
    pthread_mutex_unlock(&a->lock);
    return length;
}

/* The rest is with the lock held, up to where it says otherwise. */

static void resume_reader(answer *a) {
    if (!a->waiting)
        return;
    a->waiting = false;
    a->waiter.resume(a->waiter.user);
}

static void suspend_reader(answer *a) {
    a->waiting = true;
    a->waiter.suspend(a->waiter.user);
}

static void end(answer *a, bool cancelled) {
    if (a->ended)
        return;
    a->ended = true;
    jobs_end(a->line, &a->job, cancelled);
}

static void fail(answer *a) {
    a->failed = true;
    end(a, true);
    resume_reader(a);
}

static bool row_slice_free(const answer *a) {
    return a->next < a->cuts.slices && (is_whole(a) || ring_reaches(&a->ring, a->next));
}

static bool something_to_claim(const answer *a) {
    if (a->abandoned || a->failed)
        return false;
    switch (a->stage) {
    case STAGE_PREPARE:
    case STAGE_ENCODE:
        return !a->claimed;
    case STAGE_ROWS:
        return row_slice_free(a);
    default:
        return false;
    }
}

static job_slice claim_locked(answer *a) {
    if (a->stage == STAGE_ROWS)
        return (job_slice){JOB_ROWS, a->next++};
    a->claimed = true;
    return (job_slice){a->stage == STAGE_PREPARE ? JOB_PREPARE : JOB_ENCODE, 0};
}

static void enter(answer *a, stage s) {
    a->stage = s;
    a->claimed = false;
    if (s == STAGE_DONE) {
        end(a, false);
        resume_reader(a);
    } else if (something_to_claim(a)) {
        jobs_wake(a->line, &a->job);
    }
}

static bool claim(job *j, job_slice *slice, bool *more) {
    answer *a = (answer *)j;
    pthread_mutex_lock(&a->lock);
    bool is = something_to_claim(a);
    if (is) {
        *slice = claim_locked(a);
        *more = something_to_claim(a);
    }
    pthread_mutex_unlock(&a->lock);
    return is;
}

/* A slice of rows is done: for a window, the reader may wait for it; for a whole, it may be the
 * last. */
static void finish_rows(answer *a, uint64_t slice) {
    a->done++;
    if (is_whole(a)) {
        if (a->done == a->cuts.slices)
            enter(a, STAGE_ENCODE);
        return;
    }
    ring_finish(&a->ring, slice);
    if (a->done == a->cuts.slices)
        end(a, false);
    if (slice == a->ring.reading)
        resume_reader(a);
}

/* Without the lock: computes. Slots and the room of a whole have one writer for each slice. */

static unsigned char *room_of(answer *a, const slicing_part *c, uint64_t slice, uint64_t first,
                              uint64_t rows) {
    if (is_whole(a))
        return whole_room(&a->whole, c, first);
    return ring_room(&a->ring, slice, (size_t)(rows * c->from->row_bytes));
}

static bool is_abandoned(void *of) {
    return atomic_load_explicit(&((const answer *)of)->abandoned, memory_order_relaxed);
}

static bool run_rows(answer *a, uint64_t slice, fmix_scratch *scratch) {
    uint64_t first;
    const slicing_part *c = slicing_find(&a->cuts, slice);
    uint64_t rows = slicing_part_rows(c, slice, &first);
    unsigned char *out = room_of(a, c, slice, first, rows);
    fmix_scratch_watch(scratch, is_abandoned, a);
    bool good = out && c->from->fill(c->from->self, scratch, first, rows, out) == FMIX_OK;
    fmix_scratch_watch(scratch, NULL, NULL);
    if (good)
        dtype_swap(c->from->type, out, (size_t)(rows * c->from->row_bytes));
    return good;
}

static bool run_prepare(answer *a) {
    return (!is_whole(a) || whole_begin(&a->whole, &a->cuts)) &&
           (!a->source->prepare || a->source->prepare(a->source->self) == FMIX_OK);
}

static bool run_encode(answer *a) {
    bool good = whole_encode(&a->whole, a->source, a->format, &a->cuts);
    if (a->whole.encoded.room > JOB_HEAVY)
        a->job.heavy = a->line;
    return good;
}

static void run(job *j, job_slice slice, fmix_scratch *scratch) {
    answer *a = (answer *)j;
    const char *before = crash_work_for(a->request);
    bool good = scratch && (slice.stage == JOB_PREPARE  ? run_prepare(a)
                            : slice.stage == JOB_ENCODE ? run_encode(a)
                                                        : run_rows(a, slice.number, scratch));
    crash_work_for(before);
    pthread_mutex_lock(&a->lock);
    if (!good)
        fail(a);
    else if (slice.stage == JOB_PREPARE)
        enter(a, a->cuts.slices ? STAGE_ROWS : STAGE_ENCODE);
    else if (slice.stage == JOB_ENCODE)
        enter(a, STAGE_DONE);
    else
        finish_rows(a, slice.number);
    pthread_mutex_unlock(&a->lock);
}

static void abandon(job *j) {
    answer_abandon((answer *)j);
}

static const job_class answer_class = {claim, run, abandon, destroy};

static bool readable(const answer *a) {
    return a->stage == STAGE_DONE || (!is_whole(a) && ring_slice(&a->ring, a->ring.reading));
}

/* Warm and in one window, so that it may be cheaper done at once than handed over. */
static bool is_small(const answer *a) {
    bool better =
        jobs_better_inline(a->line, &a->job, a->waiter.connection); /* counts each answer */
    return better && a->source->warm && !is_whole(a) && a->cuts.slices == 1;
}

/* With the lock held; gives it up while it computes. */
static void run_at_once(answer *a) {
    a->stage = a->source->prepare ? STAGE_PREPARE : STAGE_ROWS;
    while (!a->failed && something_to_claim(a)) {
        job_slice slice = claim_locked(a);
        pthread_mutex_unlock(&a->lock);
        jobs_run_inline(a->line, &a->job, slice);
        pthread_mutex_lock(&a->lock);
    }
}

/* With the lock held; gives it up while it computes. */
static refusal begin(answer *a) {
    a->borrowed = a->borrowed || jobs_borrow(a->line, &a->job);
    if (!a->borrowed)
        return REFUSAL_MEMORY;
    if (a->cuts.slices == 0 && !is_whole(a)) { /* a range of literals */
        a->ended = true;
        enter(a, STAGE_DONE);
    } else if (is_small(a)) {
        run_at_once(a);
    } else {
        refusal v = jobs_admit(a->line, &a->job);
        if (v != REFUSAL_NONE)
            return v;
        enter(a, a->source->prepare || is_whole(a) ? STAGE_PREPARE : STAGE_ROWS);
    }
    return REFUSAL_NONE;
}

/* Whether what its encoding had no memory for could be had at another time. */
static bool could_be_encoded(const answer *a) {
    return jobs_could_run(a->line, &a->job, a->source->held + a->whole.encoded.wanted);
}

answer_state answer_start(answer *a, refusal *why) {
    answer_state state = ANSWER_READY;
    pthread_mutex_lock(&a->lock);
    *why = a->stage == STAGE_NEW && !a->abandoned ? begin(a) : REFUSAL_NONE;
    if (a->failed && a->whole.encoded.starved)
        *why = could_be_encoded(a) ? REFUSAL_MEMORY : REFUSAL_LARGE;
    else if (a->failed && a->source->is_lost && a->source->is_lost(a->source->self))
        *why = REFUSAL_INTERNAL;
    if (*why != REFUSAL_NONE) {
        state = ANSWER_BUSY;
    } else if (a->failed || a->abandoned) {
        state = ANSWER_FAILED;
    } else if (!readable(a)) {
        suspend_reader(a);
        state = ANSWER_WAIT;
    }
    pthread_mutex_unlock(&a->lock);
    return state;
}

static size_t copy(void *out, size_t room, const unsigned char *from, uint64_t left) {
    size_t n = left < room ? (size_t)left : room;
    memcpy(out, from, n);
    return n;
}

/* offset is within the rows of cut c. */
static int64_t read_window(answer *a, const slicing_part *c, uint64_t offset, void *out,
                           size_t room) {
    uint64_t slice_bytes = c->rows * c->from->row_bytes, first;
    uint64_t slice = c->first + offset / slice_bytes;
    ring_pass(&a->ring, slice);
    if (something_to_claim(a) && ring_runs_low(&a->ring, a->next))
        jobs_wake(a->line, &a->job);
    const unsigned char *computed = ring_slice(&a->ring, slice);
    if (!computed) {
        suspend_reader(a);
        return 0;
    }
    uint64_t bytes = slicing_part_rows(c, slice, &first) * c->from->row_bytes;
    uint64_t at = offset % slice_bytes;
    return (int64_t)copy(out, room, computed + at, bytes - at);
}

static int64_t read_segments(answer *a, uint64_t offset, void *out, size_t room) {
    unsigned i = 0, tensors = 0;
    while (i < a->outline.count && offset >= a->outline.segments[i].length) {
        offset -= a->outline.segments[i].length;
        tensors += a->outline.segments[i++].from != NULL;
    }
    if (i == a->outline.count)
        return -1;
    const segment *s = &a->outline.segments[i];
    const slicing_part *c = &a->cuts.each[tensors];
    if (s->from)
        return read_window(a, c, offset - c->begin * c->from->row_bytes, out, room);
    return (int64_t)copy(out, room, s->literal.bytes + offset, s->length - offset);
}

int64_t answer_read(answer *a, uint64_t offset, void *out, size_t room) {
    int64_t n = -1;
    pthread_mutex_lock(&a->lock);
    if (!a->failed && !a->abandoned) {
        if (!is_whole(a) && offset < a->length)
            n = read_segments(a, a->start + offset, out,
                              a->length - offset < room ? (size_t)(a->length - offset) : room);
        else if (is_whole(a) && offset < a->whole.encoded.length)
            n = (int64_t)copy(out, room, a->whole.encoded.bytes + offset,
                              a->whole.encoded.length - offset);
    }
    pthread_mutex_unlock(&a->lock);
    return n;
}

bool answer_is_complete(answer *a) {
    pthread_mutex_lock(&a->lock);
    bool all = a->stage == STAGE_DONE || (a->stage == STAGE_ROWS && !is_whole(a) &&
                                          a->done == a->cuts.slices && a->ring.reading == 0);
    all = all && !a->failed;
    pthread_mutex_unlock(&a->lock);
    return all;
}

void answer_abandon(answer *a) {
    pthread_mutex_lock(&a->lock);
    a->abandoned = true;
    if (a->stage != STAGE_NEW)
        end(a, true);
    resume_reader(a);
    pthread_mutex_unlock(&a->lock);
}

bool answer_abandoned(answer *a) {
    return atomic_load(&a->abandoned);
}
