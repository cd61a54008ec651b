/* A data set's manifest, beside eight bytes of data and as many of labels. */
#include "fuzz.h"

#include "datasets/dataset.h"

#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/fmixd-fuzz-XXXXXX";

static void remove_all(void) {
    static const char *const names[] = {"/s/manifest.json", "/s/data.bin", "/s/labels.bin", "/s",
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
    return fopen("/dev/null", "w");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static FILE *quiet;
    quiet = quiet ? quiet : begin();
    write_file("manifest.json", data, size);
    dataset *d = dataset_open(root, "s", false, NULL, quiet);
    if (!d)
        return 0;
    uint64_t sum = d->count * d->row_bytes;
    if (sum != 8 || d->data.length != 8 || d->heads > 1)
        abort();
    for (uint64_t row = 0; row < d->count; row++)
        if (dataset_row(d, row)[d->row_bytes - 1] != 0)
            abort();
    dataset_release(d);
    return 0;
}
