#include "catalog.h"
#include "base/message.h"
#include "base/shutdown.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A set that is served, or why it is not. */
typedef struct place {
    char name[DATASET_NAME + 1];
    dataset *set;
    char *reason; /* NULL: there was no memory to keep it */
} place;

typedef struct places {
    place *place; /* by name */
    size_t count;
    description *description; /* of those that are served */
} places;

struct catalog {
    char *root;
    bool verify;
    pthread_mutex_t lock;
    places places; /* guarded by lock */
};

/* What one scan goes by. */
typedef struct scan {
    catalog *catalog;
    const atomic_bool *end;
    FILE *errors;
} scan;

static bool shall_end(const scan *of) {
    return shutdown_requested() || (of->end && atomic_load(of->end));
}

static int by_name(const void *left, const void *right) {
    const place *a = left, *b = right;
    return strcmp(a->name, b->name);
}

static void free_all(places *all) {
    for (size_t i = 0; i < all->count; i++) {
        dataset_release(all->place[i].set);
        free(all->place[i].reason);
    }
    free(all->place);
    description_release(all->description);
    *all = (places){.count = 0};
}

/* ---- what is there ---- */

/* A directory with a manifest; one that does not tell whether it has one is taken for a set, so
 * that what is wrong with it is said. */
static bool is_set(int root, const char *name) {
    char path[DATASET_NAME + 32];
    struct stat s;
    snprintf(path, sizeof path, "%.*s/manifest.json", DATASET_NAME, name);
    return dataset_named_well(name) && (fstatat(root, path, &s, AT_SYMLINK_NOFOLLOW) == 0 ||
                                        (errno != ENOENT && errno != ENOTDIR));
}

static bool add(places *to, const char *name) {
    if ((to->count & (to->count - 1)) == 0) {
        size_t room = to->count ? 2 * to->count : 1;
        place *more = realloc(to->place, room * sizeof *more);
        if (!more)
            return false;
        to->place = more;
    }
    place *p = &to->place[to->count++];
    *p = (place){.set = NULL};
    snprintf(p->name, sizeof p->name, "%.*s", DATASET_NAME, name);
    return true;
}

/* Names alone, in order, so that which sets there is room for is not left to the file system. */
static bool list(const scan *of, places *out) {
    DIR *directory = opendir(of->catalog->root);
    if (!directory) {
        message_print(of->errors, "fmixd: data: '%s' cannot be read: %s\n", of->catalog->root,
                      strerror(errno));
        return false;
    }
    bool good = true;
    for (struct dirent *e; good && !shall_end(of) && (e = readdir(directory));)
        if (is_set(dirfd(directory), e->d_name) && !(good = add(out, e->d_name)))
            message_print(of->errors, "fmixd: data: out of memory\n");
    closedir(directory);
    if (out->count)
        qsort(out->place, out->count, sizeof *out->place, by_name);
    return good && !shall_end(of);
}

/* ---- opening ---- */

/* As it is said, without the program's name and the line's end; NULL without memory. */
static char *reason_of(const char *said) {
    static const char program[] = "fmixd: ";
    if (strncmp(said, program, strlen(program)) == 0)
        said += strlen(program);
    return strndup(said, strcspn(said, "\n"));
}

/* Opens it, or keeps the reason why not, which is said too. */
static dataset *opened(const scan *of, place *p) {
    char said[CATALOG_REASON] = "";
    FILE *keeper = fmemopen(said, sizeof said, "w");
    dataset *d = NULL;
    if (keeper) {
        d = dataset_open(of->catalog->root, p->name, of->catalog->verify, of->end, keeper);
        fclose(keeper);
    } else {
        snprintf(said, sizeof said, "fmixd: data set '%s': out of memory\n", p->name);
    }
    if (said[0])
        fputs(said, of->errors);
    if (!d)
        p->reason = reason_of(said);
    return d;
}

