/* PNG and JPEG files that a file of comma-separated values lists, with their labels. */
#include "csv.h"
#include "datasets/manifest.h"
#include "dictionary.h"
#include "pictures.h"
#include "repeats.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the labels of a column look like so far; later ones include earlier ones. */
typedef enum column_kind { COLUMN_WHOLE, COLUMN_REAL, COLUMN_NAMES } column_kind;

typedef struct column {
    char name[ARRAY_NAME];
    column_kind kind;
    uint64_t most;      /* of whole numbers */
    uint64_t real_line; /* where the first label is that is no whole number */
    char real[64];      /* and what it is */
    uint64_t numbers;   /* labels that are numbers */
    uint64_t name_line; /* where the first label is that is none */
    char first_name[64];
    dictionary names;
} column;

typedef struct list {
    const import *in;
    const char *path;
    FILE *file;
    mapped_file_stamp stamp;
    csv csv;
    column columns[DATASET_HEADS];
    unsigned count;
    size_t folder; /* bytes of the folder's part of the list's path, with the slash */
    buffer picture;
} list;

/* ---- rows ---- */

static bool fail_line(const list *l, const char *text, ...) __attribute__((format(printf, 2, 3)));

/* Always false. */
static bool fail_line(const list *l, const char *text, ...) {
    char reason[400];
    va_list arguments;
    va_start(arguments, text);
    vsnprintf(reason, sizeof reason, text, arguments);
    va_end(arguments);
    return import_fail(l->in, "'%s', line %" PRIu64 ": %s", l->path, l->csv.line, reason);
}

/* The next row, which has a path and a label for each column. */
static picture_next next_row(list *l) {
    csv_result result = csv_next(&l->csv);
    if (result == CSV_END)
        return PICTURE_END;
    if (result == CSV_BAD)
        fail_line(l, "%s", l->csv.reason);
    else if (l->csv.count != l->count + 1)
        fail_line(l, "there are %u fields; line 1 names %u columns", l->csv.count, l->count + 1);
    else if (!l->csv.field[0][0])
        fail_line(l, "the path is empty");
    else
        return PICTURE_ITEM;
    return PICTURE_FAILED;
}

static bool read_head(list *l) {
    static const char form[] = "line 1 must name the columns: path, then y or y.NAME for each head "
                               "of labels, each once";
    if (csv_next(&l->csv) == CSV_BAD)
        return fail_line(l, "%s", l->csv.reason);
    if (l->csv.count == 0 || strcmp(l->csv.field[0], "path") != 0)
        return fail_line(l, "%s; the first is not 'path' but '%.40s'", form,
                         l->csv.count ? l->csv.field[0] : "");
    if (l->csv.count > DATASET_HEADS + 1)
        return fail_line(l, "there are %u heads; at most %d are allowed", l->csv.count - 1,
                         DATASET_HEADS);
    l->count = l->csv.count - 1;
    for (unsigned i = 0; i < l->count; i++) {
        const char *name = l->csv.field[i + 1];
        bool again = false;
        for (unsigned j = 0; j < i; j++)
            again = again || strcmp(name, l->columns[j].name) == 0;
        if (again || !manifest_head_is_valid(name))
            return fail_line(l, "%s; '%.40s' is not", form, name);
        snprintf(l->columns[i].name, ARRAY_NAME, "%s", name);
    }
    return true;
}

/* Goes to the first row behind the names of columns. */
static bool go_to_first(void *self) {
    list *l = self;
    csv_start(&l->csv, l->file);
    return csv_next(&l->csv) == CSV_FOUND || fail_line(l, "%s", l->csv.reason);
}

/* ---- what the labels are ---- */

/* A class number as programs print it: a leading 0 makes a name. */
static bool is_whole(const char *text, uint64_t *out) {
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 18 || text[digits] || (text[0] == '0' && digits > 1))
        return false;
    *out = strtoull(text, NULL, 10);
    return true;
}

