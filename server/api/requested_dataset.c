#include "requested_dataset.h"
#include "sequence_request.h"
#include "view_request.h"

#include <string.h>

#define DEFAULT_ROWS 64 /* of a batch */

/* A set that exists is not served: because a file was damaged after the set was opened, until the
 * digest is checked again, or because the set was never opened (d is NULL), for `reason`. */
static void explain(const dataset *d, const char *reason, problem *p) {
    static const char again[] = "to serve it again, repair it and send the daemon a SIGHUP";
    bool doubtful = d && dataset_state(d) == MAPPED_FILE_DOUBTFUL;
    if (!d)
        problem_add(p, 503, NULL, "%s; %s", reason, again);
    else if (doubtful)
        problem_add(p, 503, NULL,
                    "a file of the data set %s may have changed; the set is served again when its "
                    "digest has been checked",
                    d->name);
    else
        problem_add(p, 503, NULL,
                    "a file of the data set %s is truncated, altered or unreadable; %s", d->name,
                    again);
    p->retry_after = doubtful ? 1 : 60;
    p->reason = REFUSAL_INTERNAL;
}

void requested_dataset_damage(const dataset *d, const dataset_fault *fault, char *out,
                              size_t room) {
    char where[DATASET_FAULT];
    dataset_fault_text(d, fault, where);
    out[0] = 0;
    if (where[0] && dataset_state(d) == MAPPED_FILE_WHOLE)
        snprintf(out, room,
                 "the data set %s is damaged where this batch needs it: %s; batches that do not "
                 "need them are served; to serve this one, repair the file and send the daemon a "
                 "SIGHUP",
                 d->name, where);
}

void requested_dataset_refuse(const char *reason, problem *p) {
    problem_add(p, 503, NULL, "%s", reason);
    p->retry_after = 60;
    p->reason = REFUSAL_INTERNAL;
}

void requested_dataset_explain(const dataset *d, const dataset_fault *fault, problem *p) {
    char damage[400];
    requested_dataset_damage(d, fault, damage, sizeof damage);
    if (!damage[0]) {
        explain(d, "", p);
        return;
    }
    requested_dataset_refuse(damage, p);
}

weight requested_rows_weight(const query *q, const dataset *set) {
    return set->images ? view_request_weight(q, set) : sequence_request_weight(q, set);
}

weight requested_dataset_weight(const resource_request *request) {
    char reason[CATALOG_REASON];
    dataset *d = catalog_find(request->server->catalog, request->captured[0], reason);
    query q = request->query;
    if (!q.given[QUERY_N])
        q.n = DEFAULT_ROWS;
    weight w = d ? requested_rows_weight(&q, d) : (weight){0};
    dataset_release(d);
    return w;
}

dataset *requested_dataset_find(resource_request *request, problem *p) {
    char names[300] = "";
    size_t used = 0;
    char reason[CATALOG_REASON];
    dataset *d = catalog_find(request->server->catalog, request->captured[0], reason);
    if (!request->query.given[QUERY_N])
        request->query.n = DEFAULT_ROWS;
    request->query.given[QUERY_N] = true;
    if (d && dataset_state(d) == MAPPED_FILE_WHOLE)
        return d;
    if (d || reason[0]) {
        explain(d, reason, p);
        dataset_release(d);
        return NULL;
    }
    for (size_t i = 0;
         used < sizeof names && (d = catalog_nth(request->server->catalog, i)) != NULL; i++) {
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", d->name);
        dataset_release(d);
    }
    problem_add(p, 404, NULL, "there is no data set %.64s; %s%s", request->captured[0],
                used ? "the data sets are: " : "to serve data sets, set `data` to their directory",
                names);
    return NULL;
}

bool requested_dataset_is_pinned(const query *q, const dataset *d, problem *p) {
    if (!q->given[QUERY_DIGEST] || strcmp(q->digest, d->digest) == 0)
        return true;
    problem_add(p, 409, "digest", "the data set %s now has digest %s, not the digest given",
                d->name, d->digest);
    return false;
}
