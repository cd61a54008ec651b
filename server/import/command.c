/* The command line of `fmixd import`, and its help. */
#include "base/message.h"
#include "datasets/manifest.h"
#include "extras.h"
#include "formats/image.h"
#include "picture_maps.h"

#include <stdlib.h>
#include <string.h>

#define WIDTH 80 /* columns of the help text */

#define ROW(name) &import_##name,
static const import_kind *const kinds[] = {IMPORT_TABLE(ROW) NULL};
#undef ROW

typedef struct option {
    const char *name;
    const char *value;   /* its name in the help text; NULL: the option takes no value */
    const char *allowed; /* values, in words */
    import_option bit;
    bool (*parse)(const char *text, void *out); /* into a member of import */
    size_t offset;                              /* of the member */
    const char *meaning;
} option;

static bool parse_layout(const char *text, void *out) {
    unsigned layout = 0;
    bool good = manifest_layout_of(text, &layout);
    *(uint64_t *)out = layout;
    return good;
}

static bool parse_classes(const char *text, void *out) {
    uint64_t *number = out;
    char *end;
    *number = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && !*end && *number >= 1 && *number <= FMIX_MAX_CLASSES;
}

static bool parse_channels(const char *text, void *out) {
    const uint64_t *number = out;
    return parse_classes(text, out) && (*number == 1 || *number == 3);
}

static bool parse_cifar(const char *text, void *out) {
    const uint64_t *number = out;
    return parse_classes(text, out) && (*number == 10 || *number == 100);
}

static bool parse_store(const char *text, void *out) {
    unsigned store = 0;
    bool good = manifest_store_of(text, &store);
    *(uint64_t *)out = store;
    return good;
}

static bool parse_short(const char *text, void *out) {
    const uint64_t *number = out;
    return parse_classes(text, out) && *number <= IMAGE_SIDE;
}

static bool parse_file(const char *text, void *out) {
    const char **path = out;
    bool first = *path == NULL;
    *path = text;
    return first && text[0];
}

/* FILE or NAME=FILE. A path that holds an = is told by a / before it. */
static bool parse_dense(const char *text, void *out) {
    import_denses *all = out;
    const char *equals = strchr(text, '=');
    int length = equals && !memchr(text, '/', (size_t)(equals - text)) ? (int)(equals - text) : -1;
    char name[2 * ARRAY_NAME] = "dense";
    if (length > ARRAY_NAME || all->count == DATASET_DENSE)
        return false;
    if (length >= 0)
        snprintf(name, sizeof name, "dense.%.*s", length, text);
    all->item[all->count].path = text + length + 1;
    snprintf(all->item[all->count].name, ARRAY_NAME, "%.*s", ARRAY_NAME - 1, name);
    return manifest_dense_is_valid(name) && all->item[all->count++].path[0];
}

#define AT(member) offsetof(import, member)
static const option options[] = {
    {"--layout", "LAYOUT", "channels_first, channels_last or none", IMPORT_LAYOUT, parse_layout,
     AT(layout),
     "where the channels of a row are: channels_first, channels_last or none; required for rows of "
     "3 or 4 dimensions; ragged rows of 2 are channels_last by default"},
    {"--classes", "N", "an integer from 1 to 1048576", IMPORT_CLASSES, parse_classes, AT(classes),
     "number of classes; by default one more than the largest class number"},
    {"--channels", "N", "1 or 3", IMPORT_CHANNELS, parse_channels, AT(channels),
     "1 converts to grey, 3 to RGB; by default RGB, unless all images are grey"},
    {"--cifar", "N", "10 or 100", IMPORT_CIFAR, parse_cifar, AT(cifar),
     "10 or 100: the version, where the lengths of the files fit both"},
    {"--store", "STORE", "files or pixels", IMPORT_STORE, parse_store, AT(store),
     "how pictures whose sizes differ are stored: as files (the default), which take less room, or "
     "as pixels, which are served faster; pictures of one size are pixels of one array unless this "
     "is given"},
    {"--short", "N", "an integer from 1 to 65535", IMPORT_SHORT, parse_short, AT(shorter),
     "with --store pixels: first shrinks each picture (bicubic, as Pillow) so that its shorter "
     "side is N; smaller pictures stay as they are"},
    {"--dense", "[NAME=]FILE",
     "FILE or NAME=FILE, NAME of at most 25 letters, digits, _ and -, and at most 8 times",
     IMPORT_DENSE, parse_dense, AT(dense),
     "a target for each pixel, called dense or dense.NAME: an npy file [n, ...] with the spatial "
     "dimensions of the rows, with channels or without; may be repeated. Or label maps, a PNG file "
     "of class numbers (palette indices or grey values, at most 8 bits) for each picture, with its "
     "width and height: of folder and list, FILE is a directory that holds PATH/x.png for "
     "PATH/x.jpg; of tar, FILE is seg for KEY.seg.png beside KEY.jpg"},
    {"--neighbours", "FILE", "one npy file", IMPORT_NEIGHBOURS, parse_file, AT(neighbours),
     "an npy file of integers [n, k]: the numbers of the k rows that pairing=neighbour may choose "
     "for each row"},
    {"--values", NULL, NULL, IMPORT_VALUES, NULL, 0,
     "labels [n] of floats are values to predict, not class numbers"},
    {"--skip-bad", NULL, NULL, IMPORT_SKIP_BAD, NULL, 0,
     "import the other files if some cannot be read; these are reported in any case"},
    {"--allow-empty", NULL, NULL, IMPORT_ALLOW_EMPTY, NULL, 0,
     "import classes that have no images"},
};
#undef AT

