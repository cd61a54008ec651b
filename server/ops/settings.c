#include "settings.h"
#include "access/cors.h"
#include "address.h"

#include "lib/fmix.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const logs[] = {"json", "text", "off", NULL}; /* as log_kind */
static const char *const verifies[] = {"lazy", "start", "off", "on", NULL};

#define AT(field)          offsetof(config, field)
#define ADDRESS(field)     SETTING_ADDRESS, AT(field), 0, 0
#define NUMBER(field, ...) SETTING_NUMBER, AT(field), __VA_ARGS__
#define BYTES(field, ...)  SETTING_BYTES, AT(field), __VA_ARGS__
#define PATH(field)        SETTING_FILE, AT(field), 0, 0
#define DIRECTORY(field)   SETTING_DIRECTORY, AT(field), 0, 0
#define ORIGINS(field)     SETTING_ORIGINS, AT(field), 0, 0
#define CHOICE(field)      SETTING_CHOICE, AT(field), 0, 0

const setting setting_table[SETTINGS] = {
    {"config", PATH(file), "", "file of settings, one name = value per line", NULL},
    {"listen", ADDRESS(listen), "127.0.0.1:8080",
     "address and port to listen on; port 0 picks a free port", NULL},
    {"tls_cert", PATH(tls_cert), "", "certificate chain for HTTPS, in PEM", NULL},
    {"tls_key", PATH(tls_key), "", "private key of the certificate, in PEM", NULL},
    {"tokens", PATH(tokens), "",
     "file of access tokens; every route except health checks and the preview page then requires "
     "one",
     NULL},
    {"cors", ORIGINS(cors), "",
     "origins whose pages may read answers, separated by commas, or * for all", NULL},
    {"data", DIRECTORY(data), "", "directory of data sets that fmixd import wrote", NULL},
    {"verify", CHOICE(verify), "lazy",
     "when the bytes of data sets are checked; lazy: each MiB before its first use; start, or on: "
     "all of them before a set is served; off: never",
     verifies},
    {"wisdom", PATH(wisdom), "",
     "file of FFTW's measurements of shapes in use, read at start and kept up to date", NULL},
    {"threads", NUMBER(threads, 0, 1024), "0",
     "compute threads, and as many more for long slices; 0: one per core of the cgroup or the "
     "machine",
     NULL},
    {"io_threads", NUMBER(io_threads, 1, 64), "2", "threads that handle HTTP", NULL},
    {"connections", NUMBER(connections, CONFIG_CONNECTIONS_LEAST, 100000), "8192",
     "maximum connections; fewer if a quarter of memory does not hold so many", NULL},
    {"queue", NUMBER(queue, 1, 100000), "1024", "maximum answers in progress; beyond it, 503",
     NULL},
    {"patience", NUMBER(patience, 0, 600000), "100",
     "milliseconds that an answer may wait beyond its estimated run time; if it would wait longer, "
     "503 or 429",
     NULL},
    {"body", BYTES(body, 1, UINT64_C(1) << 34), "256M",
     "maximum bytes of an upload; here and below, K, M and G are allowed", NULL},
    {"elements", NUMBER(elements, 1, FMIX_MAX_ELEMENTS), "16777216", "maximum elements of a mask",
     NULL},
    {"memory", BYTES(memory, 0, UINT64_C(1) << 44), "0",
     "bytes for connections and all requests together; 0: a quarter of the cgroup's or the "
     "machine's memory",
     NULL},
    {"cache", BYTES(cache, 0, UINT64_C(1) << 36), "128M",
     "bytes of cached weights and transform plans", NULL},
    {"idle", NUMBER(idle, 1, 86400), "60",
     "seconds that a connection may be without a request line", NULL},
    {"head", NUMBER(head, 1, 86400), "20", "seconds within which a request's header must arrive",
     NULL},
    {"upload", NUMBER(upload, 1, 86400), "300", "seconds within which a request's body must arrive",
     NULL},
    {"rate", BYTES(rate, 0, UINT64_C(1) << 30), "1K",
     "minimum bytes per second at which a client must read its answer", NULL},
    {"stall", NUMBER(stall, 1, 86400), "30", "seconds over which rate is measured", NULL},
    {"log", CHOICE(log), "json", "log line of each request on stderr: json, text or off", logs},
    {"drain", NUMBER(drain, 0, 3600), "2", "seconds to keep serving after SIGTERM", NULL},
    {"deadline", NUMBER(deadline, 0, 3600), "20",
     "seconds after drain until requests in progress are cut off", NULL},
};

const char *setting_name(size_t row) {
    return row < SETTINGS ? setting_table[row].name : NULL;
}

/* ---- kinds of values ---- */

