#include "picture_maps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PNG ".png"

/* ---- options ---- */

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text), behind = strlen(end);
    return length >= behind && strcmp(text + length - behind, end) == 0;
}

/* A folder of maps is told from an npy file, which holds all targets, by what is there. */
static bool mark_folder(const import *in, const char *path, bool *maps) {
    struct stat s;
    if (stat(path, &s) != 0)
        return import_fail(in, "'%s' cannot be read: %s", path, strerror(errno));
    *maps = S_ISDIR(s.st_mode);
    return true;
}

/* The end of members' names is told from an npy file by its name. */
static bool mark_member(const import *in, const char *end, bool *maps) {
    *maps = !strchr(end, '/') && !ends_with(end, ".npy");
    return !*maps || strlen(end) < PICTURE_MAPS_END - sizeof PNG ||
           import_fail(in, "--dense '%s' is too long for the end of a name", end);
}

static bool is_alone(const import *in, unsigned i) {
    const import_denses *all = &in->dense;
    for (unsigned j = 0; j < i; j++)
        if ((all->item[i].maps || all->item[j].maps) &&
            strcmp(all->item[i].name, all->item[j].name) == 0)
            return import_fail(in, "%s is given twice by --dense, as '%s' and as '%s'",
                               all->item[i].name, all->item[j].path, all->item[i].path);
    return true;
}

bool picture_maps_mark(import *in, import_map_places kind) {
    bool good = true;
    for (unsigned i = 0; i < in->dense.count && good && kind != IMPORT_MAPS_NONE; i++)
        good = (kind == IMPORT_MAPS_FOLDERS ? mark_folder : mark_member)(in, in->dense.item[i].path,
                                                                         &in->dense.item[i].maps) &&
               is_alone(in, i);
    in->maps = kind;
    return good;
}

picture_maps picture_maps_of(const import *in) {
    picture_maps m = {.members = in->maps == IMPORT_MAPS_MEMBERS};
    for (unsigned i = 0; i < in->dense.count; i++) {
        const char *path = in->dense.item[i].path;
        if (!in->dense.item[i].maps)
            continue;
        m.name[m.count] = in->dense.item[i].name;
        m.folder[m.count] = path;
        if (m.members)
            snprintf(m.end[m.count], PICTURE_MAPS_END, "%s%s", path,
                     ends_with(path, PNG) ? "" : PNG);
        m.count++;
    }
    return m;
}

/* ---- names ---- */

unsigned picture_maps_member(const picture_maps *m, const char *end) {
    unsigned i = 0;
    while (i < m->count && strcmp(m->end[i], end) != 0)
        i++;
    return i;
}

/* The length of a picture's name without its extension. */
static size_t stem_of(const char *name) {
    const char *dot = strrchr(name, '.'), *slash = strrchr(name, '/');
    return dot && (!slash || dot > slash) ? (size_t)(dot - name) : strlen(name);
}

char *picture_maps_name(const picture_maps *m, unsigned i, const char *picture, size_t within) {
    const char *from = m->members ? picture : picture + within;
    size_t stem = stem_of(from);
    size_t room = strlen(m->folder[i]) + stem + PICTURE_MAPS_END + 3;
    char *name = malloc(room);
    if (!name)
        return NULL;
    if (m->members)
        snprintf(name, room, "%.*s.%s", (int)stem, from, m->end[i]);
    else
        snprintf(name, room, "%s/%.*s" PNG, m->folder[i], (int)stem, from);
    return name;
}

void picture_maps_tell(const import *in) {
    for (unsigned i = 0; i < in->dense.count; i++)
        if (in->dense.item[i].maps)
            import_tell(in, "%s: a label map for each row, type u8, from '%s'",
                        in->dense.item[i].name, in->dense.item[i].path);
}
