#include "picture_file.h"
#include "datasets/dataset_journal.h"
#include "datasets/dataset_picture.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

bool picture_file_open(picture_file *f, const char *path) {
    if (!mapped_file_open_path(path, &f->mapped))
        return fail(f, mapped_file_error(errno));
    const uint64_t facts[] = {f->mapped.stamp.length, f->mapped.stamp.written};
    f->stamp = dataset_journal_add(DATASET_JOURNAL_BEGIN, facts, sizeof facts);
    f->length = f->mapped.length;
    return picture_file_fits(f, f->length);
}

bool picture_file_copy(picture_file *f, int file, uint64_t offset, uint64_t length,
                       uint64_t written) {
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
    const uint64_t facts[] = {length, offset, written};
    f->stamp = dataset_journal_add(DATASET_JOURNAL_BEGIN, facts, sizeof facts);
    return true;
}

const unsigned char *picture_file_bytes(const picture_file *f) {
    return f->copy ? f->copy : f->mapped.bytes;
}

bool picture_file_is_unchanged(const picture_file *f, const char *path) {
    return !f->mapped.bytes || (mapped_file_is_current(&f->mapped, path) &&
                                mapped_file_state_of(&f->mapped) == MAPPED_FILE_WHOLE);
}

void picture_file_close(picture_file *f) {
    mapped_file_close(&f->mapped);
    free(f->copy);
    f->copy = NULL;
}
