/* An idx file that is imported, plain or gzip. */
#include "fuzz.h"

#include "import/extras.h"

#include <unistd.h>

static char root[] = "/tmp/fmixd-fuzz-XXXXXX", file[64], set[64];

static void remove_set(void) {
    static const char *const names[] = {"/manifest.json", "/data.bin", "/pieces.bin", ""};
    char path[100];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s%s", set, names[i]);
        remove(path);
    }
}

static void remove_all(void) {
    remove_set();
    remove(file);
    rmdir(root);
}

static FILE *begin(void) {
    if (!mkdtemp(root))
        abort();
    snprintf(file, sizeof file, "%s/file", root);
    snprintf(set, sizeof set, "%s/set", root);
    atexit(remove_all);
    return fopen("/dev/null", "w");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static FILE *quiet;
    quiet = quiet ? quiet : begin();
    FILE *out = fopen(file, "w");
    if (!out || fwrite(data, 1, size, out) != size || fclose(out) != 0)
        abort();
    const char *const files[] = {file};
    report told = {.to = quiet};
    extras beside = {.denses = 0};
    const import in = {.path = set,
                       .files = files,
                       .count = 1,
                       .given = IMPORT_LAYOUT,
                       .layout = LAYOUT_NONE,
                       .extras = &beside,
                       .report = &told,
                       .errors = quiet};
    if (import_idx.run(&in)) {
        dataset *d = dataset_open(root, "set", DATASET_VERIFY_START, NULL, quiet);
        if (!d)
            abort(); /* what was written can be served */
        dataset_release(d);
        remove_set();
    } else if (access(set, F_OK) == 0) {
        abort(); /* nothing half-written */
    }
    return 0;
}
