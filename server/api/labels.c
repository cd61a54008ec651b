#include "labels.h"
#include "formats/label_array.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADS QUERY_LIST

typedef struct head {
    char name[ARRAY_NAME + 8];
    fmix_labels labels;
    label of[2];    /* y, and y2 where there are partners */
    buffer made[2]; /* what stands for them where the library does not read their type */
    rows rows;
} head;

struct labels {
    unsigned count;
    head heads[HEADS];
};

/* "y" or "y.NAME" with the given letter, and NAME with its dot, or an empty text. */
static const char *suffix_of(const char *name, const char *stem) {
    size_t length = strlen(stem);
    if (strncmp(name, stem, length) != 0)
        return NULL;
    const char *rest = name + length;
    return rest[0] == 0 || (rest[0] == '.' && rest[1]) ? rest : NULL;
}

bool labels_are(const char *name) {
    return suffix_of(name, "y") || suffix_of(name, "y2");
}

/* How many classes the numbers of a head have: `classes` has one for all, or one for each in turn.
 */
static bool find_classes(const query *q, const array *y, unsigned turn, uint64_t *out, problem *p) {
    const query_list *list = &q->classes;
    unsigned at = list->count == 1 ? 0 : turn;
    if (!q->given[QUERY_CLASSES] || at >= list->count || list->item[at] == 0 ||
        list->item[at] > FMIX_MAX_CLASSES) {
        problem_add(p, 400, "classes",
                    "%s holds class numbers, so classes is required: how many there are, from 1 to "
                    "%u, once or once for each such array",
                    y->name, FMIX_MAX_CLASSES);
        return false;
    }
    *out = list->item[at];
    return true;
}

/* What `classes` says of the head whose turn it is; 0: nothing. */
static uint64_t classes_told(const query *q, unsigned turn) {
    unsigned at = q->classes.count == 1 ? 0 : turn;
    return q->given[QUERY_CLASSES] && at < q->classes.count ? q->classes.item[at] : 0;
}

/* The partners' labels of a head, which must be of its kind. */
static bool find_partners(const upload *all, const array *y, const char *suffix, head *h,
                          problem *p) {
    char name[ARRAY_NAME + 2];
    snprintf(name, sizeof name, "y2%s", suffix);
    const array *y2 = upload_find(all, name);
    if (!y2 || y2->type != y->type || y2->rank != y->rank ||
        memcmp(y2->shape, y->shape, y->rank * sizeof *y->shape) != 0) {
        problem_add(p, 400, name, "with x2 there must be %s, of the shape and dtype of %s", name,
                    y->name);
        return false;
    }
    h->of[1] = h->of[0];
    h->of[1].from = y2;
    h->labels.y2 = y2->bytes;
    return true;
}

/* In a type that the library reads, paid for as what is inflated. */
static bool convert(const label *l, upload *all, buffer *made, const void **out, problem *p) {
    uint64_t count = l->numbers ? l->rows : l->rows * l->classes;
    if (!budget_could_hold(all->inflated.payer, all->held + all->inflated.room + 4 * count, 0)) {
        problem_add(p, 413, l->from->name,
                    "%s takes %" PRIu64
                    " bytes more as 32-bit numbers, which this server never has beside the upload",
                    l->from->name, 4 * count);
        return false;
    }
    *made = buffer_paid((size_t)count * 4, all->inflated.payer);
    if (!buffer_reserve(made, (size_t)count * 4)) {
        all->inflated.starved |= made->starved;
        problem_add(p, 500, NULL, "out of memory");
        return false;
    }
    if (l->numbers)
        label_numbers(l, (int32_t *)(void *)made->bytes);
    else
        label_weights(l, (float *)(void *)made->bytes);
    *out = made->bytes;
    return true;
}

/* Whether the library takes an array as it is. */
static bool is_read(const label *l) {
    dtype type = l->from->type;
    return l->numbers ? type < DTYPE_COUNT && type != DTYPE_BOOL && !dtype_floats(type)
                      : dtype_floats(type);
}

static bool look_at_head(upload *all, bool partners, head *h, problem *p) {
    const void **const sides[] = {&h->labels.y, &h->labels.y2};
    bool read = is_read(&h->of[0]);
    for (unsigned i = 0; i < (partners ? 2 : 1); i++)
        if (!label_check(&h->of[i], p) ||
            (!read && !convert(&h->of[i], all, &h->made[i], sides[i], p)))
            return false;
    if (!read)
        h->labels.dtype = rows_type(h->labels.numbers ? DTYPE_I32 : DTYPE_F32);
    return true;
}

/* Every value of every head, of rows and of partners. */
static void look(upload *all, labels *l, bool partners, problem *p) {
    for (unsigned i = 0; i < l->count; i++)
        if (!look_at_head(all, partners, &l->heads[i], p))
            return;
}

