#include "refusal.h"

static const struct {
    int status;
    problem_reason reason;
    const char *detail;
} rows[JOBS_VERDICTS] = {
    [JOBS_FULL] = {503, PROBLEM_QUEUE, "as many answers are in work as are taken on at once"},
    [JOBS_LATE] = {503, PROBLEM_PATIENCE,
                   "what is in work already takes so long that this answer, or one of those, would "
                   "come too late"},
    [JOBS_SHARE] = {429, PROBLEM_SHARE,
                    "this client had its share of the machine of late, and others ask too"},
    [JOBS_MEMORY] = {503, PROBLEM_MEMORY,
                     "the answers in work take all the memory there is for them"},
    [JOBS_NEVER] = {413, PROBLEM_LARGE,
                    "the request and its answer take more memory than this server gives all "
                    "requests together: send or ask for fewer rows, or for npy or raw"},
    [JOBS_LOST] =
        {503, PROBLEM_INTERNAL,
         "a file that this answer is made of was cut short or altered, or cannot be read"},
};

void refusal_explain(jobs *line, jobs_verdict why, problem *p) {
    *p = (problem){.reason = rows[why].reason};
    if (why == JOBS_NEVER) {
        problem_add(p, rows[why].status, NULL, "%s", rows[why].detail);
        return;
    }
    p->retry_after = jobs_retry_after(line);
    problem_add(p, rows[why].status, NULL, "%s; try again in %u s", rows[why].detail,
                p->retry_after);
}
