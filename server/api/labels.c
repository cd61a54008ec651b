#include "labels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADS QUERY_LIST

typedef struct head {
    char name[ARRAY_NAME + 8];
    fmix_labels labels;
    rows rows;
    source from; /* its self is this head */
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

static bool numbers_fit(const array *y, uint64_t classes, problem *p) {
    for (uint64_t i = 0; i < y->shape[0]; i++) {
        int64_t number = rows_integer(y, i);
        if (number < 0 || (uint64_t)number >= classes) {
            problem_add(p, 400, y->name, "row %llu of %s is %lld; class numbers go from 0 to %llu",
                        (unsigned long long)i, y->name, (long long)number,
                        (unsigned long long)classes - 1);
            return false;
        }
    }
    return true;
}

static bool shape_fits(const array *y, uint64_t n, problem *p) {
    bool floats = fmix_dtype_floats(rows_type(y->type));
    if (y->rank == 2 && y->shape[1] > FMIX_MAX_CLASSES) {
        problem_add(p, 413, y->name, "%s has more than the %u classes allowed", y->name,
                    FMIX_MAX_CLASSES);
        return false;
    }
    if (y->shape[0] == n &&
        ((y->rank == 1 && !floats && y->type != DTYPE_BOOL) || (y->rank == 2 && floats)))
        return true;
    problem_add(p, 400, y->name,
                "%s must hold %llu class numbers of an integer type, or as many rows of floats",
                y->name, (unsigned long long)n);
    return false;
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
    h->labels.y2 = y2->bytes;
    return true;
}

/* Every number of every head, of rows and of partners. */
static bool numbers_are_good(const upload *all, const labels *l, bool partners, problem *p) {
    for (unsigned i = 0; i < l->count; i++) {
        const fmix_labels *of = &l->heads[i].labels;
        for (unsigned n = 0; n < all->count && of->numbers; n++) {
            const array *a = &all->arrays[n];
            bool meant = a->bytes == of->y || (partners && a->bytes == of->y2);
            if (meant && !numbers_fit(a, of->classes, p))
                return false;
        }
    }
    return true;
}

static bool read_head(const query *q, const array *y, const char *suffix, unsigned turn, uint64_t n,
                      head *h, problem *p) {
    if (!shape_fits(y, n, p))
        return false;
    snprintf(h->name, sizeof h->name, "labels%s", suffix);
    h->labels = (fmix_labels){.y = y->bytes,
                              .dtype = rows_type(y->type),
                              .numbers = y->rank == 1,
                              .uncorrected = q->correct == 0,
                              .classes = y->shape[1],
                              .smoothing = q->smoothing};
    return !h->labels.numbers || find_classes(q, y, turn, &h->labels.classes, p);
}

static void read_heads(const query *q, const upload *all, uint64_t n, bool partners, labels *l,
                       problem *p) {
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
        if (!read_head(q, y, suffix, numbered, n, h, p) ||
            (partners && !find_partners(all, y, suffix, h, p)))
            return;
        numbered += h->labels.numbers;
        l->count++;
    }
    if (q->given[QUERY_CLASSES] && q->classes.count > 1 && q->classes.count != numbered)
        problem_add(p, 400, "classes", "there are %u numbers of classes for %u arrays of them",
                    q->classes.count, numbered);
}

static bool take(const query *q, const upload *all, uint64_t n, bool partners, bool looks,
                 labels **out, problem *p) {
    labels *l = calloc(1, sizeof *l);
    *out = NULL;
    if (!l) {
        problem_add(p, 500, NULL, "out of memory");
        return false;
    }
    read_heads(q, all, n, partners, l, p);
    if (looks && !p->status)
        numbers_are_good(all, l, partners, p);
    if (p->status || l->count == 0)
        labels_free(l);
    else
        *out = l;
    return p->status == 0;
}

bool labels_read(const query *q, const upload *all, uint64_t n, bool partners, labels **out,
                 problem *p) {
    return take(q, all, n, partners, true, out, p);
}

bool labels_take(const query *q, const upload *all, uint64_t n, labels **out, problem *p) {
    return take(q, all, n, false, false, out, p);
}

void labels_free(labels *l) {
    free(l);
}

static fmix_status fill(const source *from, fmix_scratch *scratch, uint64_t first, uint64_t n,
                        void *out) {
    const head *h = from->self;
    (void)scratch;
    return fmix_plan_labels(h->rows.plan, &h->labels, h->rows.index, h->rows.first + first, n, out);
}

bool labels_add(labels *l, source *s, const rows *r, const int64_t *pairing) {
    for (unsigned i = 0; l && i < l->count; i++) {
        head *h = &l->heads[i];
        h->rows = *r;
        h->labels.pairing = pairing;
        h->from.self = h;
        double cost = ROWS_COST + 4 * (double)h->labels.classes;
        if (!source_add(s, h->name, DTYPE_F32, 1, &h->labels.classes, cost, fill))
            return false;
        s->tensors[s->count - 1].from = &h->from;
    }
    return true;
}
