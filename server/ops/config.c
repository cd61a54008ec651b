#include "config.h"
#include "access/cors.h"
#include "base/file.h"
#include "base/machine.h"
#include "base/message.h"

#include "lib/fmix.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h> /* environ */

typedef enum kind { ADDRESS, NUMBER, BYTES, PATH, ORIGINS, CHOICE } kind;

typedef struct setting {
    const char *name;
    kind kind;
    size_t offset;
    uint64_t least, most;
    const char *fallback;
    const char *meaning;
    const char *const *choices; /* CHOICE: NULL at the end */
} setting;

static const char *const logs[] = {"json", "text", "off", NULL}; /* as log_kind */

static const char *const verifies[] = {"off", "on", NULL};

#define AT(field) offsetof(config, field)
#define CGROUP    "/sys/fs/cgroup"

static const setting table[] = {
    {"config", PATH, AT(file), 0, 0, "", "a file of settings, as name = value", NULL},
    {"listen", ADDRESS, AT(listen), 0, 0, "127.0.0.1:8080", "address and port; port 0 picks one",
     NULL},
    {"tls_cert", PATH, AT(tls_cert), 0, 0, "", "a certificate and its chain, PEM, for https", NULL},
    {"tls_key", PATH, AT(tls_key), 0, 0, "", "the certificate's key, PEM", NULL},
    {"tokens", PATH, AT(tokens), 0, 0, "",
     "a file of tokens, of which all but health and the page ask one", NULL},
    {"cors", ORIGINS, AT(cors), 0, 0, "", "origins whose pages may read answers, or *", NULL},
    {"data", PATH, AT(data), 0, 0, "", "a directory of data sets, as fmixd import writes them",
     NULL},
    {"verify", CHOICE, AT(verify), 0, 0, "on",
     "on: reads data sets through before it serves them, to check their digests; off", verifies},
    {"wisdom", PATH, AT(wisdom), 0, 0, "",
     "a file for what FFTW measured of shapes in use, read at start and kept up to date", NULL},
    {"threads", NUMBER, AT(threads), 0, 1024, "0",
     "threads that compute; 0: as many as the cgroup or the machine has cores", NULL},
    {"io_threads", NUMBER, AT(io_threads), 1, 64, "2", "threads that talk HTTP", NULL},
    {"connections", NUMBER, AT(connections), 16, 100000, "8192",
     "connections in all; fewer where a quarter of memory is not enough for them", NULL},
    {"queue", NUMBER, AT(queue), 1, 100000, "1024", "answers in work at once; more get 503", NULL},
    {"patience", NUMBER, AT(patience), 0, 600000, "100",
     "milliseconds that an answer may wait beyond what it takes alone; more get 503 or 429", NULL},
    {"body", BYTES, AT(body), 1, UINT64_C(1) << 34, "256M",
     "bytes of an upload (K, M, G allowed, here and below)", NULL},
    {"elements", NUMBER, AT(elements), 1, FMIX_MAX_ELEMENTS, "16777216", "elements of one mask",
     NULL},
    {"memory", BYTES, AT(memory), 0, UINT64_C(1) << 44, "0",
     "bytes that connections and all requests together may hold; 0: a quarter of the cgroup's or "
     "the machine's",
     NULL},
    {"cache", BYTES, AT(cache), 0, UINT64_C(1) << 36, "128M", "bytes of weights and plans kept",
     NULL},
    {"idle", NUMBER, AT(idle), 1, 86400, "60",
     "seconds a connection may stay without a request line", NULL},
    {"head", NUMBER, AT(head), 1, 86400, "20", "seconds in which a request's head must come", NULL},
    {"upload", NUMBER, AT(upload), 1, 86400, "300", "seconds in which a request's body must come",
     NULL},
    {"rate", BYTES, AT(rate), 0, UINT64_C(1) << 30, "1K",
     "bytes a second that a client must take of a reply, once it is there", NULL},
    {"stall", NUMBER, AT(stall), 1, 86400, "30", "seconds over which that rate is measured", NULL},
    {"log", CHOICE, AT(log), 0, 0, "json", "a line for each request on stderr: json, text or off",
     logs},
    {"drain", NUMBER, AT(drain), 0, 3600, "2", "seconds still serving after SIGTERM", NULL},
    {"deadline", NUMBER, AT(deadline), 0, 3600, "20", "seconds until what is in flight is cut off",
     NULL},
};
#define ROWS (sizeof table / sizeof *table)
_Static_assert(ROWS <= CONFIG_SETTINGS, "each setting has its origin");

