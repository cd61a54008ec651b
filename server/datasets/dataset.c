#include "dataset.h"
#include "base/message.h"
#include "base/shutdown.h"
#include "description.h"
#include "params/query.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LABEL_FILE (ARRAY_NAME + 16)
#define PIECE      ((size_t)4 << 20)

bool dataset_named_well(const char *name) {
    size_t length =
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
    return length > 0 && length <= DATASET_NAME && name[length] == 0;
}

/* Where something is wrong with a set: its name, and what. */
static bool wrong(const dataset *d, FILE *errors, const char *what) {
    message_print(errors, "fmixd: data set '%s': %s\n", d->name, what);
    return false;
}

static bool wrong_file(const dataset *d, FILE *errors, const char *file) {
    if (errno == MAPPED_FILES_FULL) {
        message_print(
            errors, "fmixd: data set '%s': %s is not opened: %d files of data sets are the most\n",
            d->name, file, MAPPED_FILES_MOST);
        return false;
    }
    message_print(errors, "fmixd: data set '%s': %s cannot be read: %s\n", d->name, file,
                  strerror(errno));
    return false;
}

/* ---- the manifest ---- */

static const char *text_of(const json_t *o, const char *key) {
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "";
}

/* At least 1. */
static bool take_count(const json_t *value, uint64_t *out) {
    if (!json_is_integer(value) || json_integer_value(value) < 1)
        return false;
    *out = (uint64_t)json_integer_value(value);
    return true;
}

static bool take_type(const json_t *root, dtype *out) {
    for (unsigned i = 0; i < DTYPE_COUNT; i++)
        if (strcmp(dtype_table[i].name, text_of(root, "dtype")) == 0) {
            *out = (dtype)i;
            return true;
        }
    return false;
}

static bool take_layout(const json_t *root, unsigned *out) {
    const char *const *names = query_table[QUERY_LAYOUT].choices;
    for (unsigned i = 0; names[i]; i++)
        if (strcmp(names[i], text_of(root, "layout")) == 0) {
            *out = i;
            return true;
        }
    return false;
}

/* Of a row, with its bytes, which fit a size. */
static bool take_shape(const json_t *root, dataset *d) {
    const json_t *shape = json_object_get(root, "shape");
    size_t rank = json_array_size(shape), bytes = dtype_table[d->type].size;
    if (rank < 1 || rank > QUERY_RANK - 1)
        return false;
    d->rank = (unsigned)rank;
    for (unsigned i = 0; i < d->rank; i++) {
        if (!take_count(json_array_get(shape, i), &d->side[i]) || d->side[i] > UINT32_MAX ||
            bytes > SIZE_MAX / d->side[i])
            return false;
        bytes *= (size_t)d->side[i];
    }
    d->row_bytes = bytes;
    return d->count <= SIZE_MAX / bytes;
}

static bool take_head(const json_t *o, dataset *d) {
    dataset_head *h = &d->head[d->heads];
    const char *name = text_of(o, "name"), *kind = text_of(o, "kind");
    bool plain = strcmp(name, "y") == 0;
    if (!plain && (strncmp(name, "y.", 2) != 0 || !dataset_named_well(name + 2) ||
                   strlen(name) >= sizeof h->name))
        return false;
    for (unsigned i = 0; i < d->heads; i++)
        if (strcmp(d->head[i].name, name) == 0)
            return false;
    snprintf(h->name, sizeof h->name, "%s", name);
    h->numbers = strcmp(kind, "numbers") == 0;
    if ((!h->numbers && strcmp(kind, "rows") != 0) ||
        !take_count(json_object_get(o, "classes"), &h->classes) || h->classes > FMIX_MAX_CLASSES)
        return false;
    d->heads++;
    return true;
}

static bool take_heads(const json_t *root, dataset *d) {
    const json_t *heads = json_object_get(root, "heads");
    if (!json_is_array(heads) || json_array_size(heads) > DATASET_HEADS)
        return false;
    for (size_t i = 0; i < json_array_size(heads); i++)
        if (!take_head(json_array_get(heads, i), d))
            return false;
    return true;
}

static bool take_manifest(const json_t *root, dataset *d, FILE *errors) {
    if (json_integer_value(json_object_get(root, "fmixd")) != 1)
        return wrong(d, errors, "manifest.json is of no kind known here: it must say \"fmixd\": 1");
    if (!take_count(json_object_get(root, "count"), &d->count) || d->count > FMIX_MAX_SAMPLES)
        return wrong(d, errors, "manifest.json: count must be a whole number of at least 1");
    if (!take_type(root, &d->type))
        return wrong(d, errors,
                     "manifest.json: dtype must be one of f32, u8, i64, f64, bool, i8, "
                     "i16, i32, f16, bf16");
    if (!take_shape(root, d))
        return wrong(d, errors, "manifest.json: shape must be one to four sides of a row");
    if (!take_layout(root, &d->layout))
        return wrong(d, errors,
                     "manifest.json: layout must be one of channels_first, "
                     "channels_last, none");
    if (!take_heads(root, d))
        return wrong(d, errors,
                     "manifest.json: heads must be a list of name (y or y.NAME, each "
                     "once), kind (numbers or rows) and classes");
    snprintf(d->digest, sizeof d->digest, "%s", text_of(root, "digest"));
    if (strlen(text_of(root, "digest")) != DATASET_DIGEST ||
        strspn(d->digest, "0123456789abcdef") != DATASET_DIGEST)
        return wrong(d, errors, "manifest.json: digest must be 64 hexadecimal digits");
    return true;
}

