/* The binary files of CIFAR-10 (a label and 3,072 bytes a record) and CIFAR-100 (two labels). */
#include "import.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PIXELS 3072 /* bytes of the image in a record */

/* The labels of a version of CIFAR. */
typedef struct version {
    unsigned count;
    const char *names[2];
    unsigned char classes[2];
    const char *title;
} version;

/* Indexed by the number of labels in a record. */
static const version versions[] = {
    [1] = {1, {"y"}, {10}, "CIFAR-10"},
    [2] = {2, {"y.coarse", "y.fine"}, {20, 100}, "CIFAR-100"},
};

/* All files together. */
typedef struct batch {
    const version *heads; /* NULL: not known yet */
    bool *bad;            /* for each file */
    uint64_t rows;
    unsigned char *numbers[2]; /* class numbers, for each label and record */
} batch;

static size_t record_bytes(const version *h) {
    return PIXELS + h->count;
}

/* Returns true if the file holds whole records of the version, or of either version where h is
 * NULL. */
static bool has_records(const mapped_file *file, const version *h) {
    return file->length > 0 &&
           (h ? file->length % record_bytes(h) == 0
              : has_records(file, &versions[1]) || has_records(file, &versions[2]));
}

static bool open_records(const import *in, batch *b, unsigned i, mapped_file *file) {
    if (!mapped_file_open_path(in->files[i], file)) {
        report_bad(in->report, in->files[i], "%s", mapped_file_error(errno));
        return false;
    }
    if (has_records(file, b->heads))
        return true;
    report_bad(in->report, in->files[i],
               "the file has %zu bytes, which is not a whole number of %s records", file->length,
               b->heads ? b->heads->title : "CIFAR-10 or CIFAR-100");
    mapped_file_close(file);
    return false;
}

static bool refuse_versions(const import *in, bool ten, bool hundred) {
    if (ten && hundred)
        return import_fail(in,
                           "some files are CIFAR-10 and others CIFAR-100; select one version by "
                           "--cifar 10 or --cifar 100");
    return import_fail(in,
                       "by their lengths, the files may be CIFAR-10 (one label and %d bytes per "
                       "record) or CIFAR-100 (two labels); select one by --cifar 10 or --cifar 100",
                       PIXELS);
}

/* Finds the version by the lengths of the files. 3,074 records of CIFAR-10 have the length of 3,073
 * records of CIFAR-100, so a length may fit both. */
static bool find_version(const import *in, batch *b) {
    bool ten = false, hundred = false, any = false;
    for (unsigned i = 0; i < in->count; i++) {
        mapped_file file = {0};
        if (!mapped_file_open_path(in->files[i], &file))
            continue; /* reported when the labels are read */
        bool is_ten = has_records(&file, &versions[1]),
             is_hundred = has_records(&file, &versions[2]);
        any = any || is_ten || is_hundred;
        ten = ten || (is_ten && !is_hundred);
        hundred = hundred || (is_hundred && !is_ten);
        mapped_file_close(&file);
    }
    if (any && ten == hundred)
        return refuse_versions(in, ten, hundred);
    if (any)
        b->heads = &versions[ten ? 1 : 2];
    return true;
}

static bool labels_fit(const import *in, const version *h, const char *path,
                       const mapped_file *file) {
    for (size_t at = 0; at < file->length; at += record_bytes(h))
        for (unsigned l = 0; l < h->count; l++)
            if (file->bytes[at + l] >= h->classes[l]) {
                report_bad(in->report, path, "record %zu: label %s is %u; the maximum is %u",
                           at / record_bytes(h), h->names[l], file->bytes[at + l],
                           h->classes[l] - 1);
                return false;
            }
    return true;
}

