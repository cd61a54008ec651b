/* Pictures, a folder a class: PNG and JPEG files of one size. */
#include "import.h"
#include "survey.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What all rows are, and what grows while pictures are read. */
typedef struct album {
    survey files;
    uint32_t width, height;
    unsigned channels;
    dataset_writer_facts facts;
    dataset_writer *w;
    unsigned char *numbers; /* little-endian, four bytes a row */
    uint64_t rows;
} album;

/* ---- what all have in common ---- */

static int by_value(const void *left, const void *right) {
    const uint64_t *a = left, *b = right;
    return *a < *b ? -1 : *a > *b;
}

static uint64_t size_of(const found *f) {
    return (uint64_t)f->height << 32 | f->width;
}

/* The size that most pictures have; of several as frequent, the one with the fewest rows. No file
 * is more than the others for being the first. */
static bool find_size(const import *in, album *a) {
    const survey *all = &a->files;
    uint64_t *sizes = malloc(all->count * sizeof *sizes + 1), best = 0;
    size_t count = 0, most = 0;
    if (!sizes)
        return import_fail(in, "out of memory");
    for (size_t i = 0; i < all->count; i++)
        if (all->files[i].stored)
            sizes[count++] = size_of(&all->files[i]);
    qsort(sizes, count, sizeof *sizes, by_value);
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count && sizes[to] == sizes[from];)
            to++;
        if (to - from > most) {
            most = to - from;
            best = sizes[from];
        }
    }
    free(sizes);
    a->width = (uint32_t)best;
    a->height = (uint32_t)(best >> 32);
    return true;
}

/* Those of another size are as bad as those that cannot be read. */
static void refuse_sizes(const import *in, album *a) {
    for (size_t i = 0; i < a->files.count; i++) {
        found *f = &a->files.files[i];
        if (f->stored == 0 || (f->width == a->width && f->height == a->height))
            continue;
        report_bad(in->report, f->path,
                   "it has %u x %u pixels, but most have %u x %u; all must have one size", f->width,
                   f->height, a->width, a->height);
        f->stored = 0;
    }
}

/* RGB unless all are grey, or as --channels says. */
static void find_channels(const import *in, album *a) {
    uint64_t grey = 0, colour = 0;
    for (size_t i = 0; i < a->files.count; i++) {
        grey += a->files.files[i].stored == 1;
        colour += a->files.files[i].stored == 3;
    }
    a->channels = in->channels ? (unsigned)in->channels : colour > 0 ? 3 : 1;
    import_tell(in,
                "pictures of %u x %u: %" PRIu64 " in colour, %" PRIu64 " in grey; rows are %s%s",
                a->width, a->height, colour, grey, a->channels == 3 ? "RGB" : "grey",
                in->channels ? ", as --channels says" : "");
}

/* Whether every class has a picture; read: one that is not bad. */
static bool classes_are_filled(const import *in, const album *a, bool read) {
    const survey *all = &a->files;
    size_t at = 0, empty = 0;
    for (size_t c = 0; c < all->class_count; c++) {
        bool filled = false;
        for (; at < all->count && all->files[at].number == c; at++)
            filled = filled || !read || all->files[at].stored;
        if (filled || (in->given & IMPORT_ALLOW_EMPTY))
            continue;
        if (empty++ < REPORT_NAMED)
            import_fail(in, "the class '%s' has no PNG or JPEG file%s", all->classes[c],
                        read ? " that can be read" : "");
    }
    return empty == 0 || import_fail(in,
                                     "%zu of %zu classes are empty; --allow-empty keeps them, with "
                                     "no rows",
                                     empty, all->class_count);
}

static bool survey_all(const import *in, album *a) {
    if (!survey_walk(in, &a->files))
        return false;
    survey_look(in, &a->files);
    if (!find_size(in, a))
        return false;
    if (a->width == 0) {
        import_goes_on(in);
        return import_fail(in, "'%s' holds no PNG or JPEG file that can be read", in->files[0]);
    }
    refuse_sizes(in, a);
    find_channels(in, a);
    return classes_are_filled(in, a, false);
}

/* ---- the rows ---- */