/* What is served from now on: a bad successor drops no good set. */
static void renew(const scan *of, place *p) {
    char reason[CATALOG_REASON];
    dataset *before = catalog_find(of->catalog, p->name, reason);
    bool good = before && dataset_is_whole(before);
    if (good && dataset_is_current(before, of->catalog->root)) {
        p->set = before;
        return;
    }
    p->set = opened(of, p);
    if (!p->set && good) {
        message_print(of->errors, "fmixd: data set '%s': the one there was is served on\n",
                      p->name);
        p->set = before;
        return;
    }
    dataset_release(before);
}

/* What is said of all that are served. False: no memory. */
static bool describe(places *all, FILE *errors) {
    dataset **sets = calloc(all->count + 1, sizeof(dataset *));
    size_t served = 0;
    for (size_t i = 0; sets && i < all->count; i++)
        if (all->place[i].set)
            sets[served++] = all->place[i].set;
    all->description = sets ? description_of_all(sets, served) : NULL;
    free(sets);
    if (!all->description)
        message_print(errors, "fmixd: data: out of memory\n");
    return all->description != NULL;
}

bool catalog_scan(catalog *s, const atomic_bool *end, FILE *errors) {
    const scan of = {s, end, errors};
    places found = {.count = 0};
    bool good = !s->root[0] || list(&of, &found);
    for (size_t i = 0; i < found.count && good; i++) {
        renew(&of, &found.place[i]);
        good = !shall_end(&of);
    }
    if (!good || !describe(&found, errors)) {
        free_all(&found);
        return false;
    }
    pthread_mutex_lock(&s->lock);
    places before = s->places;
    s->places = found;
    pthread_mutex_unlock(&s->lock);
    free_all(&before);
    return true;
}

catalog *catalog_new(const char *root, bool verify, FILE *errors) {
    catalog *s = calloc(1, sizeof *s);
    if (s && !(s->root = strdup(root))) {
        free(s);
        s = NULL;
    }
    if (!s) {
        message_print(errors, "fmixd: out of memory\n");
        return NULL;
    }
    s->verify = verify;
    pthread_mutex_init(&s->lock, NULL);
    mapped_file_start();
    if (catalog_scan(s, NULL, errors))
        return s;
    catalog_free(s);
    return NULL;
}

void catalog_free(catalog *s) {
    if (!s)
        return;
    free_all(&s->places);
    pthread_mutex_destroy(&s->lock);
    free(s->root);
    free(s);
}

/* ---- who asks ---- */

bool catalog_doubts(catalog *s) {
    bool doubts = false;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->places.count && !doubts; i++)
        doubts =
            s->places.place[i].set && dataset_state(s->places.place[i].set) == MAPPED_FILE_DOUBTFUL;
    pthread_mutex_unlock(&s->lock);
    return doubts;
}

dataset *catalog_find(catalog *s, const char *name, char reason[CATALOG_REASON]) {
    place wanted = {.set = NULL};
    dataset *found = NULL;
    reason[0] = 0;
    if (!dataset_named_well(name))
        return NULL;
    snprintf(wanted.name, sizeof wanted.name, "%s", name);
    pthread_mutex_lock(&s->lock);
    const place *p =
        s->places.count ? bsearch(&wanted, s->places.place, s->places.count, sizeof wanted, by_name)
                        : NULL;
    if (p && p->set)
        found = dataset_retain(p->set);
    else if (p)
        snprintf(reason, CATALOG_REASON, "%s", p->reason ? p->reason : "out of memory");
    pthread_mutex_unlock(&s->lock);
    return found;
}

description *catalog_describe(catalog *s) {
    pthread_mutex_lock(&s->lock);
    description *all = description_retain(s->places.description);
    pthread_mutex_unlock(&s->lock);
    return all;
}

dataset *catalog_nth(catalog *s, size_t n) {
    dataset *found = NULL;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->places.count && !found; i++)
        if (s->places.place[i].set && n-- == 0)
            found = dataset_retain(s->places.place[i].set);
    pthread_mutex_unlock(&s->lock);
    return found;
}
