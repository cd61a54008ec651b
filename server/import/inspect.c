#include "inspect.h"
#include "base/message.h"
#include "datasets/dataset_audit.h"
#include "datasets/dataset_info.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool run_info(dataset *d, FILE *out, FILE *errors) {
    (void)errors;
    dataset_info_print(d, out);
    return true;
}

static bool run_verify(dataset *d, FILE *out, FILE *errors) {
    if (!dataset_audit(d, NULL, errors))
        return false;
    message_print(out, "%s is whole: %" PRIu64 " rows, digest %s\n", d->path, d->count, d->digest);
    return true;
}

static const struct command {
    const char *name, *purpose;
    bool (*run)(dataset *d, FILE *out, FILE *errors);
} commands[] = {
    {"info", "Print what the data set in the directory SET is. Its rows are not read.", run_info},
    {"verify",
     "Read all of the data set in the directory SET, and name what is not what was\n"
     "imported: files, with ranges of bytes and rows. The exit status is 1 if there is any.",
     run_verify},
};

/* NULL: there is none of this name. */
static const struct command *find(const char *name) {
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

bool inspect_knows(const char *name) {
    return find(name) != NULL;
}

static void print_usage(const struct command *c, FILE *to) {
    fprintf(to, "Usage: fmixd %s SET\n%s\n", c->name, c->purpose);
}

/* Cuts "ROOT/NAME" in two. NULL: no memory; else the caller frees *root. */
static const char *split(const char *path, char **root) {
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    *root = malloc(length + 3);
    if (!*root)
        return NULL;
    memcpy(*root, path, length);
    (*root)[length] = 0;
    char *slash = strrchr(*root, '/');
    if (!slash) { /* "./NAME" */
        memmove(*root + 2, *root, length + 1);
        memcpy(*root, ".", 2);
        return *root + 2;
    }
    *slash = 0;
    return slash + 1;
}

static bool run(const struct command *c, const char *path, FILE *out, FILE *errors) {
    char *root;
    const char *name = split(path, &root);
    if (!name) {
        message_print(errors, "fmixd: out of memory\n");
        return false;
    }
    mapped_file_start();
    dataset *d = dataset_open(root[0] ? root : "/", name, DATASET_VERIFY_FACTS, NULL, errors);
    bool good = d && c->run(d, out, errors);
    dataset_release(d);
    free(root);
    return good;
}

int inspect_command(int argc, char **argv, FILE *out, FILE *errors) {
    const struct command *c = find(argv[0]);
    bool help = argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
    if (help || argc != 2 || argv[1][0] == '-') {
        print_usage(c, help ? out : errors);
        return help ? 0 : 2;
    }
    return run(c, argv[1], out, errors) ? 0 : 1;
}
