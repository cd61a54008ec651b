/* Rows that come one by one with their labels, of an import that may be killed and go on. */
#include "base/message.h"
#include "dataset_part.h"
#include "dataset_writer_state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define LABEL 4 /* bytes */

/* Files of rows that a killed import left: the journal, each stream's two, and the columns. */
#define LEFT (1 + 2 * (1 + DATASET_DENSE) + DATASET_WRITER_COLUMNS)

/* Number i counts x first and the maps then. */
static unsigned streams(const dataset_writer *w) {
    return 1 + w->maps;
}

static dataset_writer_stream *stream_of(dataset_writer *w, unsigned i) {
    return i == 0 ? &w->x : &w->map[i - 1];
}

/* The numbers of the files of stream i (dataset_part.h). */
static unsigned data_number(const dataset_writer *w, unsigned i) {
    return i == 0 ? 0 : dataset_part_number(&w->set, DATASET_PART_DENSE, i - 1);
}

static unsigned index_number(const dataset_writer *w, unsigned i) {
    return i == 0 ? dataset_part_number(&w->set, DATASET_PART_INDEX, 0)
                  : dataset_part_number(&w->set, DATASET_PART_MAPS, i - 1);
}

static bool append(dataset_writer *w, unsigned i, const dataset_picture *p) {
    unsigned char entry[DATASET_PICTURE_ENTRY];
    dataset_writer_stream *to = stream_of(w, i);
    if (w->failed)
        return false;
    dataset_picture_entry(to->used, p->length, p->height, p->width, entry);
    if (fwrite(p->bytes, 1, (size_t)p->length, to->data) != p->length)
        return dataset_writer_fail_part(w, data_number(w, i));
    if (to->index && fwrite(entry, sizeof entry, 1, to->index) != 1)
        return dataset_writer_fail_part(w, index_number(w, i));
    to->used += p->length;
    return true;
}

bool dataset_writer_picture(dataset_writer *w, const dataset_picture *p) {
    if (!append(w, 0, p))
        return false;
    progress_show(&w->progress, ++w->set.count);
    return true;
}

bool dataset_writer_map(dataset_writer *w, unsigned i, const dataset_picture *p) {
    return append(w, 1 + i, p);
}

/* ---- columns ---- */

static bool fail_column(dataset_writer *w, unsigned i) {
    char name[MANIFEST_FILE_NAME];
    int error = errno;
    manifest_column_name(i, name);
    errno = error;
    return dataset_writer_fail_file(w, name);
}

static bool create_columns(dataset_writer *w) {
    char name[MANIFEST_FILE_NAME];
    bool good = true;
    for (unsigned i = 0; i < w->columns && good; i++) {
        manifest_column_name(i, name);
        w->column[i] = dataset_writer_create(w, name);
        good = w->column[i] != NULL;
    }
    return good;
}

bool dataset_writer_labels(dataset_writer *w, const uint32_t *labels) {
    for (unsigned i = 0; i < w->columns; i++) {
        unsigned char bytes[LABEL];
        for (unsigned b = 0; b < LABEL; b++)
            bytes[b] = (unsigned char)(labels[i] >> 8 * b);
        if (fwrite(bytes, sizeof bytes, 1, w->column[i]) != 1)
            return fail_column(w, i);
    }
    return true;
}

bool dataset_writer_column(dataset_writer *w, unsigned column, mapped_file *out) {
    char name[MANIFEST_FILE_NAME];
    manifest_column_name(column, name);
    return (fflush(w->column[column]) == 0 || fail_column(w, column)) &&
           (mapped_file_open(w->place.directory, name, out) ||
            dataset_writer_fail(w, "cannot read %s/%s back: %s", w->place.path, name,
                                mapped_file_error(errno)));
}

