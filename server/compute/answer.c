/* The life of an answer, as its reader sees it. */
#include "answer_state.h"
#include "base/text.h"

#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_BESIDE (1 << 20)

/* width: slices that can be computed at once. */
static void estimate_time(answer *a, uint64_t width) {
    task *t = &a->job.task;
    double rows = slicing_cost(&a->slicing);
    t->serial = a->source->prepare_cost + a->source->first_cost + a->encode_cost;
    t->cost = t->serial + rows;
    t->window = a->slicing.slices ? rows * (double)width / (double)a->slicing.slices : 0;
    t->width = width > UINT_MAX ? UINT_MAX : (unsigned)width;
    t->client = a->waiter.holder.client;
}

static void estimate_buffered(answer *a) {
    a->job.memory += ANSWER_BLOCK + buffered_body_memory(a->source, a->format, &a->slicing);
    estimate_time(a, a->slicing.slices);
}

static void estimate_streamed(answer *a) {
    uint64_t width = streamed_body_width(&a->streamed, &a->slicing), length = a->streamed.length;
    a->job.memory += length > ANSWER_BLOCK ? ANSWER_BLOCK : length;
    a->job.memory += width * slicing_slice_bytes(&a->slicing);
    estimate_time(a, width);
}

static void estimate_longest(answer *a) {
    double serial = fmax(answer_longest(a, STAGE_PREPARE), answer_longest(a, STAGE_ENCODE));
    double longest = fmax(serial, answer_longest(a, STAGE_ROWS));
    a->job.indivisible_rows = answer_is_indivisible(a, STAGE_ROWS);
    a->job.task.indivisible = a->job.indivisible_rows;
    a->job.task.yields = longest > JOB_LONG;
    a->job.task.lengthy = longest > JOB_LENGTHY;
}

/* The most memory that the answer holds while it is computed and read, and its time. */
static void estimate(answer *a) {
    a->job.memory = sizeof *a + a->source->memory;
    a->job.working = a->source->working;
    if (answer_is_buffered(a))
        estimate_buffered(a);
    else
        estimate_streamed(a);
    estimate_longest(a);
    a->job.destroyer = a->job.memory + a->source->held > JOB_LARGE ? a->pool : NULL;
}

/* HTTP's lengths have 63 bits here, of which a format's own bytes take less than ROOM_BESIDE. */
static bool has_a_length(const answer *a, problem *p) {
    uint64_t left = INT64_MAX - ROOM_BESIDE;
    for (unsigned i = 0; i < a->source->count; i++) {
        uint64_t bytes = tensor_bytes(&a->source->tensors[i]);
        if (!a->format->all && i != a->source->main)
            continue;
        if (bytes > left) {
            problem_add_too_long(p, "n", "answer");
            return false;
        }
        left -= bytes;
    }
    return true;
}

static bool plan(answer *a, problem *p) {
    buffer_pool *pool = jobs_buffer_pool(a->pool);
    if (!has_a_length(a, p))
        return false;
    if (a->format->check && !a->format->check(a->source, p))
        return false;
    if (answer_is_buffered(a)) {
        buffered_body_init(&a->buffered, jobs_payer(a->pool, a->waiter.holder), pool);
        return buffered_body_plan(a->source, a->format, &a->slicing, &a->encode_cost, p);
    }
    if (streamed_body_plan(&a->streamed, a->source, a->format, pool, &a->slicing))
        return true;
    problem_add(p, 500, NULL, "out of memory");
    return false;
}

static bool fits(const answer *a, problem *p) {
    uint64_t least = answer_is_buffered(a) ? buffered_body_least(a->source, a->format) : 0;
    if (jobs_could_run(a->pool, &a->job, a->source->held + least))
        return true;
    problem_add(p, 413, NULL,
                "the answer would need %llu MiB of memory, and %llu MiB for each thread: more than "
                "this server has for all requests together; ask for fewer or smaller rows",
                (unsigned long long)(a->job.memory >> 20),
                (unsigned long long)(a->job.working >> 20));
    return false;
}

