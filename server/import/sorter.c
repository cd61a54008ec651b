#include "sorter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD sizeof(uint32_t)    /* before each string: its length */
#define READ (2 * SORTER_LENGTH) /* bytes of a piece that are read at once */

/* A sorted piece in the file. */
typedef struct run {
    uint64_t from, next, end; /* in the file; next: not read so far */
    unsigned char *bytes;     /* READ of them, or NULL */
    size_t at, length;        /* of the string that is next, and of what was read */
} run;

struct sorter {
    FILE *scratch;
    uint64_t written;
    unsigned char *arena; /* strings, each behind its length */
    size_t piece, used;
    size_t *at; /* of the strings in the arena */
    size_t count, room;
    run *runs;
    size_t run_count;
    run *last; /* whose string was returned last */
};

sorter *sorter_new(FILE *scratch, size_t piece) {
    sorter *s = calloc(1, sizeof *s);
    if (s)
        s->arena = malloc(piece);
    if (!s || !s->arena) {
        free(s);
        fclose(scratch);
        return NULL;
    }
    s->scratch = scratch;
    s->piece = piece;
    return s;
}

void sorter_free(sorter *s) {
    if (!s)
        return;
    for (size_t i = 0; i < s->run_count; i++)
        free(s->runs[i].bytes);
    free(s->runs);
    free(s->at);
    free(s->arena);
    fclose(s->scratch);
    free(s);
}

static uint32_t length_at(const unsigned char *at) {
    uint32_t length;
    memcpy(&length, at, HEAD);
    return length;
}

static int compare(const unsigned char *a, const unsigned char *b) {
    uint32_t left = length_at(a), right = length_at(b), shorter = left < right ? left : right;
    int order = memcmp(a + HEAD, b + HEAD, shorter);
    return order ? order : (left > right) - (left < right);
}

static int by_string(const void *left, const void *right, void *arena) {
    const size_t *a = left, *b = right;
    return compare((unsigned char *)arena + *a, (unsigned char *)arena + *b);
}

/* Makes a run of what is in the arena. */
static bool spill(sorter *s) {
    if (s->count == 0)
        return true;
    run *more = realloc(s->runs, (s->run_count + 1) * sizeof *more);
    if (!more)
        return false;
    s->runs = more;
    qsort_r(s->at, s->count, sizeof *s->at, by_string, s->arena);
    for (size_t i = 0; i < s->count; i++) {
        const unsigned char *string = s->arena + s->at[i];
        size_t bytes = HEAD + length_at(string);
        if (fwrite(string, 1, bytes, s->scratch) != bytes)
            return false;
    }
    s->runs[s->run_count++] = (run){.from = s->written, .end = s->written + s->used};
    s->written += s->used;
    s->count = s->used = 0;
    return fflush(s->scratch) == 0;
}

bool sorter_add(sorter *s, const void *bytes, size_t length) {
    uint32_t head = (uint32_t)length;
    if (length > SORTER_LENGTH - HEAD) {
        errno = ENAMETOOLONG;
        return false;
    }
    if (s->piece - s->used < HEAD + length && !spill(s))
        return false;
    if (s->count == s->room) {
        size_t room = s->room ? 2 * s->room : 1024;
        size_t *more = realloc(s->at, room * sizeof *more);
        if (!more)
            return false;
        s->at = more;
        s->room = room;
    }
    s->at[s->count++] = s->used;
    memcpy(s->arena + s->used, &head, HEAD);
    memcpy(s->arena + s->used + HEAD, bytes, length);
    s->used += HEAD + length;
    return true;
}

/* ---- reading ---- */

/* Reads on where what was read does not hold the next string whole. */
static bool read_on(sorter *s, run *r) {
    size_t left = r->length - r->at;
    if (left >= HEAD && left >= HEAD + length_at(r->bytes + r->at))
        return true;
    memmove(r->bytes, r->bytes + r->at, left);
    uint64_t more = r->end - r->next;
    size_t want = more < READ - left ? (size_t)more : READ - left;
    ssize_t got = pread(fileno(s->scratch), r->bytes + left, want, (off_t)r->next);
    if (got < 0 || (size_t)got != want) {
        errno = got < 0 ? errno : EIO;
        return false;
    }
    r->at = 0;
    r->length = left + want;
    r->next += want;
    return true;
}

bool sorter_rewind(sorter *s) {
    if (!spill(s))
        return false;
    s->last = NULL;
    for (size_t i = 0; i < s->run_count; i++) {
        run *r = &s->runs[i];
        if (!r->bytes && !(r->bytes = malloc(READ)))
            return false;
        r->next = r->from;
        r->at = r->length = 0;
        if (!read_on(s, r))
            return false;
    }
    return true;
}

sorter_result sorter_next(sorter *s, const unsigned char **bytes, size_t *length) {
    run *best = NULL;
    if (s->last) {
        s->last->at += HEAD + length_at(s->last->bytes + s->last->at);
        if (!read_on(s, s->last))
            return SORTER_FAILED;
    }
    for (size_t i = 0; i < s->run_count; i++) {
        run *r = &s->runs[i];
        if (r->at < r->length && (!best || compare(r->bytes + r->at, best->bytes + best->at) < 0))
            best = r;
    }
    s->last = best;
    if (!best)
        return SORTER_END;
    *bytes = best->bytes + best->at + HEAD;
    *length = length_at(best->bytes + best->at);
    return SORTER_STRING;
}
