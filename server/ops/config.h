/*
 * config.h - the effective settings: flag > FMIXD_* environment > settings file > default
 */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define CONFIG_ADDRESS    64
#define CONFIG_PATH       256
#define CONFIG_ORIGINS    1024
#define CONFIG_FILE_BYTES (64 << 10)
#define CONFIG_SETTINGS   32

/* Each counts for more than those before it. */
typedef enum config_origin {
    CONFIG_DEFAULT,
    CONFIG_FILE,
    CONFIG_ENVIRONMENT,
    CONFIG_FLAG
} config_origin;

typedef struct config {
    char file[CONFIG_PATH];      /* of settings; empty: none */
    char listen[CONFIG_ADDRESS]; /* as given, ADDR:PORT */
    char tls_cert[CONFIG_PATH];  /* PEM, with tls_key; empty: no TLS */
    char tls_key[CONFIG_PATH];
    char tokens[CONFIG_PATH];  /* of those who may ask; empty: anybody */
    char cors[CONFIG_ORIGINS]; /* a list of origins, or *; empty: none */
    char data[CONFIG_PATH];    /* a directory of data sets; empty: none */
    char wisdom[CONFIG_PATH];  /* what FFTW measured; empty: kept for this process only */
    uint64_t verify;           /* read data sets through at start, to check their digests */
    uint64_t threads;     /* that compute; 0 in the table: as many as the cgroup or machine has */
    uint64_t io_threads;  /* that talk HTTP */
    uint64_t connections; /* in all */
    uint64_t queue;       /* answers admitted at once */
    uint64_t patience;    /* milliseconds that an answer may wait: schedule.h */
    uint64_t body;        /* bytes of an upload */
    uint64_t elements;    /* of one mask */
    uint64_t memory;      /* bytes that all requests together may hold; 0 in the table: a quarter */
    uint64_t cache;       /* bytes of weights and plans kept */
    uint64_t idle;        /* seconds a connection may stay without a request line */
    uint64_t head;        /* seconds in which a request's head must come */
    uint64_t upload;      /* seconds in which a request's body must come */
    uint64_t rate;        /* bytes a second that a client must take of a reply */
    uint64_t stall;       /* seconds over which the rate is measured */
    uint64_t drain;       /* seconds still serving after SIGTERM */
    uint64_t log;         /* log_kind */
    uint64_t deadline;    /* seconds after which what is in flight is cut off */
    unsigned char origin[CONFIG_SETTINGS]; /* config_origin, in the order of the table */
} config;

typedef enum config_result { CONFIG_OK, CONFIG_HELP, CONFIG_VERSION, CONFIG_BAD } config_result;

/* Reads flags from argv[first] on, the environment, and the file that either names. A bad or
 * unknown setting is explained on `errors`. HELP and VERSION: a flag asks for these. */
config_result config_load(int argc, char **argv, int first, config *out, FILE *errors);

/* The text of out->file, which is cut up: lines of `name = value`, # begins a comment. */
bool config_read_text(char *text, config *out, FILE *errors);

/* The effective set, one `name = value # origin` a line, which a file may hold. */
void config_print(const config *c, FILE *out);

/* Splits "127.0.0.1:8080" or "[::1]:8080"; false if malformed. */
bool config_split_address(const char *listen, char *host, unsigned room, uint16_t *port);

#endif
