/* PNG and JPEG files of one size, in one directory for each class. */
#include "import.h"
#include "survey.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* An import under way. */
typedef struct job {
    survey files;
    uint32_t width, height;
    unsigned channels;
    dataset_writer_facts facts;
    dataset_writer *w;
    unsigned char *numbers; /* class numbers of the rows, i32, little-endian */
    uint64_t rows;
} job;

/* ---- what all images have in common ---- */

static int by_value(const void *left, const void *right) {
    const uint64_t *a = left, *b = right;
    return *a < *b ? -1 : *a > *b;
}

static uint64_t size_of(const survey_file *f) {
    return (uint64_t)f->height << 32 | f->width;
}

/* Finds the most frequent size; of equally frequent ones that of the fewest pixel rows, so that the
 * order of the files does not matter. */
static bool find_size(const import *in, job *j) {
    const survey *all = &j->files;
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
    j->width = (uint32_t)best;
    j->height = (uint32_t)(best >> 32);
    return true;
}

/* An image of another size is as bad as a file that cannot be read. */
static void refuse_sizes(const import *in, job *j) {
    for (size_t i = 0; i < j->files.count; i++) {
        survey_file *f = &j->files.files[i];
        if (f->stored == 0 || (f->width == j->width && f->height == j->height))
            continue;
        report_bad(in->report, f->path,
                   "the image has %u x %u pixels, but most images have %u x %u; all must have the "
                   "same size",
                   f->width, f->height, j->width, j->height);
        f->stored = 0;
    }
}

/* RGB unless all images are grey, or as --channels says. */
static void find_channels(const import *in, job *j) {
    uint64_t grey = 0, colour = 0;
    for (size_t i = 0; i < j->files.count; i++) {
        grey += j->files.files[i].stored == 1;
        colour += j->files.files[i].stored == 3;
    }
    j->channels = in->channels ? (unsigned)in->channels : colour > 0 ? 3 : 1;
    import_tell(in, "images of %u x %u pixels: %" PRIu64 " colour, %" PRIu64 " grey; rows are %s%s",
                j->width, j->height, colour, grey, j->channels == 3 ? "RGB" : "grey",
                in->channels ? " (--channels)" : "");
}

/* Returns true if every class has an image file; read: one that can be read. */
static bool classes_are_filled(const import *in, const job *j, bool read) {
    const survey *all = &j->files;
    size_t at = 0, empty = 0;
    for (size_t c = 0; c < all->class_count; c++) {
        bool filled = false;
        for (; at < all->count && all->files[at].class_number == c; at++)
            filled = filled || !read || all->files[at].stored;
        if (filled || (in->given & IMPORT_ALLOW_EMPTY))
            continue;
        if (empty++ < REPORT_NAMED)
            import_fail(in, "the class '%s' has no PNG or JPEG file%s", all->classes[c],
                        read ? " that can be read" : "");
    }
    return empty == 0 ||
           import_fail(in,
                       "%zu of %zu classes are empty; --allow-empty imports them without "
                       "rows",
                       empty, all->class_count);
}

static bool survey_all(const import *in, job *j) {
    if (!survey_walk(in, &j->files))
        return false;
    survey_read_headers(in, &j->files);
    if (!find_size(in, j))
        return false;
    if (j->width == 0) {
        import_may_go_on(in);
        return import_fail(in, "'%s' holds no PNG or JPEG file that can be read", in->files[0]);
    }
    refuse_sizes(in, j);
    find_channels(in, j);
    return classes_are_filled(in, j, false);
}

/* ---- the rows ---- */

static bool begin(const import *in, job *j) {
    j->facts =
        (dataset_writer_facts){.type = DTYPE_U8,
                               .rank = j->channels == 3 ? 3 : 2,
                               .side = {j->height, j->width, j->channels},
                               .layout = j->channels == 3 ? LAYOUT_CHANNELS_LAST : LAYOUT_NONE};
    for (size_t i = 0; i < j->files.count; i++)
        j->facts.expected += j->files.files[i].stored != 0;
    j->numbers = malloc((size_t)j->facts.expected * 4 + 1);
    if (!j->numbers)
        return import_fail(in, "out of memory");
    j->w = import_begin(in, &j->facts);
    return j->w != NULL;
}

