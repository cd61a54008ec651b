#include "shelf.h"
#include "process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Static_assert(2 * SHELF_MOST * (DATASET_HEADS + 1) < MAPS_MOST,
               "a scan has every file of all sets and of their successors mapped at once");

typedef struct sets {
    dataset *set[SHELF_MOST];
    size_t count;
    description *description; /* of all */
} sets;

struct shelf {
    char *root;
    bool verify;
    pthread_mutex_t lock;
    sets sets; /* by name; guarded by lock */
};

static int by_name(const void *left, const void *right) {
    dataset *const *a = left, *const *b = right;
    return strcmp((*a)->name, (*b)->name);
}

/* A directory with a manifest, or with nothing that concerns us. */
static bool is_set(int root, const struct dirent *entry) {
    char path[DATASET_NAME + 32];
    snprintf(path, sizeof path, "%.*s/manifest.json", DATASET_NAME, entry->d_name);
    return dataset_named_well(entry->d_name) && faccessat(root, path, F_OK, 0) == 0;
}

/* Takes the set there was, or NULL: what is served from now on. A bad successor drops no good set.
 */
static dataset *renewed(shelf *s, dataset *before, const char *name, FILE *errors) {
    bool good = before && dataset_is_whole(before);
    if (good && dataset_is_current(before, s->root))
        return before;
    dataset *after = dataset_open(s->root, name, s->verify, errors);
    if (!after && good) {
        fprintf(errors, "fmixd: data set '%s': the one there was is served on\n", name);
        return before;
    }
    dataset_release(before);
    return after;
}

static void take(shelf *s, const char *name, sets *out, FILE *errors) {
    if (out->count == SHELF_MOST) {
        fprintf(errors, "fmixd: data set '%s': there are more than %d\n", name, SHELF_MOST);
        return;
    }
    dataset *d = renewed(s, shelf_find(s, name), name, errors);
    if (d)
        out->set[out->count++] = d;
}

static bool list(shelf *s, sets *out, FILE *errors) {
    DIR *directory = opendir(s->root);
    if (!directory) {
        fprintf(errors, "fmixd: data: '%s' cannot be read: %s\n", s->root, strerror(errno));
        return false;
    }
    for (struct dirent *e = readdir(directory); e && !process_shall_end(); e = readdir(directory))
        if (is_set(dirfd(directory), e))
            take(s, e->d_name, out, errors);
    closedir(directory);
    qsort(out->set, out->count, sizeof *out->set, by_name);
    return !process_shall_end();
}

static void release_all(sets *all) {
    for (size_t i = 0; i < all->count; i++)
        dataset_release(all->set[i]);
    description_release(all->description);
}

static bool describe(sets *all, FILE *errors) {
    all->description = description_of_all(all->set, all->count);
    if (!all->description)
        fprintf(errors, "fmixd: data: out of memory\n");
    return all->description != NULL;
}

bool shelf_scan(shelf *s, FILE *errors) {
    sets found = {.count = 0};
    if ((s->root[0] && !list(s, &found, errors)) || !describe(&found, errors)) {
        release_all(&found);
        return false;
    }
    pthread_mutex_lock(&s->lock);
    sets before = s->sets;
    s->sets = found;
    pthread_mutex_unlock(&s->lock);
    release_all(&before);
    return true;
}

shelf *shelf_new(const char *root, bool verify, FILE *errors) {
    shelf *s = calloc(1, sizeof *s);
    if (s && !(s->root = strdup(root))) {
        free(s);
        s = NULL;
    }
    if (!s) {
        fprintf(errors, "fmixd: out of memory\n");
        return NULL;
    }
    s->verify = verify;
    pthread_mutex_init(&s->lock, NULL);
    map_start();
    if (shelf_scan(s, errors))
        return s;
    shelf_free(s);
    return NULL;
}

void shelf_free(shelf *s) {
    if (!s)
        return;
    release_all(&s->sets);
    pthread_mutex_destroy(&s->lock);
    free(s->root);
    free(s);
}

dataset *shelf_find(shelf *s, const char *name) {
    dataset *found = NULL;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->sets.count && !found; i++)
        if (strcmp(s->sets.set[i]->name, name) == 0)
            found = dataset_retain(s->sets.set[i]);
    pthread_mutex_unlock(&s->lock);
    return found;
}

description *shelf_describe(shelf *s) {
    pthread_mutex_lock(&s->lock);
    description *all = description_retain(s->sets.description);
    pthread_mutex_unlock(&s->lock);
    return all;
}

dataset *shelf_nth(shelf *s, size_t n) {
    pthread_mutex_lock(&s->lock);
    dataset *found = n < s->sets.count ? dataset_retain(s->sets.set[n]) : NULL;
    pthread_mutex_unlock(&s->lock);
    return found;
}
