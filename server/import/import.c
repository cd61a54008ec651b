#include "import.h"
#include "../query.h"
#include "../say.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define ROW(name) &import_##name,
static const import_kind *const table[] = {IMPORT_TABLE(ROW) NULL};
#undef ROW

bool import_fail(const import *in, const char *text, ...) {
    va_list arguments;
    fputs("fmixd: import: ", in->errors);
    va_start(arguments, text);
    say_list(in->errors, text, arguments);
    va_end(arguments);
    fputc('\n', in->errors);
    return false;
}

bool import_map(const import *in, const char *path, map *out) {
    return map_open_path(path, out) ||
           import_fail(in, "'%s' cannot be read: %s", path, strerror(errno));
}

bool import_unchanged(const import *in, const char *path, const map *file) {
    return (map_is_current(file, path) && map_state_of(file) == MAP_WHOLE) ||
           import_fail(in, "'%s' was cut short or altered while it was read", path);
}

bool import_layout(const import *in, unsigned sides, unsigned *out) {
    const char *const *names = query_table[QUERY_LAYOUT].choices;
    if (sides == 0 || sides > QUERY_RANK - 1)
        return import_fail(in, "a row has %u sides; it must have one to %d", sides, QUERY_RANK - 1);
    if (!in->layout && sides >= 3)
        return import_fail(in,
                           "a row has %u sides, so --layout is required: channels_first, "
                           "channels_last or none",
                           sides);
    *out = LAYOUT_NONE;
    for (unsigned i = 0; in->layout && names[i]; i++)
        if (strcmp(names[i], in->layout) == 0)
            *out = i;
    unsigned spatial = sides - (*out != LAYOUT_NONE);
    if (spatial < 1 || spatial > 3)
        return import_fail(in,
                           "with this layout a row has %u spatial sides; it must have one to "
                           "three",
                           spatial);
    return true;
}

bool import_arrays(const import *in, const array *x, const array *const *y, unsigned heads,
                   const map *files) {
    writer_facts facts = {.type = x->type, .rank = x->rank - 1, .expected = x->shape[0]};
    if (x->rank < 2)
        return import_fail(in, "x has %u sides; it needs rows and at least one side more", x->rank);
    if (!import_layout(in, facts.rank, &facts.layout))
        return false;
    for (unsigned d = 0; d < facts.rank; d++)
        facts.side[d] = x->shape[d + 1];
    writer *w = writer_new(in->path, &facts, in->errors);
    bool good = w && writer_rows(w, x->bytes, x->shape[0]);
    for (unsigned i = 0; i < heads && good; i++)
        good = writer_head(w, y[i]->name, y[i], in->classes);
    for (unsigned i = 0; files && i < in->count && good; i++)
        good = import_unchanged(in, in->files[i], &files[i]);
    if (good)
        return writer_finish(w);
    writer_abandon(w);
    return false;
}

/* ---- the command line ---- */

static int usage(FILE *errors) {
    fputs(
        "usage: fmixd import DIR --from KIND FILE... [--layout channels_first|channels_last|none] "
        "[--classes N]\n",
        errors);
    for (size_t i = 0; table[i]; i++)
        say(errors, "  --from %-11s %s\n", table[i]->name, table[i]->arguments);
    return 2;
}

static bool parse_layout(import *in, const char *text) {
    const char *const *names = query_table[QUERY_LAYOUT].choices;
    for (unsigned i = 0; names[i]; i++)
        if (strcmp(names[i], text) == 0) {
            in->layout = names[i];
            return true;
        }
    return import_fail(in, "--layout is '%.40s'; it must be channels_first, channels_last or none",
                       text);
}

static bool parse_classes(import *in, const char *text) {
    char *end;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] >= '0' && text[0] <= '9' && !*end && value >= 1 && value <= FMIX_MAX_CLASSES) {
        in->classes = value;
        return true;
    }
    return import_fail(in, "--classes is '%.40s'; it must be a whole number from 1 to %u", text,
                       FMIX_MAX_CLASSES);
}

static const import_kind *kind_named(const char *name) {
    size_t i = 0;
    while (table[i] && strcmp(table[i]->name, name) != 0)
        i++;
    return table[i];
}

/* Options may stand anywhere behind the command; what is no option, or its value, is DIR and then
 * files, which take the place of what was read. */
int import_command(int argc, char **argv, FILE *errors) {
import in = {.errors = errors };
    const import_kind *kind = NULL;
    int kept = 0;
    bool good = true;
    for (int i = 1; i < argc && good; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strncmp(argv[i], "--", 2) != 0) {
            argv[kept++] = argv[i];
            continue;
        }
        if (strcmp(argv[i], "--from") == 0)
            good =
                (kind = kind_named(value)) || import_fail(&in, "there is no --from '%.40s'", value);
        else if (strcmp(argv[i], "--layout") == 0)
            good = parse_layout(&in, value);
        else if (strcmp(argv[i], "--classes") == 0)
            good = parse_classes(&in, value);
        else
            good = import_fail(&in, "there is no option '%.40s'", argv[i]);
        i++;
    }
    if (!good || !kind || kept < 2)
        return usage(errors);
    in.path = argv[0];
    in.files = (const char *const *)argv + 1;
    in.count = (unsigned)kept - 1;
    if (in.count < kind->least || in.count > kind->most) {
        import_fail(&in, "--from %s takes %s", kind->name, kind->arguments);
        return usage(errors);
    }
    map_start();
    return kind->run(&in) ? 0 : 1;
}
