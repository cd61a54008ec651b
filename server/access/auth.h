/*
 * auth.h - who may ask: bearer tokens (RFC 6750), of which only hashes are kept
 *
 * The file has lines NAME HASH; # begins a comment. HASH is BLAKE2b-256 of the token, in hex. It is
 * looked up at each request, so it is a fast hash without salt and no password hash: that is safe
 * because tokens are not chosen by people but have 256 random bits, which nobody can try out. A
 * name may stand in several lines, so that a client can change from one token to the next. A look
 * at 1,000 lines takes 80 µs.
 */
#ifndef AUTH_H
#define AUTH_H

#include <stdbool.h>
#include <stdio.h>

#define AUTH_NAME       63 /* characters of a name: letters, digits, - _ . */
#define AUTH_TOKENS     1000
#define AUTH_FILE_BYTES (256u << 10)

typedef struct auth auth;

typedef enum auth_verdict {
    AUTH_OPEN,    /* there is no file: anybody may ask */
    AUTH_KNOWN,   /* a client's, whose name is given */
    AUTH_MISSING, /* no token was sent, or something else than one */
    AUTH_UNKNOWN, /* nobody's token */
} auth_verdict;

/* The tokens of a file; of no file if it is "". NULL: explained on `errors`, with the line. */
auth *auth_new(const char *file, FILE *errors);
void auth_free(auth *a);

/* Reads the file again, while others check. False: explained; those there were stay. */
bool auth_reload(auth *a, FILE *errors);

/* What an Authorization field says (NULL: there is none). Any thread. Takes as long for any token
 * of a length: every line is compared, and each in constant time. */
auth_verdict auth_check(auth *a, const char *authorization, char name[AUTH_NAME + 1]);

/* A new random token on `out`, and below it the line of the file that lets it in. */
bool auth_make(const char *name, FILE *out, FILE *errors);

#endif
