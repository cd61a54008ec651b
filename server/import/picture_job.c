#include "picture_job.h"
#include "lib/fmix.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static unsigned maps_of(const picture_job *j) {
    return j->order.maps ? j->order.maps->count : 0;
}

/* A picture whose path is absolute has no maps in folders, as is said when it is read. */
static bool name_maps(picture_job *j) {
    bool named = j->item.file >= 0 || j->item.within != PICTURE_NOWHERE;
    bool good = true;
    for (unsigned i = 0; i < maps_of(j) && named && good; i++) {
        j->map[i].name = picture_maps_name(j->order.maps, i, j->name, j->item.within);
        good = j->map[i].name != NULL;
    }
    return good;
}

bool picture_job_begin(picture_job *j, const picture_item *item, const picture_order *order) {
    *j = (picture_job){.item = *item, .order = *order, .name = strdup(item->name)};
    j->item.name = j->blamed = j->name;
    if (item->file >= 0) /* the source may close its own before the job is done */
        j->item.file = fcntl(item->file, F_DUPFD_CLOEXEC, 0);
    return j->name && (item->file < 0 || j->item.file >= 0) && name_maps(j);
}

void picture_job_end(picture_job *j) {
    for (unsigned i = 0; i < maps_of(j); i++) {
        picture_file_close(&j->map[i].file);
        image_free(&j->map[i].picture);
        free(j->map[i].name);
    }
    picture_file_close(&j->file);
    if (j->item.file >= 0)
        close(j->item.file);
    image_free(&j->picture);
    free(j->name);
    *j = (picture_job){.item.file = -1};
}

/* ---- failures ---- */

static bool fail(picture_job *j, const char *text) {
    snprintf(j->why, sizeof j->why, "%s", text);
    return false;
}

static bool fail_map(picture_job *j, unsigned i, const char *text) {
    j->blamed = j->map[i].name;
    return fail(j, text);
}

/* ---- files ---- */

static bool fail_file(picture_job *j, const picture_file *f) {
    j->changed = j->changed || f->changed;
    return fail(j, f->why);
}

static bool open_part(workers *w, picture_job *j, picture_file *f, uint64_t offset,
                      uint64_t length) {
    if (!picture_file_fits(f, length))
        return false;
    workers_reserve(w, j, length);
    return picture_file_copy(f, j->item.file, offset, length, j->item.stamp);
}

/* A copy is at most PICTURE_FILE_COPIED bytes, so that it may be there before it is counted. */
static bool open_whole(workers *w, picture_job *j, picture_file *f, const char *path) {
    bool good = picture_file_open(f, path);
    if (f->copy)
        workers_reserve(w, j, f->length);
    return good;
}

static bool open_picture(workers *w, picture_job *j) {
    const picture_item *item = &j->item;
    bool good = item->file < 0 ? open_whole(w, j, &j->file, j->name)
                               : open_part(w, j, &j->file, item->offset, item->length);
    return good || fail_file(j, &j->file);
}

static bool open_map(workers *w, picture_job *j, unsigned i) {
    const picture_part *part = &j->item.map[i];
    picture_file *f = &j->map[i].file;
    if (!j->map[i].name)
        return fail(j, "the path is absolute, so that the folder of --dense has no label map for "
                       "it; give a path from the folder of the list on");
    if (j->item.file >= 0 && !part->there)
        return fail_map(j, i, "the label map of the picture is missing: no member has this name");
    bool good = j->item.file < 0 ? open_whole(w, j, f, j->map[i].name)
                                 : open_part(w, j, f, part->offset, part->length);
    if (good)
        return true;
    j->blamed = j->map[i].name;
    if (j->item.file < 0 && !picture_file_bytes(f)) {
        snprintf(j->why, sizeof j->why, "the label map of the picture is missing: %s", f->why);
        return false;
    }
    return fail_file(j, f);
}

/* ---- the pixels ---- */

/* The sides after the shorter is order.shorter: STREAM §9. */
static void find_sides(picture_job *j) {
    const image *p = &j->picture;
    uint32_t shorter = p->height < p->width ? p->height : p->width, to = j->order.shorter;
    j->height = p->height;
    j->width = p->width;
    if (to == 0 || shorter <= to)
        return;
    j->shrunk = true;
    j->height = (uint32_t)((uint64_t)to * p->height / shorter);
    j->width = (uint32_t)((uint64_t)to * p->width / shorter);
}

static fmix_view_side whole_side(uint32_t from, uint32_t to) {
    return (fmix_view_side){.length = from, .resized = to, .size = to};
}

