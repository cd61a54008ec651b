#include "extras.h"
#include "datasets/manifest.h"

#include <inttypes.h>
#include <string.h>

#define SHAPE 100 /* bytes of the text of a shape, with its end */

/* ---- shapes ---- */

static dataset_array rows_of(const uint64_t *side, unsigned rank, unsigned layout) {
    dataset_array a = {.rank = rank, .layout = layout};
    for (unsigned d = 0; d < rank && d < QUERY_RANK - 1; d++)
        a.side[d] = side[d];
    return a;
}

static bool fits_as(const dataset_array *x, const array *dense, unsigned layout) {
    if (dense->rank < 2)
        return false;
    dataset_array a = rows_of(dense->shape + 1, dense->rank - 1, layout);
    return dataset_array_fits(&a, x);
}

/* "4x5, Cx4x5", as the layout of x allows. */
static void allowed_text(const dataset_array *x, char out[3 * SHAPE]) {
    char sides[SHAPE];
    const uint64_t *side;
    unsigned count = dataset_array_spatial(x, &side);
    array_print_sides(side, count, sides, sizeof sides);
    size_t used = (size_t)snprintf(out, 3 * SHAPE, "%s", sides);
    if (x->layout != LAYOUT_CHANNELS_LAST)
        used += (size_t)snprintf(out + used, 3 * SHAPE - used, ", Cx%s", sides);
    if (x->layout != LAYOUT_CHANNELS_FIRST)
        snprintf(out + used, 3 * SHAPE - used, ", %sxC", sides);
}

static bool refuse_shape(const import *in, const dataset_array *x, const array *dense) {
    char own[SHAPE], of_x[SHAPE], allowed[3 * SHAPE];
    array_print_sides(dense->shape + 1, dense->rank ? dense->rank - 1 : 0, own, sizeof own);
    array_print_sides(x->side, x->rank, of_x, sizeof of_x);
    allowed_text(x, allowed);
    return import_fail(in,
                       "rows of %s have shape %s, and rows of x have shape %s and layout %s; dense "
                       "targets must have the spatial dimensions of x, as %s, where C is any "
                       "number of channels",
                       dense->name, own[0] ? own : "()", of_x, manifest_layout_name(x->layout),
                       allowed);
}

/* Rows of dense targets have no channels, or have them where those of x are. Where x has none, the
 * spatial dimensions say where they are. */
static bool find_layout(const import *in, const dataset_array *x, const array *dense,
                        unsigned *out) {
    bool first = x->layout != LAYOUT_CHANNELS_LAST && fits_as(x, dense, LAYOUT_CHANNELS_FIRST);
    bool last = x->layout != LAYOUT_CHANNELS_FIRST && fits_as(x, dense, LAYOUT_CHANNELS_LAST);
    char own[SHAPE];
    *out = first ? LAYOUT_CHANNELS_FIRST : last ? LAYOUT_CHANNELS_LAST : LAYOUT_NONE;
    if (first && last) {
        array_print_sides(dense->shape + 1, dense->rank - 1, own, sizeof own);
        return import_fail(in,
                           "rows of %s have shape %s, which is ambiguous: their channels may be "
                           "first or last. Save x with one channel, where those of %s are, and say "
                           "by --layout where that is",
                           dense->name, own, dense->name);
    }
    return first || last || fits_as(x, dense, LAYOUT_NONE) || refuse_shape(in, x, dense);
}

/* ---- dense targets ---- */

/* The npy files of --dense; label maps come with their pictures. */
static unsigned files_of_dense(const import *in) {
    unsigned files = 0;
    for (unsigned i = 0; i < in->dense.count; i++)
        files += !in->dense.item[i].maps;
    return files;
}

bool extras_add(const import *in, const array *dense) {
    extras *e = in->extras;
    for (unsigned i = 0; i < e->denses; i++)
        if (strcmp(e->dense[i].from.name, dense->name) == 0)
            return import_fail(in, "%s is given twice, by '%s' and by --dense", dense->name,
                               in->files[0]);
    if (!manifest_dense_is_valid(dense->name))
        return import_fail(
            in,
            "dense targets must be named dense or dense.NAME (letters, digits, _ and -), not %s",
            dense->name);
    if (e->denses + (in->dense.count - files_of_dense(in)) == DATASET_DENSE)
        return import_fail(in, "there are more than %d arrays of dense targets", DATASET_DENSE);
    e->dense[e->denses++] = (extras_dense){.from = *dense};
    return true;
}

/* The file of option number i of --dense. */
static bool read_dense(const import *in, unsigned i) {
    extras *e = in->extras;
    mapped_file file = {0};
    array from;
    bool good = import_map_npy(in, in->dense.item[i].path, in->dense.item[i].name, &file, &from) &&
                extras_add(in, &from);
    if (!good) {
        mapped_file_close(&file);
        return false;
    }
    e->dense[e->denses - 1].path = in->dense.item[i].path;
    e->dense[e->denses - 1].file = file;
    return true;
}