/* A setting as text, and where it comes from: what an error names. */
typedef struct given {
    const char *text; /* NULL: not from here */
    unsigned line;    /* of the file */
} given;

/* From one source, setting by setting. */
typedef given givens[ROWS];

static const char *const origins[] = {"default", "file", "environment", "flag"};

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

/* "flag body is '7'; …" or, from a file, "fmixd.conf:3: body is '7'; …". */
static void blame(const setting *s, config_origin origin, const given *g, const char *file,
                  FILE *errors) {
    if (origin == CONFIG_FILE)
        message_print(errors, "fmixd: %s:%u: %s is '%.80s'; ", file, g->line, s->name, g->text);
    else
        message_print(errors, "fmixd: %s %s is '%.80s'; ", origins[origin], s->name, g->text);
}

static bool set(const setting *s, config_origin origin, const given *g, config *out, FILE *errors) {
    void *field = (char *)out + s->offset;
    char host[CONFIG_ADDRESS];
    uint16_t port;
    uint64_t value;
    size_t length = strlen(g->text);
    if (s->kind == PATH) {
        if (length < CONFIG_PATH) {
            memcpy(field, g->text, length + 1);
            return true;
        }
        blame(s, origin, g, out->file, errors);
        message_print(errors, "it must have less than %d characters\n", CONFIG_PATH);
        return false;
    }
    if (s->kind == ORIGINS) {
        if (length < CONFIG_ORIGINS && cors_is_list(g->text)) {
            memcpy(field, g->text, length + 1);
            return true;
        }
        blame(s, origin, g, out->file, errors);
        message_print(errors,
                      "it must be * or origins, as https://a.example,http://localhost:3000\n");
        return false;
    }
    if (s->kind == ADDRESS) {
        if (length < CONFIG_ADDRESS && config_split_address(g->text, host, sizeof host, &port)) {
            memcpy(field, g->text, length + 1);
            return true;
        }
        blame(s, origin, g, out->file, errors);
        message_print(errors, "it must be ADDR:PORT, as 127.0.0.1:8080\n");
        return false;
    }
    if (s->kind == CHOICE) {
        for (value = 0; s->choices[value]; value++)
            if (strcmp(s->choices[value], g->text) == 0) {
                *(uint64_t *)field = value;
                return true;
            }
        blame(s, origin, g, out->file, errors);
        message_print(errors, "it must be one of:");
        for (value = 0; s->choices[value]; value++)
            message_print(errors, " %s", s->choices[value]);
        message_print(errors, "\n");
        return false;
    }
    if (parse_number(g->text, s->kind == BYTES, &value) && value >= s->least && value <= s->most) {
        *(uint64_t *)field = value;
        return true;
    }
    blame(s, origin, g, out->file, errors);
    message_print(errors, "it must be a %s from %" PRIu64 " to %" PRIu64 "\n",
                  s->kind == BYTES ? "number of bytes (K, M, G allowed)" : "whole number", s->least,
                  s->most);
    return false;
}

/* A letter of a setting's name as it is written in each place: --io-threads or --io_threads,
 * FMIXD_IO_THREADS, io_threads. */
static bool same_letter(config_origin where, char written, char letter) {
    if (where == CONFIG_ENVIRONMENT)
        return written == (char)toupper((unsigned char)letter);
    return written == letter || (where == CONFIG_FLAG && written == '-' && letter == '_');
}

/* ROWS: none. */
static size_t find(config_origin where, const char *name, size_t length) {
    for (size_t i = 0; i < ROWS; i++) {
        size_t at = 0;
        while (at < length && table[i].name[at] && same_letter(where, name[at], table[i].name[at]))
            at++;
        if (at == length && table[i].name[at] == 0)
            return i;
    }
    return ROWS;
}

/* The setting that begins most like it, to be suggested. */
static const char *nearest(const char *name, size_t length) {
    const char *best = "--help lists them";
    size_t most = 1; /* two letters at least */
    for (size_t i = 0; i < ROWS; i++) {
        size_t same = 0;
        while (same < length && table[i].name[same] &&
               tolower((unsigned char)name[same]) == table[i].name[same])
            same++;
        if (same > most) {
            most = same;
            best = table[i].name;
        }
    }
    return best;
}

