#include "dense.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool dense_has_name(const char *name) {
    return array_suffix(name, "dense") || array_suffix(name, "dense2");
}

/* "Cx4x5" or "4x5xC", or what gives targets channels where x has none. */
static void print_with_channels(const batch_geometry *of, const char *spatial, char *out,
                                size_t room) {
    if (!of->has_channels)
        snprintf(out, room,
                 "; for targets with channels, give x a dimension for channels, too, and layout");
    else
        snprintf(out, room, of->layout == FMIX_CHANNELS_LAST ? " or %sxC" : " or Cx%s", spatial);
}

static bool refuse_shape(const batch_geometry *of, const array *from, problem *p) {
    char own[128], spatial[80], more[100];
    array_print_sides(from->shape + 1, from->rank ? from->rank - 1 : 0, own, sizeof own);
    array_print_sides(of->sides, of->rank, spatial, sizeof spatial);
    print_with_channels(of, spatial, more, sizeof more);
    problem_add(p, 400, from->name,
                "rows of %s have shape %s, but x has the spatial shape %s: rows of a dense target "
                "must have shape %s%s",
                from->name, own[0] ? own : "()", spatial, spatial, more);
    return false;
}

/* Reads the sides of a target, of which only the rank tells whether it has channels. */
static bool find_sides(const batch_geometry *of, const array *from, dense_target *t, problem *p) {
    bool last = of->layout == FMIX_CHANNELS_LAST;
    bool channels = of->has_channels && from->rank == of->rank + 2;
    if (from->rank != of->rank + 1 + channels)
        return refuse_shape(of, from, p);
    t->sides = from->rank - 1;
    memcpy(t->side, from->shape + 1, t->sides * sizeof *t->side);
    if (memcmp(t->side + (channels && !last), of->sides, of->rank * sizeof *t->side) != 0)
        return refuse_shape(of, from, p);
    t->place = !channels ? CHANNELS_NOWHERE : last ? CHANNELS_BEHIND : CHANNELS_BEFORE;
    t->batch.channels = !channels ? 1 : t->side[last ? t->sides - 1 : 0];
    t->batch.layout = channels ? of->layout : FMIX_CHANNELS_FIRST;
    t->elements = 1;
    for (unsigned i = 0; i < of->rank; i++)
        t->elements *= of->sides[i];
    return true;
}

static bool check_methods(const query *q, const dense_target *t, const char *otherwise,
                          problem *p) {
    for (unsigned i = 0; i < q->methods.count; i++) {
        fmix_method method = q->methods.item[i];
        const char *reason = fmix_method_refuses_dense(method, q->soft > 0, q->given[QUERY_LAMBDA],
                                                       q->lambda, dtype_table[t->type].library);
        if (!reason)
            continue;
        problem_add(p, 400, "method", "method is '%s' and %s has dtype %s: %s %s%s",
                    fmix_method_name(method), t->name, dtype_table[t->type].name,
                    fmix_method_name(method), reason, otherwise ? otherwise : "");
        return false;
    }
    return true;
}

dense_target *dense_append(dense *d, const query *q, const batch_geometry *of, const array *from,
                           problem *p) {
    if (d->count == DENSE_TARGETS) {
        problem_add(p, 400, from->name, "there are more than %d dense targets", DENSE_TARGETS);
        return NULL;
    }
    dense_target *t = &d->targets[d->count];
    *t = (dense_target){.type = from->type, .fill = dense_fill, .fill_self = t};
    snprintf(t->name, sizeof t->name, "%s", from->name);
    if (!find_sides(of, from, t, p) || !check_methods(q, t, d->otherwise, p))
        return NULL;
    t->batch.dense = true;
    t->batch.dtype = t->batch.out_dtype = dtype_table[t->type].library;
    d->count++;
    return t;
}

/* The targets of the rows of x2. */
static bool find_partners(const upload *all, const array *from, const char *suffix, fmix_batch *out,
                          problem *p) {
    const array *partners = upload_partners(all, from, "dense2", suffix, p);
    if (partners)
        out->x2 = partners->bytes;
    return partners != NULL;
}

/* Every array of targets of partners has one of targets of rows. */
static bool check_partners(const upload *all, bool partners, problem *p) {
    for (unsigned i = 0; i < all->count; i++) {
        const char *suffix = array_suffix(all->arrays[i].name, "dense2");
        char name[ARRAY_NAME + 8];
        snprintf(name, sizeof name, "dense%s", suffix ? suffix : "");
        if (suffix && !partners)
            problem_add(p, 400, all->arrays[i].name,
                        "%s holds dense targets of partners, but x2 is missing",
                        all->arrays[i].name);
        else if (suffix && !upload_find(all, name))
            problem_add(p, 400, name, "the body holds %s, but no %s", all->arrays[i].name, name);
    }
    return p->status == 0;
}

bool dense_of_upload(const query *q, const upload *all, const array *x, const batch_geometry *of,
                     bool partners, dense *out, problem *p) {
    out->count = 0;
    if (!check_partners(all, partners, p))
        return false;
    for (unsigned i = 0; i < all->count; i++) {
        const array *from = &all->arrays[i];
        const char *suffix = array_suffix(from->name, "dense");
        if (!suffix)
            continue;
        if (from->rank < 1 || from->shape[0] != x->shape[0]) {
            problem_add(p, 400, from->name, "%s has %" PRIu64 " rows, and x has %" PRIu64,
                        from->name, from->rank ? from->shape[0] : 0, x->shape[0]);
            return false;
        }
        dense_target *t = dense_append(out, q, of, from, p);
        if (!t || (partners && !find_partners(all, from, suffix, &t->batch, p)))
            return false;
        t->batch.x = from->bytes;
    }
    return true;
}

fmix_status dense_fill(const void *self, fmix_scratch *scratch, uint64_t first, uint64_t n,
                       void *out) {
    const dense_target *t = self;
    return fmix_mixer_mix(t->rows.mixer, scratch, &t->rows.rows, &t->batch, t->rows.first + first,
                          n, out);
}

bool dense_add(dense *d, tensor_source *s, const mixer_rows *r, const int64_t *pairing,
               double mask_cost) {
    for (unsigned i = 0; i < d->count; i++) {
        dense_target *t = &d->targets[i];
        double bytes =
            (double)(t->elements * t->batch.channels) * (double)dtype_table[t->type].size;
        t->rows = *r;
        t->batch.pairing = pairing;
        if (!tensor_source_add(s, t->name, t->type, t->sides, t->side,
                               mask_cost + 0.2 * bytes + t->row_cost, t->fill, t->fill_self))
            return false;
    }
    return true;
}
