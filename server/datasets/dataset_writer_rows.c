/* Rows that come one by one with their labels, of an import that may be killed and go on. */
#include "base/message.h"
#include "dataset_writer_state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define LABEL 4 /* bytes */

static unsigned index_number(const dataset_writer *w) {
    return dataset_files(&w->set) - 1;
}

bool dataset_writer_picture(dataset_writer *w, const dataset_picture *p) {
    unsigned char entry[DATASET_PICTURE_ENTRY];
    if (w->failed)
        return false;
    dataset_picture_entry(w->used, p->length, p->height, p->width, entry);
    if (fwrite(p->bytes, 1, (size_t)p->length, w->data) != p->length)
        return dataset_writer_fail_part(w, 0);
    if (fwrite(entry, sizeof entry, 1, w->index) != 1)
        return dataset_writer_fail_part(w, index_number(w));
    w->used += p->length;
    progress_show(&w->progress, ++w->set.count);
    return true;
}

/* ---- columns ---- */

static bool fail_column(dataset_writer *w, unsigned i) {
    char name[MANIFEST_FILE_NAME];
    int error = errno;
    manifest_column_name(i, name);
    errno = error;
    return dataset_writer_fail_file(w, name);
}

bool dataset_writer_create_columns(dataset_writer *w) {
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

void dataset_writer_close(dataset_writer *w) {
    FILE *const files[] = {w->data, w->index};
    for (unsigned i = 0; i < 2; i++)
        if (files[i])
            fclose(files[i]);
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
    state->bytes = w->set.images ? w->used : w->set.count * w->set.x.row_bytes;
    if (!is_on_disk(w->data))
        return dataset_writer_fail_part(w, 0);
    if (w->index && !is_on_disk(w->index))
        return dataset_writer_fail_part(w, index_number(w));
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

/* Opens the files of rows, cut to what the journal counts. */
static bool reopen(dataset_writer *w, const dataset_journal *j) {
    char name[MANIFEST_FILE_NAME];
    manifest_file_name(&w->set, 0, name);
    w->data = staging_reopen(&w->place, name, j->bytes);
    manifest_file_name(&w->set, index_number(w), name);
    if (w->set.images)
        w->index = staging_reopen(&w->place, name, j->rows * DATASET_PICTURE_ENTRY);
    bool good = w->data && (w->index || !w->set.images);
    for (unsigned i = 0; i < w->columns && good; i++) {
        manifest_column_name(i, name);
        w->column[i] = staging_reopen(&w->place, name, j->rows * LABEL);
        good = w->column[i] != NULL;
    }
    w->set.count = good ? j->rows : 0;
    w->used = good ? j->bytes : 0;
    return good;
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
        w->data = w->index = NULL;
        memset(w->column, 0, sizeof w->column);
        return "its files cannot be used";
    }
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