static bool begin(const import *in, album *a) {
    a->facts =
        (dataset_writer_facts){.type = DTYPE_U8,
                               .rank = a->channels == 3 ? 3 : 2,
                               .side = {a->height, a->width, a->channels},
                               .layout = a->channels == 3 ? LAYOUT_CHANNELS_LAST : LAYOUT_NONE};
    for (size_t i = 0; i < a->files.count; i++)
        a->facts.expected += a->files.files[i].stored != 0;
    a->numbers = malloc((size_t)a->facts.expected * 4 + 1);
    if (!a->numbers)
        return import_fail(in, "out of memory");
    a->w = dataset_writer_new(in->path, &a->facts, in->errors);
    return a->w != NULL;
}

static void tell_conversions(const import *in, const char *path, const image *p) {
    static const char *const traits[IMAGE_TRAITS] = {
        "whose palette is looked up", "that lose their alpha or transparent colour",
        "of 16 bits that keep the high byte", "from CMYK to RGB"};
    for (unsigned i = 0; i < IMAGE_TRAITS; i++)
        if (p->traits & 1u << i)
            report_add(in->report, REPORT_CONVERTED, traits[i], path);
    if (p->stored != p->channels)
        report_add(in->report, REPORT_CONVERTED,
                   p->stored == 1 ? "from grey to RGB" : "from colour to grey", path);
    if (p->message[0])
        report_warning(in->report, path, p->message);
}

static bool add(const import *in, const found *f, const image *p, album *a) {
    unsigned char *at = a->numbers + 4 * a->rows++;
    for (unsigned i = 0; i < 4; i++)
        at[i] = (unsigned char)(f->number >> 8 * i);
    tell_conversions(in, f->path, p);
    in->report->taken++;
    return dataset_writer_rows(a->w, p->pixels, 1);
}

/* Once a file is bad that nobody allows, no row is of use; the others are read to name all that
 * are. */
static bool take_picture(const import *in, found *f, album *a) {
    mapped_file file = {0};
    image p;
    if (!mapped_file_open_path(f->path, &file)) {
        report_bad(in->report, f->path, "it cannot be read: %s", strerror(errno));
        f->stored = 0;
        return true;
    }
    bool read = image_read(file.bytes, file.length, a->channels, &p);
    bool same = p.width == f->width && p.height == f->height && p.stored == f->stored;
    bool good = import_unchanged(in, f->path, &file);
    if (p.message[0])
        dataset_writer_break(a->w);
    if (good && !read) {
        report_bad(in->report, f->path, "%s", p.message);
        f->stored = 0;
    } else if (good && !same) {
        good = import_fail(in, "'%s' was altered while it was read", f->path);
    } else if (good && (in->report->bad == 0 || (in->given & IMPORT_SKIP_BAD))) {
        good = add(in, f, &p, a);
    }
    image_free(&p);
    mapped_file_close(&file);
    return good;
}

static bool finish(const import *in, album *a) {
    static const char *const names[] = {"y"};
    const array y = {
        .name = "y", .bytes = a->numbers, .type = DTYPE_I32, .rank = 1, .shape = {a->rows}};
    const label head = {
        .from = &y, .numbers = true, .rows = a->rows, .classes = a->files.class_count};
    dataset_writer *w = a->w;
    a->w = NULL;
    return import_finish(in, w, &a->facts,
                         &(import_labels){&head, names, 1, (const char *const *)a->files.classes});
}

static bool run(const import *in) {
    album a = {.w = NULL};
    bool good = survey_all(in, &a) && begin(in, &a);
    for (size_t i = 0; i < a.files.count && good; i++)
        if (a.files.files[i].stored)
            good = take_picture(in, &a.files.files[i], &a);
    good = good && import_goes_on(in) && classes_are_filled(in, &a, true) && finish(in, &a);
    dataset_writer_abandon(a.w);
    free(a.numbers);
    survey_free(&a.files);
    return good;
}

const import_kind import_folder = {
    "folder", "DIRECTORY of a folder a class, with PNG and JPEG files", 1,
    1,        IMPORT_CHANNELS | IMPORT_SKIP_BAD | IMPORT_ALLOW_EMPTY,   run};
