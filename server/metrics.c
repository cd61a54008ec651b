#include "metrics.h"

static const int statuses[METRICS_STATUSES] = {200, 206, 304, 400, 401, 404, 405, 406,
                                               408, 411, 413, 414, 415, 416, 417, 431,
                                               499, 500, 501, 503, 505, 0};

int metrics_status(unsigned column) {
    return statuses[column];
}

void metrics_request(metrics *m, unsigned route, int status) {
    unsigned column = 0;
    while (statuses[column] != status && statuses[column] != 0)
        column++;
    atomic_fetch_add_explicit(&m->requests[route][column], 1, memory_order_relaxed);
}