#define OPTIONS (sizeof options / sizeof *options)

static const char synopsis[] = "Usage: fmixd import SET --from KIND FILE... [OPTION]...\n";

static const char purpose[] =
    "\nWrites a data set into the new directory SET. The daemon serves all sets in the\n"
    "directory that is given as --data.\n";

static const char examples[] =
    "\nExamples:\n"
    "  fmixd import sets/digits --from idx train-images.gz train-labels.gz\n"
    "  fmixd import sets/scans --from npy x.npy y.npy --layout channels_first\n"
    "  fmixd import sets/photos --from folder photos --skip-bad\n"
    "  fmixd import sets/streets --from npy x.npy --dense map=y.npy\n"
    "  fmixd import sets/scenes --from folder images --dense map=annotations\n"
    "  fmixd import sets/texts --from ragged x.npy offsets.npy y.npy\n"
    "  fmixd --data sets\n";

/* ---- help ---- */

/* Prints two columns; the second begins at `column`, and its words are wrapped. */
static void print_entry(FILE *out, size_t column, const char *left, const char *right) {
    size_t at = column;
    fprintf(out, "  %-*s", (int)(column - 2), left);
    while (*right) {
        size_t word = strcspn(right, " ");
        if (at > column && at + 1 + word > WIDTH) {
            fprintf(out, "\n%*s", (int)column, "");
            at = column;
        }
        at += (size_t)fprintf(out, "%s%.*s", at > column ? " " : "", (int)word, right);
        right += word + (right[word] == ' ');
    }
    fputc('\n', out);
}

static void print_kinds(FILE *out) {
    char left[64];
    fputs("\nKinds of files:\n", out);
    for (size_t i = 0; kinds[i]; i++) {
        snprintf(left, sizeof left, "%s %s", kinds[i]->name, kinds[i]->arguments);
        print_entry(out, 27, left, kinds[i]->meaning);
    }
}

/* The meaning, and the kinds that take the option. */
static void describe(const option *o, char *out, size_t room) {
    size_t used = (size_t)snprintf(out, room, "%s (", o->meaning);
    bool first = true;
    for (size_t i = 0; kinds[i] && used < room; i++) {
        if (!(kinds[i]->options & o->bit))
            continue;
        used +=
            (size_t)snprintf(out + used, room - used, "%s%s", first ? "" : ", ", kinds[i]->name);
        first = false;
    }
    if (used < room)
        snprintf(out + used, room - used, ")");
}

static void print_options(FILE *out) {
    char left[64], right[800];
    fputs("\nOptions:\n", out);
    for (size_t i = 0; i < OPTIONS; i++) {
        const option *o = &options[i];
        snprintf(left, sizeof left, "%s%s%s", o->name, o->value ? " " : "",
                 o->value ? o->value : "");
        describe(o, right, sizeof right);
        print_entry(out, 23, left, right);
    }
    print_entry(out, 23, "--help", "print this text");
}

