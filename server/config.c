#include "config.h"
#include "machine.h"

#include "lib/fmix.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

typedef enum kind { ADDRESS, NUMBER, BYTES } kind;

typedef struct setting {
    const char *name;
    kind kind;
    size_t offset;
    uint64_t least, most;
    const char *fallback;
    const char *meaning;
} setting;

#define AT(field) offsetof(config, field)
#define CGROUP    "/sys/fs/cgroup"

static const setting table[] = {
    {"listen", ADDRESS, AT(listen), 0, 0, "127.0.0.1:8080", "address and port; port 0 picks one"},
    {"threads", NUMBER, AT(threads), 0, 1024, "0",
     "compute threads; 0: as many as there are cores"},
    {"io_threads", NUMBER, AT(io_threads), 1, 64, "2", "threads that talk HTTP"},
    {"connections", NUMBER, AT(connections), 16, 100000, "8192", "connections in all"},
    {"queue", NUMBER, AT(queue), 1, 100000, "1024", "answers in work at once; more get 503"},
    {"body", BYTES, AT(body), 1, UINT64_C(1) << 34, "256M", "bytes of an upload"},
    {"elements", NUMBER, AT(elements), 1, FMIX_MAX_ELEMENTS, "16777216", "elements of one mask"},
    {"memory", BYTES, AT(memory), 0, UINT64_C(1) << 44, "0",
     "bytes that all requests together may hold; 0: a quarter of what there is"},
    {"cache", BYTES, AT(cache), 0, UINT64_C(1) << 36, "128M", "bytes of weights and plans kept"},
    {"drain", NUMBER, AT(drain), 0, 3600, "2", "seconds still serving after SIGTERM"},
    {"deadline", NUMBER, AT(deadline), 0, 3600, "20", "seconds until what is in flight is cut off"},
};
#define ROWS (sizeof table / sizeof *table)

bool config_split_address(const char *listen, char *host, unsigned room, uint16_t *port) {
    const char *colon = strrchr(listen, ':');
    if (!colon || colon == listen || !isdigit((unsigned char)colon[1]))
        return false;
    char *end;
    unsigned long number = strtoul(colon + 1, &end, 10);
    size_t length = (size_t)(colon - listen);
    if (*end || number > UINT16_MAX || length >= room)
        return false;
    bool bracketed = listen[0] == '[' && length > 2 && listen[length - 1] == ']';
    if (bracketed) {
        listen++;
        length -= 2;
    }
    memcpy(host, listen, length);
    host[length] = 0;
    if (strpbrk(host, bracketed ? "[]" : "[]:"))
        return false;
    *port = (uint16_t)number;
    return true;
}

static bool parse_number(const char *text, bool bytes, uint64_t *out) {
    char *end;
    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    unsigned shift = 0;
    if (bytes && *end) {
        shift = *end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 64;
        end++;
    }
    if (errno || *end || shift > 30 || value > UINT64_MAX >> shift)
        return false;
    *out = (uint64_t)value << shift;
    return true;
}

static bool set(const setting *s, const char *text, const char *origin, config *out, FILE *errors) {
    void *field = (char *)out + s->offset;
    char host[CONFIG_ADDRESS];
    uint16_t port;
    uint64_t value;
    if (s->kind == ADDRESS) {
        if (strlen(text) < CONFIG_ADDRESS && config_split_address(text, host, sizeof host, &port)) {
            memcpy(field, text, strlen(text) + 1);
            return true;
        }
        fprintf(errors, "fmixd: %s %s is '%s'; it must be ADDR:PORT, as 127.0.0.1:8080\n", origin,
                s->name, text);
        return false;
    }
    if (parse_number(text, s->kind == BYTES, &value) && value >= s->least && value <= s->most) {
        *(uint64_t *)field = value;
        return true;
    }
    fprintf(errors, "fmixd: %s %s is '%s'; it must be a %s from %" PRIu64 " to %" PRIu64 "\n",
            origin, s->name, text,
            s->kind == BYTES ? "number of bytes (K, M, G allowed)" : "whole number", s->least,
            s->most);
    return false;
}

/* --io-threads and --io_threads are one. */
static const setting *find_flag(const char *flag, size_t length) {
    for (size_t i = 0; i < ROWS; i++) {
        size_t at = 0;
        while (at < length && table[i].name[at] &&
               (flag[at] == table[i].name[at] || (flag[at] == '-' && table[i].name[at] == '_')))
            at++;
        if (at == length && table[i].name[at] == 0)
            return &table[i];
    }
    return NULL;
}

static bool load_environment(config *out, FILE *errors) {
    for (size_t i = 0; i < ROWS; i++) {
        char name[32];
        snprintf(name, sizeof name, "FMIXD_%s", table[i].name);
        for (char *c = name; *c; c++)
            *c = (char)toupper((unsigned char)*c);
        const char *text = getenv(name);
        if (text && !set(&table[i], text, "environment setting", out, errors))
            return false;
    }
    return true;
}

config_result config_load(int argc, char **argv, int first, config *out, FILE *errors) {
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < ROWS; i++)
        set(&table[i], table[i].fallback, "default", out, errors);
    if (!load_environment(out, errors))
        return CONFIG_BAD;
    for (int i = first; i < argc; i++) {
        const char *flag = argv[i];
        if (strcmp(flag, "--help") == 0 || strcmp(flag, "-h") == 0)
            return CONFIG_HELP;
        size_t length = strcspn(flag, "=");
        const setting *s =
            strncmp(flag, "--", 2) == 0 && length > 2 ? find_flag(flag + 2, length - 2) : NULL;
        if (!s) {
            fprintf(errors, "fmixd: there is no flag '%s'; see fmixd --help\n", flag);
            return CONFIG_BAD;
        }
        const char *text = flag[length] ? flag + length + 1 : i + 1 < argc ? argv[++i] : NULL;
        if (!text) {
            fprintf(errors, "fmixd: --%s needs a value\n", s->name);
            return CONFIG_BAD;
        }
        if (!set(s, text, "flag", out, errors))
            return CONFIG_BAD;
    }
    if (out->threads == 0)
        out->threads = machine_cores(CGROUP);
    if (out->memory == 0)
        out->memory = machine_memory(CGROUP) / 4;
    return CONFIG_OK;
}

void config_print(const config *c, FILE *out) {
    for (size_t i = 0; i < ROWS; i++) {
        const void *field = (const char *)c + table[i].offset;
        if (table[i].kind == ADDRESS)
            fprintf(out, "%s = %s\n", table[i].name, (const char *)field);
        else
            fprintf(out, "%s = %" PRIu64 "\n", table[i].name, *(const uint64_t *)field);
    }
}

void config_usage(FILE *out) {
    fprintf(out, "usage: fmixd [--setting VALUE ...]        serve\n"
                 "       fmixd healthcheck [--listen ...]   exit 0 if the daemon there is alive\n"
                 "       fmixd selftest                     check the golden answers\n"
                 "       fmixd config [--setting VALUE ...] print the effective settings\n"
                 "       fmixd version\n\n"
                 "settings, also as FMIXD_NAME in the environment:\n");
    for (size_t i = 0; i < ROWS; i++)
        fprintf(out, "  --%-12s %-16s %s\n", table[i].name, table[i].fallback, table[i].meaning);
}
