/* Pictures, a folder a class: PNG and JPEG files of one size. */
#include "../picture.h"
#include "import.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct names {
    char **name; /* sorted */
    size_t count;
} names;

static void names_free(names *n) {
    for (size_t i = 0; i < n->count; i++)
        free(n->name[i]);
    free(n->name);
}

static int by_bytes(const void *left, const void *right) {
    char *const *a = left, *const *b = right;
    return strcmp(*a, *b);
}

static bool is_picture(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot && (strcasecmp(dot, ".png") == 0 || strcasecmp(dot, ".jpg") == 0 ||
                   strcasecmp(dot, ".jpeg") == 0);
}

/* What a folder holds but for what begins with a dot: pictures, or folders. */
static bool list(const import *in, const char *path, bool pictures, names *out) {
    DIR *directory = opendir(path);
    bool good = directory || import_fail(in, "'%s' cannot be read: %s", path, strerror(errno));
    for (struct dirent *e = good ? readdir(directory) : NULL; e && good; e = readdir(directory)) {
        if (e->d_name[0] == '.' || is_picture(e->d_name) != pictures)
            continue;
        char **more = realloc(out->name, (out->count + 1) * sizeof *more);
        if (more)
            out->name = more;
        if (!more || !(out->name[out->count] = strdup(e->d_name)))
            good = import_fail(in, "out of memory");
        else
            out->count++;
    }
    if (directory)
        closedir(directory);
    if (good && out->count)
        qsort(out->name, out->count, sizeof *out->name, by_bytes);
    return good;
}

/* What grows while pictures are read. */
typedef struct album {
    writer *w;
    picture first; /* whose size all have; without pixels */
    int32_t *numbers;
    uint64_t rows;
} album;

static bool begin(const import *in, const picture *p, album *a) {
    writer_facts facts = {
        .type = DTYPE_U8, .rank = 2, .side = {p->height, p->width}, .layout = LAYOUT_NONE};
    if (p->channels == 3) {
        facts.rank = 3;
        facts.side[2] = 3;
        facts.layout = LAYOUT_CHANNELS_LAST;
    }
    a->first = *p;
    a->first.pixels = NULL;
    a->w = writer_new(in->path, &facts, in->errors);
    return a->w != NULL;
}

static bool add(const import *in, const char *path, const picture *p, uint32_t number, album *a) {
    if (!a->w && !begin(in, p, a))
        return false;
    if (p->width != a->first.width || p->height != a->first.height)
        return import_fail(in,
                           "'%s' has %u x %u pixels, but the first picture has %u x %u; all must "
                           "have one size",
                           path, p->width, p->height, a->first.width, a->first.height);
    int32_t *more = realloc(a->numbers, (size_t)(a->rows + 1) * sizeof *more);
    if (!more)
        return import_fail(in, "out of memory");
    a->numbers = more;
    a->numbers[a->rows] = (int32_t)number;
    dtype_swap(DTYPE_I32, &a->numbers[a->rows], sizeof *more);
    a->rows++;
    return writer_rows(a->w, p->pixels, 1);
}

static bool take_picture(const import *in, const char *path, uint32_t number, album *a) {
    map file = {0};
    picture p = {0};
    if (!import_map(in, path, &file))
        return false;
    bool read = picture_read(file.bytes, file.length, a->w ? a->first.channels : 0, &p);
    bool good = import_unchanged(in, path, &file);
    if (good)
        good = read ? add(in, path, &p, number, a) : import_fail(in, "'%s': %s", path, p.words);
    picture_free(&p);
    map_close(&file);
    return good;
}

static bool take_class(const import *in, const char *name, uint32_t number, album *a) {
    names files = {0};
    size_t room = strlen(in->files[0]) + strlen(name) + 2;
    char *path = malloc(room);
    bool good = path || import_fail(in, "out of memory");
    if (good) {
        snprintf(path, room, "%s/%s", in->files[0], name);
        good = list(in, path, true, &files);
    }
    for (size_t i = 0; i < files.count && good; i++) {
        size_t length = room + strlen(files.name[i]) + 1;
        char *file = malloc(length);
        good = file || import_fail(in, "out of memory");
        if (good) {
            snprintf(file, length, "%s/%s", path, files.name[i]);
            good = take_picture(in, file, number, a);
        }
        free(file);
    }
    names_free(&files);
    free(path);
    return good;
}

static bool write_labels(const names *classes, album *a) {
    const array y = {.name = "y",
                     .bytes = (const unsigned char *)a->numbers,
                     .type = DTYPE_I32,
                     .rank = 1,
                     .shape = {a->rows}};
    bool good = writer_head(a->w, "y", &y, classes->count);
    for (size_t i = 0; i < classes->count && good; i++)
        good = writer_class(a->w, classes->name[i]);
    return good;
}

static bool run(const import *in) {
    names classes = {0};
    album a = {0};
    bool good = list(in, in->files[0], false, &classes);
    if (good && (classes.count == 0 || classes.count > FMIX_MAX_CLASSES))
        good = import_fail(in, "'%s' must hold a folder for each class", in->files[0]);
    for (size_t i = 0; i < classes.count && good; i++)
        good = take_class(in, classes.name[i], (uint32_t)i, &a);
    if (good && !a.w)
        good = import_fail(in, "'%s' holds no PNG or JPEG file", in->files[0]);
    good = good && write_labels(&classes, &a);
    if (good)
        good = writer_finish(a.w);
    else
        writer_abandon(a.w);
    free(a.numbers);
    names_free(&classes);
    return good;
}

const import_kind import_folder = {
    "folder", "DIRECTORY of a folder a class, with PNG and JPEG files", 1, 1, run};
