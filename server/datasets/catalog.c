#include "catalog.h"
#include "base/message.h"
#include "base/shutdown.h"
#include "manifest.h"
#include "verification.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A set that is served, or the reason why it is not. */
typedef struct entry {
    char name[DATASET_NAME + 1];
    dataset *set; /* NULL: not served */
    char *reason; /* NULL: served, or no memory for the reason */
} entry;

typedef struct entries {
    entry *each; /* sorted by name */
    size_t count;
    description *description; /* of the sets that are served */
} entries;

struct catalog {
    char *root;
    dataset_verify verify;
    pthread_mutex_t lock;
    entries entries; /* guarded by lock */
};

typedef struct scan {
    catalog *catalog;
    const atomic_bool *stop;
    FILE *errors;
} scan;

static int by_name(const void *left, const void *right) {
    const entry *a = left, *b = right;
    return strcmp(a->name, b->name);
}

static void free_entries(entries *all) {
    for (size_t i = 0; i < all->count; i++) {
        dataset_release(all->each[i].set);
        free(all->each[i].reason);
    }
    free(all->each);
    description_release(all->description);
    *all = (entries){.count = 0};
}

/* ---- the directory ---- */

/* A set is a directory with a manifest. A directory that cannot be searched for a manifest counts
 * as a set too, so that the error is reported. */
static bool is_set(int root, const char *name) {
    char path[DATASET_NAME + 32];
    struct stat s;
    snprintf(path, sizeof path, "%.*s/" MANIFEST_NAME, DATASET_NAME, name);
    return manifest_name_is_valid(name) && (fstatat(root, path, &s, AT_SYMLINK_NOFOLLOW) == 0 ||
                                            (errno != ENOENT && errno != ENOTDIR));
}

/* The room is the power of two that holds the entries, so it is full when their count is one. */
static bool add_entry(entries *to, const char *name) {
    if ((to->count & (to->count - 1)) == 0) {
        size_t room = to->count ? 2 * to->count : 1;
        entry *more = realloc(to->each, room * sizeof *more);
        if (!more)
            return false;
        to->each = more;
    }
    entry *e = &to->each[to->count++];
    *e = (entry){.set = NULL};
    snprintf(e->name, sizeof e->name, "%.*s", DATASET_NAME, name);
    return true;
}

/* Lists the names of all sets, sorted: sets are opened in this order, so where resources run out it
 * does not depend on the file system which sets are served. */
static bool list_sets(const scan *of, entries *out) {
    DIR *directory = opendir(of->catalog->root);
    if (!directory) {
        message_print(of->errors, "fmixd: data: '%s' cannot be read: %s\n", of->catalog->root,
                      strerror(errno));
        return false;
    }
    bool good = true;
    errno = 0;
    for (struct dirent *e; good && !dataset_must_stop(of->stop) && (e = readdir(directory));) {
        if (is_set(dirfd(directory), e->d_name) && !(good = add_entry(out, e->d_name)))
            message_print(of->errors, "fmixd: data: out of memory\n");
        errno = 0;
    }
    if (good && errno) { /* sets that are missed would no longer be served */
        good = false;
        message_print(of->errors, "fmixd: data: '%s' cannot be read to its end: %s\n",
                      of->catalog->root, strerror(errno));
    }
    closedir(directory);
    if (out->count)
        qsort(out->each, out->count, sizeof *out->each, by_name);
    return good && !dataset_must_stop(of->stop);
}

/* ---- opening ---- */

/* The message without the name of the program and the end of the line. NULL: no memory. */
static char *reason_of(const char *message) {
    static const char program[] = "fmixd: ";
    if (strncmp(message, program, strlen(program)) == 0)
        message += strlen(program);
    return strndup(message, strcspn(message, "\n"));
}

/* Opens a set. On failure the reason is printed, and kept in the entry. */
static dataset *open_set(const scan *of, entry *e) {
    char message[CATALOG_REASON] = "";
    FILE *capture = fmemopen(message, sizeof message - 1, "w");
    dataset *d = NULL;
    if (capture) {
        d = dataset_open(of->catalog->root, e->name, of->catalog->verify, of->stop, capture);
        fclose(capture);
    } else {
        snprintf(message, sizeof message, "fmixd: data set '%s': out of memory\n", e->name);
    }
    if (message[0])
        fputs(message, of->errors);
    if (d)
        d->log = of->errors;
    else
        e->reason = reason_of(message);
    return d;
}

static bool has_wrong_pieces(const dataset *d) {
    return d->verification && verification_count(d->verification).wrong > 0;
}

/* Chooses the set to serve under the entry's name: the set served so far if neither it nor what is
 * known of its pieces calls for another look, or if it is whole and its successor cannot be opened;
 * else the successor. */
static void renew(const scan *of, entry *e) {
    char reason[CATALOG_REASON];
    dataset *before = catalog_find(of->catalog, e->name, reason);
    bool whole = before && dataset_is_whole(before);
    if (whole && dataset_is_current(before, of->catalog->root) && !has_wrong_pieces(before)) {
        e->set = before;
        return;
    }
    e->set = open_set(of, e);
    if (!e->set && whole) {
        message_print(of->errors, "fmixd: data set '%s': the previous version is still served\n",
                      e->name);
        e->set = before;
        return;
    }
    dataset_release(before);
}

