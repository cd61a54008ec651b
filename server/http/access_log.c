#include "access_log.h"
#include "route.h"

void access_log_write(server_state *s, const access_record *r) {
    bool refused = r->problem->status != 0;
    unsigned number = format_number(refused ? NULL : r->format);
    metrics_count(&s->metrics,
                  &(metrics_request){.route = r->route,
                                     .status = r->status,
                                     .format = number,
                                     .amount = {(uint64_t)(1e6 * trace_age(r->trace)), r->bytes}});
    if (refused)
        metrics_refuse(&s->metrics, r->problem->reason);
    log_request(s->log, &(log_entry){.trace = r->trace,
                                     .method = r->method,
                                     .target = r->target,
                                     .route = route_name(r->route),
                                     .peer = r->peer,
                                     .client = r->client,
                                     .format = format_name(number),
                                     .reason = refused ? refusal_name(r->problem->reason) : NULL,
                                     .status = r->status,
                                     .bytes = r->bytes});
}
