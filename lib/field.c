#include "field.h"

#define STRIDE 64 /* bins between two questions whether to cancel */

static bool is_cancelled(const fmix_cancellation *c) {
    return c->cancelled && c->cancelled(c->user);
}

bool fmix_field_each(const fmix_field *field, fmix_bin_visit *visit, void *user) {
    uint64_t normals = fmix_normals_count(field->params);
    uint32_t w[4];
    fmix_bin bin;
    for (uint64_t j = 0; j < normals; j++) {
        if (j % STRIDE == 0 && is_cancelled(&field->cancellation))
            return false;
        if (j % 2 == 0)
            fmix_words_block(field->key, field->t, j / 2, w);
        if (fmix_bin_of_normal(field->params, j, &bin))
            visit(user, &bin, w + 2 * (j % 2));
    }
    return true;
}