/* False: no memory. */
static bool describe(entries *all, FILE *errors) {
    dataset **sets = calloc(all->count + 1, sizeof(dataset *));
    size_t served = 0;
    for (size_t i = 0; sets && i < all->count; i++)
        if (all->each[i].set)
            sets[served++] = all->each[i].set;
    all->description = sets ? description_of_all(sets, served) : NULL;
    free(sets);
    if (!all->description)
        message_print(errors, "fmixd: data: out of memory\n");
    return all->description != NULL;
}

bool catalog_scan(catalog *c, const atomic_bool *stop, FILE *errors) {
    const scan of = {c, stop, errors};
    entries found = {.count = 0};
    bool good = !c->root[0] || list_sets(&of, &found);
    for (size_t i = 0; i < found.count && good; i++) {
        renew(&of, &found.each[i]);
        good = !dataset_must_stop(of.stop);
    }
    if (!good || !describe(&found, errors)) {
        free_entries(&found);
        return false;
    }
    pthread_mutex_lock(&c->lock);
    entries before = c->entries;
    c->entries = found;
    pthread_mutex_unlock(&c->lock);
    free_entries(&before);
    return true;
}

catalog *catalog_new(const char *root, dataset_verify verify, FILE *errors) {
    catalog *c = calloc(1, sizeof *c);
    if (c && !(c->root = strdup(root))) {
        free(c);
        c = NULL;
    }
    if (!c) {
        message_print(errors, "fmixd: out of memory\n");
        return NULL;
    }
    c->verify = verify;
    pthread_mutex_init(&c->lock, NULL);
    mapped_file_start();
    if (catalog_scan(c, NULL, errors))
        return c;
    catalog_free(c);
    return NULL;
}

void catalog_free(catalog *c) {
    if (!c)
        return;
    free_entries(&c->entries);
    pthread_mutex_destroy(&c->lock);
    free(c->root);
    free(c);
}

/* ---- questions ---- */

bool catalog_has_doubtful(catalog *c) {
    bool doubtful = false;
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->entries.count && !doubtful; i++)
        doubtful =
            c->entries.each[i].set && dataset_state(c->entries.each[i].set) == MAPPED_FILE_DOUBTFUL;
    pthread_mutex_unlock(&c->lock);
    return doubtful;
}

dataset *catalog_find(catalog *c, const char *name, char reason[CATALOG_REASON]) {
    entry wanted = {.set = NULL};
    dataset *found = NULL;
    reason[0] = 0;
    if (!manifest_name_is_valid(name))
        return NULL;
    snprintf(wanted.name, sizeof wanted.name, "%s", name);
    pthread_mutex_lock(&c->lock);
    const entry *e = c->entries.count ? bsearch(&wanted, c->entries.each, c->entries.count,
                                                sizeof wanted, by_name)
                                      : NULL;
    if (e && e->set)
        found = dataset_retain(e->set);
    else if (e)
        snprintf(reason, CATALOG_REASON, "%s", e->reason ? e->reason : "out of memory");
    pthread_mutex_unlock(&c->lock);
    return found;
}

description *catalog_describe(catalog *c) {
    pthread_mutex_lock(&c->lock);
    description *all = description_retain(c->entries.description);
    pthread_mutex_unlock(&c->lock);
    return all;
}

static verification_counts pieces_of(const dataset *d) {
    return d && d->verification ? verification_count(d->verification) : (verification_counts){0};
}

size_t catalog_damaged(catalog *c, catalog_damage *out, size_t most) {
    size_t found = 0;
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->entries.count && found < most; i++) {
        const dataset *d = c->entries.each[i].set;
        size_t wrong = (size_t)pieces_of(d).wrong;
        if (wrong == 0)
            continue;
        memcpy(out[found].name, d->name, sizeof d->name);
        out[found++].pieces = wrong;
    }
    pthread_mutex_unlock(&c->lock);
    return found;
}

/* A set that was damaged since it was opened, and that no scan has looked at yet, is refused too.
 */
size_t catalog_count_sets(catalog *c, catalog_counts *out, char names[][DATASET_NAME + 1],
                          size_t most) {
    size_t named = 0;
    *out = (catalog_counts){0};
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->entries.count; i++) {
        const entry *e = &c->entries.each[i];
        if (e->set && dataset_state(e->set) == MAPPED_FILE_WHOLE) {
            out->served++;
            continue;
        }
        out->refused++;
        if (named < most)
            memcpy(names[named++], e->name, sizeof e->name);
    }
    pthread_mutex_unlock(&c->lock);
    return named;
}

void catalog_count_pieces(catalog *c, verification_counts *out) {
    *out = (verification_counts){0};
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->entries.count; i++) {
        verification_counts one = pieces_of(c->entries.each[i].set);
        out->pieces += one.pieces;
        out->compared += one.compared;
        out->wrong += one.wrong;
    }
    pthread_mutex_unlock(&c->lock);
}

dataset *catalog_nth(catalog *c, size_t n) {
    dataset *found = NULL;
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->entries.count && !found; i++)
        if (c->entries.each[i].set && n-- == 0)
            found = dataset_retain(c->entries.each[i].set);
    pthread_mutex_unlock(&c->lock);
    return found;
}
