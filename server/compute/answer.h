/*
 * answer.h - a response body: a source in a format, computed in slices and read in order
 *
 * A streamed answer has a known length, and is computed while it is read, in bounded memory
 * (streamed_body.h). A buffered answer is computed and encoded as a whole before it is read
 * (buffered_body.h). The format decides which of the two an answer is.
 *
 * answer_start and answer_read belong to the reader's thread. answer_abandon may be called by any
 * thread.
 */
#ifndef ANSWER_H
#define ANSWER_H

#include "formats/format.h"
#include "jobs.h"

/* Bytes that a reader reads at a time. The answer pays for the room, which the reader allocates. */
#define ANSWER_BLOCK (128u << 10)

typedef struct answer answer;

/* Takes the source, also on failure. NULL: p explains the failure. */
answer *answer_new(jobs *pool, tensor_source *s, const format *f, const job_waiter *waiter,
                   problem *p);
answer *answer_retain(answer *a);
void answer_release(answer *a);

/* Names the request that the answer is for, in reports of a crash (crash.h). The text is copied. To
 * be called before answer_start. */
void answer_describe(answer *a, const char *request);

/* The job that computes the answer. */
job *answer_job(answer *a);

/* Restricts a streamed answer to a range of its bytes, and the computation to the rows that hold
 * them. The range lies within the answer; offsets count from its start. To be called before
 * answer_start. */
void answer_range(answer *a, uint64_t start, uint64_t length);

/* The length of the body. UINT64_MAX: a buffered answer is not encoded yet. */
uint64_t answer_length(answer *a);
const format *answer_format(const answer *a);
const tensor_source *answer_source(const answer *a);

typedef enum answer_state { ANSWER_READY, ANSWER_WAIT, ANSWER_BUSY, ANSWER_FAILED } answer_state;

/* Begins the work, or asks for its state. The reader must not be suspended. READY: the first bytes
 * can be read. WAIT: the reader is suspended, and asks again when it is resumed. BUSY: the answer
 * is refused, *why says the reason. */
answer_state answer_start(answer *a, refusal *why);

/* Why it has failed. */
fmix_status answer_failure(answer *a);

/* Copies bytes from offset on, at most `room`. Returns their number; 0: the reader is suspended,
 * and asks again when it is resumed; -1: the answer has failed, or ends before offset, or with its
 * last byte it turns out that rows were altered while they were lent. Offsets must not decrease:
 * memory that the reader has passed is reused. */
int64_t answer_read(answer *a, uint64_t offset, void *out, size_t room);

/* The same without a copy: *at is where the bytes lie, until a later byte is asked for or the
 * answer is released. Not for the last byte of the answer, which answer_read reads. */
int64_t answer_peek(answer *a, uint64_t offset, size_t room, const void **at);

/* Returns true if all bytes are computed and none of them is read yet, so that reading cannot wait;
 * it fails only if lent rows are altered from now on. */
bool answer_is_complete(answer *a);

/* Ends the answer for a reader that has gone: slices that have not begun are dropped, and a
 * suspended reader is resumed. */
void answer_abandon(answer *a);
bool answer_abandoned(answer *a);

#endif
