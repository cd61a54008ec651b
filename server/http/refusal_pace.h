/*
 * refusal_pace.h - how long the refusal of a large body is held back
 *
 * A client that is refused at once sends its next body at once. Reading and dropping such bodies
 * keeps the I/O threads from other clients. So refused bodies are paid from an allowance that grows
 * at a fixed rate up to a limit, and a refusal without an allowance is sent once its turn has come.
 * Requests that are not refused are never held back.
 */
#ifndef REFUSAL_PACE_H
#define REFUSAL_PACE_H

#include <stdatomic.h>
#include <stdint.h>

typedef struct refusal_pace {
    uint64_t least;        /* bytes of the smallest body that is paid for */
    uint64_t each;         /* bytes: what reading costs besides the body's bytes */
    uint64_t burst;        /* bytes: the limit of the allowance */
    uint64_t rate;         /* bytes a second */
    uint64_t longest;      /* nanoseconds that a refusal is held back at most */
    _Atomic uint64_t paid; /* nanoseconds: the time at which all bodies so far are paid */
} refusal_pace;

/* Pays for a refused body of so many bytes at the time `now`, in nanoseconds. Returns the time at
 * which the refusal may be sent: now, if any allowance was left. Any thread may call this. */
uint64_t refusal_pace_pay(refusal_pace *p, uint64_t bytes, uint64_t now);

#endif