bool dataset_writer_drop_columns(dataset_writer *w) {
    char name[MANIFEST_FILE_NAME];
    bool good =
        staging_drop(&w->place, MANIFEST_JOURNAL) || dataset_writer_fail_file(w, MANIFEST_JOURNAL);
    for (unsigned i = 0; i < w->columns && good; i++) {
        manifest_column_name(i, name);
        good = staging_drop(&w->place, name) || fail_column(w, i);
    }
    return good;
}

/* ---- files ---- */

bool dataset_writer_create_rows(dataset_writer *w) {
    char name[MANIFEST_FILE_NAME];
    for (unsigned i = 0; i < streams(w); i++) {
        dataset_writer_stream *s = stream_of(w, i);
        manifest_file_name(&w->set, data_number(w, i), name);
        s->data = dataset_writer_create(w, name);
        if (!s->data)
            return false;
        if (!w->set.images)
            continue;
        manifest_file_name(&w->set, index_number(w, i), name);
        s->index = dataset_writer_create(w, name);
        if (!s->index)
            return false;
    }
    return create_columns(w);
}

bool dataset_writer_finish_rows(dataset_writer *w) {
    char name[MANIFEST_FILE_NAME];
    bool good = true;
    for (unsigned i = 0; i < streams(w); i++) {
        dataset_writer_stream *s = stream_of(w, i), files = *s;
        s->data = s->index = NULL;
        manifest_file_name(&w->set, data_number(w, i), name);
        good = dataset_writer_finish_file(w, files.data, name) && good;
        if (!files.index)
            continue;
        manifest_file_name(&w->set, index_number(w, i), name);
        good = dataset_writer_finish_file(w, files.index, name) && good;
    }
    return good;
}

void dataset_writer_close(dataset_writer *w) {
    for (unsigned i = 0; i < streams(w); i++) {
        dataset_writer_stream *s = stream_of(w, i);
        if (s->data)
            fclose(s->data);
        if (s->index)
            fclose(s->index);
        *s = (dataset_writer_stream){NULL};
    }
    for (unsigned i = 0; i < w->columns; i++)
        if (w->column[i])
            fclose(w->column[i]);
}

FILE *dataset_writer_scratch(dataset_writer *w) {
    FILE *file = staging_scratch(&w->place);
    if (!file)
        dataset_writer_fail_file(w, MANIFEST_SCRATCH);
    return file;
}

/* ---- the journal ---- */

static bool is_on_disk(FILE *file) {
    return fflush(file) == 0 && fdatasync(fileno(file)) == 0;
}

bool dataset_writer_save(dataset_writer *w, dataset_journal *state) {
    char text[DATASET_JOURNAL_TEXT];
    state->rows = w->set.count;
    state->bytes = w->set.images ? w->x.used : w->set.count * w->set.x.row_bytes;
    for (unsigned i = 0; i < streams(w); i++) {
        const dataset_writer_stream *s = stream_of(w, i);
        if (!is_on_disk(s->data))
            return dataset_writer_fail_part(w, data_number(w, i));
        if (s->index && !is_on_disk(s->index))
            return dataset_writer_fail_part(w, index_number(w, i));
    }
    for (unsigned i = 0; i < w->columns; i++)
        if (!is_on_disk(w->column[i]))
            return fail_column(w, i);
    dataset_journal_print(state, text);
    return staging_replace(&w->place, MANIFEST_JOURNAL, text) ||
           dataset_writer_fail_file(w, MANIFEST_JOURNAL);
}

static bool read_journal(const dataset_writer *w, dataset_journal *out) {
    mapped_file file;
    if (!mapped_file_open(w->place.directory, MANIFEST_JOURNAL, &file))
        return false;
    bool good = dataset_journal_parse((const char *)file.bytes, file.length, out);
    mapped_file_close(&file);
    return good;
}

/* The bytes of the maps in stream i, which are those of so many rows. The last of the rows is read
 * in the index, which is open. False: the index is damaged. */
