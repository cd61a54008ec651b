/* A data set's manifest, beside eight bytes of data, and as many of labels, dense targets and
 * neighbours. The offsets are those of two ragged rows, and the index
 * that of two pictures. */
#include "fuzz.h"

#include "datasets/dataset_read.h"

#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/fmixd-fuzz-XXXXXX";

static void remove_all(void) {
    static const char *const names[] = {"/s/manifest.json",
                                        "/s/data.bin",
                                        "/s/labels.bin",
                                        "/s/dense.bin",
                                        "/s/neighbours.bin",
                                        "/s/offsets.bin",
                                        "/s/index.bin",
                                        "/s/index.dense.bin",
                                        "/s/pieces.bin",
                                        "/s",
                                        ""};
    char path[80];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s%s", root, names[i]);
        remove(path);
    }
}

static void write_file(const char *name, const void *bytes, size_t length) {
    char path[80];
    snprintf(path, sizeof path, "%s/s/%s", root, name);
    FILE *file = fopen(path, "w");
    if (!file || fwrite(bytes, 1, length, file) != length || fclose(file) != 0)
        abort();
}

static FILE *begin(void) {
    char path[80];
    if (!mkdtemp(root) || snprintf(path, sizeof path, "%s/s", root) < 0 || mkdir(path, 0700) != 0)
        abort();
    atexit(remove_all);
    static const unsigned char zeros[8];
    write_file("data.bin", zeros, sizeof zeros);
    write_file("labels.bin", zeros, sizeof zeros);
    write_file("dense.bin", zeros, sizeof zeros);
    write_file("neighbours.bin", zeros, sizeof zeros);
    static const unsigned char offsets[24] = {[8] = 1, [16] = 4};
    write_file("offsets.bin", offsets, sizeof offsets);
    unsigned char index[2 * DATASET_PICTURE_ENTRY];
    dataset_picture_entry(0, 3, 1, 1, index);
    dataset_picture_entry(3, 5, 1, 5, index + DATASET_PICTURE_ENTRY);
    write_file("index.bin", index, sizeof index);
    write_file("index.dense.bin", index, sizeof index);
    static const unsigned char hashes[32];
    write_file("pieces.bin", hashes, sizeof hashes);
    return fopen("/dev/null", "w");
}

/* Without pieces, opening it reads all of it; with pieces, whose root no manifest knows, the set is
 * refused. */
static void open_lazily(FILE *quiet) {
    dataset *d = dataset_open(root, "s", DATASET_VERIFY_LAZY, NULL, quiet);
    if (d && d->pieces[0])
        abort();
    dataset_release(d);
}

/* The pictures of two rows, and their label maps; of samples only those that are as many as the
 * sides say. */
static void check_pictures(const dataset *d) {
    dataset_picture p;
    for (uint64_t row = 0; row < d->count; row++)
        if (dataset_picture_of(d, row, &p) != (d->store == DATASET_FILES || d->x.rank - 2 != row))
            abort();
    for (uint64_t row = 0; d->denses == 1 && row < d->count; row++)
        if (dataset_picture_in(d, &d->dense[0], row, &p) !=
            (d->store == DATASET_FILES || (d->x.rank == 2 && row == 1)))
            abort();
    if (d->count != 2 || d->denses > 1 || dataset_picture_of(d, 2, &p))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static FILE *quiet;
    quiet = quiet ? quiet : begin();
    write_file("manifest.json", data, size);
    open_lazily(quiet);
    dataset *d = dataset_open(root, "s", DATASET_VERIFY_OFF, NULL, quiet);
    if (!d)
        return 0;
    uint64_t sum = 0;
    if (d->images) {
        check_pictures(d);
        dataset_release(d);
        return 0;
    }
    for (uint64_t row = 0; row < d->count; row++) {
        dataset_span span = {row, 1};
        if (d->ragged && dataset_find_span(d, row, NULL, &span) != DATASET_TRUE)
            abort();
        uint64_t bytes = d->x.row_bytes * span.length, neighbour;
        if (dataset_array_row(&d->x, span.begin)[bytes - 1] != 0)
            abort();
        for (uint64_t j = 0; j < d->neighbours.k; j++)
            if (dataset_neighbour(d, row, j, NULL, &neighbour) != DATASET_TRUE || neighbour != 0)
                abort();
        sum += bytes;
    }
    if (sum != 8 || d->x.file.length != 8 || d->heads > 1 || d->denses > 1 ||
        d->count * d->neighbours.k > 1)
        abort();
    dataset_release(d);
    return 0;
}