static void tell_conversions(const import *in, const char *path, const image *p) {
    static const char *const traits[IMAGE_TRAITS] = {
        "palette to colours", "alpha channel or transparent colour dropped",
        "samples of 16 bits to their high byte", "CMYK to RGB"};
    for (unsigned i = 0; i < IMAGE_TRAITS; i++)
        if (p->traits & 1u << i)
            report_add(in->report, REPORT_CONVERTED, traits[i], path);
    if (p->stored != p->channels)
        report_add(in->report, REPORT_CONVERTED, p->stored == 1 ? "grey to RGB" : "colour to grey",
                   path);
    if (p->message[0])
        report_warning(in->report, path, p->message);
}

static bool add(const import *in, const survey_file *f, const image *p, job *j) {
    unsigned char *at = j->numbers + 4 * j->rows++;
    for (unsigned i = 0; i < 4; i++)
        at[i] = (unsigned char)(f->class_number >> 8 * i);
    tell_conversions(in, f->path, p);
    in->report->imported++;
    return dataset_writer_rows(j->w, p->pixels, 1);
}

/* After a bad file without --skip-bad, no more rows are written; the remaining files are read only
 * to report all that are bad. */
static bool take_image(const import *in, survey_file *f, job *j) {
    mapped_file file = {0};
    image p;
    if (!mapped_file_open_path(f->path, &file)) {
        report_bad(in->report, f->path, "%s", mapped_file_error(errno));
        f->stored = 0;
        return true;
    }
    bool read = image_read(file.bytes, file.length, j->channels, &p);
    bool same = p.width == f->width && p.height == f->height && p.stored == f->stored;
    bool good = import_unchanged(in, f->path, &file);
    if (p.message[0])
        dataset_writer_break(j->w);
    if (good && !read) {
        report_bad(in->report, f->path, "%s", p.message);
        f->stored = 0;
    } else if (good && !same) {
        good = import_fail(in, "'%s' changed while it was read", f->path);
    } else if (good && (in->report->bad == 0 || (in->given & IMPORT_SKIP_BAD))) {
        good = add(in, f, &p, j);
    }
    image_free(&p);
    mapped_file_close(&file);
    return good;
}

static bool finish(const import *in, job *j) {
    static const char *const names[] = {"y"};
    const array y = {
        .name = "y", .bytes = j->numbers, .type = DTYPE_I32, .rank = 1, .shape = {j->rows}};
    const label head = {
        .from = &y, .numbers = true, .rows = j->rows, .classes = j->files.class_count};
    dataset_writer *w = j->w;
    j->w = NULL;
    return import_finish(in, w, &j->facts,
                         &(import_labels){&head, names, 1, (const char *const *)j->files.classes});
}

static bool run(const import *in) {
    job j = {.w = NULL};
    bool good = survey_all(in, &j) && begin(in, &j);
    for (size_t i = 0; i < j.files.count && good; i++)
        if (j.files.files[i].stored)
            good = take_image(in, &j.files.files[i], &j);
    good = good && import_may_go_on(in) && classes_are_filled(in, &j, true) && finish(in, &j);
    dataset_writer_abandon(j.w);
    free(j.numbers);
    survey_free(&j.files);
    return good;
}

const import_kind import_folder = {"folder",
                                   "DIRECTORY",
                                   "PNG and JPEG files of one size, in one directory for each "
                                   "class",
                                   1,
                                   1,
                                   IMPORT_CHANNELS | IMPORT_SKIP_BAD | IMPORT_ALLOW_EMPTY |
                                       IMPORT_DENSE | IMPORT_NEIGHBOURS,
                                   run};
