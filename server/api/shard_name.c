#include "shard_name.h"
#include "batch_address.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define DIGEST_DIGITS 16 /* of the digest, in a name */

static void encode(char *text) {
    for (; *text; text++)
        *text = *text == ',' ? '+' : *text == '.' ? '~' : *text;
}

static void decode(char *text) {
    for (; *text; text++)
        *text = *text == '+' ? ',' : *text == '~' ? '.' : *text;
}

/* Appends a parameter that is not at its default, and always n, whose default for data sets is not
 * the default of the table. Texts are short, so that a buffer fails only for lack of memory. */
static bool add_parameter(const query *q, query_id id, buffer *out) {
    query plain;
    buffer here = buffer_of(1024), there = buffer_of(1024);
    query_init(&plain);
    query_print(q, id, &here);
    query_print(&plain, id, &there);
    bool good = !here.failed && !there.failed;
    bool same = id != QUERY_N && query_table[id].fallback && here.length == there.length &&
                here.length > 0 && memcmp(here.bytes, there.bytes, here.length) == 0;
    if (good && !same) {
        buffer_print(out, SHARD_SEPARATOR "%s=", query_table[id].name);
        buffer_add(out, here.bytes, here.length);
    }
    buffer_free(&here);
    buffer_free(&there);
    return good;
}

fmix_status shard_name_of(const query *q, const dataset *d, char *out, size_t room) {
    buffer text = buffer_of(16384);
    bool good = buffer_print(&text, "%s" SHARD_SEPARATOR "%.*s", d->name, DIGEST_DIGITS, d->digest);
    for (unsigned i = 0; i < QUERY_COUNT && good; i++)
        good = !q->given[i] || i == QUERY_DIGEST || add_parameter(q, (query_id)i, &text);
    good = good && buffer_add(&text, "", 1);
    fmix_status status = !good                ? FMIX_ERROR_MEMORY
                         : text.length > room ? FMIX_ERROR_RANGE
                                              : FMIX_OK;
    if (status == FMIX_OK) {
        memcpy(out, text.bytes, text.length);
        encode(out);
    }
    buffer_free(&text);
    return status;
}

/* The next part of a name; ends the part with a zero byte. */
static char *next_part(char **rest) {
    char *part = *rest;
    char *end = part ? strstr(part, SHARD_SEPARATOR) : NULL;
    if (end)
        *end = 0;
    *rest = end ? end + strlen(SHARD_SEPARATOR) : NULL;
    return part;
}

dataset *shard_name_read(resource_request *request, uint64_t *step, problem *p) {
    char name[ROUTE_CAPTURE + 1], *rest = name;
    snprintf(name, sizeof name, "%s", request->captured[0]);
    const char *set = next_part(&rest), *digest = next_part(&rest), *part = next_part(&rest);
    query_init(&request->query);
    for (; rest && p->status == 0; part = next_part(&rest)) {
        char *value = strchr(part, '=');
        if (!value) {
            problem_add(p, 404, NULL, "'%.80s' is not the name of a shard", request->captured[0]);
            return NULL;
        }
        *value++ = 0;
        decode(value);
        query_take(&request->query, SHARD_GROUPS, part, strlen(part), value, strlen(value), p);
    }
    if (p->status)
        return NULL;
    if (!part || !digest) {
        problem_add(p, 404, NULL, "'%.80s' is not the name of a shard", request->captured[0]);
        return NULL;
    }
    const char *whole = request->captured[0];
    request->captured[0] = set;
    dataset *d = batch_address_step(part, step, p) ? requested_dataset_find(request, p) : NULL;
    request->captured[0] = whole;
    if (d && (strlen(digest) != DIGEST_DIGITS || strncmp(d->digest, digest, DIGEST_DIGITS) != 0)) {
        problem_add(p, 404, NULL, "the data set %s now has digest %s, not %s", d->name, d->digest,
                    digest);
        dataset_release(d);
        return NULL;
    }
    if (d && !requested_dataset_is_pinned(&request->query, d, p)) {
        dataset_release(d);
        return NULL;
    }
    return d;
}

void shard_name_refuse(const query *q, problem *p) {
    query_id longest = QUERY_SEED;
    size_t most = 0;
    for (unsigned i = 0; i < QUERY_COUNT; i++) {
        buffer text = buffer_of(1024);
        if (q->given[i] && i != QUERY_DIGEST)
            query_print(q, (query_id)i, &text);
        if (text.length > most) {
            most = text.length;
            longest = (query_id)i;
        }
        buffer_free(&text);
    }
    problem_add(p, 400, query_table[longest].name,
                "a shard's name holds every parameter that is not at its default, in at most %d "
                "bytes; the parameters given need more bytes, and %s needs most of them",
                ROUTE_CAPTURE, query_table[longest].name);
}
