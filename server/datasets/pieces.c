#include "pieces.h"
#include "dataset_part.h"
#include "manifest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

size_t pieces_of_file(const mapped_file *file) {
    return file->length / PIECE_BYTES + (file->length % PIECE_BYTES != 0);
}

size_t pieces_count(const dataset *d) {
    size_t count = 0;
    for (unsigned i = 0; i < dataset_files(d); i++)
        count += pieces_of_file(dataset_file(d, i));
    return count;
}

bool pieces_root(const dataset *d, const unsigned char *hashes, size_t count,
                 char out[DATASET_DIGEST + 1]) {
    buffer head = buffer_of(8192);
    buffer_text(&head, "fmixd pieces 1\n");
    manifest_print_facts(d, &head);
    buffer_print(&head, "%s\n", d->digest);
    if (d->ragged)
        buffer_print(&head, "lengths %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", d->shortest,
                     d->longest, d->steps);
    bool good = !head.failed;
    if (good)
        digest_pair(head.bytes, head.length, hashes, count * DIGEST_BYTES, out);
    buffer_free(&head);
    return good;
}

/* A copy, which no later change of the file alters. NULL: explained. */
static unsigned char *copy(const dataset *d, const mapped_file *file, char reason[DATASET_REASON]) {
    size_t wanted = pieces_count(d) * DIGEST_BYTES;
    if (file->length != wanted) {
        snprintf(reason, DATASET_REASON,
                 PIECES_NAME " has %zu bytes; by the lengths of the other files it must have %zu: "
                             "it, or one of them, was cut off or replaced",
                 file->length, wanted);
        return NULL;
    }
    unsigned char *hashes = malloc(wanted ? wanted : 1);
    if (!hashes)
        snprintf(reason, DATASET_REASON, "out of memory");
    else if (wanted)
        memcpy(hashes, file->bytes, wanted);
    return hashes;
}

static bool check_root(const dataset *d, const unsigned char *hashes, char reason[DATASET_REASON]) {
    char found[DATASET_DIGEST + 1];
    if (!pieces_root(d, hashes, pieces_count(d), found)) {
        snprintf(reason, DATASET_REASON, "out of memory");
        return false;
    }
    if (strcmp(found, d->pieces) == 0)
        return true;
    snprintf(reason, DATASET_REASON,
             "the hash of its pieces is %s; by " MANIFEST_NAME " it must be %s: " PIECES_NAME
             " or " MANIFEST_NAME " was altered",
             found, d->pieces);
    return false;
}

unsigned char *pieces_read(const dataset *d, int directory, char reason[DATASET_REASON]) {
    mapped_file file;
    if (!mapped_file_open(directory, PIECES_NAME, &file)) {
        snprintf(reason, DATASET_REASON, PIECES_NAME " cannot be read: %s",
                 mapped_file_error(errno));
        return NULL;
    }
    unsigned char *hashes = copy(d, &file, reason);
    mapped_file_close(&file);
    if (!hashes || check_root(d, hashes, reason))
        return hashes;
    free(hashes);
    return NULL;
}
