/* The data set that a request names, or why it is not served. */
#include "hosted.h"
#include "resource.h"

/* What most data sets are trained with, more or less. */
#define USUAL_ROWS 64

/* Of a set that is there: broken since it was opened, to be compared with its digest again, or
 * never opened, for a reason. */
static void say_why_not(const dataset *d, const char *reason, problem *p) {
    static const char again[] =
        "it is served again once it is whole and the daemon has got a SIGHUP";
    bool doubtful = d && dataset_state(d) == MAPPED_FILE_DOUBTFUL;
    if (!d)
        problem_add(p, 503, NULL, "%s; %s", reason, again);
    else if (doubtful)
        problem_add(p, 503, NULL,
                    "the time of change of a file of the data set %s has moved; it is served again "
                    "as soon as its digest was checked",
                    d->name);
    else
        problem_add(p, 503, NULL,
                    "a file of the data set %s was cut short or altered, or cannot be read; %s",
                    d->name, again);
    p->retry_after = doubtful ? 1 : 60;
    p->reason = REFUSAL_INTERNAL;
}

dataset *hosted_find(resource_request *c, problem *p) {
    char names[300] = "";
    size_t used = 0;
    char reason[CATALOG_REASON];
    dataset *d = catalog_find(c->server->catalog, c->captured[0], reason);
    if (!c->query.given[QUERY_N])
        c->query.n = USUAL_ROWS;
    c->query.given[QUERY_N] = true;
    if (d && dataset_state(d) == MAPPED_FILE_WHOLE)
        return d;
    if (d || reason[0]) {
        say_why_not(d, reason, p);
        dataset_release(d);
        return NULL;
    }
    for (size_t i = 0; (d = catalog_nth(c->server->catalog, i)) != NULL; i++) {
        if (used < sizeof names)
            used +=
                (size_t)snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", d->name);
        dataset_release(d);
    }
    problem_add(p, 404, NULL, "there is no data set %.64s; %s%s", c->captured[0],
                used ? "there are: " : "none is served: set `data` to a directory of them", names);
    return NULL;
}
