#include "pictures.h"
#include "base/clock.h"
#include "base/fnv.h"
#include "base/machine.h"
#include "datasets/manifest.h"
#include "extras.h"
#include "picture_sizes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SAVE_EVERY (2 * CLOCK_SECOND)
#define TELL_EVERY (10 * CLOCK_SECOND)

/* An import under way. */
typedef struct pictures {
    const import *in;
    picture_source *from;
    dataset_writer *w; /* NULL once it is finished */
    workers *workers;
    picture_job *jobs; /* WORKERS_AHEAD of them */
    FILE *looks;       /* a picture_look for each item */
    uint64_t items, begun, shrunk, small;
    picture_sizes sizes;
    picture_maps maps;
    picture_order order;
    dataset_writer_facts facts;
    dataset_journal journal;
    mapped_file earlier;  /* the items that became rows of the import that this one goes on with */
    uint64_t recalled;    /* of these */
    uint64_t told, saved; /* when */
} pictures;

static bool skips_bad(const pictures *p) {
    return p->in->given & IMPORT_SKIP_BAD;
}

static bool fail_looks(const pictures *p) {
    return import_fail(p->in, "what was found in the files cannot be kept: %s", strerror(errno));
}

/* ---- what becomes of pictures ---- */

/* Counts what a row has that its pixels do not keep. The look alone decides on it, so that an
 * import that goes on counts the rows of the earlier import, too. j: NULL of those, whose label
 * maps are named by their picture. */
static void tell_row(pictures *p, const picture_look *l, const char *name, const picture_job *j) {
    static const char *const traits[IMAGE_TRAITS] = {
        "palette to colours", "alpha channel or transparent colour dropped",
        "samples of 16 bits to their high byte", "CMYK to RGB", NULL};
    report *r = p->in->report;
    report_kind kind = p->order.keeps_file ? REPORT_LATER : REPORT_CONVERTED;
    uint32_t shorter = l->width < l->height ? l->width : l->height;
    for (unsigned t = 0; t < IMAGE_TRAITS; t++)
        if ((l->traits & 1u << t) && traits[t])
            report_add(r, kind, traits[t], name);
    if (l->traits & IMAGE_TURNED)
        report_add(r, REPORT_KEPT, "an Exif orientation, which is not applied", name);
    if (l->stored != p->order.channels)
        report_add(r, kind, l->stored == 1 ? "grey to RGB" : "colour to grey", name);
    for (unsigned i = 0; i < p->maps.count; i++)
        if (l->narrow & 1u << i)
            report_add(r, kind, "grey label maps of less than 8 bits, values as stored",
                       j ? j->map[i].name : name);
    p->shrunk += p->order.shorter && shorter > p->order.shorter;
    p->small += p->order.shorter && shorter <= p->order.shorter;
}

/* Bytes that decoders warn of are only found when they decode. */
static void tell_warnings(const pictures *p, const picture_job *j) {
    if (j->picture.message[0])
        report_warning(p->in->report, j->name, j->picture.message);
    for (unsigned i = 0; i < p->maps.count; i++)
        if (j->map[i].picture.message[0])
            report_warning(p->in->report, j->map[i].name, j->map[i].picture.message);
}

/* Returns true if the earlier import made a row of an item, which are asked about in their order.
 * Of pictures whose header can be read, some have pixels that cannot. */
static bool became_row(pictures *p, uint64_t number) {
    bool row =
        p->recalled < p->journal.rows &&
        (uint32_t)dtype_integer(DTYPE_U32, p->earlier.bytes + 4 * p->recalled) == (uint32_t)number;
    p->recalled += row;
    return row;
}

/* ---- a pass over the source ---- */

typedef enum pass_step { PASS_GIVEN, PASS_SKIPPED, PASS_END, PASS_FAILED } pass_step;

/* Gives the next item to the workers. */
static pass_step give_next(pictures *p, const picture_order *order) {
    picture_item item = {.file = -1};
    picture_look look = {.stored = 0};
    picture_next next = p->from->next(p->from->self, &item);
    if (next != PICTURE_ITEM)
        return next == PICTURE_END ? PASS_END : PASS_FAILED;
    uint64_t number = p->items++;
    if (order->pixels && fread(&look, sizeof look, 1, p->looks) != 1) {
        import_fail(p->in, "'%s' was not there at first: the files changed while they were read",
                    item.name);
        return PASS_FAILED;
    }
    if (order->pixels && number < p->journal.items && became_row(p, number))
        tell_row(p, &look, item.name, NULL);
    if (order->pixels && (!look.stored || number < p->journal.items))
        return PASS_SKIPPED;
    picture_job *j = &p->jobs[p->begun++ % WORKERS_AHEAD];
    if (!picture_job_begin(j, &item, order)) {
        import_fail(p->in, "'%s' cannot be read: %s", item.name, strerror(errno));
        picture_job_end(j);
        return PASS_FAILED;
    }
    j->number = number;
    j->look = look;
    workers_give(p->workers, j);
    return PASS_GIVEN;
}

