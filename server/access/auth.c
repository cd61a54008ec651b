#include "auth.h"
#include "base/file.h"
#include "base/message.h"

#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HASH   32 /* bytes */
#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING

typedef struct token {
    unsigned char hash[HASH];
    char name[AUTH_NAME + 1];
} token;

typedef struct token_set {
    size_t count;
    token tokens[];
} token_set;

struct auth {
    pthread_rwlock_t lock; /* of set */
    token_set *set;
    const char *file; /* borrowed; "": there is no file, and no set */
};

static bool hash(const char *text, size_t length, unsigned char out[HASH]) {
    return crypto_generichash(out, HASH, (const unsigned char *)text, length, NULL, 0) == 0;
}

/* ---- the file ---- */

static bool is_name(const char *text, size_t length) {
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    return length > 0 && length <= AUTH_NAME && strspn(text, allowed) >= length;
}

static bool is_taken(const token_set *set, const token *t) {
    for (size_t i = 0; i < set->count; i++)
        if (memcmp(set->tokens[i].hash, t->hash, HASH) == 0)
            return true;
    return false;
}

_Static_assert(AUTH_NAME == 63 && AUTH_TOKENS == 1000, "messages say so");

/* Reads NAME HASH, or a line that has only a comment. Returns the error in the line, or NULL. */
static const char *read_line(char *line, token_set *set) {
    static const char space[] = " \t\r";
    token *t = &set->tokens[set->count];
    size_t bytes;
    line[strcspn(line, "#")] = 0;
    line += strspn(line, space);
    if (!*line)
        return NULL;
    size_t name = strcspn(line, space);
    const char *hex = line + name + strspn(line + name, space);
    size_t digits = strcspn(hex, space);
    if (!is_name(line, name))
        return "a name has 1 to 63 characters: letters, digits, - _ .";
    if (digits != 2 * HASH || sodium_hex2bin(t->hash, HASH, hex, digits, NULL, &bytes, NULL) != 0 ||
        bytes != HASH)
        return "the name must be followed by a hash of 64 hex digits";
    if (hex[digits + strspn(hex + digits, space)])
        return "there is text after the hash";
    if (is_taken(set, t))
        return "this hash is in an earlier line already";
    if (set->count == AUTH_TOKENS)
        return "the file has more than 1000 tokens";
    memcpy(t->name, line, name);
    t->name[name] = 0;
    set->count++;
    return NULL;
}

