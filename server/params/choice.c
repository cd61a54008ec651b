#include "choice.h"

static void check_alphas(const query *q, problem *p) {
    if (q->alphas.count > 1 && q->alphas.count != q->methods.count)
        problem_add(p, 400, "alpha",
                    "there are %u values of alpha for %u method%s; give one alpha for all methods, "
                    "or one for each",
                    q->alphas.count, q->methods.count, q->methods.count > 1 ? "s" : "");
}

static void check_scope(const query *q, problem *p) {
    if (q->scope == SCOPE_PAIR && q->pairing != FMIX_PAIRING_FLIP)
        problem_add(p, 400, "scope",
                    "scope is 'pair', which needs pairing=flip, where two rows are each other's "
                    "partners; add pairing=flip, or use scope=sample or scope=batch");
}

static void check_policy(const query *q, problem *p) {
    if (q->switching == SWITCH_SAMPLE && q->given[QUERY_POLICY])
        problem_add(p, 400, "policy",
                    "policy chooses the method of a batch, but with switch=sample each row has a "
                    "method of its own; leave policy out, or use switch=batch");
}

/* Weights have an effect only where methods are drawn. */
static bool is_weighed(const query *q) {
    return q->given[QUERY_WEIGHTS] &&
           (q->policy == FMIX_POLICY_RANDOM || q->switching == SWITCH_SAMPLE);
}

static void check_weights(const query *q, problem *p) {
    uint64_t sum = 0;
    if (!is_weighed(q))
        return;
    for (unsigned i = 0; i < q->weights.count; i++)
        sum += q->weights.item[i];
    if (q->weights.count != q->methods.count)
        problem_add(p, 400, "weights",
                    "there %s %u weight%s for %u method%s; give one weight for each method",
                    q->weights.count > 1 ? "are" : "is", q->weights.count,
                    q->weights.count > 1 ? "s" : "", q->methods.count,
                    q->methods.count > 1 ? "s" : "");
    else if (sum == 0 || sum > UINT32_MAX)
        problem_add(p, 400, "weights", "the sum of the weights must be from 1 to 2^32-1");
}

bool choice_check(const query *q, problem *p) {
    check_alphas(q, p);
    check_scope(q, p);
    check_policy(q, p);
    check_weights(q, p);
    return p->status == 0;
}

void choice_of(const query *q, fmix_choice *out) {
    *out = (fmix_choice){.count = q->methods.count,
                         .methods = q->methods.item,
                         .alphas = q->alphas.count > 1 ? q->alphas.item : NULL,
                         .policy = (fmix_policy_kind)q->policy,
                         .weights = is_weighed(q) ? q->weights.item : NULL,
                         .by_sample = q->switching == SWITCH_SAMPLE,
                         .prob_given = q->prob < 1,
                         .prob = q->prob,
                         .scope = (fmix_scope)q->scope};
}

bool choice_of_batch(const query *q, uint64_t batch, fmix_choice *out) {
    static const uint32_t equal[QUERY_LIST] = {1, 1, 1, 1, 1, 1, 1, 1};
    unsigned which;
    choice_of(q, out);
    if (out->by_sample)
        return true;
    if (fmix_policy(out->policy, q->seed, batch, out->count, out->weights ? out->weights : equal,
                    &which) != FMIX_OK)
        return false;
    out->count = 1;
    out->methods += which;
    out->weights = NULL;
    if (out->alphas)
        out->alphas += which;
    return true;
}

bool choice_varies(const query *q) {
    return q->prob < 1 || (q->switching == SWITCH_SAMPLE && q->methods.count > 1);
}
