#include "survey.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* A folder on the way down from the root: a link to one of them would have no end. */
typedef struct step {
    const struct step *above;
    dev_t device;
    ino_t inode;
    unsigned depth;
} step;

static bool is_picture(const char *name) {
    static const char *const ends[] = {".png", ".jpg", ".jpeg", ".jpe", ".jfif"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof ends / sizeof *ends; i++)
        if (strcasecmp(dot, ends[i]) == 0)
            return true;
    return false;
}

static void skip(const import *in, const char *path, const char *name) {
    const char *dot = strrchr(name, '.');
    char reason[48];
    if (name[0] == '.')
        snprintf(reason, sizeof reason, "hidden, named with a dot before all");
    else if (dot)
        snprintf(reason, sizeof reason, "that are no PNG or JPEG, named %.16s", dot);
    else
        snprintf(reason, sizeof reason, "that are no PNG or JPEG by name");
    report_add(in->report, REPORT_SKIPPED, reason, path);
}

static char *join(const char *folder, const char *name) {
    size_t room = strlen(folder) + strlen(name) + 2;
    char *path = malloc(room);
    if (path)
        snprintf(path, room, "%s/%s", folder, name);
    return path;
}

/* Takes the path. */
static bool add_file(const import *in, char *path, size_t folder, uint32_t number, survey *out) {
    if (out->count == out->room) {
        size_t room = out->room ? 2 * out->room : 64;
        found *more =
            room > SIZE_MAX / sizeof *more ? NULL : realloc(out->files, room * sizeof *more);
        if (!more) {
            free(path);
            return import_fail(in, "out of memory");
        }
        out->files = more;
        out->room = room;
    }
    out->files[out->count++] = (found){.path = path, .folder = folder, .number = number};
    return true;
}

static bool add_class(const import *in, const char *name, survey *out) {
    char **more = realloc(out->classes, (out->class_count + 1) * sizeof *more);
    if (more)
        out->classes = more;
    if (!more || !(out->classes[out->class_count] = strdup(name)))
        return import_fail(in, "out of memory");
    out->class_count++;
    return true;
}

/* A folder by what it is: links are followed. *s says where it is. */
static bool is_folder(const import *in, const char *path, struct stat *s, bool *there) {
    *there = stat(path, s) == 0;
    if (!*there)
        report_bad(in->report, path, "it cannot be looked at: %s", strerror(errno));
    return *there && S_ISDIR(s->st_mode);
}

static bool leads_back(const step *way, const struct stat *s) {
    for (; way; way = way->above)
        if (way->device == s->st_dev && way->inode == s->st_ino)
            return true;
    return false;
}

static bool walk(const import *in, const char *folder, const step *way, uint32_t number,
                 survey *out);

static bool enter(const import *in, const char *path, const struct stat *s, const step *way,
                  uint32_t number, survey *out) {
    const step here = {way, s->st_dev, s->st_ino, way->depth + 1};
    if (leads_back(way, s))
        report_bad(in->report, path, "it is a link to a folder that it lies in");
    else if (here.depth > SURVEY_DEPTH)
        report_bad(in->report, path, "it is more than %d folders deep", SURVEY_DEPTH);
    else
        return walk(in, path, &here, number, out);
    return true;
}

static bool take_entry(const import *in, const char *folder, const char *name, const step *way,
                       uint32_t number, survey *out) {
    struct stat s;
    bool there;
    char *path = join(folder, name);
    if (!path)
        return import_fail(in, "out of memory");
    bool good = true, file = false;
    if (name[0] == '.')
        skip(in, path, name);
    else if (is_folder(in, path, &s, &there))
        good = enter(in, path, &s, way, number, out);
    else if (there && !S_ISREG(s.st_mode))
        report_add(in->report, REPORT_SKIPPED, "that are neither files nor folders", path);
    else if (there && !is_picture(name))
        skip(in, path, name);
    else
        file = there;
    if (file)
        return add_file(in, path, strlen(folder), number, out);
    free(path);
    return good;
}

