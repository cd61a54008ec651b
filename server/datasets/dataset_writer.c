#include "base/message.h"
#include "dataset_part.h"
#include "dataset_writer_state.h"
#include "digest.h"
#include "manifest.h"
#include "pieces.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- errors ---- */

bool dataset_writer_fail(dataset_writer *w, const char *text, ...) {
    va_list arguments;
    if (w->failed)
        return false;
    w->failed = true;
    progress_break(&w->progress);
    fputs("fmixd: import: ", w->errors);
    va_start(arguments, text);
    message_vprint(w->errors, text, arguments);
    va_end(arguments);
    fputc('\n', w->errors);
    return false;
}

/* The kernel finds no bytes at the address where a mapped file was cut short. */
bool dataset_writer_fail_file(dataset_writer *w, const char *name) {
    const char *why =
        errno == EFAULT ? "the file that it is copied from was cut short" : strerror(errno);
    return dataset_writer_fail(w, "cannot write %s/%s: %s", w->place.path, name, why);
}

bool dataset_writer_fail_part(dataset_writer *w, unsigned number) {
    char name[MANIFEST_FILE_NAME];
    int error = errno;
    manifest_file_name(&w->set, number, name);
    errno = error;
    return dataset_writer_fail_file(w, name);
}

/* True: the result is STAGING_OK. */
static bool staged(dataset_writer *w, staging_result result) {
    const staging *s = &w->place;
    bool inner = s->blamed == s->partial;
    switch (result) {
    case STAGING_OK:
        return true;
    case STAGING_NO_MEMORY:
        return dataset_writer_fail(w, "out of memory");
    case STAGING_BAD_NAME:
        return dataset_writer_fail(
            w,
            "'%s' is not a valid name of a data set: a name has at most %d letters, "
            "digits, _ and -",
            s->blamed, DATASET_NAME);
    case STAGING_EXISTS:
        return dataset_writer_fail(w, "'%s' already exists; remove it, or choose another name",
                                   s->path);
    case STAGING_BUSY:
        return dataset_writer_fail(w, "another process is already importing '%s'", s->path);
    default:
        return dataset_writer_fail(w, "%s%s%s: %s", inner ? s->parent : "", inner ? "/" : "",
                                   s->blamed, strerror(errno));
    }
}

/* ---- its life ---- */

static void writer_free(dataset_writer *w) {
    dataset_writer_close(w);
    staging_free(&w->place);
    json_decref(w->class_names);
    free(w);
}

bool dataset_writer_check(const char *path, FILE *errors) {
    dataset_writer w = {.errors = errors};
    bool good = staged(&w, staging_check(path, &w.place));
    staging_free(&w.place);
    return good;
}

/* The bytes of a row; of a ragged set's, of a step; of a picture's, of a pixel. */
static uint64_t row_bytes_of(const dataset_array *a) {
    uint64_t bytes = dtype_table[a->type].size;
    for (unsigned i = 0; i < a->rank; i++)
        bytes *= a->side[i] ? a->side[i] : 1;
    return bytes;
}

static void take_facts(dataset_writer *w, const dataset_writer_facts *facts) {
    dataset_array *x = &w->set.x;
    unsigned open = facts->images ? 2 : facts->ragged;
    w->set.ragged = facts->ragged;
    w->set.images = facts->images;
    w->set.store = facts->store;
    *x = (dataset_array){
        .name = "x", .type = facts->type, .rank = facts->rank, .layout = facts->layout};
    for (unsigned i = 0; i < facts->rank; i++)
        x->side[i] = i < open ? 0 : facts->side[i];
    x->row_bytes = row_bytes_of(x);
    for (w->maps = 0; w->maps < facts->maps; w->maps++) {
        dataset_array *map = &w->set.dense[w->set.denses++];
        *map = (dataset_array){
            .type = DTYPE_U8, .rank = 2, .side = {x->side[0], x->side[1]}, .layout = LAYOUT_NONE};
        snprintf(map->name, sizeof map->name, "%s", facts->map_name[w->maps]);
        map->row_bytes = row_bytes_of(map);
    }
}

/* What a killed import left under the name is not gone on with, or it would not be created. */
FILE *dataset_writer_create(dataset_writer *w, const char *name) {
    FILE *file = staging_drop(&w->place, name) ? staging_create(&w->place, name) : NULL;
    if (!file)
        dataset_writer_fail_file(w, name);
    return file;
}