static bool is_real(const char *text, float *out) {
    char *end;
    if (!text[0] || text[strspn(text, "0123456789+-.eE")])
        return false;
    *out = strtof(text, &end);
    return !*end && isfinite(*out);
}

static void look_at_label(const list *l, column *c, const char *text) {
    uint64_t whole;
    float real;
    if (is_whole(text, &whole)) {
        c->most = whole > c->most ? whole : c->most;
        c->numbers++;
        return;
    }
    bool code = !text[strspn(text, "0123456789")]; /* digits, but no number as programs print it */
    column_kind kind = !code && is_real(text, &real) ? COLUMN_REAL : COLUMN_NAMES;
    if (c->real_line == 0 && kind == COLUMN_REAL) {
        c->real_line = l->csv.line;
        snprintf(c->real, sizeof c->real, "%s", text);
    }
    c->numbers += kind == COLUMN_REAL;
    if (c->name_line == 0 && kind == COLUMN_NAMES) {
        c->name_line = l->csv.line;
        snprintf(c->first_name, sizeof c->first_name, "%s", text);
    }
    c->kind = kind > c->kind ? kind : c->kind;
}

/* Reads the whole list, before any picture is: every line is checked, and decides on the kinds. */
static bool find_kinds(list *l, uint64_t *rows) {
    picture_next next;
    for (*rows = 0; (next = next_row(l)) == PICTURE_ITEM; ++*rows)
        for (unsigned i = 0; i < l->count; i++) {
            const char *text = l->csv.field[i + 1];
            if (!text[0])
                return fail_line(l, "%s is empty", l->columns[i].name);
            look_at_label(l, &l->columns[i], text);
        }
    return next == PICTURE_END;
}

static bool add_name(list *l, column *c, const char *name) {
    if (!dataset_writer_takes_class(name))
        return fail_line(l, "the class '%.100s' of %s is not UTF-8", name, c->name);
    if (!dictionary_add(&c->names, name))
        return import_fail(l->in, "out of memory");
    return c->names.count <= FMIX_MAX_CLASSES ||
           fail_line(l, "%s has more than %u classes", c->name, FMIX_MAX_CLASSES);
}

/* Reads the list once more for the names of classes. */
static bool find_names(list *l) {
    bool any = false, good = true;
    for (unsigned i = 0; i < l->count; i++)
        any = any || l->columns[i].kind == COLUMN_NAMES;
    if (!any)
        return true;
    good = go_to_first(l);
    picture_next next = PICTURE_END;
    while (good && (next = next_row(l)) == PICTURE_ITEM)
        for (unsigned i = 0; i < l->count && good; i++)
            if (l->columns[i].kind == COLUMN_NAMES)
                good = add_name(l, &l->columns[i], l->csv.field[i + 1]);
    good = good && next == PICTURE_END;
    for (unsigned i = 0; i < l->count && good; i++)
        good = dictionary_sort(&l->columns[i].names) || import_fail(l->in, "out of memory");
    return good;
}

static bool is_values(const list *l, const column *c) {
    return c->kind != COLUMN_NAMES && (l->in->given & IMPORT_VALUES);
}

/* One label that is no number, such as nan or a space before a digit, makes all others names. */
static bool check_names(const list *l, const column *c) {
    if (c->numbers == 0)
        return true;
    if (l->in->given & IMPORT_VALUES)
        return import_fail(l->in,
                           "'%s', line %" PRIu64 ": %s is '%s', which is no finite number, but "
                           "%" PRIu64 " of its labels are numbers; with --values all must be",
                           l->path, c->name_line, c->name, c->first_name, c->numbers);
    import_tell(l->in,
                "%s: its labels are taken as names of classes, for that of line %" PRIu64
                " is '%s'; labels that are numbers: %" PRIu64,
                c->name, c->name_line, c->first_name, c->numbers);
    return true;
}

