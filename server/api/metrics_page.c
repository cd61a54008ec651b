/* GET /metrics: the counters in Prometheus' text format, version 0.0.4 */
#include "base/process.h"
#include "resource.h"
#include "routes.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Bounds: a histogram has at most three lines beside the lines of its buckets. A line has a name
 * (40 bytes), labels (86 bytes with a route of 40) and a number (20 bytes). */
#define LINE_MOST   160
#define SERIES_MOST (METRICS_ROUTES * METRICS_COLUMNS * METRICS_KINDS)
#define ROWS_MOST   320 /* lines of all other rows, with their headers */
#define SETS_NAMED  20  /* sets of each kind of damage that have a row of their own */
#define TEXT_MOST                                                                                  \
    (LINE_MOST *                                                                                   \
     (SERIES_MOST * (METRICS_BUCKETS + 3) + METRICS_ROUTES * METRICS_STATUSES + ROWS_MOST))
_Static_assert(TEXT_MOST <= METRICS_HELD, "one page fits in the budget of pages");
_Static_assert(FORMAT_ANSWERED < METRICS_FORMATS, "each format of answers has its column");

static const char counter[] = "counter", gauge[] = "gauge", histogram[] = "histogram";

/* ---- single numbers ---- */

/* Rows of one name are neighbours. A value of NAN is unknown; its row is left out. */
typedef struct row {
    const char *name, *labels, *type, *help;
    double value;
} row;