/* Reads all items, and takes each back when it is done, in their order. */
static bool pass(pictures *p, const picture_order *order,
                 bool (*take)(pictures *p, picture_job *j)) {
    pass_step step = p->from->rewind(p->from->self) ? PASS_GIVEN : PASS_FAILED;
    bool good = true;
    p->items = 0;
    rewind(p->looks);
    while (good && step != PASS_FAILED) {
        while (step != PASS_END && step != PASS_FAILED && !workers_is_full(p->workers))
            step = give_next(p, order);
        picture_job *j = step == PASS_FAILED ? NULL : workers_take(p->workers);
        if (!j)
            break;
        good = take(p, j);
        picture_job_end(j);
    }
    for (picture_job *j; (j = workers_take(p->workers)) != NULL;)
        picture_job_end(j);
    return good && step == PASS_END;
}

/* ---- the first look ---- */

/* The source is told from others by all that it was found to hold. */
static void add_to_fingerprint(pictures *p, const picture_job *j) {
    uint64_t f = fnv_add(p->journal.source, j->name, strlen(j->name) + 1);
    f = fnv_add(f, &j->file.stamp, sizeof j->file.stamp);
    for (unsigned i = 0; i < p->maps.count; i++)
        f = fnv_add(f, &j->map[i].file.stamp, sizeof j->map[i].file.stamp);
    f = fnv_add(f, j->item.labels, p->from->heads * sizeof *j->item.labels);
    p->journal.source = fnv_add(f, &j->look, sizeof j->look);
}

static picture_look look_of(const pictures *p, const picture_job *j) {
    const image *i = &j->picture;
    picture_look l = {i->width, i->height, i->stored, i->traits, 0};
    for (unsigned m = 0; m < p->maps.count; m++)
        l.narrow |= j->map[m].picture.traits & IMAGE_NARROW ? 1u << m : 0;
    return l;
}

static bool take_look(pictures *p, picture_job *j) {
    if (j->changed)
        return import_fail_changed(p->in, j->blamed);
    if (j->read)
        j->look = look_of(p, j);
    else
        report_bad(p->in->report, j->blamed, "%s", j->why);
    if (clock_nanoseconds() - p->told > TELL_EVERY) {
        p->told = clock_nanoseconds();
        import_tell(p->in, "looked at %" PRIu64 " files", j->number + 1);
    }
    add_to_fingerprint(p, j);
    return fwrite(&j->look, sizeof j->look, 1, p->looks) == 1 || fail_looks(p);
}

static void begin_fingerprint(pictures *p) {
    const import *in = p->in;
    const uint64_t options[] = {in->given, in->store, in->channels, in->shorter, in->classes};
    uint64_t f = fnv_add(FNV_BEGIN, options, sizeof options);
    for (unsigned i = 0; i < in->count; i++)
        f = fnv_add(f, in->files[i], strlen(in->files[i]) + 1);
    for (unsigned i = 0; i < p->maps.count; i++) {
        f = fnv_add(f, p->maps.name[i], strlen(p->maps.name[i]) + 1);
        f = fnv_add(f, p->maps.folder[i], strlen(p->maps.folder[i]) + 1);
    }
    p->journal.source = f;
}

static bool look_at_all(pictures *p) {
    const picture_order headers = {.pixels = false, .maps = &p->maps};
    begin_fingerprint(p);
    p->told = clock_nanoseconds();
    if (!pass(p, &headers, take_look))
        return false;
    if (!picture_sizes_find(p->looks, &p->sizes))
        return fail_looks(p);
    if (p->sizes.count > 0)
        return !p->from->check || p->from->check(p->from->self, false);
    import_may_go_on(p->in);
    return import_fail(p->in, "'%s' holds no PNG or JPEG file that can be read", p->in->files[0]);
}

/* ---- what the set becomes ---- */

static void tell_pictures(const pictures *p) {
    char sizes[PICTURE_SIZES_TEXT];
    picture_sizes_text(&p->sizes, p->facts.images, sizes);
    import_tell(p->in, "%s; rows are %s%s", sizes, p->order.channels == 3 ? "RGB" : "grey",
                p->in->channels ? " (--channels)" : "");
    if (p->facts.images && !(p->in->given & IMPORT_STORE))
        import_tell(p->in, "the sizes differ, so the files are stored as they are, as with --store "
                           "files; --store pixels stores pixels");
}

