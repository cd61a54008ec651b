#include "resource_job.h"
#include "base/crash.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum stage { STAGE_NEW, STAGE_QUEUED, STAGE_RUN, STAGE_DONE } stage;

struct resource_job {
    job job; /* first */
    jobs *pool;
    resource *handler;
    job_waiter waiter;
    resource_request request; /* points to the next two */
    char captured[ROUTE_CAPTURES][ROUTE_CAPTURE + 1];
    char *content_type;
    char crash_text[CRASH_REQUEST];
    resource_result result;

    pthread_mutex_t lock;
    stage stage;
    bool borrowed, waiting, abandoned, ended;
};

static const job_class resource_job_class;
static bool is_abandoned(void *of);

/* Copies the texts that end with the connection. False: no memory. */
static bool copy_texts(resource_job *h) {
    for (unsigned i = 0; i < ROUTE_CAPTURES; i++)
        if (h->request.captured[i]) {
            snprintf(h->captured[i], sizeof h->captured[i], "%s", h->request.captured[i]);
            h->request.captured[i] = h->captured[i];
        }
    if (!h->request.content_type)
        return true;
    h->request.content_type = h->content_type = strdup(h->request.content_type);
    return h->content_type != NULL;
}

resource_job *resource_job_new(jobs *pool, resource *handler, resource_request *request,
                               const weight *w, const job_waiter *waiter, const char *crash_text) {
    resource_job *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    job_init(&h->job, &resource_job_class);
    h->job.holder = waiter->holder;
    h->job.task = (task){.cost = w->cost,
                         .serial = w->cost,
                         .width = 1,
                         .client = waiter->holder.client,
                         .indivisible = true,
                         .yields = true,
                         .lengthy = w->cost > JOB_LENGTHY,
                         .cost_is_guess = true};
    h->job.memory = sizeof *h + w->memory;
    h->job.destroyer = request->body.room > JOB_LARGE ? pool : NULL;
    h->pool = pool;
    h->handler = handler;
    h->waiter = *waiter;
    snprintf(h->crash_text, sizeof h->crash_text, "%s", crash_text);
    h->request = *request;
    h->request.cancelled = is_abandoned;
    h->request.of = h;
    if (!copy_texts(h)) {
        free(h);
        return NULL;
    }
    request->body = buffer_of(request->body.cap);
    pthread_mutex_init(&h->lock, NULL);
    return h;
}

static void destroy(job *j) {
    resource_job *h = (resource_job *)j;
    buffer_free(&h->request.body);
    resource_result_free(&h->result);
    free(h->content_type);
    pthread_mutex_destroy(&h->lock);
    if (h->borrowed)
        jobs_return(h->pool, j);
    free(h);
}

void resource_job_release(resource_job *h) {
    if (h)
        job_release(&h->job);
}

job *resource_job_job(resource_job *h) {
    return &h->job;
}

/* ---- with the lock held ---- */

static void resume(resource_job *h) {
    if (!h->waiting)
        return;
    h->waiting = false;
    h->waiter.resume(h->waiter.user);
}

static void end(resource_job *h, bool cancelled) {
    if (h->ended || h->stage == STAGE_NEW)
        return;
    h->ended = true;
    jobs_end(h->pool, &h->job, cancelled);
}

static refusal begin(resource_job *h) {
    if (!jobs_could_run(h->pool, &h->job, h->request.body.room))
        return REFUSAL_LARGE;
    h->borrowed = h->borrowed || jobs_borrow(h->pool, &h->job);
    if (!h->borrowed)
        return jobs_starved(h->pool, h->waiter.holder);
    refusal why = jobs_admit(h->pool, &h->job);
    if (why == REFUSAL_NONE) {
        h->stage = STAGE_QUEUED;
        jobs_wake(h->pool, &h->job);
    }
    return why;
}

/* ---- */

static bool is_abandoned(void *of) {
    resource_job *h = of;
    pthread_mutex_lock(&h->lock);
    bool abandoned = h->abandoned;
    pthread_mutex_unlock(&h->lock);
    return abandoned;
}

static bool claim(job *j, job_slice *slice, bool *more) {
    resource_job *h = (resource_job *)j;
    pthread_mutex_lock(&h->lock);
    bool ready = h->stage == STAGE_QUEUED && !h->abandoned;
    if (ready) {
        h->stage = STAGE_RUN;
        *slice = (job_slice){JOB_HANDLE, 0, j->task.cost};
        *more = false;
    }
    pthread_mutex_unlock(&h->lock);
    return ready;
}

/* Frees the rest of the body here, on a compute thread, since a large body takes long to free. */
static void run(job *j, job_slice slice, fmix_scratch *scratch) {
    resource_job *h = (resource_job *)j;
    (void)slice;
    (void)scratch;
    const char *before = crash_work_for(h->crash_text);
    h->handler(&h->request, &h->result);
    buffer_free(&h->request.body);
    crash_work_for(before);
    h->job.destroyer = h->result.source ? h->pool : NULL;
    pthread_mutex_lock(&h->lock);
    h->stage = STAGE_DONE;
    end(h, false);
    resume(h);
    pthread_mutex_unlock(&h->lock);
}

static void abandon(job *j) {
    resource_job *h = (resource_job *)j;
    pthread_mutex_lock(&h->lock);
    h->abandoned = true;
    end(h, true);
    resume(h);
    pthread_mutex_unlock(&h->lock);
}

static const job_class resource_job_class = {claim, run, abandon, destroy};

resource_job_state resource_job_start(resource_job *h, refusal *why) {
    resource_job_state state = RESOURCE_JOB_WAIT;
    pthread_mutex_lock(&h->lock);
    *why = h->stage == STAGE_NEW && !h->abandoned ? begin(h) : REFUSAL_NONE;
    if (*why != REFUSAL_NONE) {
        state = RESOURCE_JOB_BUSY;
    } else if (h->stage == STAGE_DONE) {
        state = RESOURCE_JOB_DONE;
    } else if (h->abandoned) {
        state = RESOURCE_JOB_LEFT;
    } else {
        h->waiting = true;
        h->waiter.suspend(h->waiter.user);
    }
    pthread_mutex_unlock(&h->lock);
    return state;
}

resource_result resource_job_take(resource_job *h) {
    pthread_mutex_lock(&h->lock);
    resource_result result = h->result;
    h->job.destroyer = NULL; /* the caller has the result now */
    h->result = (resource_result){.status = 0};
    pthread_mutex_unlock(&h->lock);
    return result;
}