dataset_writer *dataset_writer_open(const char *path, FILE *errors) {
    dataset_writer *w = calloc(1, sizeof *w);
    if (!w) {
        fputs("fmixd: import: out of memory\n", errors);
        return NULL;
    }
    w->place.directory = -1;
    w->errors = errors;
    w->class_names = json_array();
    if ((w->class_names || dataset_writer_fail(w, "out of memory")) &&
        staged(w, staging_check(path, &w->place)) && staged(w, staging_open(&w->place)))
        return w;
    dataset_writer_abandon(w);
    return NULL;
}

bool dataset_writer_begin(dataset_writer *w, const dataset_writer_facts *facts,
                          dataset_journal *resume) {
    w->progress = progress_of(w->errors, facts->expected);
    w->columns = facts->columns;
    take_facts(w, facts);
    if (w->place.left && dataset_writer_resume(w, facts, resume))
        return true;
    staging_empty(&w->place);
    return dataset_writer_create_rows(w);
}

dataset_writer *dataset_writer_new(const char *path, const dataset_writer_facts *facts,
                                   FILE *errors) {
    dataset_writer *w = dataset_writer_open(path, errors);
    if (!w || dataset_writer_begin(w, facts, NULL))
        return w;
    dataset_writer_abandon(w);
    return NULL;
}

void dataset_writer_abandon(dataset_writer *w) {
    if (!w)
        return;
    staging_remove(&w->place);
    writer_free(w);
}

void dataset_writer_break(dataset_writer *w) {
    progress_break(&w->progress);
}

/* ---- rows and labels ---- */

bool dataset_writer_rows(dataset_writer *w, const void *bytes, uint64_t rows) {
    const unsigned char *at = bytes;
    for (uint64_t i = 0; i < rows && !w->failed; i++, at += w->set.x.row_bytes) {
        if (fwrite(at, (size_t)w->set.x.row_bytes, 1, w->x.data) != 1)
            return dataset_writer_fail_part(w, 0);
        progress_show(&w->progress, ++w->set.count);
    }
    return !w->failed;
}

static bool write_numbers(FILE *file, const label *l) {
    for (uint64_t i = 0; i < l->rows; i++) {
        uint32_t number = label_number(l, i);
        const unsigned char bytes[] = {(unsigned char)number, (unsigned char)(number >> 8),
                                       (unsigned char)(number >> 16), 0};
        if (fwrite(bytes, sizeof bytes, 1, file) != 1)
            return false;
    }
    return true;
}

static bool write_weights(FILE *file, const label *l) {
    for (uint64_t i = 0; i < l->rows * l->classes; i++) {
        float value = label_weight(l, i);
        dtype_swap(DTYPE_F32, &value, sizeof value);
        if (fwrite(&value, sizeof value, 1, file) != 1)
            return false;
    }
    return true;
}

/* The bytes of every file are on the disk before the set has its name. */
bool dataset_writer_finish_file(dataset_writer *w, FILE *file, const char *name) {
    bool good =
        (fflush(file) == 0 && fsync(fileno(file)) == 0) || dataset_writer_fail_file(w, name);
    return (fclose(file) == 0 || dataset_writer_fail_file(w, name)) && good;
}

static bool add_head(dataset_writer *w, const char *name, const label *l) {
    dataset_head *h = &w->set.head[w->set.heads];
    snprintf(h->name, sizeof h->name, "%s", name);
    h->kind = l->numbers ? DATASET_NUMBERS : l->values ? DATASET_VALUES : DATASET_ROWS;
    h->classes = l->classes;
    if (json_array_append_new(w->class_names, json_array()) != 0)
        return dataset_writer_fail(w, "out of memory");
    w->set.heads++;
    return true;
}

bool dataset_writer_head(dataset_writer *w, const char *name, const label *l) {
    char file_name[MANIFEST_FILE_NAME];
    if (!manifest_head_is_valid(name))
        return dataset_writer_fail(
            w, "labels must be named y or y.NAME (letters, digits, _ and -), not %s", name);
    if (l->rows != w->set.count)
        return dataset_writer_fail(w, "there are %" PRIu64 " labels %s for %" PRIu64 " rows",
                                   l->rows, name, w->set.count);
    if (w->set.heads == DATASET_HEADS)
        return dataset_writer_fail(w, "there are more than %d heads of labels", DATASET_HEADS);
    if (w->failed || !add_head(w, name, l))
        return false;
    manifest_file_name(&w->set, w->set.heads, file_name);
    FILE *file = dataset_writer_create(w, file_name);
    if (!file)
        return false;
    bool good = (l->numbers ? write_numbers(file, l) : write_weights(file, l)) ||
                dataset_writer_fail_file(w, file_name);
    return dataset_writer_finish_file(w, file, file_name) && good;
}

