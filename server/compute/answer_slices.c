/* How an answer moves from stage to stage, and how threads claim and compute its slices. */
#include "answer_state.h"

/* ---- with the lock held ---- */

void answer_resume_reader(answer *a) {
    if (!a->waiting)
        return;
    a->waiting = false;
    a->waiter.resume(a->waiter.user);
}

void answer_end(answer *a, bool cancelled) {
    if (a->ended)
        return;
    a->ended = true;
    jobs_end(a->pool, &a->job, cancelled);
}

static void fail(answer *a, fmix_status status) {
    a->status = a->failed ? a->status : status;
    a->failed = true;
    answer_end(a, true);
    answer_resume_reader(a);
}

static bool can_claim_rows(const answer *a) {
    return a->next < a->slicing.slices &&
           (answer_is_buffered(a) || ring_has_slot(&a->streamed.ring, a->next));
}

bool answer_can_claim(const answer *a) {
    if (a->abandoned || a->failed)
        return false;
    switch (a->stage) {
    case STAGE_PREPARE:
    case STAGE_ENCODE:
        return !a->claimed;
    case STAGE_ROWS:
        return can_claim_rows(a);
    default:
        return false;
    }
}

job_slice answer_claim(answer *a) {
    if (a->stage == STAGE_ROWS) {
        double cost = slicing_slice_cost(&a->slicing, a->next);
        cost += a->next == 0 ? a->source->first_cost : 0;
        return (job_slice){JOB_ROWS, a->next++, cost};
    }
    a->claimed = true;
    return a->stage == STAGE_PREPARE ? (job_slice){JOB_PREPARE, 0, a->source->prepare_cost}
                                     : (job_slice){JOB_ENCODE, 0, a->encode_cost};
}

double answer_longest(const answer *a, answer_stage stage) {
    return stage == STAGE_PREPARE  ? a->source->prepare_cost
           : stage == STAGE_ENCODE ? a->encode_cost
                                   : a->source->first_cost + slicing_longest(&a->slicing);
}

bool answer_is_indivisible(const answer *a, answer_stage stage) {
    return answer_longest(a, stage) > JOB_LONG;
}

void answer_enter(answer *a, answer_stage stage) {
    bool before = answer_is_indivisible(a, a->stage), now = answer_is_indivisible(a, stage);
    if (stage != STAGE_DONE && now != before)
        jobs_set_indivisible(a->pool, &a->job, now);
    a->stage = stage;
    a->claimed = false;
    if (stage == STAGE_DONE) {
        answer_end(a, false);
        answer_resume_reader(a);
    } else if (answer_can_claim(a)) {
        jobs_wake(a->pool, &a->job);
    }
}

static void finish_rows_streamed(answer *a, uint64_t slice) {
    ring_finish(&a->streamed.ring, slice);
    if (a->done == a->slicing.slices)
        answer_end(a, false);
    if (slice == a->streamed.ring.reading)
        answer_resume_reader(a);
}

static void finish_rows(answer *a, uint64_t slice) {
    a->done++;
    if (!answer_is_buffered(a))
        finish_rows_streamed(a, slice);
    else if (a->done == a->slicing.slices)
        answer_enter(a, STAGE_ENCODE);
}

static void finish(answer *a, job_slice slice) {
    if (slice.stage == JOB_PREPARE)
        answer_enter(a, a->slicing.slices ? STAGE_ROWS : STAGE_ENCODE);
    else if (slice.stage == JOB_ENCODE)
        answer_enter(a, STAGE_DONE);
    else
        finish_rows(a, slice.number);
}

/* ---- without the lock: the room of a slice has one writer ---- */

static bool claim(job *j, job_slice *slice, bool *more) {
    answer *a = (answer *)j;
    pthread_mutex_lock(&a->lock);
    bool claimed = answer_can_claim(a);
    if (claimed) {
        *slice = answer_claim(a);
        *more = answer_can_claim(a);
    }
    pthread_mutex_unlock(&a->lock);
    return claimed;
}

static bool is_abandoned(void *of) {
    return atomic_load_explicit(&((const answer *)of)->abandoned, memory_order_relaxed);
}

static unsigned char *room_of(answer *a, const slicing_part *part, uint64_t slice, uint64_t first,
                              uint64_t rows) {
    if (answer_is_buffered(a))
        return buffered_body_room(&a->buffered, part, first);
    return ring_room(&a->streamed.ring, slice, (size_t)(rows * part->from->row_bytes));
}

/* Rows that lie in memory are not copied. */
static fmix_status lend_rows(answer *a, const slicing_part *part, uint64_t slice, uint64_t first,
                             uint64_t rows) {
    const void *bytes = part->from->lend(part->from->self, first, rows);
    ring_lend(&a->streamed.ring, slice, bytes);
    return bytes ? FMIX_OK : FMIX_ERROR_LIBRARY;
}

static fmix_status fill_rows(answer *a, const slicing_part *part, uint64_t slice, uint64_t first,
                             uint64_t rows, fmix_scratch *scratch) {
    unsigned char *out = room_of(a, part, slice, first, rows);
    if (!out)
        return FMIX_ERROR_MEMORY;
    fmix_scratch_watch(scratch, is_abandoned, a);
    fmix_status status = part->from->fill(part->from->self, scratch, first, rows, out);
    fmix_scratch_watch(scratch, NULL, NULL);
    if (status == FMIX_OK)
        dtype_swap(part->from->type, out, (size_t)(rows * part->from->row_bytes));
    return status;
}

static fmix_status run_rows(answer *a, uint64_t slice, fmix_scratch *scratch) {
    uint64_t first;
    if (!scratch)
        return FMIX_ERROR_MEMORY;
    const slicing_part *part = slicing_find(&a->slicing, slice);
    uint64_t rows = slicing_part_rows(part, slice, &first);
    return part->lent ? lend_rows(a, part, slice, first, rows)
                      : fill_rows(a, part, slice, first, rows, scratch);
}

static fmix_status run_prepare(answer *a) {
    if (answer_is_buffered(a) && !buffered_body_begin(&a->buffered, &a->slicing))
        return FMIX_ERROR_MEMORY;
    return a->source->prepare ? a->source->prepare(a->source->self) : FMIX_OK;
}

static fmix_status run_encode(answer *a) {
    bool good = buffered_body_encode(&a->buffered, a->source, a->format, &a->slicing);
    if (a->buffered.encoded.room > JOB_LARGE)
        a->job.destroyer = a->pool;
    return good ? FMIX_OK : FMIX_ERROR_MEMORY;
}

static void run(job *j, job_slice slice, fmix_scratch *scratch) {
    answer *a = (answer *)j;
    const char *before = crash_work_for(a->request);
    fmix_status status = slice.stage == JOB_PREPARE  ? run_prepare(a)
                         : slice.stage == JOB_ENCODE ? run_encode(a)
                                                     : run_rows(a, slice.number, scratch);
    crash_work_for(before);
    pthread_mutex_lock(&a->lock);
    if (status == FMIX_OK)
        finish(a, slice);
    else
        fail(a, status);
    pthread_mutex_unlock(&a->lock);
}

static void abandon(job *j) {
    answer_abandon((answer *)j);
}

const job_class answer_class = {claim, run, abandon, answer_destroy};
