#include "summary.h"
#include "datasets/manifest.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* ---- labels ---- */

#define LISTED 32 /* classes that are listed one by one */

/* The name of a class in quotes, or the number where classes have no names. */
static void class_text(const char *const *names, uint64_t class, char *out, size_t room) {
    if (names)
        snprintf(out, room, "'%.100s'", names[class]);
    else
        snprintf(out, room, "%" PRIu64, class);
}

static void tell_counts(const import *in, const char *const *names, const label *l,
                        const char *name, const uint64_t *counts) {
    char text[4000], one[128], most[128];
    uint64_t low = 0, high = 0, empty = 0;
    size_t used = 0;
    text[0] = 0;
    for (uint64_t c = 0; c < l->classes; c++) {
        low = counts[c] < counts[low] ? c : low;
        high = counts[c] > counts[high] ? c : high;
        empty += counts[c] == 0;
        class_text(names, c, one, sizeof one);
        if (l->classes <= LISTED && used + sizeof one + 24 < sizeof text)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s %s: %" PRIu64,
                                     c ? "," : "", one, counts[c]);
    }
    if (l->classes <= LISTED) {
        import_tell(in, "%s: %" PRIu64 " %s; rows per class:%s", name, l->classes,
                    l->classes == 1 ? "class" : "classes", text);
        return;
    }
    class_text(names, low, one, sizeof one);
    class_text(names, high, most, sizeof most);
    import_tell(in,
                "%s: %" PRIu64 " classes; rows per class: from %" PRIu64 " (class %s) to %" PRIu64
                " (class %s); classes without rows: %" PRIu64,
                name, l->classes, counts[low], one, counts[high], most, empty);
}

static void tell_weights(const import *in, const label *l, const char *name) {
    uint64_t not_numbers = 0;
    for (uint64_t i = 0; i < l->rows * l->classes; i++)
        not_numbers += isnan(label_weight(l, i)) != 0;
    import_tell(in, "%s: rows of %" PRIu64 " weights, from %s", name, l->classes,
                dtype_table[l->from->type].name);
    if (not_numbers)
        import_tell(in, "%s: warning: number of NaN weights: %" PRIu64, name, not_numbers);
}

/* The range of the values that are numbers. */
static void tell_values(const import *in, const label *l, const char *name) {
    uint64_t numbers = 0, infinite = 0;
    float least = INFINITY, most = -INFINITY;
    for (uint64_t i = 0; i < l->rows; i++) {
        float value = label_weight(l, i);
        infinite += isinf(value) != 0;
        if (!isfinite(value))
            continue;
        numbers++;
        least = value < least ? value : least;
        most = value > most ? value : most;
    }
    const char *type = dtype_table[l->from->type].name;
    if (numbers)
        import_tell(in, "%s: values from %g to %g, from %s%s", name, (double)least, (double)most,
                    type, l->from->type == DTYPE_F64 ? ", rounded to f32" : "");
    else
        import_tell(in, "%s: values, from %s", name, type);
    if (numbers < l->rows)
        import_tell(in,
                    "%s: warning: %" PRIu64 " values are NaN and %" PRIu64 " are infinite; every "
                    "row mixed with one of them is, too",
                    name, l->rows - numbers - infinite, infinite);
}

static void tell_head(const import *in, const import_labels *all, unsigned i) {
    const label *l = &all->heads[i];
    if (!l->numbers) {
        (l->values ? tell_values : tell_weights)(in, l, all->names[i]);
        return;
    }
    uint64_t *counts = calloc((size_t)l->classes, sizeof *counts);
    /* Labels that are views of a file may be overwritten at any time, also behind the last look at
     * whether they were: what is told is of no weight then, but nothing else may be touched. */
    for (uint64_t row = 0; counts && row < l->rows; row++) {
        uint32_t number = label_number(l, row);
        if (number < l->classes)
            counts[number]++;
    }
    if (counts)
        tell_counts(in, all->class_names ? all->class_names[i] : NULL, l, all->names[i], counts);
    free(counts);
    if (dtype_floats(l->from->type) && l->from->rank == 1 && !(in->given & IMPORT_CLASSES))
        import_tell(in,
                    "%s: the floats were read as class numbers; for values to predict, give "
                    "--values",
                    all->names[i]);
}

void summary_labels(const import *in, const import_labels *labels) {
    if (labels->count == 0)
        import_tell(in, "there are no labels");
    for (unsigned i = 0; i < labels->count; i++)
        tell_head(in, labels, i);
}

/* ---- rows ---- */

void summary_shape(const import *in, const dataset_writer_facts *facts) {
    char text[128];
    size_t used = 0;
    if (facts->images)
        used = (size_t)snprintf(text, sizeof text, "HxW");
    for (unsigned d = facts->images ? 2 : 0; d < facts->rank; d++)
        used += facts->ragged && d == 0
                    ? (size_t)snprintf(text, sizeof text, "L")
                    : (size_t)snprintf(text + used, sizeof text - used, "%s%" PRIu64, d ? "x" : "",
                                       facts->side[d]);
    import_tell(in, "rows have shape %s, type %s and layout %s", text,
                manifest_type_name(facts->type), manifest_layout_name(facts->layout));
}

static int by_value(const void *left, const void *right) {
    const int64_t *a = left, *b = right;
    return *a < *b ? -1 : *a > *b;
}

void summary_lengths(const import *in, const array *offsets) {
    size_t n = (size_t)offsets->shape[0] - 1, size = dtype_table[offsets->type].size;
    int64_t *lengths = malloc(n * sizeof *lengths), before = 0;
    if (!lengths)
        return; /* the set is whole; only its summary lacks a line */
    for (size_t i = 0; i < n; i++) {
        int64_t end = dtype_integer(offsets->type, offsets->bytes + (i + 1) * size);
        lengths[i] = end - before;
        before = end;
    }
    qsort(lengths, n, sizeof *lengths, by_value);
    double median = ((double)lengths[(n - 1) / 2] + (double)lengths[n / 2]) / 2;
    import_tell(
        in, "L, the length of a row: from %" PRId64 " to %" PRId64 ", median %g, total %" PRId64,
        lengths[0], lengths[n - 1], median, before);
    free(lengths);
}
