#include "metrics.h"

#include <time.h>

/* The first METRICS_FORMATTED statuses are those of answers with tensors. */
static const struct {
    int status;
    const char *code;
} statuses[METRICS_STATUSES] = {
    {200, "200"}, {206, "206"}, {304, "304"}, {499, "499"}, {204, "204"}, {400, "400"},
    {401, "401"}, {404, "404"}, {405, "405"}, {406, "406"}, {408, "408"}, {409, "409"},
    {411, "411"}, {412, "412"}, {413, "413"}, {414, "414"}, {415, "415"}, {416, "416"},
    {417, "417"}, {429, "429"}, {431, "431"}, {500, "500"}, {501, "501"}, {503, "503"},
    {505, "505"}, {0, "other"},
};

const metrics_scale metrics_scales[METRICS_KINDS] = {
    [METRICS_DURATION] =
        {
            .name = "fmixd_request_duration_seconds",
            .help = "Time from the request line to the last byte sent.",
            .unit = 1e-9,
            .buckets = 19,
            .bounds = {{100000, "0.0001"},
                       {250000, "0.00025"},
                       {500000, "0.0005"},
                       {1000000, "0.001"},
                       {2500000, "0.0025"},
                       {5000000, "0.005"},
                       {10000000, "0.01"},
                       {25000000, "0.025"},
                       {50000000, "0.05"},
                       {100000000, "0.1"},
                       {250000000, "0.25"},
                       {500000000, "0.5"},
                       {1000000000, "1"},
                       {2500000000, "2.5"},
                       {5000000000, "5"},
                       {10000000000, "10"},
                       {30000000000, "30"},
                       {60000000000, "60"},
                       {UINT64_MAX, "+Inf"}},
        },
    [METRICS_SIZE] =
        {
            .name = "fmixd_response_size_bytes",
            .help = "Bytes of the body sent.",
            .unit = 1,
            .buckets = 14,
            .bounds = {{UINT64_C(1) << 8, "256"},
                       {UINT64_C(1) << 10, "1024"},
                       {UINT64_C(1) << 12, "4096"},
                       {UINT64_C(1) << 14, "16384"},
                       {UINT64_C(1) << 16, "65536"},
                       {UINT64_C(1) << 18, "262144"},
                       {UINT64_C(1) << 20, "1048576"},
                       {UINT64_C(1) << 22, "4194304"},
                       {UINT64_C(1) << 24, "16777216"},
                       {UINT64_C(1) << 26, "67108864"},
                       {UINT64_C(1) << 28, "268435456"},
                       {UINT64_C(1) << 30, "1073741824"},
                       {UINT64_C(1) << 32, "4294967296"},
                       {UINT64_MAX, "+Inf"}},
        },
};

void metrics_init(metrics *m) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    m->started = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
    budget_init(&m->texts, METRICS_HELD, 0);
}

void metrics_destroy(metrics *m) {
    budget_destroy(&m->texts);
}

/* A column for each status, then a column for each format of each formatted status. */
static unsigned column_of(int status, unsigned format) {
    unsigned s = 0;
    while (statuses[s].status != status && statuses[s].status != 0)
        s++;
    bool plain = format == 0 || format >= METRICS_FORMATS || s >= METRICS_FORMATTED;
    return plain ? s : METRICS_STATUSES + s * (METRICS_FORMATS - 1) + format - 1;
}

unsigned metrics_row(unsigned column) {
    bool plain = column < METRICS_STATUSES;
    return plain ? column : (column - METRICS_STATUSES) / (METRICS_FORMATS - 1);
}

unsigned metrics_format(unsigned column) {
    bool plain = column < METRICS_STATUSES;
    return plain ? 0 : (column - METRICS_STATUSES) % (METRICS_FORMATS - 1) + 1;
}

const char *metrics_code(unsigned column) {
    return statuses[metrics_row(column)].code;
}

static void add(_Atomic uint64_t *counter, uint64_t amount) {
    atomic_fetch_add_explicit(counter, amount, memory_order_relaxed);
}

static void observe(metrics_histogram *h, const metrics_scale *scale, uint64_t amount) {
    unsigned i = 0;
    while (amount > scale->bounds[i].most)
        i++;
    add(&h->counts[i], 1);
    add(&h->sum, amount);
}

void metrics_count(metrics *m, const metrics_request *r) {
    metrics_histogram *both = m->requests[r->route][column_of(r->status, r->format)];
    for (unsigned kind = 0; kind < METRICS_KINDS; kind++)
        observe(&both[kind], &metrics_scales[kind], r->amount[kind]);
}

void metrics_refuse(metrics *m, refusal reason) {
    add(&m->refused[reason], 1);
}