static void add_header(buffer *b, const char *name, const char *type, const char *help) {
    buffer_print(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void add_rows(buffer *b, const row *rows, size_t count) {
    const char *last = "";
    for (size_t i = 0; i < count; i++) {
        const row *r = &rows[i];
        if (isnan(r->value))
            continue;
        if (strcmp(r->name, last) != 0)
            add_header(b, r->name, r->type, r->help);
        buffer_print(b, "%s%s %.17g\n", r->name, r->labels, r->value);
        last = r->name;
    }
}
#define ADD_ROWS(b, rows) add_rows(b, rows, sizeof(rows) / sizeof *(rows))

static void add_service(buffer *b, server_state *s) {
    int64_t tls_ends = atomic_load(&s->metrics.tls_ends);
    const row rows[] = {
        {"fmixd_requests_in_flight", "", gauge, "Requests begun and not ended.",
         (double)atomic_load(&s->metrics.in_flight)},
        {"fmixd_connections", "", gauge, "Connections that are open.",
         (double)atomic_load(&s->metrics.connections)},
        {"fmixd_connections_limit", "", gauge,
         "Connections that are served at once; further clients wait.",
         (double)s->config->connections},
        {"fmixd_reply_bytes_total", "", counter, "Bytes of answers, as they are read.",
         (double)atomic_load(&s->metrics.bytes)},
        {"fmixd_not_modified_total", "", counter, "Requests answered with 304 Not Modified.",
         (double)atomic_load(&s->metrics.not_modified)},
        {"fmixd_refusals_held_total", "", counter, "Refusals of large bodies held back.",
         (double)atomic_load(&s->metrics.held)},
        {"fmixd_refusals_held_seconds_total", "", counter,
         "Seconds for which refusals were held back.",
         1e-9 * (double)atomic_load(&s->metrics.held_for)},
        {"fmixd_pictures_decoded_total", "", counter,
         "Files of image sets decoded, label maps included.",
         (double)atomic_load(&s->metrics.pictures)},
        {"fmixd_picture_decoder_good", "", gauge,
         "1: the self-test decoded pictures as it must; 0: image sets are not served.",
         s->misdecodes ? 0 : 1},
        {"fmixd_tls_certificate_end_seconds", "", gauge,
         "When the certificate ends, or the first of its chain, in seconds since 1970.",
         tls_ends ? (double)tls_ends : NAN},
        {"fmixd_log_dropped_total", "", counter, "Log lines that could not be written.",
         (double)log_dropped(s->log)},
        {"fmixd_memory_bytes", "", gauge, "Bytes that requests hold or may come to.",
         (double)budget_held(&s->budget)},
        {"fmixd_memory_limit_bytes", "", gauge,
         "Bytes that requests may hold together: memory without what is for connections.",
         (double)s->budget.limit},
        {"fmixd_memory_setting_bytes", "", gauge,
         "The setting memory: of requests and connections.", (double)s->config->memory},
    };
    ADD_ROWS(b, rows);
}

static void add_data(buffer *b, server_state *s) {
    static const char pieces[] = "Pieces of 1 MiB of the data sets that are served.";
    verification_counts c;
    catalog_count_pieces(s->catalog, &c);
    const row rows[] = {
        {"fmixd_data_pieces", "{state=\"unchecked\"}", gauge, pieces,
         (double)(c.pieces - c.compared)},
        {"fmixd_data_pieces", "{state=\"good\"}", gauge, pieces, (double)(c.compared - c.wrong)},
        {"fmixd_data_pieces", "{state=\"damaged\"}", gauge, pieces, (double)c.wrong},
    };
    ADD_ROWS(b, rows);
}

/* Sets that are whole have no row, so that sets without number make no rows without number. */
static void add_damaged_sets(buffer *b, server_state *s) {
    catalog_damage found[SETS_NAMED];
    size_t count = catalog_damaged(s->catalog, found, SETS_NAMED);
    if (count > 0)
        add_header(b, "fmixd_damaged_pieces", gauge, "Damaged pieces of each set that has any.");
    for (size_t i = 0; i < count; i++)
        buffer_print(b, "fmixd_damaged_pieces{set=\"%s\"} %zu\n", found[i].name, found[i].pieces);
}

/* Here, too, only sets that are refused have rows of their own. */
static void add_refused_sets(buffer *b, server_state *s) {
    static const char sets[] = "Data sets, by whether they are served.";
    char names[SETS_NAMED][DATASET_NAME + 1];
    catalog_counts c;
    size_t count = catalog_count_sets(s->catalog, &c, names, SETS_NAMED);
    const row rows[] = {
        {"fmixd_datasets", "{state=\"served\"}", gauge, sets, (double)c.served},
        {"fmixd_datasets", "{state=\"refused\"}", gauge, sets, (double)c.refused},
    };
    ADD_ROWS(b, rows);
    if (count > 0)
        add_header(b, "fmixd_dataset_refused", gauge, "1: of this set, every batch is refused.");
    for (size_t i = 0; i < count; i++)
        buffer_print(b, "fmixd_dataset_refused{set=\"%s\"} 1\n", names[i]);
}

static void add_queue(buffer *b, server_state *s) {
    static const char stages[] = "Compute time, by stage.";
    static const char estimates[] = "Estimated compute time of the same slices, by stage.";
    jobs_counters j;
    jobs_count(s->jobs, &j);
    const row rows[] = {
        {"fmixd_queue_jobs", "", gauge, "Answers being computed or waiting for it.", j.admitted},
        {"fmixd_queue_capacity", "", gauge, "Answers in the queue beyond which requests get 503.",
         j.limit},
        {"fmixd_queue_waiting", "", gauge, "Answers with a slice ready to compute.", j.waiting},
        {"fmixd_queue_backlog_seconds", "", gauge,
         "Core seconds still to be computed, by estimate.", j.backlog * 1e-9},
        {"fmixd_queue_pace_ratio", "", gauge, "Measured compute time over estimated.", j.pace},
        {"fmixd_compute_seconds_total", "{stage=\"handle\"}", counter, stages,
         j.seconds[JOB_HANDLE]},
        {"fmixd_compute_seconds_total", "{stage=\"prepare\"}", counter, stages,
         j.seconds[JOB_PREPARE]},
        {"fmixd_compute_seconds_total", "{stage=\"rows\"}", counter, stages, j.seconds[JOB_ROWS]},
        {"fmixd_compute_seconds_total", "{stage=\"encode\"}", counter, stages,
         j.seconds[JOB_ENCODE]},
        {"fmixd_compute_estimated_seconds_total", "{stage=\"handle\"}", counter, estimates,
         j.estimated[JOB_HANDLE]},
        {"fmixd_compute_estimated_seconds_total", "{stage=\"prepare\"}", counter, estimates,
         j.estimated[JOB_PREPARE]},
        {"fmixd_compute_estimated_seconds_total", "{stage=\"rows\"}", counter, estimates,
         j.estimated[JOB_ROWS]},
        {"fmixd_compute_estimated_seconds_total", "{stage=\"encode\"}", counter, estimates,
         j.estimated[JOB_ENCODE]},
        {"fmixd_compute_threads", "", gauge,
         "Compute threads for short slices; as many more compute long ones.", j.threads},
        {"fmixd_slices_running", "", gauge, "Slices being computed now.", j.running},
        {"fmixd_slices_total", "", counter, "Slices computed.", (double)j.slices},
        {"fmixd_inlined_total", "", counter, "Small steps done at once by an I/O thread.",
         (double)j.inlined},
        {"fmixd_cancelled_total", "", counter, "Answers that ended before their work was done.",
         (double)j.cancelled},
    };
    ADD_ROWS(b, rows);
}

static void add_masks(buffer *b, server_state *s) {
    static const char settled[] = "Contested masks, by what settled them.";
    fmix_counters f;
    fmix_context_counters(s->context, &f);
    const row rows[] = {
        {"fmixd_masks_total", "", counter, "Masks computed.", (double)f.masks},
        {"fmixd_contested_total", "", counter, "Masks that the transform alone could not decide.",
         (double)f.contested},
        {"fmixd_settled_total", "{tier=\"quick\"}", counter, settled, (double)f.settled_quick},
        {"fmixd_settled_total", "{tier=\"direct\"}", counter, settled, (double)f.settled_direct},
        {"fmixd_settled_total", "{tier=\"exact\"}", counter, settled, (double)f.settled_exact},
        {"fmixd_lambda_exact_total", "", counter, "Draws of lambda that MPFR rounded.",
         (double)f.lambda_exact},
        {"fmixd_transforms_measured_total", "", counter,
         "Shapes whose transform was measured for a faster plan.", (double)f.transforms_measured},
        {"fmixd_cache_hits_total", "", counter, "Weights and plans found.", (double)f.cache_hits},
        {"fmixd_cache_misses_total", "", counter, "Weights and plans made.",
         (double)f.cache_misses},
        {"fmixd_cache_bytes", "", gauge, "Bytes of weights and plans kept.", (double)f.cache_bytes},
        {"fmixd_cache_limit_bytes", "", gauge, "Bytes of weights and plans that may be kept.",
         (double)s->config->cache},
    };
    ADD_ROWS(b, rows);
}

/* The names are those of Prometheus' own client libraries. */
static void add_process(buffer *b, server_state *s) {
    process_usage u;
    process_measure("/proc/self", &u);
    const row rows[] = {
        {"process_cpu_seconds_total", "", counter, "User and system time.", u.cpu_seconds},
        {"process_resident_memory_bytes", "", gauge, "Resident memory.", u.resident_bytes},
        {"fmixd_private_memory_bytes", "", gauge, "Resident memory without the pages of files.",
         u.private_bytes},
        {"process_virtual_memory_bytes", "", gauge, "Virtual memory.", u.virtual_bytes},
        {"process_open_fds", "", gauge, "Open descriptors.", u.open_fds},
        {"process_max_fds", "", gauge, "Descriptors that may be open.", u.max_fds},
        {"process_start_time_seconds", "", gauge, "Start, in seconds since 1970.",
         s->metrics.started},
    };
    ADD_ROWS(b, rows);
}

static void add_build(buffer *b, const server_state *s) {
    char labels[256];
    snprintf(labels, sizeof labels, "{version=\"%s\",stream=\"%d\",compiler=\"%s\",golden=\"%s\"}",
             FMIXD_VERSION, FMIX_STREAM, __VERSION__, s->golden);
    const row rows[] = {{"fmixd_build_info", labels, gauge, "What is running.", 1}};
    ADD_ROWS(b, rows);
}

/* ---- families of numbers ---- */

static void add_refused(buffer *b, metrics *m) {
    add_header(b, "fmixd_refused_total", counter, "Requests refused, by reason.");
    for (refusal i = REFUSAL_NONE + 1; i < REFUSALS; i++)
        buffer_print(b, "fmixd_refused_total{reason=\"%s\"} %" PRIu64 "\n", refusal_name(i),
                     atomic_load(&m->refused[i]));
}

static uint64_t requests_of(metrics_histogram *h) {
    uint64_t n = 0;
    for (unsigned i = 0; i < METRICS_BUCKETS; i++)
        n += atomic_load_explicit(&h->counts[i], memory_order_relaxed);
    return n;
}

/* Status codes without a request are left out, here and below. */
static void add_requests(buffer *b, metrics *m) {
    add_header(b, "fmixd_requests_total", counter, "Requests ended, by route and status.");
    for (unsigned r = 0; r < METRICS_ROUTES; r++) {
        uint64_t totals[METRICS_STATUSES] = {0};
        for (unsigned c = 0; c < METRICS_COLUMNS; c++)
            totals[metrics_row(c)] += requests_of(&m->requests[r][c][METRICS_DURATION]);
        for (unsigned s = 0; s < METRICS_STATUSES; s++)
            if (totals[s])
                buffer_print(b, "fmixd_requests_total{route=\"%s\",code=\"%s\"} %" PRIu64 "\n",
                             route_name(r), metrics_code(s), totals[s]);
    }
}

static void add_histogram(buffer *b, const metrics_scale *scale, metrics_histogram *h,
                          const char *labels) {
    uint64_t n = 0;
    for (unsigned i = 0; i < scale->buckets; i++) {
        n += atomic_load_explicit(&h->counts[i], memory_order_relaxed);
        buffer_print(b, "%s_bucket{%s,le=\"%s\"} %" PRIu64 "\n", scale->name, labels,
                     scale->bounds[i].le, n);
    }
    buffer_print(b, "%s_sum{%s} %.17g\n%s_count{%s} %" PRIu64 "\n", scale->name, labels,
                 (double)atomic_load_explicit(&h->sum, memory_order_relaxed) * scale->unit,
                 scale->name, labels, n);
}

static void add_histograms(buffer *b, metrics *m, metrics_kind kind) {
    const metrics_scale *scale = &metrics_scales[kind];
    char labels[128];
    add_header(b, scale->name, histogram, scale->help);
    for (unsigned r = 0; r < METRICS_ROUTES; r++)
        for (unsigned c = 0; c < METRICS_COLUMNS; c++) {
            metrics_histogram *h = &m->requests[r][c][kind];
            if (!requests_of(h))
                continue;
            snprintf(labels, sizeof labels, "route=\"%s\",code=\"%s\",format=\"%s\"", route_name(r),
                     metrics_code(c), format_name(metrics_format(c)));
            add_histogram(b, scale, h, labels);
        }
}

void metrics_get(resource_request *request, resource_result *out) {
    server_state *s = request->server;
    buffer *b = &out->text;
    out->status = 200;
    *b = buffer_paid(TEXT_MOST, (budget_payer){.from = &s->metrics.texts});
    add_build(b, s);
    add_service(b, s);
    add_data(b, s);
    add_damaged_sets(b, s);
    add_refused_sets(b, s);
    add_queue(b, s);
    add_masks(b, s);
    add_process(b, s);
    add_refused(b, &s->metrics);
    add_requests(b, &s->metrics);
    for (unsigned kind = 0; kind < METRICS_KINDS; kind++)
        add_histograms(b, &s->metrics, kind);
    if (!b->failed)
        return;
    out->problem.reason = REFUSAL_MEMORY;
    out->problem.retry_after = 1;
    problem_add(&out->problem, 503, NULL, "too many clients read /metrics at once");
}
