#include "field.h"

/* Between two questions whether to cancel: a fraction of a millisecond. */
#define STEPS_MOST (1 << 13)
#define BINS_MOST  64

bool fmix_field_is_cancelled(const fmix_field *field) {
    const fmix_cancellation *c = &field->cancellation;
    return c->cancelled && c->cancelled(c->user);
}

bool fmix_field_each(const fmix_field *field, uint64_t steps, fmix_bin_visit *visit, void *user) {
    uint64_t stride = steps < STEPS_MOST / BINS_MOST ? BINS_MOST
                      : steps < STEPS_MOST           ? STEPS_MOST / steps
                                                     : 1;
    uint64_t normals = fmix_normals_count(field->params);
    uint32_t w[4];
    fmix_bin bin;
    for (uint64_t j = 0; j < normals; j++) {
        if (j % stride == 0 && fmix_field_is_cancelled(field))
            return false;
        if (j % 2 == 0)
            fmix_words_block(field->key, field->t, j / 2, w);
        if (fmix_bin_of_normal(field->params, j, &bin))
            visit(user, &bin, w + 2 * (j % 2));
    }
    return true;
}
