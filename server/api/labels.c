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
    label arrays[2];     /* y, and y2 where there are partners */
    buffer converted[2]; /* the values of an array of a type that the library does not read */
    mixer_rows rows;
} head;

struct labels {
    unsigned count;
    head heads[HEADS];
};

bool labels_have_name(const char *name) {
    return array_suffix(name, "y") || array_suffix(name, "y2");
}

/* The number of classes that `classes` gives for a head: one number for all heads, or one for each
 * head of class numbers in turn. 0: not given. */
static uint64_t classes_given(const query *q, unsigned numbered) {
    unsigned at = q->classes.count == 1 ? 0 : numbered;
    return q->given[QUERY_CLASSES] && at < q->classes.count ? q->classes.item[at] : 0;
}

static bool require_classes(uint64_t given, const array *y, uint64_t *out, problem *p) {
    *out = given;
    if (given > 0 && given <= FMIX_MAX_CLASSES)
        return true;
    problem_add(p, 400, "classes",
                "%s holds class numbers, so classes is required: one number from 1 to %u for "
                "all such arrays, or one for each of them. For values to predict, send floats, one "
                "per row",
                y->name, FMIX_MAX_CLASSES);
    return false;
}

/* The labels of the partners. */
static bool find_partners(const upload *all, const array *y, const char *suffix, head *h,
                          problem *p) {
    const array *y2 = upload_partners(all, y, "y2", suffix, p);
    if (!y2)
        return false;
    h->arrays[1] = h->arrays[0];
    h->arrays[1].from = y2;
    h->labels.y2 = y2->bytes;
    return true;
}

/* Converts labels to a type that the library reads. The budget counts the bytes as inflated. */
static bool convert(const label *l, upload *all, buffer *converted, const void **out, problem *p) {
    uint64_t count = l->numbers ? l->rows : l->rows * l->classes;
    if (!budget_could_hold(all->inflated.payer.from, all->held + all->inflated.room + 4 * count,
                           0)) {
        problem_add(p, 413, l->from->name,
                    "%s takes %" PRIu64
                    " bytes more as 32-bit numbers, and the server's memory cannot hold them "
                    "beside the upload",
                    l->from->name, 4 * count);
        return false;
    }
    *converted = buffer_paid((size_t)count * 4, all->inflated.payer);
    if (!buffer_reserve(converted, (size_t)count * 4)) {
        all->inflated.starved |= converted->starved;
        problem_add(p, 500, NULL, "out of memory");
        return false;
    }
    if (l->numbers)
        label_numbers(l, (int32_t *)(void *)converted->bytes);
    else
        label_weights(l, (float *)(void *)converted->bytes);
    *out = converted->bytes;
    return true;
}

/* Returns true if the library takes an array as it is. */
static bool is_read(const label *l) {
    dtype type = l->from->type;
    return l->numbers ? type < DTYPE_COUNT && type != DTYPE_BOOL && !dtype_floats(type)
                      : dtype_floats(type);
}

static bool check_values(label *l, problem *p) {
    if (label_check(l, p))
        return true;
    if (l->numbers && l->from->rank == 1 && dtype_floats(l->from->type))
        problem_add(p, 400, "classes",
                    "%s holds floats, which classes makes class numbers; for values to predict, "
                    "leave classes out, or let a list of classes say 0 for %s",
                    l->from->name, l->from->name);
    return false;
}

static bool check_head(upload *all, bool partners, head *h, problem *p) {
    const void **const sides[] = {&h->labels.y, &h->labels.y2};
    bool read = is_read(&h->arrays[0]);
    for (unsigned i = 0; i < (partners ? 2 : 1); i++)
        if (!check_values(&h->arrays[i], p) ||
            (!read && !convert(&h->arrays[i], all, &h->converted[i], sides[i], p)))
            return false;
    if (!read)
        h->labels.dtype = dtype_table[h->labels.numbers ? DTYPE_I32 : DTYPE_F32].library;
    return true;
}

/* Checks every value of every head, of rows and of partners. */
static void check_heads(upload *all, labels *l, bool partners, problem *p) {
    for (unsigned i = 0; i < l->count; i++)
        if (!check_head(all, partners, &l->heads[i], p))
            return;
}

/* An array [n, 1] of floats or bools holds rows of one value, whatever `classes` gives for other
 * heads: such uploads had this answer before class numbers could be floats. */
static bool is_column(const array *y) {
    return y->rank == 2 && y->shape[1] == 1 && (y->type == DTYPE_BOOL || dtype_floats(y->type));
}

/* The manifest of a data set says whether labels are class numbers, also for rows of one class: its
 * arrays have the types and sides of their kinds. */
static bool find_kind(const array *y, uint64_t n, uint64_t given, bool uploaded, label *out,
                      problem *p) {
    bool row_of_reals = y->rank == 1 && dtype_floats(y->type);
    *out = (label){.from = y, .numbers = y->rank == 1, .rows = n, .classes = y->shape[1]};
    bool good = !uploaded || label_kind(y, n, is_column(y) ? 1 : given, out, p);
    out->native = true;
    out->values = row_of_reals && (given == 0 || !uploaded);
    if (out->values) {
        out->numbers = false;
        out->classes = 1;
    }
    return good;
}