static bool check_dense(const import *in, const dataset_writer_facts *facts, extras_dense *dense) {
    const array *from = &dense->from;
    const dataset_array x = rows_of(facts->side, facts->rank, facts->layout);
    if (from->rank > 0 && from->shape[0] != facts->expected)
        return import_fail(in, "%s has %" PRIu64 " rows, but x has %" PRIu64, from->name,
                           from->shape[0], facts->expected);
    return find_layout(in, &x, from, &dense->layout);
}

/* ---- neighbours ---- */

static bool check_neighbours_shape(const import *in, uint64_t rows) {
    const array *a = &in->extras->neighbours;
    char shape[SHAPE];
    array_print_sides(a->shape, a->rank, shape, sizeof shape);
    if (dtype_floats(a->type) || a->type == DTYPE_BOOL)
        return import_fail(in, "'%s' has type %s; neighbours must be integers: numbers of rows",
                           in->neighbours, dtype_table[a->type].name);
    return (a->rank == 2 && a->shape[0] == rows && a->shape[1] <= DATASET_NEIGHBOURS) ||
           import_fail(in,
                       "'%s' has shape %s; for %" PRIu64 " rows it must have shape %" PRIu64
                       "xK, where K, the neighbours of a row, is 1 to %d",
                       in->neighbours, a->rank ? shape : "()", rows, rows, DATASET_NEIGHBOURS);
}

static bool check_neighbours(const import *in, uint64_t rows) {
    extras *e = in->extras;
    const array *a = &e->neighbours;
    size_t size = dtype_table[a->type].size;
    if (!check_neighbours_shape(in, rows))
        return false;
    for (uint64_t row = 0; row < rows; row++) {
        bool own = false;
        for (uint64_t j = 0; j < a->shape[1]; j++) {
            int64_t number = dtype_integer(a->type, a->bytes + (row * a->shape[1] + j) * size);
            if ((uint64_t)number >= rows) /* also a negative number */
                return import_fail(in,
                                   "'%s': neighbour %" PRIu64 " of row %" PRIu64 " is %" PRId64
                                   "; neighbours are numbers of rows, 0 to %" PRIu64,
                                   in->neighbours, j, row, number, rows - 1);
            own = own || (uint64_t)number == row;
        }
        e->own += own;
    }
    return true;
}

/* ---- all extras ---- */

/* A file that is left out would shift the rows that follow. */
static bool rows_are_in_step(const import *in) {
    bool any = in->extras->denses > 0 || files_of_dense(in) > 0 || in->neighbours;
    return !any || in->report->bad == 0 ||
           import_fail(in,
                       "files cannot be read: without them, rows would not be in step with --dense "
                       "and --neighbours. Repair the files, or remove them here and there");
}

bool extras_read(const import *in, const dataset_writer_facts *facts) {
    extras *e = in->extras;
    if (!rows_are_in_step(in))
        return false;
    for (unsigned i = 0; i < in->dense.count; i++)
        if (!in->dense.item[i].maps && !read_dense(in, i))
            return false;
    for (unsigned i = 0; i < e->denses; i++)
        if (!check_dense(in, facts, &e->dense[i]))
            return false;
    return !in->neighbours ||
           (import_map_npy(in, in->neighbours, "neighbours", &e->neighbours_file, &e->neighbours) &&
            check_neighbours(in, facts->expected));
}

bool extras_write(const import *in, dataset_writer *w) {
    const extras *e = in->extras;
    bool good = rows_are_in_step(in);
    in->report->imported += files_of_dense(in) + (in->neighbours != NULL);
    for (unsigned i = 0; i < e->denses && good; i++) {
        const extras_dense *d = &e->dense[i];
        good = dataset_writer_dense(w, &d->from, d->layout) &&
               (!d->path || import_unchanged(in, d->path, &d->file));
    }
    return good && (!in->neighbours || (dataset_writer_neighbours(w, &e->neighbours) &&
                                        import_unchanged(in, in->neighbours, &e->neighbours_file)));
}

void extras_tell(const import *in) {
    const extras *e = in->extras;
    char shape[SHAPE];
    for (unsigned i = 0; i < e->denses; i++) {
        const array *a = &e->dense[i].from;
        array_print_sides(a->shape + 1, a->rank - 1, shape, sizeof shape);
        import_tell(in, "%s: rows of shape %s, type %s and layout %s", a->name, shape,
                    manifest_type_name(a->type), manifest_layout_name(e->dense[i].layout));
    }
    if (in->neighbours)
        import_tell(in, "neighbours: %" PRIu64 " of each row", e->neighbours.shape[1]);
    if (e->own)
        import_tell(in,
                    "neighbours: warning: rows that are among their own neighbours: %" PRIu64
                    "; such a row may be mixed with itself. kneighbors of scikit-learn lists each "
                    "row itself first: leave that column out",
                    e->own);
}

void extras_free(extras *e) {
    for (unsigned i = 0; i < e->denses; i++)
        mapped_file_close(&e->dense[i].file);
    mapped_file_close(&e->neighbours_file);
}
