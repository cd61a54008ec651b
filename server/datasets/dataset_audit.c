#include "dataset_audit.h"
#include "base/message.h"
#include "dataset_check.h"
#include "dataset_info.h"
#include "dataset_part.h"
#include "dataset_picture.h"
#include "manifest.h"
#include "pieces.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct audit {
    dataset *set;
    FILE *errors;
    unsigned char *wanted; /* hashes of pieces.bin; NULL: there are none that can be believed */
    unsigned char *found;  /* hashes of the bytes */
    bool good;
} audit;

static void tell(audit *a, const char *text, ...) __attribute__((format(printf, 2, 3)));

static void tell(audit *a, const char *text, ...) {
    char reason[512];
    va_list arguments;
    va_start(arguments, text);
    vsnprintf(reason, sizeof reason, text, arguments);
    va_end(arguments);
    a->good = false;
    message_print(a->errors, "fmixd: data set '%s': %s\n", a->set->name, reason);
}

static void read_wanted(audit *a) {
    char reason[DATASET_REASON];
    int directory = open(a->set->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) {
        tell(a, "its directory cannot be read: %s", strerror(errno));
        return;
    }
    a->wanted = pieces_read(a->set, directory, reason);
    if (!a->wanted)
        tell(a, "%s", reason);
    close(directory);
}

static bool piece_differs(const audit *a, size_t piece) {
    return memcmp(a->wanted + piece * DIGEST_BYTES, a->found + piece * DIGEST_BYTES,
                  DIGEST_BYTES) != 0;
}

/* first: the first piece of the file, counted over all files. Neighbouring pieces are one range. */
static void compare_file(audit *a, unsigned file, size_t first) {
    const mapped_file *map = dataset_file(a->set, file);
    size_t count = pieces_of_file(map);
    for (size_t i = 0, n; i < count; i += n) {
        char range[DATASET_RANGE];
        for (n = 0; i + n < count && piece_differs(a, first + i + n);)
            n++;
        size_t end = (i + n) * PIECE_BYTES;
        if (n > 0) {
            dataset_info_range(a->set, file, i * PIECE_BYTES, end < map->length ? end : map->length,
                               range);
            tell(a, "%s are not what was imported", range);
        }
        n += n == 0;
    }
}

/* Reads every byte once. */
static void compare_bytes(audit *a, const atomic_bool *stop) {
    char digest[DATASET_DIGEST + 1];
    if (!digest_compute(a->set, stop, a->found, digest)) {
        tell(a, "%s",
             dataset_must_stop(stop) ? "interrupted"
                                     : "a file is truncated, altered or unreadable");
        return;
    }
    size_t first = 0;
    for (unsigned i = 0; i < dataset_files(a->set) && a->wanted; i++) {
        compare_file(a, i, first);
        first += pieces_of_file(dataset_file(a->set, i));
    }
    if (strcmp(digest, a->set->digest) != 0)
        tell(a, "its digest is %s; by " MANIFEST_NAME " it must be %s", digest, a->set->digest);
}

/* Every entry of an index is that of a picture. */
static void check_pictures(audit *a, const dataset_array *of) {
    dataset_picture picture;
    for (uint64_t row = 0; row < a->set->count; row++)
        if (!dataset_picture_in(a->set, of, row, &picture)) {
            if (of == &a->set->x)
                tell(a, "row %" PRIu64 " of its index does not lie in the data", row);
            else
                tell(a,
                     "row %" PRIu64 " of the index of %s does not lie in the label maps, or has "
                     "other sides than its picture",
                     row, of->name);
            return;
        }
}

static void check_all_pictures(audit *a) {
    if (!a->set->images)
        return;
    check_pictures(a, &a->set->x);
    for (unsigned i = 0; i < a->set->denses; i++)
        check_pictures(a, &a->set->dense[i]);
}

bool dataset_audit(dataset *d, const atomic_bool *stop, FILE *errors) {
    char reason[DATASET_REASON];
    audit a = {.set = d, .errors = errors, .good = true};
    a.found = malloc(pieces_count(d) * DIGEST_BYTES + 1);
    if (!a.found) {
        tell(&a, "out of memory");
        return false;
    }
    if (d->pieces[0])
        read_wanted(&a);
    compare_bytes(&a, stop);
    if (!dataset_check(d, stop, reason))
        tell(&a, "%s", reason);
    check_all_pictures(&a);
    if (!dataset_is_whole(d))
        tell(&a, "it was altered while it was read");
    free(a.found);
    free(a.wanted);
    return a.good;
}