static bool copy(const char *text, size_t room, void *field) {
    size_t length = strlen(text);
    if (length >= room)
        return false;
    memcpy(field, text, length + 1);
    return true;
}

static bool parse_path(const setting *s, const char *text, void *field) {
    (void)s;
    return copy(text, CONFIG_PATH, field);
}

static bool parse_origins(const setting *s, const char *text, void *field) {
    (void)s;
    return cors_is_list(text) && copy(text, CONFIG_ORIGINS, field);
}

static bool parse_address(const setting *s, const char *text, void *field) {
    char host[CONFIG_ADDRESS];
    uint16_t port;
    (void)s;
    return address_split(text, host, sizeof host, &port) && copy(text, CONFIG_ADDRESS, field);
}

static bool parse_choice(const setting *s, const char *text, void *field) {
    for (uint64_t i = 0; s->choices[i]; i++)
        if (strcmp(s->choices[i], text) == 0) {
            *(uint64_t *)field = i;
            return true;
        }
    return false;
}

static bool parse_digits(const char *text, bool units, uint64_t *out) {
    char *end;
    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    unsigned shift = 0;
    if (units && *end) {
        shift = *end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 64;
        end++;
    }
    if (errno || *end || shift > 30 || value > UINT64_MAX >> shift)
        return false;
    *out = (uint64_t)value << shift;
    return true;
}

static bool parse_number(const setting *s, const char *text, void *field) {
    uint64_t value;
    if (!parse_digits(text, s->kind == SETTING_BYTES, &value) || value < s->least ||
        value > s->most)
        return false;
    *(uint64_t *)field = value;
    return true;
}

static void expect_path(const setting *s, char *out, size_t room) {
    (void)s;
    snprintf(out, room, "a path of fewer than %d characters", CONFIG_PATH);
}

static void expect_origins(const setting *s, char *out, size_t room) {
    (void)s;
    snprintf(out, room,
             "* or origins separated by commas, such as https://a.example,http://localhost:3000");
}

static void expect_address(const setting *s, char *out, size_t room) {
    (void)s;
    snprintf(out, room, "ADDR:PORT, such as 127.0.0.1:8080");
}

static void expect_choice(const setting *s, char *out, size_t room) {
    size_t used = (size_t)snprintf(out, room, "one of:");
    for (size_t i = 0; s->choices[i] && used < room; i++)
        used += (size_t)snprintf(out + used, room - used, " %s", s->choices[i]);
}

static void expect_number(const setting *s, char *out, size_t room) {
    snprintf(out, room, "a %s from %" PRIu64 " to %" PRIu64,
             s->kind == SETTING_BYTES ? "number of bytes (K, M, G allowed)" : "whole number",
             s->least, s->most);
}

static void print_text(const setting *s, const void *field, FILE *out) {
    (void)s;
    fputs(field, out);
}

static void print_number(const setting *s, const void *field, FILE *out) {
    (void)s;
    fprintf(out, "%" PRIu64, *(const uint64_t *)field);
}

static void print_choice(const setting *s, const void *field, FILE *out) {
    fputs(s->choices[*(const uint64_t *)field], out);
}

static const struct {
    bool (*parse)(const setting *s, const char *text, void *field);
    void (*expect)(const setting *s, char *out, size_t room);
    void (*print)(const setting *s, const void *field, FILE *out);
    const char *placeholder;
} kinds[SETTING_KINDS] = {
    [SETTING_ADDRESS] = {parse_address, expect_address, print_text, "ADDR:PORT"},
    [SETTING_NUMBER] = {parse_number, expect_number, print_number, "N"},
    [SETTING_BYTES] = {parse_number, expect_number, print_number, "BYTES"},
    [SETTING_FILE] = {parse_path, expect_path, print_text, "FILE"},
    [SETTING_DIRECTORY] = {parse_path, expect_path, print_text, "DIR"},
    [SETTING_ORIGINS] = {parse_origins, expect_origins, print_text, "ORIGINS"},
    [SETTING_CHOICE] = {parse_choice, expect_choice, print_choice, NULL},
};

bool setting_parse(const setting *s, const char *text, config *out) {
    return kinds[s->kind].parse(s, text, (char *)out + s->offset);
}

void setting_expect(const setting *s, char *out, size_t room) {
    kinds[s->kind].expect(s, out, room);
}

void setting_print(const setting *s, const config *c, FILE *out) {
    kinds[s->kind].print(s, (const char *)c + s->offset, out);
}

const char *setting_placeholder(const setting *s) {
    return kinds[s->kind].placeholder;
}

bool setting_has_range(const setting *s) {
    return s->kind == SETTING_NUMBER || s->kind == SETTING_BYTES;
}
