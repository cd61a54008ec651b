/* GET /metrics */
#include "../call.h"
#include "../route.h"

#include <inttypes.h>

static void counter(buffer *b, const char *name, const char *type, const char *help, double value) {
    buffer_print(b, "# HELP fmixd_%s %s\n# TYPE fmixd_%s %s\nfmixd_%s %.17g\n", name, help, name,
                 type, name, value);
}

static void requests(buffer *b, metrics *m) {
    buffer_text(b, "# HELP fmixd_requests_total Requests answered, by route and status.\n"
                   "# TYPE fmixd_requests_total counter\n");
    for (unsigned r = 0; r < METRICS_ROUTES; r++)
        for (unsigned s = 0; s < METRICS_STATUSES; s++) {
            uint64_t n = atomic_load(&m->requests[r][s]);
            if (n)
                buffer_print(b, "fmixd_requests_total{route=\"%s\",code=\"%d\"} %" PRIu64 "\n",
                             route_name(r), metrics_status(s), n);
        }
}

static void queue(buffer *b, const jobs_counters *j) {
    counter(b, "queue_jobs", "gauge", "Answers being computed or waiting for it.", j->admitted);
    counter(b, "queue_capacity", "gauge", "Answers beyond which requests get 503.", j->limit);
    counter(b, "queue_waiting", "gauge", "Answers with a slice ready to compute.", j->waiting);
    counter(b, "queue_backlog_seconds", "gauge", "Core seconds still to be computed, by estimate.",
            j->backlog * 1e-9);
    counter(b, "queue_pace", "gauge", "Measured compute time over estimated.", j->pace);
    counter(b, "compute_threads", "gauge", "Compute threads.", j->threads);
    counter(b, "slices_running", "gauge", "Slices being computed now.", j->running);
    counter(b, "slices_total", "counter", "Slices computed.", (double)j->slices);
    counter(b, "inlined_total", "counter", "Small steps done at once by an I/O thread.",
            (double)j->inlined);
    counter(b, "cancelled_total", "counter", "Answers dropped because their client left.",
            (double)j->cancelled);
}

static void masks(buffer *b, const fmix_counters *f) {
    counter(b, "masks_total", "counter", "Masks computed.", (double)f->masks);
    counter(b, "contested_total", "counter", "Masks that the transform alone could not decide.",
            (double)f->contested);
    buffer_print(b,
                 "# HELP fmixd_settled_total Contested masks, by what settled them.\n"
                 "# TYPE fmixd_settled_total counter\n"
                 "fmixd_settled_total{tier=\"direct\"} %" PRIu64
                 "\nfmixd_settled_total{tier=\"exact\"} %" PRIu64 "\n",
                 f->settled_direct, f->settled_exact);
    counter(b, "lambda_exact_total", "counter", "Draws of lambda that MPFR rounded.",
            (double)f->lambda_exact);
    counter(b, "cache_hits_total", "counter", "Weights and plans found.", (double)f->cache_hits);
    counter(b, "cache_misses_total", "counter", "Weights and plans made.", (double)f->cache_misses);
    counter(b, "cache_bytes", "gauge", "Bytes of weights and plans kept.", (double)f->cache_bytes);
}

void metrics_get(call *c, outcome *out) {
    service *s = c->service;
    jobs_counters j;
    fmix_counters f;
    out->status = 200;
    out->media_type = "text/plain; version=0.0.4; charset=utf-8";
    out->text = buffer_of(64 << 10);
    jobs_count(s->jobs, &j);
    fmix_context_counters(s->context, &f);
    requests(&out->text, &s->metrics);
    counter(&out->text, "requests_in_flight", "gauge", "Requests begun and not ended.",
            (double)atomic_load(&s->metrics.in_flight));
    counter(&out->text, "reply_bytes_total", "counter", "Bytes of answers.",
            (double)atomic_load(&s->metrics.bytes));
    counter(&out->text, "not_modified_total", "counter", "Requests answered from the ETag alone.",
            (double)atomic_load(&s->metrics.not_modified));
    counter(&out->text, "memory_bytes", "gauge", "Bytes that requests hold or may come to.",
            (double)budget_held(&s->budget));
    counter(&out->text, "memory_limit_bytes", "gauge", "Bytes that requests may hold together.",
            (double)s->budget.limit);
    queue(&out->text, &j);
    masks(&out->text, &f);
    buffer_print(&out->text,
                 "# HELP fmixd_build_info What is running.\n# TYPE fmixd_build_info gauge\n"
                 "fmixd_build_info{version=\"%s\",stream=\"%d\"} 1\n",
                 FMIXD_VERSION, FMIX_STREAM);
}
