#include "tar_reader.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK 512

/* A header of POSIX.1-2001; GNU tar keeps other things in place of the prefix. */
typedef struct header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8];
    char type, link[100], magic[6], version[2], user[32], group[32], major[8], minor[8];
    char prefix[155], rest[12];
} header;
_Static_assert(sizeof(header) == BLOCK, "a header is a block");

/* What the headers before a member said of it. */
typedef struct extra {
    bool named, sized;
    uint64_t size;
} extra;

void tar_reader_start(tar_reader *r, int file, uint64_t length) {
    r->file = file;
    r->length = length;
    r->at = r->header = 0;
}

static tar_result fail(tar_reader *r, const char *reason) {
    snprintf(r->reason, sizeof r->reason, "%s", reason);
    return TAR_BAD;
}

static bool read_at(tar_reader *r, uint64_t offset, void *out, size_t bytes) {
    for (size_t at = 0; at < bytes;) {
        ssize_t got = pread(r->file, (char *)out + at, bytes - at, (off_t)(offset + at));
        if (got <= 0) {
            fail(r, got < 0 ? strerror(errno) : "the file was cut short while it was read");
            return false;
        }
        at += (size_t)got;
    }
    return true;
}

/* ---- numbers ---- */

/* Octal digits between spaces, ended by a space, NUL or the field's end; or, where the first bit is
 * set, big-endian bytes, as GNU tar writes large numbers. */
static bool read_number(const char *field, size_t length, uint64_t *out) {
    size_t i = 0;
    *out = 0;
    if ((unsigned char)field[0] == 0x80) {
        for (i = 1; i < length; i++) {
            if (*out >> 56)
                return false;
            *out = *out << 8 | (unsigned char)field[i];
        }
        return true;
    }
    while (i < length && field[i] == ' ')
        i++;
    size_t digits = i;
    for (; i < length && field[i] >= '0' && field[i] <= '7'; i++)
        *out = *out << 3 | (uint64_t)(field[i] - '0');
    digits = i - digits;
    while (i < length && (field[i] == ' ' || field[i] == 0))
        i++;
    return digits > 0 && i == length;
}

/* The sum of all bytes, those of the sum itself as spaces. */
static bool sum_is_right(const header *h) {
    const unsigned char *bytes = (const unsigned char *)h;
    uint64_t said, found = 0;
    for (size_t i = 0; i < BLOCK; i++) {
        bool own = i >= offsetof(header, sum) && i < offsetof(header, sum) + sizeof h->sum;
        found += own ? ' ' : bytes[i];
    }
    return read_number(h->sum, sizeof h->sum, &said) && said == found;
}

static bool is_zero(const void *block, size_t bytes) {
    const char *at = block;
    for (size_t i = 0; i < bytes; i++)
        if (at[i])
            return false;
    return true;
}

/* ---- the end ---- */

static tar_result end(tar_reader *r) {
    char bytes[8 * BLOCK];
    for (uint64_t at = r->at; at < r->length;) {
        size_t n = r->length - at < sizeof bytes ? (size_t)(r->length - at) : sizeof bytes;
        if (!read_at(r, at, bytes, n))
            return TAR_BAD;
        if (!is_zero(bytes, n))
            return fail(r, "there are more bytes behind the end of the archive; if archives were "
                           "joined, give each as a file of its own");
        at += n;
    }
    return TAR_END;
}

/* ---- names ---- */

/* The name of a member, unless a header before it gave a longer one. */
static tar_result take_name(tar_reader *r, const header *h) {
    bool posix = memcmp(h->magic, "ustar", 6) == 0;
    int prefix = posix ? (int)strnlen(h->prefix, sizeof h->prefix) : 0;
    int name = (int)strnlen(h->name, sizeof h->name);
    if (prefix + name == 0)
        return fail(r, "a member has no name");
    snprintf(r->name, sizeof r->name, "%.*s%s%.*s", prefix, h->prefix, prefix ? "/" : "", name,
             h->name);
    return TAR_MEMBER;
}

/* Copies a name of a header of its own. */
static tar_result set_name(tar_reader *r, const char *name, size_t length) {
    if (length == 0 || length >= TAR_NAME)
        return fail(r, "the name of a member is empty or longer than 4095 bytes");
    if (memchr(name, 0, length))
        return fail(r, "the name of a member holds a NUL byte");
    memcpy(r->name, name, length);
    r->name[length] = 0;
    return TAR_MEMBER;
}