bool dataset_writer_takes_class(const char *name) {
    json_t *text = json_string(name); /* NULL: not UTF-8 */
    json_decref(text);
    return text != NULL;
}

bool dataset_writer_class(dataset_writer *w, const char *name) {
    json_t *text = json_string(name);
    if (!text)
        return dataset_writer_fail(w, "the name of a class is not UTF-8");
    return json_array_append_new(json_array_get(w->class_names, w->set.heads - 1), text) == 0 ||
           dataset_writer_fail(w, "out of memory");
}

/* ---- what stands beside the rows ---- */

/* As i64. */
static bool write_integers(dataset_writer *w, FILE *file, const array *a) {
    (void)w;
    size_t size = dtype_table[a->type].size;
    uint64_t count = a->shape[0] * (a->rank > 1 ? a->shape[1] : 1);
    for (uint64_t i = 0; i < count; i++) {
        int64_t number = dtype_integer(a->type, a->bytes + i * size);
        dtype_swap(DTYPE_I64, &number, sizeof number);
        if (fwrite(&number, sizeof number, 1, file) != 1)
            return false;
    }
    return true;
}

/* number: of the file, as dataset_part.h counts. */
static bool write_file(dataset_writer *w, unsigned number, const array *a,
                       bool (*write)(dataset_writer *w, FILE *file, const array *a)) {
    char name[MANIFEST_FILE_NAME];
    manifest_file_name(&w->set, number, name);
    FILE *file = w->failed ? NULL : dataset_writer_create(w, name);
    if (!file)
        return false;
    bool good = write(w, file, a) || dataset_writer_fail_file(w, name);
    return dataset_writer_finish_file(w, file, name) && good;
}

static bool has_rows(dataset_writer *w, const char *name, uint64_t rows) {
    return rows == w->set.count ||
           dataset_writer_fail(w, "there are %" PRIu64 " rows in %s for %" PRIu64 " rows of x",
                               rows, name, w->set.count);
}

/* Counts a row of a ragged set. */
static void count_steps(dataset *d, uint64_t length) {
    d->shortest = d->steps == 0 || length < d->shortest ? length : d->shortest;
    d->longest = length > d->longest ? length : d->longest;
    d->steps += length;
}

/* Offsets that were checked may be those of a file that is overwritten meanwhile. */
bool dataset_writer_ragged(dataset_writer *w, const void *steps, uint64_t count,
                           const array *offsets) {
    const unsigned char *at = steps;
    size_t size = dtype_table[offsets->type].size;
    char name[MANIFEST_FILE_NAME];
    manifest_file_name(&w->set, 0, name);
    for (uint64_t i = 0; i + 1 < offsets->shape[0] && !w->failed; i++) {
        const unsigned char *begin = offsets->bytes + i * size;
        int64_t length =
            dtype_integer(offsets->type, begin + size) - dtype_integer(offsets->type, begin);
        if (length <= 0 || (uint64_t)length > count - w->set.steps)
            return dataset_writer_fail(w,
                                       "row %" PRIu64 " has %" PRId64
                                       " steps; it must have at least 1, and of all %" PRIu64
                                       " steps %" PRIu64 " are left",
                                       i, length, count, count - w->set.steps);
        size_t bytes = (size_t)((uint64_t)length * w->set.x.row_bytes);
        if (fwrite(at, 1, bytes, w->x.data) != bytes)
            return dataset_writer_fail_file(w, name);
        at += bytes;
        count_steps(&w->set, (uint64_t)length);
        progress_show(&w->progress, ++w->set.count);
    }
    return write_file(w, dataset_part_number(&w->set, DATASET_PART_OFFSETS, 0), offsets,
                      write_integers);
}

static bool write_rows(dataset_writer *w, FILE *file, const array *a) {
    size_t bytes = (size_t)w->set.dense[w->set.denses - 1].row_bytes;
    w->progress = progress_of(w->errors, a->shape[0]);
    w->progress.of = a->name;
    for (uint64_t i = 0; i < a->shape[0]; i++) {
        if (fwrite(a->bytes + i * bytes, bytes, 1, file) != 1)
            return false;
        progress_show(&w->progress, i + 1);
    }
    return true;
}

