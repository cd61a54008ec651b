#include "import.h"
#include "base/message.h"
#include "datasets/manifest.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

bool import_fail(const import *in, const char *text, ...) {
    va_list arguments;
    fputs("fmixd: import: ", in->errors);
    va_start(arguments, text);
    message_vprint(in->errors, text, arguments);
    va_end(arguments);
    fputc('\n', in->errors);
    return false;
}

void import_tell(const import *in, const char *text, ...) {
    va_list arguments;
    fputs("fmixd: import: ", in->errors);
    va_start(arguments, text);
    message_vprint(in->errors, text, arguments);
    va_end(arguments);
    fputc('\n', in->errors);
}

bool import_map(const import *in, const char *path, mapped_file *out) {
    return mapped_file_open_path(path, out) ||
           import_fail(in, "'%s' cannot be read: %s", path, mapped_file_error(errno));
}

bool import_unchanged(const import *in, const char *path, const mapped_file *file) {
    return (mapped_file_is_current(file, path) &&
            mapped_file_state_of(file) == MAPPED_FILE_WHOLE) ||
           import_fail(in, "'%s' was truncated or changed while it was read", path);
}

bool import_may_go_on(const import *in) {
    return in->report->bad == 0 || (in->given & IMPORT_SKIP_BAD) ||
           import_fail(in, "some files cannot be read; --skip-bad imports the others");
}

/* The layout of rows of so many dimensions: as given, or none where no other can be meant. */
static bool find_layout(const import *in, unsigned rank, unsigned *out) {
    bool given = in->given & IMPORT_LAYOUT;
    if (rank == 0 || rank > QUERY_RANK - 1)
        return import_fail(in, "a row has %u dimensions; it must have 1 to %d", rank,
                           QUERY_RANK - 1);
    if (!given && rank >= 3)
        return import_fail(in,
                           "a row has %u dimensions, so --layout is required: channels_first, "
                           "channels_last or none",
                           rank);
    *out = given ? (unsigned)in->layout : LAYOUT_NONE;
    unsigned spatial = rank - (*out != LAYOUT_NONE);
    if (spatial < 1 || spatial > 3)
        return import_fail(
            in, "with this layout a row has %u spatial dimensions; it must have 1 to 3", spatial);
    return true;
}

/* Returns true if --classes applies to any head. */
static bool classes_fit(const import *in, const label *heads, unsigned count) {
    bool applies = !(in->given & IMPORT_CLASSES);
    for (unsigned i = 0; i < count; i++)
        applies = applies || heads[i].numbers || heads[i].classes == in->classes;
    if (!applies && count == 0)
        return import_fail(in, "--classes applies to labels, but there are no labels");
    return applies || import_fail(in,
                                  "--classes is %" PRIu64 ", but the labels %s are rows of %" PRIu64
                                  " weights",
                                  in->classes, heads[0].from->name, heads[0].classes);
}

/* Checks all labels, before any row is copied. */
static bool read_heads(const import *in, const array *const *y, unsigned count, uint64_t rows,
                       label *heads, const char **names) {
    problem p = {0};
    for (unsigned i = 0; i < count; i++) {
        names[i] = y[i]->name;
        if (!manifest_head_is_valid(names[i]))
            return import_fail(
                in, "labels must be named y or y.NAME (letters, digits, _ and -), not %s",
                names[i]);
        if (!label_kind(y[i], rows, in->classes, &heads[i], &p) || !label_check(&heads[i], &p))
            return import_fail(in, "%s", p.errors[0].detail);
    }
    return classes_fit(in, heads, count);
}