/* A record "LENGTH KEY=VALUE\n" of a pax header, of which *left bytes are left. */
static tar_result take_record(tar_reader *r, extra *e, const char **at, size_t *left) {
    static const char bad[] = "a pax header is damaged";
    char *value, *behind;
    const char *equals;
    size_t digits = strspn(*at, "0123456789"),
           length = digits > 0 && digits < 8 ? strtoul(*at, &behind, 10) : 0;
    if (length <= digits + 2 || length > *left || (*at)[digits] != ' ' || (*at)[length - 1] != '\n')
        return fail(r, bad);
    const char *key = *at + digits + 1, *last = *at + length - 1;
    equals = memchr(key, '=', (size_t)(last - key));
    if (!equals)
        return fail(r, bad);
    size_t key_length = (size_t)(equals - key), value_length = (size_t)(last - equals) - 1;
    *at += length;
    *left -= length;
    if (key_length == 4 && memcmp(key, "path", 4) == 0) {
        e->named = true;
        return set_name(r, equals + 1, value_length);
    }
    if (key_length == 4 && memcmp(key, "size", 4) == 0) {
        e->sized = true;
        e->size = strtoull(equals + 1, &value, 10);
        return equals[1] >= '0' && equals[1] <= '9' && value == last ? TAR_MEMBER : fail(r, bad);
    }
    if (key_length >= 10 && memcmp(key, "GNU.sparse", 10) == 0)
        return fail(r, "sparse files are not supported");
    return TAR_MEMBER;
}

/* A header that says more of the member behind it. */
static tar_result take_extra(tar_reader *r, extra *e, char type, uint64_t size) {
    char *text = size < TAR_EXTRA ? malloc((size_t)size + 1) : NULL;
    if (!text)
        return fail(r, size < TAR_EXTRA ? "out of memory" : "a header has more than 65535 bytes");
    tar_result result = read_at(r, r->header + BLOCK, text, (size_t)size) ? TAR_MEMBER : TAR_BAD;
    text[size] = 0;
    if (result == TAR_MEMBER && type == 'L') {
        e->named = true;
        result = set_name(r, text, strnlen(text, (size_t)size));
    } else if (type == 'x') {
        const char *at = text;
        for (size_t left = (size_t)size; left > 0 && result == TAR_MEMBER;)
            result = take_record(r, e, &at, &left);
    }
    free(text);
    return result;
}

/* ---- members ---- */

static tar_result next_header(tar_reader *r, header *h) {
    r->header = r->at;
    if (r->length - r->at < BLOCK)
        return fail(r, r->at < r->length
                           ? "the file ends within a header"
                           : "the file ends without the blocks of zeros that end an archive");
    if (!read_at(r, r->at, h, BLOCK))
        return TAR_BAD;
    if (r->at == 0 && memcmp(h, "\x1f\x8b", 2) == 0)
        return fail(r, "the file is compressed by gzip; decompress it first");
    if (is_zero(h, BLOCK))
        return end(r);
    return sum_is_right(h) ? TAR_MEMBER
                           : fail(r, "the header's sum is wrong: this is not a tar "
                                     "file, or it is damaged");
}

/* Finds where the member's bytes are, and the next header. */
static tar_result place(tar_reader *r, uint64_t size) {
    r->offset = r->at + BLOCK;
    r->size = size;
    if (size > r->length - r->offset)
        return fail(r, "the file ends within a member");
    uint64_t padded = (BLOCK - size % BLOCK) % BLOCK;
    r->at = r->offset + size;
    r->at = padded < r->length - r->at ? r->at + padded : r->length;
    return TAR_MEMBER;
}

tar_result tar_reader_next(tar_reader *r) {
    extra e = {.named = false};
    for (;;) {
        header h;
        uint64_t size;
        tar_result result = next_header(r, &h);
        if (result == TAR_END && (e.named || e.sized))
            return fail(r, "the archive ends behind a header that names a member");
        if (result != TAR_MEMBER)
            return result;
        if (!read_number(h.size, sizeof h.size, &size))
            return fail(r, "the size of a member is not a number");
        bool more = h.type == 'x' || h.type == 'g' || h.type == 'L' || h.type == 'K';
        r->regular = h.type == '0' || h.type == 0 || h.type == '7';
        if (!more && e.sized)
            size = e.size;
        if (h.type == 'S')
            return fail(r, "sparse files are not supported");
        if (place(r, more || r->regular ? size : 0) != TAR_MEMBER)
            return TAR_BAD;
        if (!more)
            return e.named ? TAR_MEMBER : take_name(r, &h);
        if (take_extra(r, &e, h.type, size) != TAR_MEMBER)
            return TAR_BAD;
    }
}