/* Reads the labels of all files, before any row is copied. */
static bool read_labels(const import *in, batch *b) {
    for (unsigned i = 0; i < in->count; i++) {
        mapped_file file = {0};
        b->bad[i] = !open_records(in, b, i, &file);
        if (!b->heads)
            continue; /* no file has whole records, so each file is bad */
        b->bad[i] = b->bad[i] || !labels_fit(in, b->heads, in->files[i], &file);
        size_t rows = b->bad[i] ? 0 : file.length / record_bytes(b->heads);
        for (unsigned l = 0; l < b->heads->count && rows > 0; l++) {
            unsigned char *more = realloc(b->numbers[l], (size_t)b->rows + rows);
            if (!more) {
                mapped_file_close(&file);
                return import_fail(in, "out of memory");
            }
            b->numbers[l] = more;
            for (size_t r = 0; r < rows; r++)
                more[b->rows + r] = file.bytes[r * record_bytes(b->heads) + l];
        }
        b->rows += rows;
        /* The labels that were copied are those that were found to fit. */
        bool same = rows == 0 || import_unchanged(in, in->files[i], &file);
        mapped_file_close(&file);
        if (!same)
            return false;
    }
    return import_may_go_on(in) && (b->rows > 0 || import_fail(in, "the files hold no records"));
}

/* Compares the labels with those read before, so that a file that changed meanwhile is detected. */
static bool copy_file(const import *in, const batch *b, const char *path, uint64_t *row,
                      dataset_writer *w) {
    mapped_file file = {0};
    size_t record = record_bytes(b->heads);
    bool good = import_map(in, path, &file);
    bool same = good && file.length % record == 0 && file.length / record <= b->rows - *row;
    for (size_t at = 0; same && good && at < file.length; at += record, ++*row) {
        for (unsigned l = 0; l < b->heads->count; l++)
            same = same && file.bytes[at + l] == b->numbers[l][*row];
        good = dataset_writer_rows(w, file.bytes + at + b->heads->count, 1);
    }
    good = good && import_unchanged(in, path, &file) &&
           (same || import_fail(in, "'%s' changed while it was read", path));
    mapped_file_close(&file);
    return good;
}

static bool copy(const import *in, const batch *b) {
    const dataset_writer_facts facts = {.type = DTYPE_U8,
                                        .rank = 3,
                                        .side = {3, 32, 32},
                                        .layout = LAYOUT_CHANNELS_FIRST,
                                        .expected = b->rows};
    uint64_t row = 0;
    dataset_writer *w = import_begin(in, &facts);
    bool good = w != NULL;
    for (unsigned i = 0; i < in->count && good; i++)
        good = b->bad[i] || copy_file(in, b, in->files[i], &row, w);
    if (good && row != b->rows)
        good = import_fail(in, "a file was truncated while it was read");
    if (!good) {
        dataset_writer_abandon(w);
        return false;
    }
    array y[2];
    label heads[2];
    for (unsigned l = 0; l < b->heads->count; l++) {
        y[l] = (array){
            .name = "y", .bytes = b->numbers[l], .type = DTYPE_U8, .rank = 1, .shape = {b->rows}};
        heads[l] = (label){
            .from = &y[l], .numbers = true, .rows = b->rows, .classes = b->heads->classes[l]};
    }
    in->report->imported = in->count - in->report->bad;
    return import_finish(in, w, &facts,
                         &(import_labels){heads, b->heads->names, b->heads->count, NULL}, NULL);
}

static bool run(const import *in) {
    batch b = {.bad = calloc(in->count, sizeof *b.bad)};
    bool good = b.bad || import_fail(in, "out of memory");
    if (in->cifar)
        b.heads = &versions[in->cifar == 10 ? 1 : 2];
    good = good && (b.heads || find_version(in, &b)) && read_labels(in, &b) && copy(in, &b);
    free(b.bad);
    free(b.numbers[0]);
    free(b.numbers[1]);
    return good;
}

const import_kind import_cifar = {"cifar",
                                  "FILE...",
                                  "CIFAR-10 or CIFAR-100, binary version",
                                  1,
                                  1000,
                                  IMPORT_CIFAR | IMPORT_SKIP_BAD | IMPORT_DENSE | IMPORT_NEIGHBOURS,
                                  run,
                                  IMPORT_MAPS_NONE};