static answer *make(void) {
    answer *a = malloc(sizeof *a);
    if (!a)
        return NULL;
    memset(a, 0, offsetof(answer, slicing));
    slicing_init(&a->slicing);
    streamed_body_init(&a->streamed);
    a->request[0] = 0;
    return a;
}

answer *answer_new(jobs *pool, tensor_source *s, const format *f, const job_waiter *waiter,
                   problem *p) {
    answer *a = make();
    if (!a) {
        tensor_source_free(s);
        problem_add(p, 500, NULL, "out of memory");
        return NULL;
    }
    pthread_mutex_init(&a->lock, NULL);
    a->pool = pool;
    a->source = s;
    a->format = f;
    a->waiter = *waiter;
    job_init(&a->job, &answer_class);
    a->job.holder = waiter->holder;
    a->job.destroyer = s->held > JOB_LARGE ? pool : NULL;
    bool good = plan(a, p);
    if (good) {
        estimate(a);
        good = fits(a, p);
    }
    if (good)
        return a;
    answer_release(a);
    return NULL;
}

void answer_describe(answer *a, const char *request) {
    text_copy(a->request, sizeof a->request, request);
}

void answer_range(answer *a, uint64_t start, uint64_t length) {
    streamed_body_range(&a->streamed, start, length, &a->slicing);
    estimate(a);
}

void answer_destroy(job *j) {
    answer *a = (answer *)j;
    streamed_body_free(&a->streamed);
    buffered_body_free(&a->buffered);
    tensor_source_free(a->source);
    pthread_mutex_destroy(&a->lock);
    if (a->borrowed)
        jobs_return(a->pool, &a->job);
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
    uint64_t encoded = a->stage == STAGE_DONE ? a->buffered.encoded.length : UINT64_MAX;
    uint64_t length = answer_is_buffered(a) ? encoded : a->streamed.length;
    pthread_mutex_unlock(&a->lock);
    return length;
}

/* ---- with the lock held ---- */

static void suspend_reader(answer *a) {
    a->waiting = true;
    a->waiter.suspend(a->waiter.user);
}

/* Returns true if the calling thread should compute the answer at once: the source is warm, and all
 * rows are in one slice. */
static bool is_small(const answer *a) {
    /* Comes first, because the pool counts each answer. */
    bool better = jobs_better_inline(a->pool, &a->job, a->waiter.key);
    return better && a->source->warm && !answer_is_buffered(a) && a->slicing.slices == 1 &&
           !slicing_lends(&a->slicing);
}

/* Releases the lock while it computes. */
static void run_inline(answer *a) {
    a->stage = a->source->prepare ? STAGE_PREPARE : STAGE_ROWS;
    while (!a->failed && answer_can_claim(a)) {
        job_slice slice = answer_claim(a);
        pthread_mutex_unlock(&a->lock);
        jobs_run_inline(a->pool, &a->job, slice);
        pthread_mutex_lock(&a->lock);
    }
}

/* May release the lock meanwhile. */
static refusal begin(answer *a) {
    a->borrowed = a->borrowed || jobs_borrow(a->pool, &a->job);
    if (!a->borrowed)
        return jobs_starved(a->pool, a->waiter.holder);
    if (a->slicing.slices == 0 && !answer_is_buffered(a)) { /* the range has only literals */
        a->ended = true;
        answer_enter(a, STAGE_DONE);
    } else if (is_small(a)) {
        run_inline(a);
    } else {
        refusal why = jobs_admit(a->pool, &a->job);
        if (why != REFUSAL_NONE)
            return why;
        answer_enter(a, a->source->prepare || answer_is_buffered(a) ? STAGE_PREPARE : STAGE_ROWS);
    }
    return REFUSAL_NONE;
}

/* The bytes that were lent may have been altered after they were verified. */
static bool was_right(const answer *a) {
    return !slicing_lends(&a->slicing) || a->source->lent_well(a->source->self);
}

static bool is_complete(const answer *a) {
    bool streamed = a->stage == STAGE_ROWS && !answer_is_buffered(a) &&
                    a->done == a->slicing.slices && a->streamed.ring.reading == 0;
    return (a->stage == STAGE_DONE || streamed) && !a->failed;
}