static size_t count_lines(const char *text) {
    size_t lines = 1;
    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

/* An empty set would refuse every client. A file that is just being written may look empty. */
static bool read_lines(char *text, const char *file, token_set *set, FILE *errors) {
    unsigned number = 0;
    for (char *next; text; text = next) {
        next = strchr(text, '\n');
        if (next)
            *next++ = 0;
        number++;
        const char *wrong = read_line(text, set);
        if (wrong) {
            message_print(errors, "fmixd: %s:%u: %s; a line is NAME HASH\n", file, number, wrong);
            return false;
        }
    }
    if (set->count == 0)
        message_print(errors, "fmixd: tokens: '%s' has no tokens; fmixd token NAME creates one\n",
                      file);
    return set->count > 0;
}

static token_set *read_set(const char *file, FILE *errors) {
    char *text = file_read("tokens", file, AUTH_FILE_BYTES, true, errors);
    if (!text)
        return NULL;
    size_t most = count_lines(text);
    most = most < AUTH_TOKENS ? most : AUTH_TOKENS;
    token_set *set = calloc(1, sizeof *set + (most + 1) * sizeof *set->tokens);
    if (!set)
        message_print(errors, "fmixd: tokens: out of memory\n");
    if (set && !read_lines(text, file, set, errors)) {
        free(set);
        set = NULL;
    }
    file_free(text);
    return set;
}

/* ---- the set ---- */

auth *auth_new(const char *file, FILE *errors) {
    auth *a = calloc(1, sizeof *a);
    if (!a || sodium_init() < 0) {
        message_print(errors, "fmixd: tokens: %s\n",
                      a ? "libsodium cannot be used" : "out of memory");
        free(a);
        return NULL;
    }
    a->file = file;
    pthread_rwlock_init(&a->lock, NULL);
    if (*file && !(a->set = read_set(file, errors))) {
        auth_free(a);
        return NULL;
    }
    return a;
}

void auth_free(auth *a) {
    if (!a)
        return;
    pthread_rwlock_destroy(&a->lock);
    free(a->set);
    free(a);
}

bool auth_reload(auth *a, FILE *errors) {
    if (!*a->file)
        return true;
    token_set *fresh = read_set(a->file, errors);
    if (!fresh)
        return false;
    pthread_rwlock_wrlock(&a->lock);
    token_set *old = a->set;
    a->set = fresh;
    pthread_rwlock_unlock(&a->lock);
    free(old);
    return true;
}

/* Branches and addresses do not depend on the line that matches. */
static bool find(const token_set *set, const unsigned char wanted[HASH], char name[AUTH_NAME + 1]) {
    unsigned char found = 0;
    sodium_memzero(name, AUTH_NAME + 1);
    for (size_t i = 0; i < set->count; i++) {
        const token *t = &set->tokens[i];
        /* sodium_memcmp gives 0 or -1: the mask has all bits set, or none */
        unsigned char mask = (unsigned char)~sodium_memcmp(t->hash, wanted, HASH);
        for (size_t c = 0; c < AUTH_NAME; c++)
            name[c] = (char)(name[c] | (t->name[c] & mask));
        found |= mask;
    }
    return found != 0;
}

/* The token after "Bearer", whose case does not matter (RFC 9110 §11.1), or NULL. */
static const char *token_of(const char *authorization) {
    if (!authorization || strncasecmp(authorization, "Bearer", 6) != 0 || authorization[6] != ' ')
        return NULL;
    return authorization + 6 + strspn(authorization + 6, " ");
}

auth_verdict auth_check(auth *a, const char *authorization, char name[AUTH_NAME + 1]) {
    unsigned char wanted[HASH];
    name[0] = 0;
    if (!*a->file)
        return AUTH_OPEN;
    const char *sent = token_of(authorization);
    if (!sent)
        return AUTH_MISSING;
    if (!hash(sent, strlen(sent), wanted))
        return AUTH_UNKNOWN;
    pthread_rwlock_rdlock(&a->lock);
    bool known = find(a->set, wanted, name);
    pthread_rwlock_unlock(&a->lock);
    return known ? AUTH_KNOWN : AUTH_UNKNOWN;
}

bool auth_make(const char *name, FILE *out, FILE *errors) {
    unsigned char secret[32], digest[HASH];
    char text[sodium_base64_ENCODED_LEN(sizeof secret, BASE64)], hex[2 * HASH + 1];
    if (!is_name(name, strlen(name))) {
        message_print(
            errors,
            "fmixd: the name is '%.80s'; it must have 1 to 63 characters: letters, digits, - _ .\n",
            name);
        return false;
    }
    if (sodium_init() < 0) {
        message_print(errors, "fmixd: libsodium cannot be used\n");
        return false;
    }
    randombytes_buf(secret, sizeof secret);
    sodium_bin2base64(text, sizeof text, secret, sizeof secret, BASE64);
    bool good = hash(text, strlen(text), digest);
    sodium_bin2hex(hex, sizeof hex, digest, sizeof digest);
    good = good && fprintf(out, "%s\n%s %s\n", text, name, hex) > 0 && fflush(out) == 0;
    if (!good)
        message_print(errors, "fmixd: the token cannot be written: %s\n", strerror(errno));
    sodium_memzero(secret, sizeof secret);
    sodium_memzero(text, sizeof text);
    return good;
}