static bool read_head(const query *q, const array *y, const char *suffix, uint64_t given,
                      uint64_t n, bool uploaded, head *h, problem *p) {
    label *l = &h->arrays[0];
    if (!find_kind(y, n, given, uploaded, l, p) ||
        (l->numbers && !require_classes(given, y, &l->classes, p)))
        return false;
    snprintf(h->name, sizeof h->name, "labels%s", suffix);
    h->labels = (fmix_labels){.y = y->bytes,
                              .dtype = y->type < DTYPE_COUNT ? dtype_table[y->type].library
                                                             : FMIX_DTYPE_I32,
                              .numbers = l->numbers,
                              .uncorrected = q->correct == 0,
                              .classes = l->classes,
                              .smoothing = l->values ? 0 : q->smoothing};
    return true;
}

/* Every array of labels of partners has one of labels of rows. */
static bool check_partners(const upload *all, bool partners, problem *p) {
    for (unsigned i = 0; i < all->count; i++) {
        const array *y2 = &all->arrays[i];
        const char *suffix = array_suffix(y2->name, "y2");
        char name[ARRAY_NAME + 8];
        snprintf(name, sizeof name, "y%s", suffix ? suffix : "");
        if (suffix && !partners)
            problem_add(p, 400, y2->name, "%s holds labels of partners, but x2 is missing",
                        y2->name);
        else if (suffix && !upload_find(all, name))
            problem_add(p, 400, name, "the body holds %s, but no %s", y2->name, name);
    }
    return p->status == 0;
}

static void read_heads(const query *q, const upload *all, uint64_t n, bool partners, bool uploaded,
                       labels *l, problem *p) {
    unsigned numbered = 0;
    for (unsigned i = 0; i < all->count && !p->status; i++) {
        const array *y = &all->arrays[i];
        const char *suffix = array_suffix(y->name, "y");
        if (!suffix)
            continue;
        if (l->count == HEADS) {
            problem_add(p, 400, y->name, "the body holds more than %d heads of labels", HEADS);
            return;
        }
        head *h = &l->heads[l->count];
        if (!read_head(q, y, suffix, classes_given(q, numbered), n, uploaded, h, p) ||
            (partners && !find_partners(all, y, suffix, h, p)))
            return;
        numbered += h->labels.numbers || h->arrays[0].values;
        l->count++;
    }
    if (p->status || !check_partners(all, partners, p))
        return;
    if (q->given[QUERY_CLASSES] && q->classes.count > 1 && q->classes.count != numbered)
        problem_add(p, 400, "classes",
                    "classes has %u numbers for %u heads of class numbers or values",
                    q->classes.count, numbered);
}

/* Refuses to smooth labels of which none is smoothed. */
static void check_smoothing(const query *q, const labels *l, bool uploaded, problem *p) {
    unsigned values = 0;
    for (unsigned i = 0; i < l->count; i++)
        values += l->heads[i].arrays[0].values;
    if (q->smoothing > 0 && values > 0 && values == l->count)
        problem_add(
            p, 400, "smoothing",
            "smoothing is %g, but %s holds values to predict, which are not smoothed; leave "
            "smoothing out%s",
            q->smoothing, l->heads[0].arrays[0].from->name,
            uploaded ? ", or give classes for class numbers" : "");
}

/* body: the upload whose values are checked; NULL: labels of a data set */
static bool find(const query *q, const upload *all, upload *body, uint64_t n, bool partners,
                 labels **out, problem *p) {
    labels *l = calloc(1, sizeof *l);
    *out = NULL;
    if (!l) {
        problem_add(p, 500, NULL, "out of memory");
        return false;
    }
    read_heads(q, all, n, partners, body != NULL, l, p);
    check_smoothing(q, l, body != NULL, p);
    if (body && !p->status)
        check_heads(body, l, partners, p);
    if (p->status || l->count == 0)
        labels_free(l);
    else
        *out = l;
    return p->status == 0;
}

bool labels_of_upload(const query *q, upload *all, uint64_t n, bool partners, labels **out,
                      problem *p) {
    return find(q, all, all, n, partners, out, p);
}

bool labels_of_dataset(const query *q, const upload *all, uint64_t n, labels **out, problem *p) {
    return find(q, all, NULL, n, false, out, p);
}

void labels_free(labels *l) {
    for (unsigned i = 0; l && i < l->count; i++) {
        buffer_free(&l->heads[i].converted[0]);
        buffer_free(&l->heads[i].converted[1]);
    }
    free(l);
}

uint64_t labels_held(const labels *l) {
    uint64_t held = 0;
    for (unsigned i = 0; l && i < l->count; i++)
        held += l->heads[i].converted[0].room + l->heads[i].converted[1].room;
    return held;
}

const fmix_labels *labels_numbers(const labels *l) {
    for (unsigned i = 0; l && i < l->count; i++)
        if (l->heads[i].labels.numbers)
            return &l->heads[i].labels;
    return NULL;
}

static fmix_status fill(const void *self, fmix_scratch *scratch, uint64_t first, uint64_t n,
                        void *out) {
    const head *h = self;
    (void)scratch;
    return fmix_mixer_labels(h->rows.mixer, &h->rows.rows, &h->labels, h->rows.first + first, n,
                             out);
}

bool labels_add(labels *l, tensor_source *s, const mixer_rows *r, const int64_t *pairing) {
    for (unsigned i = 0; l && i < l->count; i++) {
        head *h = &l->heads[i];
        h->rows = *r;
        h->labels.pairing = pairing;
        double cost = MIXER_ROWS_COST + 4 * (double)h->labels.classes;
        unsigned sides = h->arrays[0].values ? 0 : 1;
        if (!tensor_source_add(s, h->name, DTYPE_F32, sides, &h->labels.classes, cost, fill, h))
            return false;
    }
    return true;
}
