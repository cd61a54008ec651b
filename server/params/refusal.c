#include "refusal.h"
#include "problem.h"

static const struct {
    const char *name;
    int status; /* of a job that is refused for this reason; 0: no job is */
    const char *detail;
} rows[REFUSALS] = {
    [REFUSAL_REQUEST] = {"request"},
    [REFUSAL_GUARD] = {"guard"},
    [REFUSAL_LARGE] = {"large", 413,
                       "the request and its answer need more memory than this server has for all "
                       "requests together; send or ask for fewer rows, ask for npy or raw, or for "
                       "a smaller bucket of sequences"},
    [REFUSAL_LATE] = {"late"},
    [REFUSAL_TOKEN] = {"token"},
    [REFUSAL_QUEUE] = {"queue", 503, "the request queue is full"},
    [REFUSAL_PATIENCE] =
        {"patience", 503,
         "the server is busy: this answer, or one admitted before it, would miss its deadline"},
    [REFUSAL_SHARE] =
        {"share", 429,
         "this client has used its share of the server, or its requests are most of the queue or "
         "hold most of the memory, and other clients ask"},
    [REFUSAL_MEMORY] = {"memory", 503, "the memory for requests is in use"},
    [REFUSAL_DRAINING] = {"draining"},
    [REFUSAL_INTERNAL] = {"internal", 503,
                          "a file that this answer needs is truncated, altered or unreadable"},
};

const char *refusal_name(refusal why) {
    return rows[why].name;
}

void refusal_explain(refusal why, unsigned retry_after, problem *p) {
    *p = (problem){.reason = why};
    if (why == REFUSAL_LARGE) {
        problem_add(p, rows[why].status, NULL, "%s", rows[why].detail);
        return;
    }
    p->retry_after = retry_after;
    problem_add(p, rows[why].status, NULL, "%s; try again in %u s", rows[why].detail, retry_after);
}
