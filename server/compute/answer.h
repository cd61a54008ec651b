/*
 * answer.h - a source in a format, computed in slices, read in order with bounded memory
 *
 * An answer with a length known ahead is read through windows: slices of rows are computed ahead of
 * the reader, never more than a few, each into a buffer of its own that is freed once read. An
 * answer that is built whole computes all its rows first, then encodes them as one last slice.
 *
 * Threads: answer_read and answer_start belong to the reader; answer_abandon may come from
 * anywhere.
 */
#ifndef ANSWER_H
#define ANSWER_H

#include "formats/format.h"
#include "jobs.h"

/* Bytes that are asked of an answer at a time, into room that its reader keeps and it pays for. */
#define ANSWER_BLOCK (128u << 10)

typedef struct answer answer;

/* Takes the source, also on failure (NULL: explained in p). */
answer *answer_new(jobs *pool, tensor_source *s, const format *f, const job_waiter *waiter,
                   problem *p);
answer *answer_retain(answer *a);
void answer_release(answer *a);

/* How a crash while it is computed is reported: the request it answers (crash.h). The text is
 * copied. Before its start. */
void answer_describe(answer *a, const char *request);

/* As what is waited for. */
job *answer_job(answer *a);

/* Only these bytes will be read, and offsets count from the first of them: rows that they do not
 * touch are not computed. Within the length of an answer that has one ahead; before its start. */
void answer_range(answer *a, uint64_t start, uint64_t length);

/* The body's length, or UINT64_MAX while a whole answer is not encoded yet. */
uint64_t answer_length(answer *a);
const format *answer_format(const answer *a);
const tensor_source *answer_source(const answer *a);

typedef enum answer_state { ANSWER_READY, ANSWER_WAIT, ANSWER_BUSY, ANSWER_FAILED } answer_state;

/* Begins the work, or asks how it stands; not while the reader is suspended. READY: the first bytes
 * are there. WAIT: suspended, and resumed once it is worth asking again. BUSY: not now, and in *why
 * what there is too much of. */
answer_state answer_start(answer *a, refusal *why);

/* Copies bytes from offset on: how many (0: suspended, ask again when resumed; -1: failed). The
 * reader goes forward; what it has passed is freed. */
int64_t answer_read(answer *a, uint64_t offset, void *out, size_t room);

/* Whether all of it is there, and nothing read yet: so reading meets no wait and no failure. */
bool answer_is_complete(answer *a);

/* Nobody reads any more: work not begun is dropped, a waiting reader is resumed. */
void answer_abandon(answer *a);
bool answer_abandoned(answer *a);

#endif
