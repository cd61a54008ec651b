/*
 * settings.h - the table of settings, and what each kind of value does
 *
 * The table feeds the flags, the environment, the settings file, `fmixd --help` and `fmixd
 * settings`.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "config.h"

#include <stddef.h>

typedef enum setting_kind {
    SETTING_ADDRESS,   /* char[CONFIG_ADDRESS] */
    SETTING_NUMBER,    /* uint64_t, least … most */
    SETTING_BYTES,     /* the same, with K, M and G allowed */
    SETTING_FILE,      /* char[CONFIG_PATH] */
    SETTING_DIRECTORY, /* the same */
    SETTING_ORIGINS,   /* char[CONFIG_ORIGINS] */
    SETTING_CHOICE,    /* uint64_t, the number of a choice */
    SETTING_KINDS
} setting_kind;

typedef struct setting {
    const char *name;
    setting_kind kind;
    size_t offset; /* in config */
    uint64_t least, most;
    const char *fallback;
    const char *meaning;
    const char *const *choices; /* SETTING_CHOICE: NULL at the end */
} setting;

enum { SETTINGS = 26, SETTING_FILE_ROW = 0 };

/* The row SETTING_FILE_ROW names the file of the other settings. */
extern const setting setting_table[SETTINGS];

/* A row's name; NULL past the last row. */
const char *setting_name(size_t row);

/* Sets the setting's field of *out. False: the text is not a value of the setting. */
bool setting_parse(const setting *s, const char *text, config *out);

/* What a value must be, for example "a whole number from 1 to 64". */
void setting_expect(const setting *s, char *out, size_t room);

/* Prints the setting's value in *c. */
void setting_print(const setting *s, const config *c, FILE *out);

/* What stands for a value in the usage text, for example "FILE"; of a choice NULL. */
const char *setting_placeholder(const setting *s);

/* Returns true if values of the setting have a range of numbers. */
bool setting_has_range(const setting *s);

#endif