static bool read_manifest(dataset *d, int directory, FILE *errors) {
    mapped_file file;
    json_error_t error;
    struct stat s;
    if (!mapped_file_open(directory, "manifest.json", &file))
        return wrong_file(d, errors, "manifest.json");
    if (fstatat(directory, "manifest.json", &s, AT_SYMLINK_NOFOLLOW) != 0) {
        mapped_file_close(&file);
        return wrong_file(d, errors, "manifest.json");
    }
    d->stamp = mapped_file_stamp_of(&s);
    json_t *root = NULL;
    bool good = file.length <= DATASET_MANIFEST;
    if (good)
        root = json_loadb((const char *)file.bytes, file.length, JSON_REJECT_DUPLICATES, &error);
    if (!good)
        wrong(d, errors, "manifest.json has more than 4 MiB");
    else if (!root)
        message_print(errors, "fmixd: data set '%s': manifest.json, line %d: %s\n", d->name,
                      error.line, error.text);
    good = root && take_manifest(root, d, errors);
    d->description = buffer_of(DESCRIPTION_MOST);
    if (good && !description_write(d, json_object_get(root, "class_names"), &d->description))
        good = wrong(d, errors, "out of memory");
    json_decref(root);
    mapped_file_close(&file);
    return good;
}

/* ---- files ---- */

static bool open_file(const dataset *d, int directory, const char *name, uint64_t bytes,
                      mapped_file *out, FILE *errors) {
    if (!mapped_file_open(directory, name, out))
        return wrong_file(d, errors, name);
    if (out->length == bytes)
        return true;
    message_print(
        errors,
        "fmixd: data set '%s': %s has %zu bytes, but by manifest.json it must have %" PRIu64 "\n",
        d->name, name, out->length, bytes);
    return false;
}

/* Whether it is told to end, or was. */
static bool shall_end(const atomic_bool *end) {
    return shutdown_requested() || (end && atomic_load(end));
}

/* Numbers of classes that there are. */
static bool check_numbers(const dataset *d, const dataset_head *h, const atomic_bool *end,
                          FILE *errors) {
    for (uint64_t i = 0; i < d->count; i++) {
        if (i % PIECE == PIECE - 1 && shall_end(end))
            return wrong(d, errors, "told to end before its labels were checked");
        int64_t number = dtype_integer(DTYPE_I32, h->file.bytes + 4 * i);
        if (number < 0 || (uint64_t)number >= h->classes) {
            message_print(errors,
                          "fmixd: data set '%s': row %" PRIu64 " of %s is class %lld of %" PRIu64
                          "\n",
                          d->name, i, h->name, (long long)number, h->classes);
            return false;
        }
    }
    return true;
}

static void label_file(const dataset_head *h, char out[LABEL_FILE]) {
    snprintf(out, LABEL_FILE, "labels%s.bin", h->name + 1);
}

static bool open_files(dataset *d, int directory, const atomic_bool *end, FILE *errors) {
    if (!open_file(d, directory, "data.bin", d->count * d->row_bytes, &d->data, errors))
        return false;
    for (unsigned i = 0; i < d->heads; i++) {
        dataset_head *h = &d->head[i];
        char name[LABEL_FILE];
        uint64_t row = 4 * (h->numbers ? 1 : h->classes);
        label_file(h, name);
        if (d->count > UINT64_MAX / row ||
            !open_file(d, directory, name, d->count * row, &h->file, errors) ||
            (h->numbers && !check_numbers(d, h, end, errors)))
            return false;
    }
    return true;
}

/* In pieces, a few milliseconds each. False: told to end, or it cannot be read. */
static bool add_map(crypto_generichash_state *state, const mapped_file *m, const atomic_bool *end) {
    for (size_t at = 0, n; at < m->length; at += n) {
        n = m->length - at < PIECE ? m->length - at : PIECE;
        if (shall_end(end) || mapped_file_state_of(m) == MAPPED_FILE_BROKEN)
            return false;
        crypto_generichash_update(state, m->bytes + at, n);
    }
    return true;
}