static bool check_numbers(const list *l, const column *c) {
    uint64_t most = l->in->classes ? l->in->classes : FMIX_MAX_CLASSES;
    if (c->kind == COLUMN_NAMES)
        return check_names(l, c);
    if (is_values(l, c))
        return true;
    if (c->kind == COLUMN_REAL)
        return import_fail(l->in,
                           "'%s', line %" PRIu64 ": %s is '%s', and all of its labels are numbers: "
                           "class numbers must be whole and not negative; for values to predict, "
                           "give --values",
                           l->path, c->real_line, c->name, c->real);
    return c->most < most ||
           import_fail(l->in,
                       "'%s': the largest class number of %s is %" PRIu64 "; with %s%" PRIu64
                       " classes it must be at most %" PRIu64,
                       l->path, c->name, c->most, l->in->classes ? "--classes " : "the most, ",
                       most, most - 1);
}

/* ---- pictures ---- */

/* A path is relative to the folder of the list. */
static bool find_path(list *l) {
    const char *path = l->csv.field[0];
    l->picture.length = 0;
    if (path[0] != '/')
        buffer_add(&l->picture, l->path, l->folder);
    buffer_add(&l->picture, path, strlen(path) + 1);
    return !l->picture.failed || fail_line(l, "the path is too long");
}

static void read_label(const list *l, unsigned i, uint32_t *out) {
    const column *c = &l->columns[i];
    const char *text = l->csv.field[i + 1];
    float real = 0;
    if (is_values(l, c)) {
        is_real(text, &real);
        memcpy(out, &real, sizeof real);
    } else if (c->kind == COLUMN_NAMES) {
        dictionary_find(&c->names, text, out);
    } else {
        *out = (uint32_t)strtoull(text, NULL, 10);
    }
}

static picture_next next(void *self, picture_item *out) {
    list *l = self;
    picture_next found = next_row(l);
    if (found != PICTURE_ITEM)
        return found;
    if (!find_path(l))
        return PICTURE_FAILED;
    out->name = (const char *)l->picture.bytes;
    out->within = l->csv.field[0][0] == '/' ? PICTURE_NOWHERE : l->folder;
    for (unsigned i = 0; i < l->count; i++)
        read_label(l, i, &out->labels[i]);
    return PICTURE_ITEM;
}

static bool is_unchanged(void *self, bool read) {
    const list *l = self;
    struct stat s;
    (void)read;
    mapped_file_stamp now = {0};
    if (stat(l->path, &s) == 0)
        now = mapped_file_stamp_of(&s);
    return mapped_file_stamp_same(&now, &l->stamp) || import_fail_changed(l->in, l->path);
}

