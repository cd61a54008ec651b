#include "trace.h"

#include <stdbool.h>
#include <string.h>
#include <sys/random.h>

/* A thread's random number, and how many ids it has made of the number. */
typedef struct id_source {
    uint64_t number[2], drawn;
} id_source;

static void write_hex(uint64_t number, char *out) {
    for (int digit = 15; digit >= 0; digit--, number >>= 4)
        out[digit] = "0123456789abcdef"[number & 15];
}

/* Ids must differ between replicas. They need not be unpredictable. */
static void make_id(id_source *s, const struct timespec *now, char *out) {
    if (s->drawn == 0 && getrandom(s->number, sizeof s->number, GRND_NONBLOCK) != sizeof s->number)
        s->number[0] = (uint64_t)now->tv_sec << 30 ^ (uint64_t)now->tv_nsec;
    write_hex(s->number[0], out);
    write_hex(s->number[1] + s->drawn++ * UINT64_C(0x9e3779b97f4a7c15), out + 16);
    out[32] = 0;
}

void trace_begin(trace *t) {
    static _Thread_local id_source s;
    clock_gettime(CLOCK_MONOTONIC, &t->begun);
    make_id(&s, &t->begun, t->id);
    t->parent[0] = 0;
}

static bool is_id(const char *text) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t length = strlen(text);
    return length > 0 && length <= TRACE_ID && strspn(text, plain) == length;
}

/* "00-", 32 digits that are not all 0, "-", 16 of the same, "-", 2. */
static bool is_parent(const char *text) {
    static const unsigned dashes[] = {2, 35, 52};
    bool good = strlen(text) == TRACE_PARENT && strncmp(text, "00", 2) == 0;
    for (unsigned i = 0, next = 0; good && i < TRACE_PARENT; i++) {
        bool dash = next < 3 && i == dashes[next];
        next += dash;
        good = dash ? text[i] == '-' : text[i] && strchr("0123456789abcdef", text[i]);
    }
    return good && strspn(text + 3, "0") < 32 && strspn(text + 36, "0") < 16;
}

void trace_take(trace *t, const char *id, const char *parent) {
    if (id && is_id(id))
        memcpy(t->id, id, strlen(id) + 1);
    if (parent && is_parent(parent))
        memcpy(t->parent, parent, sizeof t->parent);
}

double trace_age(const trace *t) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return 1e3 * (double)(now.tv_sec - t->begun.tv_sec) +
           1e-6 * (double)(now.tv_nsec - t->begun.tv_nsec);
}
