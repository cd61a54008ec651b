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

#define CONFIG_CONNECTIONS_LEAST 16

/* Each origin overrides those before it. */
typedef enum config_origin {
    CONFIG_DEFAULT,
    CONFIG_FILE,
    CONFIG_ENVIRONMENT,
    CONFIG_FLAG
} config_origin;

typedef struct config {
    char file[CONFIG_PATH];      /* of settings; empty: there is none */
    char listen[CONFIG_ADDRESS]; /* as given, ADDR:PORT */
    char tls_cert[CONFIG_PATH];  /* PEM; empty: no TLS */
    char tls_key[CONFIG_PATH];
    char tokens[CONFIG_PATH];  /* file of access tokens; empty: tokens are not needed */
    char cors[CONFIG_ORIGINS]; /* a list of origins, or *; empty: none */
    char data[CONFIG_PATH];    /* directory of data sets; empty: there is none */
    char wisdom[CONFIG_PATH];  /* file of FFTW's measurements; empty: they end with the process */
    uint64_t verify;           /* when the bytes of data sets are checked: lazy, start, off, on */
    uint64_t threads;          /* compute threads; 0 in the table: one per core */
    uint64_t io_threads;       /* threads that handle HTTP */
    uint64_t connections;      /* at most */
    uint64_t queue;            /* answers in progress at most */
    uint64_t patience;         /* milliseconds that an answer may wait; see schedule.h */
    uint64_t body;             /* bytes of an upload at most */
    uint64_t elements;         /* of a mask at most */
    uint64_t memory;   /* bytes for connections and requests together; 0 in the table: a quarter */
    uint64_t cache;    /* bytes of cached weights and transform plans */
    uint64_t idle;     /* seconds a connection may stay without a request line */
    uint64_t head;     /* seconds within which a request's header must arrive */
    uint64_t upload;   /* seconds within which a request's body must arrive */
    uint64_t rate;     /* bytes per second at which a client must read its answer */
    uint64_t stall;    /* seconds over which rate is measured */
    uint64_t drain;    /* seconds to keep serving after SIGTERM */
    uint64_t log;      /* log_kind */
    uint64_t deadline; /* seconds after draining until requests in progress are cut off */
    unsigned char origin[CONFIG_SETTINGS]; /* config_origin of each row of the table of settings */
} config;

typedef enum config_result { CONFIG_OK, CONFIG_HELP, CONFIG_VERSION, CONFIG_BAD } config_result;

/* Reads flags from argv[first] on, the environment, and the file that either names. A bad or
 * unknown setting is explained on `errors`. HELP and VERSION: a flag asks for these. */
config_result config_load(int argc, char **argv, int first, config *out, FILE *errors);

/* Reads the text of the settings file out->file: lines `name = value`; # begins a comment at the
 * start of a line or behind white space. Writes into the text. */
bool config_read_text(char *text, config *out, FILE *errors);

/* Prints the effective settings as a settings file, with lines `name = value # origin`. */
void config_print(const config *c, FILE *out);

#endif
