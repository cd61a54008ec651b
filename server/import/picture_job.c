#include "picture_job.h"
#include "datasets/dataset_journal.h"
#include "lib/fmix.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool picture_job_begin(picture_job *j, const picture_item *item, const picture_order *order) {
    *j = (picture_job){.item = *item, .order = *order, .name = strdup(item->name)};
    j->item.name = j->name;
    if (item->file >= 0) /* the source may close its own before the job is done */
        j->item.file = fcntl(item->file, F_DUPFD_CLOEXEC, 0);
    return j->name && (item->file < 0 || j->item.file >= 0);
}

void picture_job_end(picture_job *j) {
    mapped_file_close(&j->mapped);
    if (j->item.file >= 0)
        close(j->item.file);
    image_free(&j->picture);
    free(j->copy);
    free(j->name);
    *j = (picture_job){.item.file = -1};
}

static bool fail(picture_job *j, const char *text) {
    snprintf(j->why, sizeof j->why, "%s", text);
    return false;
}

/* ---- the file ---- */

static bool is_too_long(picture_job *j, uint64_t length) {
    if (length <= DATASET_PICTURE_BYTES)
        return false;
    snprintf(j->why, sizeof j->why, "the file has %" PRIu64 " bytes; the limit is %u", length,
             DATASET_PICTURE_BYTES);
    return true;
}

static bool open_whole(picture_job *j) {
    if (!mapped_file_open_path(j->name, &j->mapped))
        return fail(j, mapped_file_error(errno));
    const uint64_t facts[] = {j->mapped.stamp.length, j->mapped.stamp.written};
    j->stamp = dataset_journal_add(DATASET_JOURNAL_BEGIN, facts, sizeof facts);
    j->length = j->mapped.length;
    return !is_too_long(j, j->length);
}

/* A part of a file may be cut off while it is read, so it is copied rather than mapped. */
static bool open_part(workers *w, picture_job *j) {
    const picture_item *i = &j->item;
    j->length = i->length;
    if (is_too_long(j, i->length))
        return false;
    workers_reserve(w, j, i->length);
    j->copy = malloc((size_t)i->length + 1);
    if (!j->copy)
        return fail(j, "out of memory");
    for (uint64_t at = 0; at < i->length;) {
        ssize_t got =
            pread(i->file, j->copy + at, (size_t)(i->length - at), (off_t)(i->offset + at));
        if (got <= 0) {
            j->changed = got == 0;
            return fail(j, got < 0 ? strerror(errno) : "the file was cut short while it was read");
        }
        at += (uint64_t)got;
    }
    const uint64_t facts[] = {i->length, i->offset, i->stamp};
    j->stamp = dataset_journal_add(DATASET_JOURNAL_BEGIN, facts, sizeof facts);
    return true;
}

static const unsigned char *bytes_of(const picture_job *j) {
    return j->copy ? j->copy : j->mapped.bytes;
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

static bool shrink(picture_job *j) {
    image *p = &j->picture;
    const fmix_view view = {whole_side(p->height, j->height), whole_side(p->width, j->width),
                            false};
    const fmix_picture from = {.part = {0, 0, p->height, p->width},
                               .pixels = p->pixels,
                               .stride = (size_t)p->width * p->channels};
    fmix_scratch *scratch = NULL;
    unsigned char *out = malloc((size_t)j->height * j->width * p->channels);
    fmix_status status = out ? fmix_scratch_new(&scratch) : FMIX_ERROR_MEMORY;
    if (status == FMIX_OK)
        status = fmix_resize(scratch, &view, FMIX_FILTER_BICUBIC, p->channels, &from, out);
    fmix_scratch_free(scratch);
    free(p->pixels);
    p->pixels = out;
    return status == FMIX_OK || fail(j, fmix_status_text(status));
}

static bool read_pixels(workers *w, picture_job *j) {
    image *p = &j->picture;
    unsigned wanted = j->order.keeps_file ? 0 : j->order.channels;
    unsigned channels = wanted > p->stored ? wanted : p->stored;
    find_sides(j);
    workers_reserve(w, j,
                    ((uint64_t)p->height * p->width + (uint64_t)j->height * j->width) * channels);
    if (!image_read(bytes_of(j), (size_t)j->length, wanted, p))
        return false;
    if (j->order.keeps_file)
        image_free(p);
    return !j->shrunk || shrink(j);
}

void picture_job_run(workers *w, void *job) {
    picture_job *j = job;
    image *p = &j->picture;
    if (j->item.refused) {
        fail(j, j->item.refused);
        return;
    }
    if (!(j->item.file < 0 ? open_whole(j) : open_part(w, j)))
        return;
    j->read =
        image_header(bytes_of(j), (size_t)j->length, p) && (!j->order.pixels || read_pixels(w, j));
    if (!j->why[0])
        snprintf(j->why, sizeof j->why, "%s", p->message);
    if (j->mapped.bytes && !(mapped_file_is_current(&j->mapped, j->name) &&
                             mapped_file_state_of(&j->mapped) == MAPPED_FILE_WHOLE))
        j->changed = true;
    if (!j->order.keeps_file)
        mapped_file_close(&j->mapped);
}

dataset_picture picture_job_bytes(const picture_job *j) {
    const image *p = &j->picture;
    if (j->order.keeps_file)
        return (dataset_picture){bytes_of(j), j->length, p->height, p->width};
    return (dataset_picture){p->pixels, (uint64_t)j->height * j->width * p->channels, j->height,
                             j->width};
}