/* Refuses dense targets of one size beside images. */
static bool check_dense(const pictures *p) {
    const import *in = p->in;
    unsigned i = p->facts.images ? 0 : in->dense.count;
    while (i < in->dense.count && in->dense.item[i].maps)
        i++;
    return i == in->dense.count ||
           import_fail(in,
                       "'%s' holds dense targets of one size, but the pictures have sizes of "
                       "their own; give label maps, one for each picture (fmixd import --help)",
                       in->dense.item[i].path);
}

/* Pictures of one size are rows of one array, unless the option says otherwise. */
static void choose(pictures *p) {
    const import *in = p->in;
    const picture_sizes *s = &p->sizes;
    bool images = s->differ || (in->given & IMPORT_STORE);
    bool files = images && in->store == DATASET_FILES;
    unsigned channels = in->channels ? (unsigned)in->channels : s->colour > 0 ? 3 : 1;
    p->order = (picture_order){.pixels = true,
                               .keeps_file = files,
                               .channels = channels,
                               .shorter = files ? 0 : (uint32_t)in->shorter,
                               .maps = &p->maps};
    p->facts = (dataset_writer_facts){.type = DTYPE_U8,
                                      .rank = channels == 3 ? 3 : 2,
                                      .side = {s->first.height, s->first.width, channels},
                                      .layout = channels == 3 ? LAYOUT_CHANNELS_LAST : LAYOUT_NONE,
                                      .images = images,
                                      .store = (dataset_store)in->store,
                                      .columns = p->from->heads + 1,
                                      .maps = p->maps.count,
                                      .expected = s->count};
    memcpy(p->facts.map_name, p->maps.name, sizeof p->maps.name);
}

static bool decide(pictures *p) {
    choose(p);
    tell_pictures(p);
    return check_dense(p);
}

/* ---- the rows ---- */

/* Looks at the files of a row once more, after their bytes were written. */
static bool are_unchanged(const pictures *p, const picture_job *j) {
    bool good = picture_file_is_unchanged(&j->file, j->name) || import_fail_changed(p->in, j->name);
    for (unsigned i = 0; i < p->maps.count && good; i++)
        good = picture_file_is_unchanged(&j->map[i].file, j->map[i].name) ||
               import_fail_changed(p->in, j->map[i].name);
    return good;
}

static bool write_row(pictures *p, const picture_job *j) {
    const dataset_picture row = picture_job_bytes(j);
    uint32_t columns[DATASET_WRITER_COLUMNS];
    tell_row(p, &j->look, j->name, j);
    tell_warnings(p, j);
    bool good = p->facts.images ? dataset_writer_picture(p->w, &row)
                                : dataset_writer_rows(p->w, row.bytes, 1);
    for (unsigned i = 0; i < p->maps.count && good; i++) {
        const dataset_picture map = picture_job_map(j, i);
        good = dataset_writer_map(p->w, i, &map);
    }
    if (!good)
        are_unchanged(p, j); /* names the file if that is why */
    memcpy(columns, j->item.labels, p->from->heads * sizeof *columns);
    columns[p->from->heads] = (uint32_t)j->number;
    if (!good || !dataset_writer_labels(p->w, columns))
        return false;
    p->in->report->imported++;
    if (p->from->taken)
        p->from->taken(p->from->self, &j->item);
    return are_unchanged(p, j);
}

/* What is on the disk is not written again if the import is killed. */
static bool save(pictures *p, const picture_job *j) {
    if (clock_nanoseconds() - p->saved < SAVE_EVERY)
        return true;
    p->journal.items = j->number + 1;
    p->journal.bad = p->in->report->bad;
    p->journal.imported = p->in->report->imported;
    p->journal.warned = p->in->report->warned;
    bool good = dataset_writer_save(p->w, &p->journal);
    p->saved = clock_nanoseconds();
    return good;
}

/* After a bad file without --skip-bad, no more rows are written; the remaining files are read only
 * to report all that are bad. */
static bool take_row(pictures *p, picture_job *j) {
    const image *i = &j->picture;
    bool same =
        i->width == j->look.width && i->height == j->look.height && i->stored == j->look.stored;
    if (j->why[0] || j->changed)
        dataset_writer_break(p->w);
    if (j->changed)
        return import_fail_changed(p->in, j->blamed);
    if (!j->read) {
        report_bad(p->in->report, j->blamed, "%s", j->why);
        return true;
    }
    if (!same)
        return import_fail(p->in, "'%s' changed while it was read", j->name);
    if (p->in->report->bad > 0 && !skips_bad(p))
        return true;
    return write_row(p, j) && save(p, j);
}