bool dataset_writer_dense(dataset_writer *w, const array *a, unsigned layout) {
    dataset_array *out = &w->set.dense[w->set.denses];
    if (!manifest_dense_is_valid(a->name))
        return dataset_writer_fail(
            w,
            "dense targets must be named dense or dense.NAME (letters, digits, _ and -), "
            "not %s",
            a->name);
    if (w->set.denses == DATASET_DENSE)
        return dataset_writer_fail(w, "there are more than %d arrays of dense targets",
                                   DATASET_DENSE);
    if (!has_rows(w, a->name, a->shape[0]))
        return false;
    *out = (dataset_array){.type = a->type, .rank = a->rank - 1, .layout = layout};
    memcpy(out->name, a->name, sizeof out->name);
    memcpy(out->side, a->shape + 1, out->rank * sizeof *out->side);
    out->row_bytes = row_bytes_of(out);
    w->set.denses++;
    return write_file(w, w->set.heads + w->set.denses, a, write_rows);
}

bool dataset_writer_neighbours(dataset_writer *w, const array *a) {
    if (!has_rows(w, "the neighbours", a->shape[0]))
        return false;
    w->set.neighbours.k = a->shape[1];
    return write_file(w, 1 + w->set.heads + w->set.denses, a, write_integers);
}

/* ---- the end ---- */

/* Writes the hashes of all pieces, and finds their root. */
static bool write_pieces(dataset_writer *w, const unsigned char *hashes, size_t count) {
    if (!pieces_root(&w->set, hashes, count, w->set.pieces))
        return dataset_writer_fail(w, "out of memory");
    FILE *file = dataset_writer_create(w, PIECES_NAME);
    if (!file)
        return false;
    bool good = fwrite(hashes, DIGEST_BYTES, count, file) == count ||
                dataset_writer_fail_file(w, PIECES_NAME);
    return dataset_writer_finish_file(w, file, PIECES_NAME) && good;
}

/* Finds the digest and the pieces of *d, whose files are open. */
static bool hash_files(dataset_writer *w, const dataset *d) {
    size_t count = pieces_count(d);
    unsigned char *hashes = malloc(count * DIGEST_BYTES); /* of at least one: there are rows */
    if (!hashes)
        return dataset_writer_fail(w, "out of memory");
    bool good =
        digest_compute(d, NULL, hashes, w->set.digest) ||
        dataset_writer_fail(w, "the files written to %s cannot be read back", w->place.path);
    good = good && write_pieces(w, hashes, count);
    free(hashes);
    return good;
}

/* Reads the files back, so that the hashes are those of the bytes on the disk. */
static bool hash_set(dataset_writer *w) {
    dataset d = w->set;
    char name[MANIFEST_FILE_NAME];
    bool good = true;
    for (unsigned i = 0; i < dataset_files(&d) && good; i++) {
        manifest_file_name(&d, i, name);
        good = mapped_file_open(w->place.directory, name, dataset_part_file(&d, i)) ||
               dataset_writer_fail(w, "cannot read %s/%s back: %s", w->place.path, name,
                                   mapped_file_error(errno));
    }
    good = good && hash_files(w, &d);
    dataset_part_close(&d);
    return good;
}

/* A manifest that readers refuse is not published. */
static bool print_manifest(dataset_writer *w, const json_t *root, FILE *file) {
    if (json_dumpf(root, file, JSON_INDENT(1)) != 0 || fputc('\n', file) == EOF)
        return dataset_writer_fail_file(w, MANIFEST_NAME);
    return ftello(file) <= MANIFEST_MOST ||
           dataset_writer_fail(w,
                               MANIFEST_NAME " has more than %u bytes: the names of all classes "
                                             "are too long",
                               MANIFEST_MOST);
}

static bool write_manifest(dataset_writer *w) {
    json_t *root = manifest_write(&w->set, w->class_names);
    FILE *file = root ? dataset_writer_create(w, MANIFEST_NAME) : NULL;
    if (!root)
        dataset_writer_fail(w, "out of memory");
    bool good = file && print_manifest(w, root, file);
    json_decref(root);
    return file && dataset_writer_finish_file(w, file, MANIFEST_NAME) && good;
}

static bool finish_data(dataset_writer *w) {
    return dataset_writer_finish_rows(w) && !w->failed &&
           (w->set.count > 0 || dataset_writer_fail(w, "there are no rows"));
}

bool dataset_writer_finish(dataset_writer *w) {
    if (!finish_data(w) || !hash_set(w) || !write_manifest(w) || !dataset_writer_drop_columns(w) ||
        !staged(w, staging_publish(&w->place))) {
        dataset_writer_abandon(w);
        return false;
    }
    message_print(w->errors, "fmixd: import: %s: %" PRIu64 " rows, digest %s\n", w->place.path,
                  w->set.count, w->set.digest);
    writer_free(w);
    return true;
}
