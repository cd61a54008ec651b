#include "picture_file.h"
#include "base/fnv.h"
#include "datasets/dataset_picture.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool fail(picture_file *f, const char *text) {
    snprintf(f->why, sizeof f->why, "%s", text);
    return false;
}

bool picture_file_fits(picture_file *f, uint64_t length) {
    if (length <= DATASET_PICTURE_BYTES)
        return true;
    snprintf(f->why, sizeof f->why, "the file has %" PRIu64 " bytes; the limit is %u", length,
             DATASET_PICTURE_BYTES);
    return false;
}

static bool copy(picture_file *f, int file, uint64_t offset, uint64_t length) {
    f->length = length;
    f->copy = malloc((size_t)length + 1);
    if (!f->copy)
        return fail(f, "out of memory");
    for (uint64_t at = 0; at < length;) {
        ssize_t got = pread(file, f->copy + at, (size_t)(length - at), (off_t)(offset + at));
        if (got <= 0) {
            f->changed = got == 0;
            return fail(f, got < 0 ? strerror(errno) : "the file was cut short while it was read");
        }
        at += (uint64_t)got;
    }
    return true;
}

/* A whole file is told from others by its length and time. */
static void take_stamp(picture_file *f) {
    const uint64_t facts[] = {f->whole.length, f->whole.written};
    f->stamp = fnv_add(FNV_BEGIN, facts, sizeof facts);
}

static bool map(picture_file *f, int file) {
    if (!mapped_file_map(file, &f->mapped))
        return fail(f, mapped_file_error(errno));
    f->whole = f->mapped.stamp;
    f->length = f->mapped.length;
    take_stamp(f);
    return picture_file_fits(f, f->length);
}

/* What is not a regular file is refused as it would be mapped. */
static bool copy_or_map(picture_file *f, int file) {
    struct stat s;
    if (fstat(file, &s) != 0 || !S_ISREG(s.st_mode) || s.st_size == 0 ||
        s.st_size > PICTURE_FILE_COPIED)
        return map(f, file);
    f->whole = mapped_file_stamp_of(&s);
    take_stamp(f);
    return copy(f, file, 0, f->whole.length);
}

bool picture_file_open(picture_file *f, const char *path) {
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return fail(f, mapped_file_error(errno));
    bool good = copy_or_map(f, file);
    close(file);
    return good;
}

bool picture_file_copy(picture_file *f, int file, uint64_t offset, uint64_t length,
                       uint64_t written) {
    if (!copy(f, file, offset, length))
        return false;
    const uint64_t facts[] = {length, offset, written};
    f->stamp = fnv_add(FNV_BEGIN, facts, sizeof facts);
    return true;
}

const unsigned char *picture_file_bytes(const picture_file *f) {
    return f->copy ? f->copy : f->mapped.bytes;
}

bool picture_file_is_unchanged(const picture_file *f, const char *path) {
    mapped_file_stamp now;
    if (f->copy)
        return f->whole.length == 0 ||
               mapped_file_compare(&f->whole, path, &now) == MAPPED_FILE_WHOLE;
    return !f->mapped.bytes || (mapped_file_is_current(&f->mapped, path) &&
                                mapped_file_state_of(&f->mapped) == MAPPED_FILE_WHOLE);
}

void picture_file_close(picture_file *f) {
    mapped_file_close(&f->mapped);
    free(f->copy);
    f->copy = NULL;
}
