#include "survey.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* A directory on the way down from the root. A link to one of them would make an endless walk. */
typedef struct ancestor {
    const struct ancestor *above;
    dev_t device;
    ino_t inode;
    unsigned depth;
} ancestor;

#define CLASS_BYTES 4

/* The walk through the directory of one class. */
typedef struct walk {
    const import *in;
    survey *out;
    uint32_t class_number;
} walk;

static bool is_dot(const char *name) {
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static bool has_image_extension(const char *name) {
    static const char *const ends[] = {".png", ".jpg", ".jpeg", ".jpe", ".jfif"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof ends / sizeof *ends; i++)
        if (strcasecmp(dot, ends[i]) == 0)
            return true;
    return false;
}

static void skip(const import *in, const char *path, const char *reason) {
    report_add(in->report, REPORT_SKIPPED, reason, path);
}

/* Skips a file that has no extension of an image. */
static void skip_by_name(const import *in, const char *path, const char *name) {
    const char *dot = strrchr(name, '.');
    char reason[REPORT_REASON];
    if (dot)
        snprintf(reason, sizeof reason, "extension %.16s is not PNG or JPEG", dot);
    else
        snprintf(reason, sizeof reason, "no extension");
    skip(in, path, reason);
}

static char *join(const import *in, const char *folder, const char *name) {
    size_t room = strlen(folder) + strlen(name) + 2;
    char *path = malloc(room);
    if (path)
        snprintf(path, room, "%s/%s", folder, name);
    else
        import_fail(in, "out of memory");
    return path;
}

/* Keeps an image as bytes whose order is that of ImageFolder: the class, the directory, NUL, the
 * name. */
static bool add_file(const walk *w, const char *folder, const char *name) {
    size_t above = strlen(folder) + 1, length = CLASS_BYTES + above + strlen(name) + 1;
    unsigned char *key = malloc(length);
    for (unsigned i = 0; key && i < CLASS_BYTES; i++)
        key[i] = (unsigned char)(w->class_number >> 8 * (CLASS_BYTES - 1 - i));
    if (key) {
        memcpy(key + CLASS_BYTES, folder, above);
        memcpy(key + CLASS_BYTES + above, name, length - CLASS_BYTES - above);
    }
    bool good = key && sorter_add(w->out->files, key, length);
    free(key);
    w->out->count++;
    w->out->filled[w->class_number]++;
    return good || import_fail(w->in, "the list of files cannot be kept: %s", strerror(errno));
}

/* Looks at what a path leads to, through links. False: reported. */
static bool look(const import *in, const char *path, struct stat *s) {
    if (stat(path, s) == 0)
        return true;
    report_bad(in->report, path, "%s", strerror(errno));
    return false;
}

/* ---- the directory of a class ---- */

static bool is_ancestor(const ancestor *of, const struct stat *s) {
    for (; of; of = of->above)
        if (of->device == s->st_dev && of->inode == s->st_ino)
            return true;
    return false;
}

static bool walk_folder(const walk *w, const char *folder, const ancestor *here);

static bool enter_folder(const walk *w, const char *path, const struct stat *s,
                         const ancestor *above) {
    const ancestor here = {above, s->st_dev, s->st_ino, above->depth + 1};
    if (is_ancestor(above, s))
        report_bad(w->in->report, path, "the link leads to a directory that contains the link");
    else if (here.depth > SURVEY_DEPTH)
        report_bad(w->in->report, path, "the directory is more than %d levels deep", SURVEY_DEPTH);
    else
        return walk_folder(w, path, &here);
    return true;
}

/* Such a link is bad only if it has the name of an image, because then an image is missing. */
static bool is_link_to_nothing(const char *path) {
    struct stat s;
    return stat(path, &s) != 0 && errno == ENOENT && lstat(path, &s) == 0 && S_ISLNK(s.st_mode);
}

/* *is_image: whether the entry is an image to add. */
static bool take_entry(const walk *w, const char *path, const char *name, const ancestor *above,
                       bool *is_image) {
    struct stat s;
    *is_image = false;
    if (name[0] == '.')
        skip(w->in, path, "hidden (the name begins with a dot)");
    else if (!has_image_extension(name) && is_link_to_nothing(path))
        skip(w->in, path, "a link that leads nowhere");
    else if (!look(w->in, path, &s))
        return true;
    else if (S_ISDIR(s.st_mode))
        return enter_folder(w, path, &s, above);
    else if (!S_ISREG(s.st_mode))
        skip(w->in, path, "neither a regular file nor a directory");
    else if (!has_image_extension(name))
        skip_by_name(w->in, path, name);
    else
        *is_image = true;
    return true;
}

static bool add_entry(const walk *w, const char *folder, const char *name, const ancestor *above) {
    bool is_image;
    char *path = join(w->in, folder, name);
    if (!path)
        return false;
    bool good = take_entry(w, path, name, above, &is_image);
    free(path);
    return good && (!is_image || add_file(w, folder, name));
}

static bool walk_folder(const walk *w, const char *folder, const ancestor *here) {
    DIR *directory = opendir(folder);
    bool good = true;
    if (!directory) {
        report_bad(w->in->report, folder, "%s", strerror(errno));
        return true;
    }
    errno = 0;
    for (struct dirent *e = readdir(directory); e && good; e = readdir(directory)) {
        if (!is_dot(e->d_name))
            good = add_entry(w, folder, e->d_name, here);
        errno = 0;
    }
    if (good && errno)
        report_bad(w->in->report, folder, "the directory cannot be read to its end: %s",
                   strerror(errno));
    closedir(directory);
    return good;
}

static bool walk_class(const import *in, const ancestor *root, uint32_t number, survey *out) {
    const walk w = {in, out, number};
    struct stat s;
    char *path = join(in, in->files[0], out->classes[number]);
    if (!path)
        return false;
    bool good = !look(in, path, &s) || !S_ISDIR(s.st_mode) || enter_folder(&w, path, &s, root);
    free(path);
    return good;
}

/* ---- the root ---- */

static bool add_class(const import *in, const char *path, const char *name, survey *out) {
    if (!dataset_writer_takes_class(name))
        return import_fail(in, "the name of the class '%s' is not UTF-8", path);
    char **more = realloc(out->classes, (out->class_count + 1) * sizeof *more);
    if (more)
        out->classes = more;
    if (!more || !(out->classes[out->class_count] = strdup(name)))
        return import_fail(in, "out of memory");
    out->class_count++;
    return true;
}

static bool take_root_entry(const import *in, const char *name, survey *out) {
    struct stat s;
    bool good = true;
    char *path = join(in, in->files[0], name);
    if (!path)
        return false;
    if (name[0] == '.')
        skip(in, path, "hidden (the name begins with a dot)");
    else if (!look(in, path, &s))
        good = true; /* reported: the directory of a class may be missed */
    else if (S_ISDIR(s.st_mode))
        good = add_class(in, path, name, out);
    else
        skip(in, path, "not in the directory of a class");
    free(path);
    return good;
}

static int by_bytes(const void *left, const void *right) {
    char *const *a = left, *const *b = right;
    return strcmp(*a, *b);
}

static bool list_classes(const import *in, survey *out) {
    DIR *directory = opendir(in->files[0]);
    if (!directory)
        return import_fail(in, "'%s' cannot be read: %s", in->files[0], strerror(errno));
    bool good = true;
    errno = 0;
    for (struct dirent *e = readdir(directory); e && good; e = readdir(directory)) {
        if (!is_dot(e->d_name))
            good = take_root_entry(in, e->d_name, out);
        errno = 0;
    }
    /* A class that is missed would shift the numbers of those behind it. */
    if (good && errno)
        good = import_fail(in, "'%s' cannot be read to its end: %s", in->files[0], strerror(errno));
    closedir(directory);
    if (good && (out->class_count == 0 || out->class_count > FMIX_MAX_CLASSES))
        return import_fail(in,
                           "'%s' must hold a directory for each class, from 1 to %u of them, but "
                           "holds %zu",
                           in->files[0], FMIX_MAX_CLASSES, out->class_count);
    if (good)
        qsort(out->classes, out->class_count, sizeof *out->classes, by_bytes);
    return good;
}

bool survey_walk(const import *in, FILE *scratch, survey *out) {
    struct stat s;
    *out = (survey){.files = sorter_new(scratch, SORTER_PIECE)};
    if (!out->files)
        return import_fail(in, "out of memory");
    if (stat(in->files[0], &s) != 0)
        return import_fail(in, "'%s' cannot be read: %s", in->files[0], strerror(errno));
    const ancestor root = {NULL, s.st_dev, s.st_ino, 0};
    bool good = list_classes(in, out);
    out->filled = calloc(out->class_count + 1, sizeof *out->filled);
    if (good && !out->filled)
        good = import_fail(in, "out of memory");
    for (size_t i = 0; i < out->class_count && good; i++)
        good = walk_class(in, &root, (uint32_t)i, out);
    return good;
}

sorter_result survey_next(survey *s, const char **path, uint32_t *class_number) {
    const unsigned char *key;
    size_t length;
    sorter_result result = sorter_next(s->files, &key, &length);
    if (result != SORTER_STRING)
        return result;
    *class_number = 0;
    for (unsigned i = 0; i < CLASS_BYTES; i++)
        *class_number = *class_number << 8 | key[i];
    size_t above = strlen((const char *)key + CLASS_BYTES);
    memcpy(s->path, key + CLASS_BYTES, length - CLASS_BYTES);
    s->path[above] = '/';
    *path = s->path;
    return result;
}

void survey_free(survey *s) {
    for (size_t i = 0; i < s->class_count; i++)
        free(s->classes[i]);
    free(s->classes);
    free(s->filled);
    sorter_free(s->files);
}
