#include "import.h"
#include "base/message.h"
#include "extras.h"
#include "formats/npy.h"
#include "heads.h"
#include "summary.h"

#include <errno.h>
#include <stdarg.h>

static void print_line(const import *in, const char *text, va_list arguments) {
    fputs("fmixd: import: ", in->errors);
    message_vprint(in->errors, text, arguments);
    fputc('\n', in->errors);
}

bool import_fail(const import *in, const char *text, ...) {
    va_list arguments;
    va_start(arguments, text);
    print_line(in, text, arguments);
    va_end(arguments);
    return false;
}

void import_tell(const import *in, const char *text, ...) {
    va_list arguments;
    va_start(arguments, text);
    print_line(in, text, arguments);
    va_end(arguments);
}

bool import_map(const import *in, const char *path, mapped_file *out) {
    return mapped_file_open_path(path, out) ||
           import_fail(in, "'%s' cannot be read: %s", path, mapped_file_error(errno));
}

bool import_map_npy(const import *in, const char *path, const char *name, mapped_file *file,
                    array *out) {
    problem p = {0};
    *out = (array){.name = ""};
    snprintf(out->name, sizeof out->name, "%s", name);
    return import_map(in, path, file) && (npy_read_array(file->bytes, file->length, out, &p) ||
                                          import_fail(in, "'%s': %s", path, p.errors[0].detail));
}

bool import_fail_changed(const import *in, const char *path) {
    return import_fail(in, "'%s' was truncated or changed while it was read", path);
}

bool import_unchanged(const import *in, const char *path, const mapped_file *file) {
    return (mapped_file_is_current(file, path) &&
            mapped_file_state_of(file) == MAPPED_FILE_WHOLE) ||
           import_fail_changed(in, path);
}

/* files: of in->files; NULL: the import has copies of them. */
static bool are_unchanged(const import *in, const mapped_file *files) {
    bool good = true;
    for (unsigned i = 0; files && i < in->count && good; i++)
        good = import_unchanged(in, in->files[i], &files[i]);
    return good;
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

/* Rows that have one layout only need no option. A ragged row is its steps in order, so their
 * channels, if it has any, are last. */
static bool find_facts(const import *in, const import_sources *from, dataset_writer_facts *facts) {
    const array *x = from->x;
    bool ragged = from->offsets != NULL;
    *facts = (dataset_writer_facts){
        .type = x->type,
        .rank = ragged ? x->rank : x->rank - 1,
        .ragged = ragged,
        .expected = ragged ? from->offsets->shape[0] - 1 : x->shape[0],
    };
    if (x->rank < 2 && !ragged)
        return import_fail(
            in, "x must have at least 2 dimensions, the first for the rows, but has %u", x->rank);
    for (unsigned d = 0; d < facts->rank && d < QUERY_RANK - 1; d++)
        facts->side[d] = x->shape[d + !ragged];
    if (ragged && facts->rank == 2 && !(in->given & IMPORT_LAYOUT)) {
        facts->layout = LAYOUT_CHANNELS_LAST;
        return true;
    }
    if (!find_layout(in, facts->rank, &facts->layout))
        return false;
    return !ragged || facts->layout != LAYOUT_CHANNELS_FIRST ||
           import_fail(in, "--layout is channels_first, but the first dimension of ragged rows is "
                           "their length; the layout must be channels_last or none");
}

dataset_writer *import_begin(const import *in, const dataset_writer_facts *facts) {
    return extras_read(in, facts) ? dataset_writer_new(in->path, facts, in->errors) : NULL;
}

bool import_arrays(const import *in, const import_sources *from) {
    label all[DATASET_HEADS];
    const char *names[DATASET_HEADS];
    dataset_writer_facts facts;
    if (!find_facts(in, from, &facts) ||
        !heads_read(in, from->y, from->heads, facts.expected, all, names))
        return false;
    dataset_writer *w = import_begin(in, &facts);
    bool good = w && (from->offsets ? dataset_writer_ragged(w, from->x->bytes, from->x->shape[0],
                                                            from->offsets)
                                    : dataset_writer_rows(w, from->x->bytes, facts.expected));
    if (!good) {
        are_unchanged(in, from->files); /* names the file if that is why */
        dataset_writer_abandon(w);
        return false;
    }
    in->report->imported = in->count;
    good =
        import_finish(in, w, &facts, &(import_labels){all, names, from->heads, NULL}, from->files);
    if (good && from->offsets)
        summary_lengths(in, from->offsets);
    return good;
}

bool import_finish(const import *in, dataset_writer *w, const dataset_writer_facts *facts,
                   const import_labels *labels, const mapped_file *files) {
    bool good = true;
    for (unsigned i = 0; i < labels->count && good; i++) {
        good = dataset_writer_head(w, labels->names[i], &labels->heads[i]);
        const char *const *names = labels->class_names ? labels->class_names[i] : NULL;
        for (uint64_t c = 0; names && c < labels->heads[i].classes && good; c++)
            good = dataset_writer_class(w, names[c]);
    }
    /* The heads were read from the files once more, so the files are looked at behind them. */
    if (!good || !extras_write(in, w) || !are_unchanged(in, files)) {
        dataset_writer_abandon(w);
        return false;
    }
    if (!dataset_writer_finish(w))
        return false;
    summary_shape(in, facts);
    summary_labels(in, labels);
    extras_tell(in);
    return true;
}
