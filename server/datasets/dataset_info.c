#include "dataset_info.h"
#include "base/message.h"
#include "dataset_part.h"
#include "dataset_picture.h"
#include "manifest.h"
#include "pieces.h"

#include <inttypes.h>

#define NAMED 10 /* classes of a head that are named */

/* "28x28x3", where a side that each row has of its own is L, of a picture H and W. */
static void shape_text(const dataset *d, const dataset_array *a, char *out, size_t room) {
    static const char *const own[] = {"H", "W"};
    size_t used = 0;
    out[0] = 0;
    for (unsigned i = 0; i < a->rank && used < room; i++)
        used += a->side[i] ? (size_t)snprintf(out + used, room - used, "%s%" PRIu64, i ? "x" : "",
                                              a->side[i])
                           : (size_t)snprintf(out + used, room - used, "%s%s", i ? "x" : "",
                                              d->images && i < 2 ? own[i] : "L");
}

static void print_array(const dataset *d, const dataset_array *a, FILE *out) {
    char shape[128];
    shape_text(d, a, shape, sizeof shape);
    message_print(out, "%-11s %s, type %s, layout %s\n", a->name, shape,
                  manifest_type_name(a->type), manifest_layout_name(a->layout));
}

/* " 'red', 'green' and 3 more"; nothing where classes have no names. */
static void print_names(const json_t *names, FILE *out) {
    size_t count = json_array_size(names);
    for (size_t i = 0; i < count && i < NAMED; i++) {
        const char *name = json_string_value(json_array_get(names, i));
        message_print(out, "%s '%s'", i ? "," : ":", name ? name : "");
    }
    if (count > NAMED)
        message_print(out, " and %zu more", count - NAMED);
}

static void print_head(const dataset_head *h, const json_t *names, FILE *out) {
    static const char *const kinds[DATASET_HEAD_KINDS] = {
        [DATASET_ROWS] = "weights of", [DATASET_NUMBERS] = "numbers of", [DATASET_VALUES] = ""};
    if (h->kind == DATASET_VALUES)
        message_print(out, "%-11s values to predict", h->name);
    else
        message_print(out, "%-11s %s %" PRIu64 " %s", h->name, kinds[h->kind], h->classes,
                      h->classes == 1 ? "class" : "classes");
    print_names(names, out);
    fputc('\n', out);
}

/* The description has the names of classes. */
static void print_heads(const dataset *d, FILE *out) {
    json_t *told = json_loadb((const char *)d->description.bytes, d->description.length, 0, NULL);
    const json_t *heads = json_object_get(told, "heads");
    for (unsigned i = 0; i < d->heads; i++)
        print_head(&d->head[i], json_object_get(json_array_get(heads, i), "class_names"), out);
    json_decref(told);
}

static void print_files(const dataset *d, FILE *out) {
    uint64_t all = 0;
    for (unsigned i = 0; i < dataset_files(d); i++) {
        char name[MANIFEST_FILE_NAME];
        manifest_file_name(d, i, name);
        message_print(out, "%-11s %zu bytes in %s\n", i ? "" : "files", dataset_file(d, i)->length,
                      name);
        all += dataset_file(d, i)->length;
    }
    message_print(out, "%-11s %" PRIu64 "\n", "bytes", all);
}

static const char *kind_of(const dataset *d) {
    if (d->images)
        return d->store == DATASET_FILES ? "pictures, stored as files"
                                         : "pictures, stored as samples";
    return d->ragged ? "rows with lengths of their own" : "rows of one shape";
}

void dataset_info_print(const dataset *d, FILE *out) {
    message_print(out, "%-11s %s\n", "set", d->path);
    message_print(out, "%-11s %s\n", "kind", kind_of(d));
    message_print(out, "%-11s %" PRIu64 "\n", "rows", d->count);
    print_array(d, &d->x, out);
    if (d->longest)
        message_print(out, "%-11s L from %" PRIu64 " to %" PRIu64 ", total %" PRIu64 "\n",
                      "lengths", d->shortest, d->longest, d->steps);
    print_heads(d, out);
    for (unsigned i = 0; i < d->denses; i++)
        print_array(d, &d->dense[i], out);
    if (d->neighbours.k)
        message_print(out, "%-11s %" PRIu64 " of each row\n", "neighbours", d->neighbours.k);
    print_files(d, out);
    message_print(out, "%-11s %s\n", "digest", d->digest);
    if (d->pieces[0])
        message_print(out, "%-11s %zu, root %s\n", "pieces", pieces_count(d), d->pieces);
    else
        message_print(out,
                      "%-11s none: an older version imported the set, so that the daemon reads "
                      "all of it at start\n",
                      "pieces");
}

/* The row that a byte belongs to; the end of the last row stands behind the numbers of rows. */
static uint64_t row_at(const dataset *d, const dataset_array *pictures, uint64_t at,
                       uint64_t row_bytes) {
    if (pictures)
        return dataset_picture_at(pictures, at);
    return at / row_bytes < d->count ? at / row_bytes : d->count - 1;
}

/* The array whose pictures a file of an image set holds; NULL: it holds no pictures. */
static const dataset_array *pictures_of(const dataset *d, unsigned file) {
    unsigned i;
    dataset_part part = dataset_part_of(d, file, &i);
    return !d->images                   ? NULL
           : part == DATASET_PART_X     ? &d->x
           : part == DATASET_PART_DENSE ? &d->dense[i]
                                        : NULL;
}

static void rows_text(uint64_t first, uint64_t last, char *out, size_t room) {
    if (first == last)
        snprintf(out, room, " (row %" PRIu64 ")", first);
    else
        snprintf(out, room, " (rows %" PRIu64 " to %" PRIu64 ")", first, last);
}

void dataset_info_range(const dataset *d, unsigned file, uint64_t first, uint64_t end,
                        char out[DATASET_RANGE]) {
    char name[MANIFEST_FILE_NAME], rows[64] = "";
    uint64_t row = manifest_row_bytes(d, file), last = end - 1;
    const dataset_array *pictures = pictures_of(d, file);
    manifest_file_name(d, file, name);
    if (row || pictures)
        rows_text(row_at(d, pictures, first, row), row_at(d, pictures, last, row), rows,
                  sizeof rows);
    snprintf(out, DATASET_RANGE, "bytes %" PRIu64 " to %" PRIu64 " of %s%s", first, last, name,
             rows);
}