/* [n, 1] of floats or bools is rows of one value, whatever `classes` says of other heads: such
 * uploads were answered so before class numbers could be floats. */
static bool is_column(const array *y) {
    return y->rank == 2 && y->shape[1] == 1 && (y->type == DTYPE_BOOL || dtype_floats(y->type));
}

/* A data set's labels are what its manifest says: rows of one class, too. */
static bool find_kind(const array *y, uint64_t n, uint64_t told, bool uploaded, label *out,
                      problem *p) {
    *out = (label){.from = y, .numbers = y->rank == 1, .rows = n, .classes = y->shape[1]};
    bool good = !uploaded || label_kind(y, n, is_column(y) ? 1 : told, out, p);
    out->native = true;
    return good;
}

static bool read_head(const query *q, const array *y, const char *suffix, unsigned turn, uint64_t n,
                      bool uploaded, head *h, problem *p) {
    label *l = &h->of[0];
    if (!find_kind(y, n, classes_told(q, turn), uploaded, l, p) ||
        (l->numbers && !find_classes(q, y, turn, &l->classes, p)))
        return false;
    snprintf(h->name, sizeof h->name, "labels%s", suffix);
    h->labels = (fmix_labels){.y = y->bytes,
                              .dtype = y->type < DTYPE_COUNT ? rows_type(y->type) : FMIX_DTYPE_I32,
                              .numbers = l->numbers,
                              .uncorrected = q->correct == 0,
                              .classes = l->classes,
                              .smoothing = q->smoothing};
    return true;
}

/* Heads of class numbers take those of `classes` in turn. */
static void read_heads(const query *q, const upload *all, uint64_t n, bool partners, bool uploaded,
                       labels *l, problem *p) {
    unsigned numbered = 0;
    for (unsigned i = 0; i < all->count && !p->status; i++) {
        const array *y = &all->arrays[i];
        const char *suffix = suffix_of(y->name, "y");
        if (!partners && suffix_of(y->name, "y2"))
            problem_add(p, 400, y->name, "%s are partners' labels, but there is no x2", y->name);
        if (!suffix || p->status)
            continue;
        if (l->count == HEADS) {
            problem_add(p, 400, y->name, "at most %d arrays of labels are taken", HEADS);
            return;
        }
        head *h = &l->heads[l->count];
        if (!read_head(q, y, suffix, numbered, n, uploaded, h, p) ||
            (partners && !find_partners(all, y, suffix, h, p)))
            return;
        numbered += h->labels.numbers;
        l->count++;
    }
    if (q->given[QUERY_CLASSES] && q->classes.count > 1 && q->classes.count != numbered)
        problem_add(p, 400, "classes", "there are %u numbers of classes for %u arrays of them",
                    q->classes.count, numbered);
}

static bool take(const query *q, const upload *all, upload *body, uint64_t n, bool partners,
                 labels **out, problem *p) {
    labels *l = calloc(1, sizeof *l);
    *out = NULL;
    if (!l) {
        problem_add(p, 500, NULL, "out of memory");
        return false;
    }
    read_heads(q, all, n, partners, body != NULL, l, p);
    if (body && !p->status)
        look(body, l, partners, p);
    if (p->status || l->count == 0)
        labels_free(l);
    else
        *out = l;
    return p->status == 0;
}

bool labels_read(const query *q, upload *all, uint64_t n, bool partners, labels **out, problem *p) {
    return take(q, all, all, n, partners, out, p);
}

bool labels_take(const query *q, const upload *all, uint64_t n, labels **out, problem *p) {
    return take(q, all, NULL, n, false, out, p);
}

void labels_free(labels *l) {
    for (unsigned i = 0; l && i < l->count; i++) {
        buffer_free(&l->heads[i].made[0]);
        buffer_free(&l->heads[i].made[1]);
    }
    free(l);
}

uint64_t labels_held(const labels *l) {
    uint64_t held = 0;
    for (unsigned i = 0; l && i < l->count; i++)
        held += l->heads[i].made[0].room + l->heads[i].made[1].room;
    return held;
}

static fmix_status fill(const void *self, fmix_scratch *scratch, uint64_t first, uint64_t n,
                        void *out) {
    const head *h = self;
    (void)scratch;
    return fmix_plan_labels(h->rows.plan, &h->labels, h->rows.index, h->rows.first + first, n, out);
}

bool labels_add(labels *l, tensor_source *s, const rows *r, const int64_t *pairing) {
    for (unsigned i = 0; l && i < l->count; i++) {
        head *h = &l->heads[i];
        h->rows = *r;
        h->labels.pairing = pairing;
        double cost = ROWS_COST + 4 * (double)h->labels.classes;
        if (!tensor_source_add(s, h->name, DTYPE_F32, 1, &h->labels.classes, cost, fill, h))
            return false;
    }
    return true;
}