/* Resizes the picture, or a label map of the same sides. */
static bool shrink(picture_job *j, image *p, fmix_filter filter) {
    const fmix_view view = {whole_side(p->height, j->height), whole_side(p->width, j->width),
                            false};
    const fmix_picture from = {.part = {0, 0, p->height, p->width},
                               .pixels = p->pixels,
                               .stride = (size_t)p->width * p->channels};
    fmix_scratch *scratch = NULL;
    unsigned char *out = malloc((size_t)j->height * j->width * p->channels);
    fmix_status status = out ? fmix_scratch_new(&scratch) : FMIX_ERROR_MEMORY;
    if (status == FMIX_OK)
        status = fmix_resize(scratch, &view, filter, p->channels, &from, out);
    fmix_scratch_free(scratch);
    free(p->pixels);
    p->pixels = out;
    return status == FMIX_OK || fail(j, fmix_status_text(status));
}

static void reserve_pixels(workers *w, picture_job *j, unsigned channels) {
    const image *p = &j->picture;
    workers_reserve(w, j,
                    ((uint64_t)p->height * p->width + (uint64_t)j->height * j->width) * channels);
}

static bool read_pixels(workers *w, picture_job *j) {
    image *p = &j->picture;
    unsigned wanted = j->order.keeps_file ? 0 : j->order.channels;
    find_sides(j);
    reserve_pixels(w, j, wanted > p->stored ? wanted : p->stored);
    if (!image_read(picture_file_bytes(&j->file), (size_t)j->file.length, wanted, p))
        return false;
    if (j->order.keeps_file)
        image_free(p);
    return !j->shrunk || shrink(j, p, FMIX_FILTER_BICUBIC);
}

static bool read_picture(workers *w, picture_job *j) {
    const picture_file *f = &j->file;
    bool good = image_header(picture_file_bytes(f), (size_t)f->length, &j->picture) &&
                (!j->order.pixels || read_pixels(w, j));
    if (!j->why[0])
        snprintf(j->why, sizeof j->why, "%s", j->picture.message);
    return good;
}

/* ---- label maps ---- */

static bool has_sides(picture_job *j, unsigned i) {
    const image *map = &j->map[i].picture, *of = &j->picture;
    if (map->height == of->height && map->width == of->width)
        return true;
    j->blamed = j->map[i].name;
    snprintf(j->why, sizeof j->why,
             "the label map has %" PRIu32 " x %" PRIu32 " pixels (width x height); it must have "
             "the %" PRIu32 " x %" PRIu32 " of its picture",
             map->width, map->height, of->width, of->height);
    return false;
}

static bool read_map_pixels(workers *w, picture_job *j, unsigned i) {
    picture_map *m = &j->map[i];
    reserve_pixels(w, j, 1);
    if (!image_labels_read(picture_file_bytes(&m->file), (size_t)m->file.length, NULL, &m->picture))
        return fail_map(j, i, m->picture.message);
    if (j->order.keeps_file)
        image_free(&m->picture);
    return !j->shrunk || shrink(j, &m->picture, FMIX_FILTER_NEAREST);
}

static bool read_map(workers *w, picture_job *j, unsigned i) {
    picture_map *m = &j->map[i];
    if (!open_map(w, j, i))
        return false;
    if (!image_labels_header(picture_file_bytes(&m->file), (size_t)m->file.length, &m->picture))
        return fail_map(j, i, m->picture.message);
    return has_sides(j, i) && (!j->order.pixels || read_map_pixels(w, j, i));
}

/* ---- the job ---- */

/* Of a file that is not kept, all that is needed was read. */
static void leave_file(picture_job *j, picture_file *f, const char *path) {
    if (!picture_file_is_unchanged(f, path)) {
        j->changed = true;
        j->blamed = path;
    }
    if (!j->order.keeps_file)
        picture_file_close(f);
}

void picture_job_run(workers *w, void *job) {
    picture_job *j = job;
    if (j->item.refused) {
        fail(j, j->item.refused);
        return;
    }
    if (!open_picture(w, j))
        return;
    j->read = read_picture(w, j);
    for (unsigned i = 0; i < maps_of(j) && j->read; i++)
        j->read = read_map(w, j, i);
    leave_file(j, &j->file, j->name);
    for (unsigned i = 0; i < maps_of(j); i++)
        leave_file(j, &j->map[i].file, j->map[i].name);
}

static dataset_picture bytes_of(const picture_job *j, const picture_file *f, const image *p) {
    if (j->order.keeps_file)
        return (dataset_picture){picture_file_bytes(f), f->length, p->height, p->width};
    return (dataset_picture){p->pixels, (uint64_t)j->height * j->width * p->channels, j->height,
                             j->width};
}

dataset_picture picture_job_bytes(const picture_job *j) {
    return bytes_of(j, &j->file, &j->picture);
}

dataset_picture picture_job_map(const picture_job *j, unsigned i) {
    return bytes_of(j, &j->map[i].file, &j->map[i].picture);
}
