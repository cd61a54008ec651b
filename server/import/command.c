/* The command line of `fmixd import`. */
#include "base/message.h"
#include "import.h"
#include "params/query.h"

#include <stdlib.h>
#include <string.h>

#define ROW(name) &import_##name,
static const import_kind *const kinds[] = {IMPORT_TABLE(ROW) NULL};
#undef ROW

/* An option, what its value may be, and where that goes. */
typedef struct option {
    const char *name, *values; /* NULL: it takes none */
    import_option bit;
    bool (*parse)(const char *text, uint64_t *out);
    size_t offset; /* in import */
    const char *meaning;
} option;

static bool parse_layout(const char *text, uint64_t *out) {
    const char *const *names = query_table[QUERY_LAYOUT].choices;
    for (*out = 0; names[*out]; ++*out)
        if (strcmp(names[*out], text) == 0)
            return true;
    return false;
}

static bool parse_classes(const char *text, uint64_t *out) {
    char *end;
    *out = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && !*end && *out >= 1 && *out <= FMIX_MAX_CLASSES;
}

static bool parse_channels(const char *text, uint64_t *out) {
    return parse_classes(text, out) && (*out == 1 || *out == 3);
}

static bool parse_cifar(const char *text, uint64_t *out) {
    return parse_classes(text, out) && (*out == 10 || *out == 100);
}

#define AT(member) offsetof(import, member)
static const option options[] = {
    {"--layout", "channels_first|channels_last|none", IMPORT_LAYOUT, parse_layout, AT(layout),
     "of rows; needed from three sides on"},
    {"--classes", "N", IMPORT_CLASSES, parse_classes, AT(classes),
     "how many classes the numbers of labels are of, 1 to 1048576; else one more than the largest"},
    {"--channels", "1|3", IMPORT_CHANNELS, parse_channels, AT(channels),
     "grey or RGB; else RGB unless all pictures are grey"},
    {"--cifar", "10|100", IMPORT_CIFAR, parse_cifar, AT(cifar),
     "which of them, where the length of the files does not tell"},
    {"--skip-bad", NULL, IMPORT_SKIP_BAD, NULL, 0,
     "go on without files that cannot be read; they are named all the same"},
    {"--allow-empty", NULL, IMPORT_ALLOW_EMPTY, NULL, 0, "keep classes without a picture"},
};
#undef AT

#define OPTIONS (sizeof options / sizeof *options)

static void print_kind(const import_kind *kind, FILE *errors) {
    message_print(errors, "  --from %s %s\n", kind->name, kind->arguments);
    for (size_t i = 0; i < OPTIONS; i++)
        if (kind->options & options[i].bit)
            message_print(errors, "      %s %s\n", options[i].name,
                          options[i].values ? options[i].values : "");
}

static int usage(FILE *errors) {
    message_print(errors, "usage: fmixd import DIR --from KIND FILE... [OPTION]...\n");
    for (size_t i = 0; kinds[i]; i++)
        print_kind(kinds[i], errors);
    for (size_t i = 0; i < OPTIONS; i++)
        message_print(errors, "  %-13s %s\n", options[i].name, options[i].meaning);
    return 2;
}

static const import_kind *kind_named(const char *name) {
    size_t i = 0;
    while (kinds[i] && strcmp(kinds[i]->name, name) != 0)
        i++;
    return kinds[i];
}

/* value is NULL where the line ends. *used: whether it belongs to the option. */
static bool take_option(import *in, const import_kind **kind, const char *name, const char *value,
                        bool *used) {
    const char *text = value ? value : "";
    size_t i = 0;
    *used = true;
    if (strcmp(name, "--from") == 0)
        return (*kind = kind_named(text)) || import_fail(in, "there is no --from '%.40s'", text);
    while (i < OPTIONS && strcmp(options[i].name, name) != 0)
        i++;
    if (i == OPTIONS)
        return import_fail(in, "there is no option '%.40s'", name);
    in->given |= options[i].bit;
    *used = options[i].parse != NULL;
    return !options[i].parse ||
           options[i].parse(text, (uint64_t *)((char *)in + options[i].offset)) ||
           import_fail(in, "%s is '%.40s'; it must be %s", name, text, options[i].values);
}

/* Options may stand anywhere behind the command; the rest is DIR and files, which take the place of
 * what was read. How many they are; -1: explained. */
static int read_line(import *in, const import_kind **kind, int argc, char **argv) {
    int kept = 0;
    for (int i = 1; i < argc; i++) {
        bool used = false;
        if (strncmp(argv[i], "--", 2) != 0)
            argv[kept++] = argv[i];
        else if (!take_option(in, kind, argv[i], argv[i + 1], &used))
            return -1;
        i += used;
    }
    return kept;
}

static bool options_fit(const import *in, const import_kind *kind) {
    for (size_t i = 0; i < OPTIONS; i++)
        if (in->given & options[i].bit & ~kind->options)
            return import_fail(in, "%s means nothing to --from %s", options[i].name, kind->name);
    return in->count >= kind->least && in->count <= kind->most
               ? true
               : import_fail(in, "--from %s takes %s", kind->name, kind->arguments);
}

int import_command(int argc, char **argv, FILE *errors) {
    report told = {.to = errors};
import in = {.errors = errors, .report = & told };
    const import_kind *kind = NULL;
    int kept = read_line(&in, &kind, argc, argv);
    if (kept < 2 || !kind)
        return usage(errors);
    in.path = argv[0];
    in.files = (const char *const *)argv + 1;
    in.count = (unsigned)kept - 1;
    if (!options_fit(&in, kind))
        return usage(errors);
    mapped_file_start();
    bool good = kind->run(&in);
    report_print(&told, good);
    return good ? 0 : 1;
}