static bool unknown(const char *where, unsigned line, const char *name, size_t length,
                    FILE *errors) {
    char at[16] = "";
    if (line)
        snprintf(at, sizeof at, ":%u", line);
    message_print(errors, "fmixd: %s%s: there is no setting '%.*s' (%s?)\n", where, at,
                  length < 40 ? (int)length : 40, name, nearest(name, length));
    return false;
}

/* Kubernetes gives pods such variables of a service that is called fmixd. */
static bool is_service_link(const char *name) {
    return strncmp(name, "SERVICE_", 8) == 0 || strncmp(name, "PORT=", 5) == 0 ||
           strncmp(name, "PORT_", 5) == 0;
}

static bool read_environment(givens out, FILE *errors) {
    static const char prefix[] = "FMIXD_";
    for (char **e = environ; *e; e++) {
        if (strncmp(*e, prefix, sizeof prefix - 1) != 0)
            continue;
        const char *name = *e + sizeof prefix - 1;
        size_t length = strcspn(name, "="), i = find(CONFIG_ENVIRONMENT, name, length);
        if (i == ROWS && is_service_link(name))
            continue;
        if (i == ROWS)
            return unknown("environment", 0, name, length, errors);
        out[i].text = name + length + 1;
    }
    return true;
}

/* Values are tried at once: of two mistakes the first is named. */
static bool read_flags(int argc, char **argv, int first, givens out, bool *help, FILE *errors) {
    config tried;
    for (int n = first; n < argc; n++) {
        const char *flag = argv[n];
        *help |= strcmp(flag, "--help") == 0 || strcmp(flag, "-h") == 0;
        if (*help)
            return true;
        size_t length = strcspn(flag, "=");
        bool long_flag = strncmp(flag, "--", 2) == 0 && length > 2;
        size_t i = long_flag ? find(CONFIG_FLAG, flag + 2, length - 2) : ROWS;
        if (i == ROWS) {
            message_print(errors, "fmixd: there is no flag '%.40s'; see fmixd --help\n", flag);
            return false;
        }
        out[i].text = flag[length] ? flag + length + 1 : n + 1 < argc ? argv[++n] : NULL;
        if (!out[i].text) {
            message_print(errors, "fmixd: --%s needs a value\n", table[i].name);
            return false;
        }
        if (!set(&table[i], CONFIG_FLAG, &out[i], &tried, errors))
            return false;
    }
    return true;
}

/* One line, cut off at its end: name = value, or nothing but a comment. */
static bool read_line(char *text, unsigned line, const char *file, givens out, FILE *errors) {
    static const char space[] = " \t\r";
    text[strcspn(text, "#")] = 0;
    text += strspn(text, space);
    size_t length = strcspn(text, " \t\r=");
    if (!*text)
        return true;
    size_t i = find(CONFIG_FILE, text, length);
    char *value = text + length + strspn(text + length, space);
    if (i == ROWS || strcmp(table[i].name, "config") == 0)
        return unknown(file, line, text, length, errors);
    if (*value != '=') {
        message_print(errors, "fmixd: %s:%u: %s has no value; write %s = value\n", file, line,
                      table[i].name, table[i].name);
        return false;
    }
    value += 1 + strspn(value + 1, space);
    for (size_t end = strlen(value); end && strchr(space, value[end - 1]); end--)
        value[end - 1] = 0;
    if (out[i].text) {
        message_print(errors, "fmixd: %s:%u: %s stands in line %u already\n", file, line,
                      table[i].name, out[i].line);
        return false;
    }
    out[i] = (given){value, line};
    return true;
}

static bool apply(givens from, config_origin origin, config *out, FILE *errors) {
    for (size_t i = 0; i < ROWS; i++) {
        if (!from[i].text)
            continue;
        if (!set(&table[i], origin, &from[i], out, errors))
            return false;
        out->origin[i] = origin;
    }
    return true;
}

bool config_read_text(char *text, config *out, FILE *errors) {
    givens from_file = {{0}};
    unsigned line = 0;
    for (char *next; text; text = next) {
        next = strchr(text, '\n');
        if (next)
            *next++ = 0;
        if (!read_line(text, ++line, out->file, from_file, errors))
            return false;
    }
    return apply(from_file, CONFIG_FILE, out, errors);
}