static int print_help(FILE *out, FILE *errors) {
    fputs(synopsis, out);
    fputs(purpose, out);
    print_kinds(out);
    print_options(out);
    fputs(examples, out);
    if (fflush(out) == 0 && !ferror(out))
        return 0;
    message_print(errors, "fmixd: import: the help text cannot be written\n");
    return 1;
}

/* After an error of the command line, which was explained. */
static int refuse(FILE *errors) {
    fputs(synopsis, errors);
    fputs("'fmixd import --help' describes the kinds and options.\n", errors);
    return 2;
}

/* ---- parsing ---- */

static bool take_kind(const import *in, const char *text, const import_kind **kind) {
    char names[160];
    size_t used = 0;
    for (size_t i = 0; kinds[i]; i++) {
        if (strcmp(kinds[i]->name, text) == 0) {
            *kind = kinds[i];
            return true;
        }
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s",
                                 i == 0         ? ""
                                 : kinds[i + 1] ? ", "
                                                : " or ",
                                 kinds[i]->name);
    }
    return import_fail(in, "--from is '%.40s'; it must be %s", text, names);
}

/* value: the next argument; NULL where there is none. *used: whether the option takes the value. */
static bool take_option(import *in, const import_kind **kind, const char *name, const char *value,
                        bool *used) {
    size_t i = 0;
    *used = true;
    if (strcmp(name, "--from") == 0)
        return value ? take_kind(in, value, kind) : import_fail(in, "--from needs a value");
    while (i < OPTIONS && strcmp(options[i].name, name) != 0)
        i++;
    if (i == OPTIONS)
        return import_fail(in, "there is no option '%.40s'", name);
    in->given |= options[i].bit;
    *used = options[i].parse != NULL;
    if (!*used)
        return true;
    if (!value)
        return import_fail(in, "%s needs a value: %s", name, options[i].allowed);
    return options[i].parse(value, (char *)in + options[i].offset) ||
           import_fail(in, "%s is '%.40s'; it must be %s", name, value, options[i].allowed);
}

/* Options may stand anywhere. The other arguments, SET and files, are moved to the front of argv;
 * *kept counts them. */
static bool parse_arguments(import *in, const import_kind **kind, int argc, char **argv,
                            unsigned *kept) {
    *kept = 0;
    for (int i = 1; i < argc; i++) {
        bool used = false;
        if (strncmp(argv[i], "--", 2) != 0)
            argv[(*kept)++] = argv[i];
        else if (!take_option(in, kind, argv[i], argv[i + 1], &used))
            return false;
        i += used;
    }
    if (*kept == 0)
        return import_fail(in, "the directory SET is missing");
    if (!*kind)
        return import_fail(in, "--from is missing");
    return true;
}

static bool fits_kind(const import *in, const import_kind *kind) {
    for (size_t i = 0; i < OPTIONS; i++)
        if (in->given & options[i].bit & ~kind->options)
            return import_fail(in, "%s does not apply to --from %s", options[i].name, kind->name);
    return (in->count >= kind->least && in->count <= kind->most) ||
           import_fail(in, "--from %s takes %s", kind->name, kind->arguments);
}

static bool asks_for_help(int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0)
            return true;
    return false;
}

int import_command(int argc, char **argv, FILE *out, FILE *errors) {
    report counts = {.to = errors};
    extras beside = {.denses = 0};
    struct import in = {.errors = errors, .report = &counts, .extras = &beside};
    const import_kind *kind = NULL;
    unsigned kept;
    if (asks_for_help(argc, argv))
        return print_help(out, errors);
    if (!parse_arguments(&in, &kind, argc, argv, &kept))
        return refuse(errors);
    in.path = argv[0];
    in.files = (const char *const *)argv + 1;
    in.count = kept - 1;
    if (!fits_kind(&in, kind) || !picture_maps_mark(&in, kind->maps))
        return refuse(errors);
    counts.names_all = in.given & IMPORT_SKIP_BAD;
    if (!dataset_writer_check(in.path, errors))
        return 1; /* before the files are read, which may take hours */
    mapped_file_start();
    bool good = kind->run(&in);
    extras_free(&beside);
    report_print(&counts, good);
    return good ? 0 : 1;
}