bool dataset_digest(const dataset *d, const atomic_bool *end, char out[DATASET_DIGEST + 1]) {
    crypto_generichash_state state;
    unsigned char digest[DATASET_DIGEST / 2];
    buffer facts = buffer_of(4096);
    buffer_print(&facts, "fmixd 1\n%" PRIu64 " %s %s", d->count, dtype_table[d->type].name,
                 query_table[QUERY_LAYOUT].choices[d->layout]);
    for (unsigned i = 0; i < d->rank; i++)
        buffer_print(&facts, " %" PRIu64, d->side[i]);
    for (unsigned i = 0; i < d->heads; i++)
        buffer_print(&facts, "\n%s %d %" PRIu64, d->head[i].name, d->head[i].numbers,
                     d->head[i].classes);
    buffer_text(&facts, "\n");
    crypto_generichash_init(&state, NULL, 0, sizeof digest);
    crypto_generichash_update(&state, facts.bytes, facts.length);
    bool good = !facts.failed;
    buffer_free(&facts);
    good = good && add_map(&state, &d->data, end);
    for (unsigned i = 0; i < d->heads; i++)
        good = good && add_map(&state, &d->head[i].file, end);
    crypto_generichash_final(&state, digest, sizeof digest);
    sodium_bin2hex(out, DATASET_DIGEST + 1, digest, sizeof digest);
    return good && dataset_state(d) != MAPPED_FILE_BROKEN;
}

static bool verify_digest(const dataset *d, const atomic_bool *end, FILE *errors) {
    char found[DATASET_DIGEST + 1];
    if (!dataset_digest(d, end, found))
        return wrong(d, errors,
                     shall_end(end) ? "told to end before its digest was checked"
                                    : "it could not be read through to check its digest");
    if (strcmp(found, d->digest) == 0)
        return true;
    message_print(
        errors,
        "fmixd: data set '%s': its digest is %s, but by manifest.json it must be %s: a file "
        "was altered\n",
        d->name, found, d->digest);
    return false;
}

/* ---- all ---- */

static int open_directory(const char *root, const char *name) {
    int parent = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int directory = parent < 0 ? -1 : openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent >= 0)
        close(parent);
    return directory;
}

/* NULL without memory. */
static char *path_of(const char *root, const char *name) {
    buffer path = buffer_of(strlen(root) + strlen(name) + 2);
    buffer_text(&path, root);
    buffer_text(&path, "/");
    buffer_text(&path, name);
    buffer_add(&path, "", 1);
    if (path.failed)
        buffer_free(&path);
    return (char *)path.bytes;
}

dataset *dataset_open(const char *root, const char *name, bool verify, const atomic_bool *end,
                      FILE *errors) {
    dataset *d = calloc(1, sizeof *d);
    if (!d) {
        message_print(errors, "fmixd: out of memory\n");
        return NULL;
    }
    snprintf(d->name, sizeof d->name, "%s", name);
    d->uses = 1;
    d->path = path_of(root, name);
    int directory = dataset_named_well(name) ? open_directory(root, name) : -1;
    bool good = directory >= 0 || wrong_file(d, errors, "its directory");
    good = good && (d->path || wrong(d, errors, "out of memory"));
    good = good && read_manifest(d, directory, errors) && open_files(d, directory, end, errors) &&
           (!verify || verify_digest(d, end, errors)) &&
           (dataset_is_whole(d) || wrong(d, errors, "it was altered while it was opened"));
    if (directory >= 0)
        close(directory);
    if (good)
        return d;
    dataset_release(d);
    return NULL;
}

dataset *dataset_retain(dataset *d) {
    d->uses++;
    return d;
}

void dataset_release(dataset *d) {
    if (!d || --d->uses > 0)
        return;
    mapped_file_close(&d->data);
    for (unsigned i = 0; i < DATASET_HEADS; i++)
        mapped_file_close(&d->head[i].file);
    buffer_free(&d->description);
    free(d->path);
    free(d);
}

bool dataset_is_current(const dataset *d, const char *root) {
    struct stat s;
    int directory = open_directory(root, d->name);
    bool found =
        directory >= 0 && fstatat(directory, "manifest.json", &s, AT_SYMLINK_NOFOLLOW) == 0;
    if (directory >= 0)
        close(directory);
    if (!found)
        return false;
    mapped_file_stamp now = mapped_file_stamp_of(&s);
    return mapped_file_stamp_same(&d->stamp, &now);
}

mapped_file_state dataset_state(const dataset *d) {
    mapped_file_state worst = mapped_file_state_of(&d->data);
    for (unsigned i = 0; i < d->heads; i++) {
        mapped_file_state state = mapped_file_state_of(&d->head[i].file);
        worst = state > worst ? state : worst;
    }
    return worst;
}

static bool is_current(const dataset *d, const char *file, const mapped_file *m) {
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/%s", d->path, file);
    return (size_t)length >= sizeof path || mapped_file_is_current(m, path);
}

bool dataset_is_whole(const dataset *d) {
    bool whole = dataset_state(d) == MAPPED_FILE_WHOLE && is_current(d, "data.bin", &d->data);
    for (unsigned i = 0; i < d->heads && whole; i++) {
        char name[LABEL_FILE];
        label_file(&d->head[i], name);
        whole = is_current(d, name, &d->head[i].file);
    }
    return whole && dataset_state(d) == MAPPED_FILE_WHOLE;
}

const unsigned char *dataset_row(const dataset *d, uint64_t row) {
    return d->data.bytes + row * d->row_bytes;
}