static bool read_file(const char *file, config *out, FILE *errors) {
    char *text = file_read("config", file, CONFIG_FILE_BYTES, false, errors);
    bool good = text && config_read_text(text, out, errors);
    file_free(text);
    return good;
}

/* The file is named by a flag or the environment, but counts for less than either. */
config_result config_load(int argc, char **argv, int first, config *out, FILE *errors) {
    givens defaults = {{0}}, environment = {{0}}, flags = {{0}};
    bool help = false;
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < ROWS; i++)
        defaults[i].text = table[i].fallback;
    if (!read_flags(argc, argv, first, flags, &help, errors))
        return CONFIG_BAD;
    if (help)
        return CONFIG_HELP;
    if (!read_environment(environment, errors) || !apply(defaults, CONFIG_DEFAULT, out, errors))
        return CONFIG_BAD;
    const given *file = flags[0].text ? &flags[0] : &environment[0];
    if (file->text && !set(&table[0], CONFIG_ENVIRONMENT, file, out, errors))
        return CONFIG_BAD;
    if (out->file[0] && !read_file(out->file, out, errors))
        return CONFIG_BAD;
    if (!apply(environment, CONFIG_ENVIRONMENT, out, errors) ||
        !apply(flags, CONFIG_FLAG, out, errors))
        return CONFIG_BAD;
    if (out->threads == 0)
        out->threads = machine_cores(CGROUP);
    if (out->memory == 0)
        out->memory = machine_memory(CGROUP) / 4;
    return CONFIG_OK;
}

void config_print(const config *c, FILE *out) {
    for (size_t i = 0; i < ROWS; i++) {
        const char *field = (const char *)c + table[i].offset;
        bool text = table[i].kind == ADDRESS || table[i].kind == PATH || table[i].kind == ORIGINS;
        if (i == 0 && !*field)
            continue;
        if (i == 0) /* a file does not name a file */
            fprintf(out, "# config = %s", field);
        else if (text)
            fprintf(out, "%s = %s", table[i].name, field);
        else if (table[i].kind == CHOICE)
            fprintf(out, "%s = %s", table[i].name,
                    table[i].choices[*(const uint64_t *)(const void *)field]);
        else
            fprintf(out, "%s = %" PRIu64, table[i].name, *(const uint64_t *)(const void *)field);
        fprintf(out, " # %s\n", origins[c->origin[i]]);
    }
}

static void print_range(const setting *s, const char *before, const char *after, FILE *out) {
    if (s->kind == NUMBER || s->kind == BYTES)
        fprintf(out, "%s%" PRIu64 " to %" PRIu64 "%s", before, s->least, s->most, after);
}

void config_usage(FILE *out) {
    fprintf(out, "usage: fmixd [--setting VALUE ...]        serve\n"
                 "       fmixd healthcheck [--listen ...]   exit 0 if the daemon there is alive\n"
                 "       fmixd selftest                     check the golden answers\n"
                 "       fmixd token NAME                   make a token, and its line for tokens\n"
                 "       fmixd config [--setting VALUE ...] print the effective settings\n"
                 "       fmixd settings                     print them all as a table in Markdown\n"
                 "       fmixd api                          print routes, parameters and formats "
                 "as tables in Markdown\n"
                 "       fmixd import DIR --from ...        write a data set\n"
                 "       fmixd version\n\n"
                 "settings: flag, else FMIXD_NAME in the environment, else a line name = value of "
                 "the file, else the default\n");
    for (size_t i = 0; i < ROWS; i++) {
        fprintf(out, "  --%-12s %-16s %s", table[i].name, table[i].fallback, table[i].meaning);
        print_range(&table[i], " (", ")", out);
        fprintf(out, "\n");
    }
}

void config_table(FILE *out) {
    fprintf(out, "| setting | meaning | default | range |\n|---|---|---|---|\n");
    for (size_t i = 0; i < ROWS; i++) {
        const setting *s = &table[i];
        fprintf(out, "| `%s` | %s | %s | ", s->name, s->meaning,
                s->fallback[0] ? s->fallback : "none");
        print_range(s, "", " ", out);
        fprintf(out, "|\n");
    }
}