/* Tells the source of the rows that an earlier import wrote. */
static bool tell_taken(pictures *p) {
    mapped_file columns[DATASET_HEADS];
    picture_item item = {.file = -1};
    bool good = true;
    memset(columns, 0, sizeof columns);
    for (unsigned i = 0; i < p->from->heads && good; i++)
        good = dataset_writer_column(p->w, i, &columns[i]);
    for (uint64_t row = 0; row < p->journal.rows && good; row++) {
        for (unsigned i = 0; i < p->from->heads; i++)
            item.labels[i] = (uint32_t)dtype_integer(DTYPE_I32, columns[i].bytes + 4 * row);
        p->from->taken(p->from->self, &item);
    }
    for (unsigned i = 0; i < p->from->heads; i++)
        mapped_file_close(&columns[i]);
    return good;
}

static bool begin(pictures *p) {
    if (!extras_read(p->in, &p->facts) || !dataset_writer_begin(p->w, &p->facts, &p->journal))
        return false;
    if (p->journal.items > 0) {
        p->in->report->bad = p->journal.bad;
        p->in->report->imported = p->journal.imported;
        p->in->report->warned = p->journal.warned;
        if (!dataset_writer_column(p->w, p->from->heads, &p->earlier))
            return false;
    }
    p->saved = clock_nanoseconds();
    return !p->from->taken || tell_taken(p);
}

/* ---- the end ---- */

static bool finish(pictures *p) {
    const picture_source *from = p->from;
    mapped_file columns[DATASET_HEADS];
    array from_columns[DATASET_HEADS];
    label heads[DATASET_HEADS];
    const char *names[DATASET_HEADS];
    const char *const *class_names[DATASET_HEADS];
    bool good = true;
    memset(columns, 0, sizeof columns);
    for (unsigned i = 0; i < from->heads && good; i++) {
        const picture_head *h = &from->head[i];
        good = dataset_writer_column(p->w, i, &columns[i]);
        uint64_t rows = columns[i].length / 4;
        from_columns[i] = (array){.bytes = columns[i].bytes,
                                  .type = h->values ? DTYPE_F32 : DTYPE_I32,
                                  .rank = 1,
                                  .shape = {rows}};
        heads[i] = (label){.from = &from_columns[i],
                           .numbers = !h->values,
                           .values = h->values,
                           .rows = rows,
                           .classes = h->values ? 1 : h->classes};
        names[i] = h->name;
        class_names[i] = h->class_names;
    }
    dataset_writer *w = p->w;
    p->w = NULL;
    if (good)
        good = import_finish(p->in, w, &p->facts,
                             &(import_labels){heads, names, from->heads, class_names}, NULL);
    else
        dataset_writer_abandon(w);
    for (unsigned i = 0; i < from->heads; i++)
        mapped_file_close(&columns[i]);
    return good;
}

static void tell_rest(const pictures *p) {
    picture_maps_tell(p->in);
    if (p->order.shorter)
        import_tell(p->in,
                    "shrunk to a shorter side of %u: %" PRIu64
                    "; not larger, and so unchanged: %" PRIu64,
                    p->order.shorter, p->shrunk, p->small);
}

/* Before hours of rows are written for a set whose manifest would be refused. */
static bool names_fit(const import *in, const picture_source *from) {
    size_t bytes = 0;
    for (unsigned i = 0; i < from->heads; i++)
        for (uint64_t c = 0; from->head[i].class_names && c < from->head[i].classes; c++)
            bytes += manifest_class_bytes(from->head[i].class_names[c]);
    return bytes <= MANIFEST_NAMES ||
           import_fail(in,
                       "the names of all classes take %zu bytes in " MANIFEST_NAME
                       "; they may take at most %u: give shorter names",
                       bytes, MANIFEST_NAMES);
}

bool pictures_import(const import *in, picture_source *from, dataset_writer *w) {
    pictures p = {.in = in, .from = from, .w = w, .maps = picture_maps_of(in)};
    p.jobs = calloc(WORKERS_AHEAD, sizeof *p.jobs);
    p.workers = workers_new((unsigned)machine_cores(&machine_own_cgroups), picture_job_run);
    p.looks = dataset_writer_scratch(w);
    bool good = p.jobs && p.workers && p.looks;
    if (!p.jobs || !p.workers)
        import_fail(in, "out of memory");
    if (in->shorter && in->store != DATASET_PIXELS)
        good = import_fail(in, "--short shrinks pixels, and so needs --store pixels; files are "
                               "stored as they are");
    good = good && names_fit(in, from) && look_at_all(&p) && decide(&p) && begin(&p) &&
           pass(&p, &p.order, take_row) && import_may_go_on(in) &&
           (!from->check || from->check(from->self, true)) && finish(&p);
    if (good)
        tell_rest(&p);
    dataset_writer_abandon(p.w);
    mapped_file_close(&p.earlier);
    workers_free(p.workers);
    if (p.looks)
        fclose(p.looks);
    free(p.jobs);
    return good;
}