static bool open_list(list *l) {
    struct stat s;
    const char *slash = strrchr(l->path, '/');
    l->folder = slash ? (size_t)(slash - l->path) + 1 : 0;
    l->picture = buffer_of(CSV_ROW + l->folder + 1);
    int file =
        open(l->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO would wait for a writer */
    l->file = file >= 0 ? fdopen(file, "r") : NULL;
    if (!l->file || fstat(file, &s) != 0) {
        import_fail(l->in, "'%s' cannot be read: %s", l->path, strerror(errno));
        if (!l->file && file >= 0)
            close(file);
        return false;
    }
    if (!S_ISREG(s.st_mode))
        return import_fail(l->in, "'%s' cannot be read: it is not a regular file", l->path);
    l->stamp = mapped_file_stamp_of(&s);
    csv_start(&l->csv, l->file);
    return true;
}

/* Returns true if --classes applies to any column: names number themselves. */
static bool classes_fit(const list *l) {
    bool applies = !(l->in->given & IMPORT_CLASSES);
    for (unsigned i = 0; i < l->count; i++)
        applies = applies || l->columns[i].kind != COLUMN_NAMES ||
                  l->columns[i].names.count == l->in->classes;
    if (applies)
        return true;
    if (l->count == 0)
        return import_fail(l->in, "--classes applies to labels, but '%s' has none", l->path);
    const column *c = &l->columns[0];
    return import_fail(l->in,
                       "--classes is %" PRIu64 ", but the labels %s are names (line %" PRIu64
                       ": '%s'), of %zu classes; leave --classes out, or give class numbers",
                       l->in->classes, c->name, c->name_line, c->first_name,
                       (size_t)c->names.count);
}

static bool read_list(list *l) {
    uint64_t rows;
    if (!open_list(l) || !read_head(l) || !find_kinds(l, &rows) || !find_names(l))
        return false;
    bool good = rows > 0 || import_fail(l->in, "'%s' lists no pictures", l->path);
    for (unsigned i = 0; i < l->count && good; i++)
        good = check_numbers(l, &l->columns[i]);
    return good && classes_fit(l);
}

/* ---- files that are named more than once ---- */

/* The path, and behind it the labels. A path that a file can have is kept whole. */
static bool add_row(list *l, sorter *rows) {
    size_t most = SORTER_LENGTH / 2;
    if (l->csv.used <= most)
        return sorter_add(rows, l->csv.text, l->csv.used);
    l->csv.text[most - 1] = 0;
    return sorter_add(rows, l->csv.text, most);
}

/* A file may stand for several rows, as where a list repeats rare classes, so this is told and not
 * refused. Paths are compared as the list has them. False: explained. */
static bool tell_repeats(list *l, dataset_writer *w) {
    repeats found;
    FILE *scratch = dataset_writer_scratch(w);
    sorter *rows = scratch ? sorter_new(scratch, SORTER_PIECE) : NULL;
    bool good = rows && go_to_first(l);
    picture_next next = PICTURE_END;
    while (good && (next = next_row(l)) == PICTURE_ITEM)
        good = add_row(l, rows);
    if (next == PICTURE_FAILED) {
        sorter_free(rows);
        return false;
    }
    good = good && repeats_count(rows, &found);
    if (!good && scratch)
        import_tell(l->in, "which files '%s' names more than once is not known: %s", l->path,
                    strerror(errno));
    sorter_free(rows);
    if (good && found.names > 0)
        import_tell(l->in,
                    "files that are named more than once: %" PRIu64
                    "; with different labels: %" PRIu64 "; the first: '%s'",
                    found.names, found.differ, found.first);
    return scratch != NULL;
}

static bool import_list_of(list *l, dataset_writer *w) {
    picture_source source = {
        .self = l, .rewind = go_to_first, .next = next, .check = is_unchanged, .heads = l->count};
    for (unsigned i = 0; i < l->count; i++) {
        const column *c = &l->columns[i];
        bool named = c->kind == COLUMN_NAMES;
        uint64_t numbers = l->in->classes ? l->in->classes : c->most + 1;
        source.head[i] =
            (picture_head){.name = c->name,
                           .values = is_values(l, c),
                           .classes = named ? c->names.count : numbers,
                           .class_names = named ? (const char *const *)c->names.names : NULL};
    }
    if (tell_repeats(l, w))
        return pictures_import(l->in, &source, w);
    dataset_writer_abandon(w);
    return false;
}

static bool run(const import *in) {
    list *l = calloc(1, sizeof *l);
    if (!l)
        return import_fail(in, "out of memory");
    l->in = in;
    l->path = in->files[0];
    dataset_writer *w = read_list(l) ? dataset_writer_open(in->path, in->errors) : NULL;
    bool good = w && import_list_of(l, w);
    for (unsigned i = 0; i < l->count; i++)
        dictionary_free(&l->columns[i].names);
    if (l->file)
        fclose(l->file);
    buffer_free(&l->picture);
    free(l);
    return good;
}

const import_kind import_list = {"list",
                                 "FILE.csv",
                                 "paths of PNG and JPEG files, from the folder of the list on, and "
                                 "their labels; line 1 names the columns: path,y or path,y.A,y.B",
                                 1,
                                 1,
                                 IMPORT_CLASSES | IMPORT_VALUES | IMPORT_CHANNELS |
                                     IMPORT_SKIP_BAD | IMPORT_DENSE | IMPORT_NEIGHBOURS |
                                     IMPORT_STORE | IMPORT_SHORT,
                                 run,
                                 IMPORT_MAPS_FOLDERS};