static bool find_used(dataset_writer *w, unsigned i, uint64_t rows, uint64_t *out) {
    char name[MANIFEST_FILE_NAME];
    mapped_file file;
    *out = 0;
    if (!w->set.images || rows == 0) {
        *out = rows * w->set.dense[i - 1].row_bytes;
        return true;
    }
    manifest_file_name(&w->set, index_number(w, i), name);
    if (!mapped_file_open(w->place.directory, name, &file))
        return false;
    bool good = file.length == rows * DATASET_PICTURE_ENTRY;
    if (good)
        *out = dataset_picture_end(file.bytes + (rows - 1) * DATASET_PICTURE_ENTRY);
    mapped_file_close(&file);
    return good;
}

/* Opens the files of rows, cut to what the journal counts. */
static bool reopen(dataset_writer *w, const dataset_journal *j) {
    char name[MANIFEST_FILE_NAME];
    bool good = true;
    for (unsigned i = 0; i < streams(w) && good; i++) {
        dataset_writer_stream *s = stream_of(w, i);
        s->used = j->bytes;
        manifest_file_name(&w->set, index_number(w, i), name);
        if (w->set.images)
            s->index = staging_reopen(&w->place, name, j->rows * DATASET_PICTURE_ENTRY);
        good = (s->index || !w->set.images) && (i == 0 || find_used(w, i, j->rows, &s->used));
        manifest_file_name(&w->set, data_number(w, i), name);
        s->data = good ? staging_reopen(&w->place, name, s->used) : NULL;
        good = s->data != NULL;
    }
    for (unsigned i = 0; i < w->columns && good; i++) {
        manifest_column_name(i, name);
        w->column[i] = staging_reopen(&w->place, name, j->rows * LABEL);
        good = w->column[i] != NULL;
    }
    w->set.count = good ? j->rows : 0;
    return good;
}

/* An import that was killed behind its last row left files of heads and of what stands beside the
 * rows, which are written anew. Those whose names this import does not write would be published
 * with the set. */
static void empty_but_rows(const dataset_writer *w) {
    char names[LEFT][MANIFEST_FILE_NAME];
    const char *kept[LEFT] = {MANIFEST_JOURNAL};
    unsigned count = 1;
    for (unsigned i = 0; i < streams(w); i++) {
        manifest_file_name(&w->set, data_number(w, i), names[count]);
        kept[count] = names[count];
        count++;
        if (!w->set.images)
            continue;
        manifest_file_name(&w->set, index_number(w, i), names[count]);
        kept[count] = names[count];
        count++;
    }
    for (unsigned i = 0; i < w->columns; i++, count++) {
        manifest_column_name(i, names[count]);
        kept[count] = names[count];
    }
    staging_empty_but(&w->place, kept, count);
}

/* Why the files that were left are not used; NULL: they are. */
static const char *reason_to_begin(dataset_writer *w, dataset_journal *resume) {
    dataset_journal found;
    if (!resume)
        return "imports of this kind always begin anew";
    if (!read_journal(w, &found))
        return "it had not saved any rows";
    if (found.source != resume->source)
        return "the files or the options are not those that it had";
    if (!reopen(w, &found)) {
        dataset_writer_close(w);
        memset(w->column, 0, sizeof w->column);
        return "its files cannot be used";
    }
    empty_but_rows(w);
    *resume = found;
    w->progress.before = found.rows;
    return NULL;
}

bool dataset_writer_resume(dataset_writer *w, const dataset_writer_facts *facts,
                           dataset_journal *resume) {
    const char *reason = reason_to_begin(w, resume);
    if (reason)
        message_print(w->errors,
                      "fmixd: import: what an earlier import left unfinished is removed: %s\n",
                      reason);
    else
        message_print(w->errors,
                      "fmixd: import: goes on with an earlier import that did not finish: %" PRIu64
                      " of %" PRIu64 " rows are there\n",
                      resume->rows, facts->expected);
    return !reason;
}