/* A small answer is read before its status is sent, and can still be refused. */
static bool is_altered(const answer *a) {
    return !answer_is_buffered(a) && a->streamed.length <= ANSWER_BLOCK && is_complete(a) &&
           !was_right(a);
}

/* The refusal of an answer whose failure is not its own: encoding found the budget used up, or what
 * the source is made of is lost. LARGE: the budget could not pay for it at any time. */
static refusal refusal_of_failure(const answer *a) {
    const buffer *encoded = &a->buffered.encoded;
    if (encoded->starved)
        return jobs_could_run(a->pool, &a->job, a->source->held + encoded->wanted)
                   ? jobs_starved(a->pool, a->waiter.holder)
                   : REFUSAL_LARGE;
    return a->source->is_lost && a->source->is_lost(a->source->self) ? REFUSAL_INTERNAL
                                                                     : REFUSAL_NONE;
}

static bool is_readable(const answer *a) {
    return a->stage == STAGE_DONE ||
           (!answer_is_buffered(a) && streamed_body_is_ready(&a->streamed));
}

static int64_t peek_streamed(answer *a, uint64_t offset, size_t room, const void **at) {
    bool low = streamed_body_advance(&a->streamed, &a->slicing, offset, a->next);
    if (low && answer_can_claim(a))
        jobs_wake(a->pool, &a->job);
    int64_t n = streamed_body_peek(&a->streamed, &a->slicing, offset, room, at);
    if (n == 0)
        suspend_reader(a);
    return n;
}

/* ---- without the lock ---- */

answer_state answer_start(answer *a, refusal *why) {
    answer_state state = ANSWER_READY;
    pthread_mutex_lock(&a->lock);
    *why = a->stage == STAGE_NEW && !a->abandoned ? begin(a) : REFUSAL_NONE;
    if (a->failed)
        *why = refusal_of_failure(a);
    else if (*why == REFUSAL_NONE && is_altered(a))
        *why = REFUSAL_INTERNAL;
    if (*why != REFUSAL_NONE) {
        state = ANSWER_BUSY;
    } else if (a->failed || a->abandoned) {
        state = ANSWER_FAILED;
    } else if (!is_readable(a)) {
        suspend_reader(a);
        state = ANSWER_WAIT;
    }
    pthread_mutex_unlock(&a->lock);
    return state;
}

fmix_status answer_failure(answer *a) {
    pthread_mutex_lock(&a->lock);
    fmix_status status = a->status;
    pthread_mutex_unlock(&a->lock);
    return status;
}

int64_t answer_peek(answer *a, uint64_t offset, size_t room, const void **at) {
    int64_t n = -1;
    pthread_mutex_lock(&a->lock);
    if (!a->failed && !a->abandoned)
        n = answer_is_buffered(a) ? buffered_body_peek(&a->buffered, offset, room, at)
                                  : peek_streamed(a, offset, room, at);
    pthread_mutex_unlock(&a->lock);
    return n;
}

static bool is_last(const answer *a, uint64_t end) {
    return !answer_is_buffered(a) && end == a->streamed.length;
}

int64_t answer_read(answer *a, uint64_t offset, void *out, size_t room) {
    const void *at;
    int64_t n = answer_peek(a, offset, room, &at);
    if (n <= 0)
        return n;
    memcpy(out, at, (size_t)n);
    return is_last(a, offset + (uint64_t)n) && !was_right(a) ? -1 : n;
}

bool answer_is_complete(answer *a) {
    pthread_mutex_lock(&a->lock);
    bool complete = is_complete(a);
    pthread_mutex_unlock(&a->lock);
    return complete;
}

void answer_abandon(answer *a) {
    pthread_mutex_lock(&a->lock);
    a->abandoned = true;
    if (a->stage != STAGE_NEW)
        answer_end(a, true);
    answer_resume_reader(a);
    pthread_mutex_unlock(&a->lock);
}

bool answer_abandoned(answer *a) {
    return atomic_load(&a->abandoned);
}
