#include "dataset_writer.h"
#include "base/json_build.h"
#include "base/message.h"
#include "params/query.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct dataset_writer {
    char *path, *parent, *partial; /* the set, where it stands, its name until it is whole */
    dataset_writer_facts facts;
    uint64_t row_bytes, rows;
    FILE *data, *errors;
    int directory;
    json_t *heads, *class_names; /* as the manifest has them */
    bool failed, terminal;
    unsigned shown; /* tenths, or on a terminal hundredths, that the progress shows */
};

bool dataset_writer_fail(dataset_writer *w, const char *text, ...) {
    va_list arguments;
    if (w->failed)
        return false; /* the first reason is the one that helps */
    w->failed = true;
    dataset_writer_break(w);
    fputs("fmixd: import: ", w->errors);
    va_start(arguments, text);
    message_vprint(w->errors, text, arguments);
    va_end(arguments);
    fputc('\n', w->errors);
    return false;
}

static bool fail_errno(dataset_writer *w, const char *what) {
    return dataset_writer_fail(w, "%s: %s", what, strerror(errno));
}

/* ---- where it stands ---- */

/* "ROOT/NAME" into ROOT, NAME, and ".NAME.partial". */
static bool split_path(dataset_writer *w, const char *path) {
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    w->path = strndup(path, length);
    const char *slash = w->path ? strrchr(w->path, '/') : NULL;
    const char *name = slash ? slash + 1 : w->path;
    size_t above = slash == w->path ? 1 : slash ? (size_t)(slash - w->path) : 0; /* 1: the root */
    w->parent = !w->path ? NULL : slash ? strndup(w->path, above) : strdup(".");
    w->partial = malloc(length + 16);
    if (!w->path || !w->parent || !w->partial)
        return dataset_writer_fail(w, "out of memory");
    snprintf(w->partial, length + 16, ".%s.partial", name);
    if (!dataset_named_well(name))
        return dataset_writer_fail(
            w, "'%s' is no name of a data set: letters, digits, _ and -, at most %d", name,
            DATASET_NAME);
    return true;
}

static bool is_written_here(const char *name) {
    size_t length = strlen(name);
    return strcmp(name, "manifest.json") == 0 || strcmp(name, "data.bin") == 0 ||
           (strncmp(name, "labels", 6) == 0 && length >= 10 &&
            strcmp(name + length - 4, ".bin") == 0);
}

/* Of what this or one that was interrupted has written. */
static void empty(int directory) {
    int own = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = own >= 0 ? fdopendir(own) : NULL;
    if (!list && own >= 0)
        close(own);
    for (struct dirent *e = list ? readdir(list) : NULL; e; e = readdir(list))
        if (is_written_here(e->d_name))
            unlinkat(directory, e->d_name, 0);
    if (list)
        closedir(list);
}

static bool is_still(int parent, const char *name, int directory) {
    struct stat here, there;
    return fstat(directory, &here) == 0 &&
           fstatat(parent, name, &there, AT_SYMLINK_NOFOLLOW) == 0 && here.st_dev == there.st_dev &&
           here.st_ino == there.st_ino;
}

/* Made, or found where one was interrupted, and locked for as long as it is open: a descriptor, or
 * -1, explained. Who held the lock before may have removed or renamed what was opened. */