bool import_arrays(const import *in, const array *x, const array *const *y, unsigned heads,
                   const mapped_file *files) {
    label all[DATASET_HEADS];
    const char *names[DATASET_HEADS];
    dataset_writer_facts facts = {.type = x->type, .rank = x->rank - 1, .expected = x->shape[0]};
    if (x->rank < 2)
        return import_fail(
            in, "x must have at least 2 dimensions, the first for the rows, but has %u", x->rank);
    if (!find_layout(in, facts.rank, &facts.layout) ||
        !read_heads(in, y, heads, x->shape[0], all, names))
        return false;
    for (unsigned d = 0; d < facts.rank; d++)
        facts.side[d] = x->shape[d + 1];
    dataset_writer *w = dataset_writer_new(in->path, &facts, in->errors);
    bool good = w && dataset_writer_rows(w, x->bytes, x->shape[0]);
    for (unsigned i = 0; files && i < in->count && good; i++)
        good = import_unchanged(in, in->files[i], &files[i]);
    if (!good) {
        dataset_writer_abandon(w);
        return false;
    }
    in->report->imported = in->count;
    return import_finish(in, w, &facts, &(import_labels){all, names, heads, NULL});
}

/* ---- the set that was written ---- */

#define LISTED 32 /* classes that are listed one by one */

/* The name of a class in quotes, or the number where classes have no names. */
static void class_text(const import_labels *all, uint64_t class, char *out, size_t room) {
    if (all->class_names)
        snprintf(out, room, "'%.100s'", all->class_names[class]);
    else
        snprintf(out, room, "%" PRIu64, class);
}

static void tell_counts(const import *in, const import_labels *all, const label *l,
                        const char *name, const uint64_t *counts) {
    char text[4000], one[128], most[128];
    uint64_t low = 0, high = 0, empty = 0;
    size_t used = 0;
    text[0] = 0;
    for (uint64_t c = 0; c < l->classes; c++) {
        low = counts[c] < counts[low] ? c : low;
        high = counts[c] > counts[high] ? c : high;
        empty += counts[c] == 0;
        class_text(all, c, one, sizeof one);
        if (l->classes <= LISTED && used + sizeof one + 24 < sizeof text)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s %s: %" PRIu64,
                                     c ? "," : "", one, counts[c]);
    }
    if (l->classes <= LISTED) {
        import_tell(in, "%s: %" PRIu64 " %s; rows per class:%s", name, l->classes,
                    l->classes == 1 ? "class" : "classes", text);
        return;
    }
    class_text(all, low, one, sizeof one);
    class_text(all, high, most, sizeof most);
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

static void tell_head(const import *in, const import_labels *all, unsigned i) {
    const label *l = &all->heads[i];
    if (!l->numbers) {
        tell_weights(in, l, all->names[i]);
        return;
    }
    uint64_t *counts = calloc((size_t)l->classes, sizeof *counts);
    for (uint64_t row = 0; counts && row < l->rows; row++)
        counts[label_number(l, row)]++;
    if (counts)
        tell_counts(in, all, l, all->names[i], counts);
    free(counts);
}

static void tell_shape(const import *in, const dataset_writer_facts *facts) {
    char text[128];
    size_t used = 0;
    for (unsigned d = 0; d < facts->rank; d++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%" PRIu64, d ? "x" : "",
                                 facts->side[d]);
    import_tell(in, "rows have shape %s, type %s and layout %s", text,
                manifest_type_name(facts->type), manifest_layout_name(facts->layout));
}

bool import_finish(const import *in, dataset_writer *w, const dataset_writer_facts *facts,
                   const import_labels *labels) {
    bool good = true;
    for (unsigned i = 0; i < labels->count && good; i++) {
        good = dataset_writer_head(w, labels->names[i], &labels->heads[i]);
        for (uint64_t c = 0; labels->class_names && c < labels->heads[i].classes && good; c++)
            good = dataset_writer_class(w, labels->class_names[c]);
    }
    if (!good) {
        dataset_writer_abandon(w);
        return false;
    }
    if (!dataset_writer_finish(w))
        return false;
    tell_shape(in, facts);
    if (labels->count == 0)
        import_tell(in, "there are no labels");
    for (unsigned i = 0; i < labels->count; i++)
        tell_head(in, labels, i);
    return true;
}
