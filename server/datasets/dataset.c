#include "dataset.h"
#include "base/message.h"
#include "dataset_check.h"
#include "dataset_info.h"
#include "dataset_part.h"
#include "description.h"
#include "digest.h"
#include "manifest.h"
#include "pieces.h"
#include "verification.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Prints why a set is not served, in one piece. Always false. */
static bool refuse(const dataset *d, FILE *errors, const char *text, ...)
    __attribute__((format(printf, 3, 4)));

static bool refuse(const dataset *d, FILE *errors, const char *text, ...) {
    char reason[512];
    va_list arguments;
    va_start(arguments, text);
    vsnprintf(reason, sizeof reason, text, arguments);
    va_end(arguments);
    message_print(errors, "fmixd: data set '%s': %s\n", d->name, reason);
    return false;
}

static bool refuse_file(const dataset *d, FILE *errors, const char *file) {
    return refuse(d, errors, "%s cannot be read: %s", file, mapped_file_error(errno));
}

/* ---- the manifest ---- */

static json_t *parse_manifest(const dataset *d, const mapped_file *file, FILE *errors) {
    json_error_t error;
    if (file->length > MANIFEST_MOST) {
        refuse(d, errors, MANIFEST_NAME " has %zu bytes; it may have at most %u", file->length,
               MANIFEST_MOST);
        return NULL;
    }
    json_t *root =
        json_loadb((const char *)file->bytes, file->length, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        refuse(d, errors, MANIFEST_NAME ", line %d: %s", error.line, error.text);
    return root;
}

/* NULL: explained. */
static json_t *read_manifest(dataset *d, int directory, FILE *errors) {
    char reason[MANIFEST_REASON];
    mapped_file file;
    if (!mapped_file_open(directory, MANIFEST_NAME, &file)) {
        refuse_file(d, errors, MANIFEST_NAME);
        return NULL;
    }
    d->stamp = file.stamp; /* of what is read, also where another file has the name by now */
    json_t *root = parse_manifest(d, &file, errors);
    mapped_file_close(&file);
    if (!root || manifest_read(root, d, reason))
        return root;
    refuse(d, errors, "%s", reason);
    json_decref(root);
    return NULL;
}

static bool describe(dataset *d, const json_t *manifest, FILE *errors) {
    d->description = buffer_of(DESCRIPTION_MOST);
    return description_write(d, json_object_get(manifest, "class_names"), &d->description) ||
           refuse(d, errors, "out of memory");
}

/* ---- the other files ---- */

static bool open_file(dataset *d, int directory, unsigned number, FILE *errors) {
    mapped_file *out = dataset_part_file(d, number);
    char name[MANIFEST_FILE_NAME];
    uint64_t bytes;
    manifest_file_name(d, number, name);
    if (!manifest_file_bytes(d, number, &bytes))
        return refuse(d, errors, "%s would have more bytes than 64 bits can count", name);
    if (!mapped_file_open(directory, name, out))
        return refuse_file(d, errors, name);
    return out->length == bytes || bytes == MANIFEST_ANY_BYTES ||
           refuse(d, errors, "%s has %zu bytes; by " MANIFEST_NAME " it must have %" PRIu64, name,
                  out->length, bytes);
}

static bool open_files(dataset *d, int directory, FILE *errors) {
    bool good = true;
    for (unsigned i = 0; i < dataset_files(d) && good; i++)
        good = open_file(d, directory, i, errors);
    return good;
}

/* Names the first piece of a file that has another hash. False: there is none. */
static bool find_wrong_piece(const dataset *d, unsigned file, const atomic_bool *stop,
                             char out[DATASET_RANGE]) {
    uint64_t length = dataset_file(d, file)->length;
    for (uint64_t at = 0, piece; at < length && !dataset_must_stop(stop); at += PIECE_BYTES) {
        uint64_t end = length - at < PIECE_BYTES ? length : at + PIECE_BYTES;
        if (verification_need(d->verification, file, at, end - at, &piece) == VERIFICATION_TRUE)
            continue;
        dataset_info_range(d, file, at, end, out);
        return true;
    }
    return false;
}

/* Names the first bytes that differ, as far as the set has pieces that can be believed. Of a digest
 * alone, no file can be named. */
static void name_altered(dataset *d, int directory, const atomic_bool *stop,
                         char out[DATASET_RANGE]) {
    char reason[DATASET_REASON];
    unsigned char *hashes = d->pieces[0] ? pieces_read(d, directory, reason) : NULL;
    out[0] = 0;
    d->verification = hashes ? verification_new(d, hashes) : NULL;
    if (!d->verification) {
        free(hashes);
        return;
    }
    bool found = false;
    for (unsigned i = 0; i < dataset_files(d) && !found; i++)
        found = find_wrong_piece(d, i, stop, out);
}

static bool verify_digest(dataset *d, int directory, const atomic_bool *stop, FILE *errors) {
    char found[DATASET_DIGEST + 1], where[DATASET_RANGE];
    if (!digest_compute(d, stop, NULL, found))
        return refuse(d, errors, "%s",
                      dataset_must_stop(stop) ? "interrupted before its digest was checked"
                                              : "it could not be read to check its digest");
    if (strcmp(found, d->digest) == 0)
        return true;
    name_altered(d, directory, stop, where);
    return refuse(d, errors,
                  "its digest is %s; by " MANIFEST_NAME " it must be %s: a file was altered%s%s; "
                  "`fmixd verify SET` names all damage",
                  found, d->digest, where[0] ? ", first " : "", where);
}

/* From now on, pieces are verified before their use. */
static bool take_pieces(dataset *d, int directory, FILE *errors) {
    char reason[DATASET_REASON];
    unsigned char *hashes = pieces_read(d, directory, reason);
    if (!hashes)
        return refuse(d, errors, "%s", reason);
    d->verification = verification_new(d, hashes);
    if (!d->verification)
        free(hashes);
    return d->verification || refuse(d, errors, "out of memory");
}

/* Reads all bytes. Those of a set with pieces that are touched later are verified piece by piece.
 */
static bool check_whole(dataset *d, int directory, dataset_verify verify, const atomic_bool *stop,
                        FILE *errors) {
    char reason[DATASET_REASON];
    if (!dataset_check(d, stop, reason))
        return refuse(d, errors, "%s", reason);
    if (verify == DATASET_VERIFY_OFF)
        return true;
    if (!verify_digest(d, directory, stop, errors) ||
        (d->pieces[0] && !take_pieces(d, directory, errors)))
        return false;
    if (d->verification)
        verification_accept(d->verification);
    return true;
}

static bool check_contents(dataset *d, int directory, dataset_verify verify,
                           const atomic_bool *stop, FILE *errors) {
    if (verify == DATASET_VERIFY_FACTS)
        return true;
    return verify == DATASET_VERIFY_LAZY && d->pieces[0]
               ? take_pieces(d, directory, errors)
               : check_whole(d, directory, verify, stop, errors);
}

/* ---- the whole set ---- */

static int open_directory(const char *root, const char *name) {
    int parent = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int directory = parent < 0 ? -1 : openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent >= 0)
        close(parent);
    return directory;
}