static bool walk(const import *in, const char *folder, const step *way, uint32_t number,
                 survey *out) {
    DIR *directory = opendir(folder);
    bool good = true;
    if (!directory) {
        report_bad(in->report, folder, "it cannot be read: %s", strerror(errno));
        return true;
    }
    errno = 0;
    for (struct dirent *e = readdir(directory); e && good; e = readdir(directory)) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            good = take_entry(in, folder, e->d_name, way, number, out);
        errno = 0;
    }
    if (good && errno)
        report_bad(in->report, folder, "it cannot be read to its end: %s", strerror(errno));
    closedir(directory);
    return good;
}

/* ---- the root ---- */

static bool take_root_entry(const import *in, const char *name, survey *out) {
    struct stat s;
    bool there, good = true;
    char *path = join(in->files[0], name);
    if (!path)
        return import_fail(in, "out of memory");
    if (name[0] == '.')
        skip(in, path, name);
    else if (is_folder(in, path, &s, &there))
        good = (dataset_writer_takes_class(name) ||
                import_fail(in, "the name of the class '%s' is not UTF-8", path)) &&
               add_class(in, name, out);
    else if (there)
        report_add(in->report, REPORT_SKIPPED, "beside the folders of classes", path);
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
    for (struct dirent *e = readdir(directory); e && good; e = readdir(directory))
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            good = take_root_entry(in, e->d_name, out);
    closedir(directory);
    if (good && (out->class_count == 0 || out->class_count > FMIX_MAX_CLASSES))
        return import_fail(in, "'%s' must hold a folder for each class, at most %u; it holds %zu",
                           in->files[0], FMIX_MAX_CLASSES, out->class_count);
    if (good)
        qsort(out->classes, out->class_count, sizeof *out->classes, by_bytes);
    return good;
}

static int by_place(const void *left, const void *right) {
    const found *a = left, *b = right;
    size_t shorter = a->folder < b->folder ? a->folder : b->folder;
    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    int order = memcmp(a->path, b->path, shorter);
    if (order == 0 && a->folder != b->folder)
        return a->folder < b->folder ? -1 : 1;
    return order ? order : strcmp(a->path + a->folder, b->path + b->folder);
}

static bool walk_class(const import *in, const step *root, uint32_t number, survey *out) {
    struct stat s;
    bool there, good = true;
    char *path = join(in->files[0], out->classes[number]);
    if (!path)
        return import_fail(in, "out of memory");
    if (is_folder(in, path, &s, &there))
        good = enter(in, path, &s, root, number, out);
    free(path);
    return good;
}

bool survey_walk(const import *in, survey *out) {
    struct stat s;
    *out = (survey){NULL, 0, NULL, 0, 0};
    if (stat(in->files[0], &s) != 0)
        return import_fail(in, "'%s' cannot be read: %s", in->files[0], strerror(errno));
    const step root = {NULL, s.st_dev, s.st_ino, 0};
    bool good = list_classes(in, out);
    for (size_t i = 0; i < out->class_count && good; i++)
        good = walk_class(in, &root, (uint32_t)i, out);
    if (good && out->count)
        qsort(out->files, out->count, sizeof *out->files, by_place);
    return good;
}

void survey_look(const import *in, survey *all) {
    for (size_t i = 0; i < all->count; i++) {
        found *f = &all->files[i];
        mapped_file file = {0};
        image p;
        if (!mapped_file_open_path(f->path, &file)) {
            report_bad(in->report, f->path, "it cannot be read: %s", strerror(errno));
            continue;
        }
        if (!image_header(file.bytes, file.length, &p))
            report_bad(in->report, f->path, "%s", p.message);
        else
            f->stored = p.stored;
        f->width = p.width;
        f->height = p.height;
        mapped_file_close(&file);
    }
}

void survey_free(survey *s) {
    for (size_t i = 0; i < s->class_count; i++)
        free(s->classes[i]);
    for (size_t i = 0; i < s->count; i++)
        free(s->files[i].path);
    free(s->classes);
    free(s->files);
}
