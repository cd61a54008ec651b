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
                       "the request and its answer take more memory than this server gives all "
                       "requests together: send or ask for fewer rows, or for npy or raw"},
    [REFUSAL_LATE] = {"late"},
    [REFUSAL_TOKEN] = {"token"},
    [REFUSAL_QUEUE] = {"queue", 503, "as many answers are in work as are taken on at once"},
    [REFUSAL_PATIENCE] = {"patience", 503,
                          "what is in work already takes so long that this answer, or one of "
                          "those, would come too late"},
    [REFUSAL_SHARE] = {"share", 429,
                       "this client had its share of the machine of late, and others ask too"},
    [REFUSAL_MEMORY] = {"memory", 503, "the answers in work take all the memory there is for them"},
    [REFUSAL_DRAINING] = {"draining"},
    [REFUSAL_INTERNAL] =
        {"internal", 503,
         "a file that this answer is made of was cut short or altered, or cannot be read"},
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