static int take_partial(dataset_writer *w, int parent) {
    while (!w->failed) {
        bool there = mkdirat(parent, w->partial, 0777) == 0 || errno == EEXIST;
        int directory =
            there ? openat(parent, w->partial, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
                  : -1;
        if (directory < 0 && (!there || errno != ENOENT))
            fail_errno(w, w->partial);
        else if (directory >= 0 && flock(directory, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
            dataset_writer_fail(w, "'%s' is being imported already, by another process", w->path);
        else if (directory >= 0 && is_still(parent, w->partial, directory))
            return directory;
        if (directory >= 0)
            close(directory);
    }
    return -1;
}

/* The directory that sets stand in, and those above it. The path is cut at each slash for a moment,
 * so that an error names the directory that could not be made. */
static bool make_parents(dataset_writer *w) {
    for (char *end = strchr(w->parent + 1, '/');; end = strchr(end + 1, '/')) {
        if (end)
            *end = 0;
        if (mkdir(w->parent, 0777) != 0 && errno != EEXIST)
            return fail_errno(w, w->parent);
        if (!end)
            return true;
        *end = '/';
    }
}

static bool open_partial(dataset_writer *w) {
    struct stat s;
    int parent = open(w->parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0 && errno == ENOENT) {
        if (!make_parents(w))
            return false;
        parent = open(w->parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (parent < 0)
        return fail_errno(w, w->parent);
    w->directory = take_partial(w, parent);
    close(parent);
    if (w->directory < 0)
        return false;
    empty(w->directory);
    return lstat(w->path, &s) != 0 ||
           dataset_writer_fail(
               w, "'%s' is there already; give the new set another name, or remove it", w->path);
}

static FILE *create(dataset_writer *w, const char *name) {
    int fd = openat(w->directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!file)
        fail_errno(w, name);
    if (!file && fd >= 0)
        close(fd);
    return file;
}

/* What is in a file is on its disk before the set has its name. */
static bool finish_file(dataset_writer *w, FILE *file, const char *name) {
    bool good = fflush(file) == 0 && fsync(fileno(file)) == 0;
    if (!good)
        fail_errno(w, name);
    if (fclose(file) != 0 && good)
        good = fail_errno(w, name);
    return good;
}

static void dataset_writer_free(dataset_writer *w) {
    if (w->data)
        fclose(w->data);
    if (w->directory >= 0)
        close(w->directory);
    json_decref(w->heads);
    json_decref(w->class_names);
    free(w->path);
    free(w->parent);
    free(w->partial);
    free(w);
}

dataset_writer *dataset_writer_new(const char *path, const dataset_writer_facts *facts,
                                   FILE *errors) {
    dataset_writer *w = calloc(1, sizeof *w);
    if (!w) {
        fputs("fmixd: import: out of memory\n", errors);
        return NULL;
    }
    w->facts = *facts;
    w->errors = errors;
    w->terminal = isatty(fileno(errors)) == 1;
    w->directory = -1;
    w->heads = json_array();
    w->class_names = json_array();
    w->row_bytes = dtype_table[facts->type].size;
    for (unsigned d = 0; d < facts->rank; d++)
        w->row_bytes *= facts->side[d];
    bool good = w->heads && w->class_names;
    if (!good)
        dataset_writer_fail(w, "out of memory");
    if (good && split_path(w, path) && open_partial(w) && (w->data = create(w, "data.bin")))
        return w;
    dataset_writer_abandon(w);
    return NULL;
}

void dataset_writer_abandon(dataset_writer *w) {
    if (!w)
        return;
    int parent = w->directory >= 0 ? open(w->parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (parent >= 0) {
        empty(w->directory);
        unlinkat(parent, w->partial, AT_REMOVEDIR);
        close(parent);
    }
    dataset_writer_free(w);
}

/* ---- what it holds ---- */

#define BAR 40

/* A bar on a terminal; elsewhere a line each tenth. */
static void show(dataset_writer *w) {
    if (w->facts.expected == 0)
        return;
    double part = (double)w->rows / (double)w->facts.expected;
    unsigned step = (unsigned)(part * (w->terminal ? 100 : 10));
    if (step == w->shown || (step == 0 && !w->terminal))
        return;
    w->shown = step;
    if (!w->terminal) {
        message_print(w->errors, "fmixd: import: %u %%, %" PRIu64 " rows\n", 10 * step, w->rows);
        return;
    }
    unsigned full = (unsigned)(part * BAR);
    fputc('\r', w->errors);
    for (unsigned i = 0; i < BAR; i++)
        fputc(i < full ? '#' : '.', w->errors);
    fprintf(w->errors, " %3u %%%s", step, step == 100 ? "\n" : "");
    fflush(w->errors);
}

void dataset_writer_break(dataset_writer *w) {
    if (!w->terminal || w->shown == 0 || w->shown == 100)
        return;
    fputc('\n', w->errors);
    w->shown = 0;
}

bool dataset_writer_rows(dataset_writer *w, const void *bytes, uint64_t rows) {
    const unsigned char *at = bytes;
    for (uint64_t i = 0; i < rows && !w->failed; i++, at += w->row_bytes) {
        if (fwrite(at, (size_t)w->row_bytes, 1, w->data) != 1)
            return fail_errno(w, "data.bin");
        w->rows++;
        show(w);
    }
    return !w->failed;
}

static bool write_numbers(dataset_writer *w, FILE *file, const label *l) {
    for (uint64_t i = 0; i < l->rows; i++) {
        uint32_t number = label_number(l, i);
        const unsigned char bytes[] = {(unsigned char)number, (unsigned char)(number >> 8),
                                       (unsigned char)(number >> 16), 0};
        if (fwrite(bytes, sizeof bytes, 1, file) != 1)
            return fail_errno(w, "labels");
    }
    return true;
}

static bool write_weights(dataset_writer *w, FILE *file, const label *l) {
    for (uint64_t i = 0; i < l->rows * l->classes; i++) {
        float value = label_weight(l, i);
        dtype_swap(DTYPE_F32, &value, sizeof value);
        if (fwrite(&value, sizeof value, 1, file) != 1)
            return fail_errno(w, "labels");
    }
    return true;
}

bool dataset_writer_takes_head(const char *name) {
    return strcmp(name, "y") == 0 || (strncmp(name, "y.", 2) == 0 && dataset_named_well(name + 2));
}

bool dataset_writer_head(dataset_writer *w, const char *name, const label *l) {
    char file_name[ARRAY_NAME + 16];
    if (!dataset_writer_takes_head(name))
        return dataset_writer_fail(
            w, "labels are named y or y.NAME, of letters, digits, _ and -, not %s", name);
    if (l->rows != w->rows)
        return dataset_writer_fail(w, "there are %" PRIu64 " labels %s for %" PRIu64 " rows",
                                   l->rows, name, w->rows);
    if (json_array_size(w->heads) == DATASET_HEADS)
        return dataset_writer_fail(w, "there are more than %d heads of labels", DATASET_HEADS);
    snprintf(file_name, sizeof file_name, "labels%s.bin", name + 1);
    FILE *file = w->failed ? NULL : create(w, file_name);
    if (!file)
        return false;
    bool good = l->numbers ? write_numbers(w, file, l) : write_weights(w, file, l);
    json_t *head = json_pack("{ss ss sI}", "name", name, "kind", l->numbers ? "numbers" : "rows",
                             "classes", (json_int_t)l->classes);
    if (json_array_append_new(w->heads, head) != 0 ||
        json_array_append_new(w->class_names, json_array()) != 0)
        good = dataset_writer_fail(w, "out of memory");
    return finish_file(w, file, file_name) && good;
}

bool dataset_writer_takes_class(const char *name) {
    json_t *text = json_string(name); /* NULL: not UTF-8 */
    json_decref(text);
    return text != NULL;
}

bool dataset_writer_class(dataset_writer *w, const char *name) {
    size_t last = json_array_size(w->class_names);
    json_t *text = json_string(name); /* NULL: not UTF-8 */
    if (!text)
        return dataset_writer_fail(w, "the name of a class is not UTF-8");
    return json_array_append_new(json_array_get(w->class_names, last - 1), text) == 0 ||
           dataset_writer_fail(w, "out of memory");
}

/* ---- the end ---- */

static json_t *manifest_of(const dataset_writer *w, const char *digest) {
    json_t *shape = json_array();
    for (unsigned d = 0; d < w->facts.rank; d++)
        json_array_append_new(shape, json_integer((json_int_t)w->facts.side[d]));
    return json_pack("{si sI ss so ss sO sO ss}", "fmixd", 1, "count", (json_int_t)w->rows, "dtype",
                     dtype_table[w->facts.type].name, "shape", shape, "layout",
                     query_table[QUERY_LAYOUT].choices[w->facts.layout], "heads", w->heads,
                     "class_names", w->class_names, "digest", digest);
}

static bool write_manifest(dataset_writer *w, const char *digest) {
    json_t *root = manifest_of(w, digest);
    FILE *file = root ? create(w, "manifest.json") : NULL;
    if (!root)
        dataset_writer_fail(w, "out of memory");
    bool good = file && json_dumpf(root, file, JSON_INDENT(1)) == 0 && fputc('\n', file) != EOF;
    if (file && !good)
        fail_errno(w, "manifest.json");
    json_decref(root);
    return file && finish_file(w, file, "manifest.json") && good;
}

/* What was written is read back for its digest, so that also a disk that lies is found out. */
static bool find_digest(dataset_writer *w, char digest[DATASET_DIGEST + 1]) {
    dataset d = {
        .count = w->rows, .rank = w->facts.rank, .type = w->facts.type, .layout = w->facts.layout};
    memcpy(d.side, w->facts.side, sizeof d.side);
    bool good = mapped_file_open(w->directory, "data.bin", &d.data) || fail_errno(w, "data.bin");
    for (size_t i = 0; i < json_array_size(w->heads) && good; i++) {
        const json_t *o = json_array_get(w->heads, i);
        dataset_head *h = &d.head[d.heads++];
        char file[ARRAY_NAME + 16];
        snprintf(h->name, sizeof h->name, "%s", json_string_value(json_object_get(o, "name")));
        snprintf(file, sizeof file, "labels%s.bin", h->name + 1);
        h->numbers = strcmp(json_string_value(json_object_get(o, "kind")), "numbers") == 0;
        h->classes = (uint64_t)json_integer_value(json_object_get(o, "classes"));
        good = mapped_file_open(w->directory, file, &h->file) || fail_errno(w, file);
    }
    good = good && (dataset_digest(&d, NULL, digest) ||
                    dataset_writer_fail(w, "what was written is not read back"));
    mapped_file_close(&d.data);
    for (unsigned i = 0; i < d.heads; i++)
        mapped_file_close(&d.head[i].file);
    return good;
}

/* NFS, and some others, cannot do it in one step. What comes between the two is not replaced
 * either, unless it is an empty directory. */
static bool rename_if_absent(dataset_writer *w, int parent) {
    struct stat s;
    if (renameat2(parent, w->partial, AT_FDCWD, w->path, RENAME_NOREPLACE) == 0)
        return true;
    if (errno != EINVAL && errno != ENOSYS)
        return false;
    if (lstat(w->path, &s) == 0)
        errno = EEXIST;
    else if (errno == ENOENT)
        return renameat(parent, w->partial, AT_FDCWD, w->path) == 0;
    return false;
}

static bool give_name(dataset_writer *w) {
    int parent = open(w->parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = parent >= 0 && fsync(w->directory) == 0 && rename_if_absent(w, parent) &&
                fsync(parent) == 0;
    if (!good)
        fail_errno(w, w->path);
    if (parent >= 0)
        close(parent);
    return good;
}

bool dataset_writer_finish(dataset_writer *w) {
    char digest[DATASET_DIGEST + 1];
    FILE *data = w->data;
    w->data = NULL;
    bool good = finish_file(w, data, "data.bin") && !w->failed;
    if (good && w->rows == 0)
        good = dataset_writer_fail(w, "there are no rows");
    good = good && find_digest(w, digest) && write_manifest(w, digest) && give_name(w);
    if (!good) {
        dataset_writer_abandon(w);
        return false;
    }
    message_print(w->errors, "fmixd: import: %s: %" PRIu64 " rows, digest %s\n", w->path, w->rows,
                  digest);
    dataset_writer_free(w);
    return true;
}