/* "ROOT/NAME"; NULL: no memory. */
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

dataset *dataset_open(const char *root, const char *name, dataset_verify verify,
                      const atomic_bool *stop, FILE *errors) {
    dataset *d = calloc(1, sizeof *d);
    if (!d) {
        message_print(errors, "fmixd: out of memory\n");
        return NULL;
    }
    snprintf(d->name, sizeof d->name, "%s", name);
    d->uses = 1;
    d->path = path_of(root, name);
    bool good = manifest_name_is_valid(name) ||
                refuse(d, errors,
                       "this is not a valid name of a data set: a name has at most %d letters, "
                       "digits, _ and -",
                       DATASET_NAME);
    int directory = good ? open_directory(root, name) : -1;
    good = good && (directory >= 0 || refuse_file(d, errors, "its directory"));
    good = good && (d->path || refuse(d, errors, "out of memory"));
    good = good && (strlen(d->path) + 1 + MANIFEST_FILE_NAME <= PATH_MAX ||
                    refuse(d, errors, "the paths of its files are too long"));
    json_t *manifest = good ? read_manifest(d, directory, errors) : NULL;
    good = manifest && open_files(d, directory, errors) &&
           check_contents(d, directory, verify, stop, errors) && describe(d, manifest, errors) &&
           (dataset_is_whole(d) || refuse(d, errors, "it was altered while it was opened"));
    json_decref(manifest);
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
    verification_free(d->verification);
    dataset_part_close(d);
    buffer_free(&d->description);
    free(d->path);
    free(d);
}

bool dataset_is_current(const dataset *d, const char *root) {
    struct stat s;
    int directory = open_directory(root, d->name);
    bool found = directory >= 0 && fstatat(directory, MANIFEST_NAME, &s, AT_SYMLINK_NOFOLLOW) == 0;
    if (directory >= 0)
        close(directory);
    if (!found)
        return false;
    mapped_file_stamp now = mapped_file_stamp_of(&s);
    return mapped_file_stamp_same(&d->stamp, &now);
}

static bool file_is_current(const dataset *d, unsigned number) {
    char path[PATH_MAX], name[MANIFEST_FILE_NAME];
    manifest_file_name(d, number, name);
    int length = snprintf(path, sizeof path, "%s/%s", d->path, name);
    if ((size_t)length >= sizeof path) /* dataset_open refuses it */
        return false;
    return d->verification ? verification_look(d->verification, number, path)
                           : mapped_file_is_current(dataset_file(d, number), path);
}

bool dataset_is_whole(const dataset *d) {
    bool whole = dataset_state(d) == MAPPED_FILE_WHOLE;
    for (unsigned i = 0; i < dataset_files(d) && whole; i++)
        whole = file_is_current(d, i);
    return whole && dataset_state(d) == MAPPED_FILE_WHOLE;
}

mapped_file_state dataset_state(const dataset *d) {
    mapped_file_state worst = MAPPED_FILE_WHOLE;
    for (unsigned i = 0; i < dataset_files(d); i++) {
        mapped_file_state state = mapped_file_state_of(dataset_file(d, i));
        worst = state > worst ? state : worst;
    }
    return worst;
}
