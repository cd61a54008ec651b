#include "request_work.h"
#include "connection.h"
#include "request_head.h"
#include "request_state.h"

/* False: the daemon is stopping, and new work is refused. */
static bool register_work(request *r, job *work) {
    if (inflight_set_work(&r->http->inflight, &r->inflight, work))
        return true;
    r->result.problem.retry_after = 1;
    r->result.problem.reason = REFUSAL_DRAINING;
    problem_add(&r->result.problem, 503, NULL, "this replica is shutting down");
    return false;
}

/* ---- hooks of a job_waiter ---- */

static void suspend(void *of) {
    request *r = of;
    MHD_suspend_connection(r->connection);
    connection_monitor_add(r->http->monitor, r->inflight.fd, r->inflight.work);
}

static void resume(void *of) {
    request *r = of;
    connection_monitor_remove(r->http->monitor, r->inflight.fd);
    MHD_resume_connection(r->connection);
}

job_waiter request_waiter(request *r) {
    return (job_waiter){suspend, resume, r, r->holder, r->connection};
}

/* ---- the handler's result ---- */

static void set_answer(request *r, answer *a) {
    if (register_work(r, answer_job(a)))
        r->answer = a;
    else
        answer_release(a);
}

/* Takes the result's source. */
static void make_answer(request *r) {
    resource_result *result = &r->result;
    const job_waiter waiter = request_waiter(r);
    answer *a = answer_new(r->http->server.jobs, result->source, r->input.format, &waiter,
                           &result->problem);
    result->source = NULL;
    if (!a)
        return;
    answer_describe(a, r->description);
    if (!r->is_head)
        conditions_cut(&r->conditions, r->connection, a, &result->problem);
    set_answer(r, a);
}

/* The ETag is known here, before any row is computed. */
static void take_result(request *r) {
    resource_result *result = &r->result;
    if (result->starved && result->problem.status)
        request_refuse_starved(r);
    conditions_check(&r->conditions, r->connection, result->source, r->match.route->path,
                     r->input.format, !request_head_takes_body(r), &result->problem);
    if (result->source)
        make_answer(r);
}

/* ---- the handler ---- */

static void begin_job(request *r, const weight *w) {
    const job_waiter waiter = request_waiter(r);
    resource_job *handler_job = resource_job_new(r->http->server.jobs, r->match.route->handler,
                                                 &r->input, w, &waiter, r->description);
    if (!handler_job)
        problem_add(&r->result.problem, 500, NULL, "out of memory");
    else if (register_work(r, resource_job_job(handler_job)))
        r->job = handler_job;
    else
        resource_job_release(handler_job);
}

void request_work_begin(request *r) {
    const route *row = r->match.route;
    r->work_begun = true;
    if (r->result.problem.status || r->is_options)
        return;
    weight w = row->weight ? row->weight(&r->input) : (weight){0};
    if (!jobs_is_quick(w.cost > w.worst ? w.cost : w.worst)) {
        begin_job(r, &w);
        return;
    }
    row->handler(&r->input, &r->result);
    take_result(r);
}

resource_job_state request_work_poll(request *r) {
    refusal why;
    resource_job *handler_job = r->job;
    resource_job_state state =
        handler_job ? resource_job_start(handler_job, &why) : RESOURCE_JOB_DONE;
    if (!handler_job || state == RESOURCE_JOB_WAIT || state == RESOURCE_JOB_LEFT)
        return state;
    inflight_set_work(&r->http->inflight, &r->inflight, NULL);
    r->job = NULL;
    if (state == RESOURCE_JOB_BUSY) {
        request_refuse_busy(r, why);
    } else {
        r->result = resource_job_take(handler_job);
        take_result(r);
    }
    resource_job_release(handler_job);
    return state;
}
