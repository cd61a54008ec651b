#include "config.h"
#include "base/file.h"
#include "base/machine.h"
#include "base/message.h"
#include "nearest.h"
#include "settings.h"

#include <ctype.h>
#include <string.h>
#include <unistd.h> /* environ */

_Static_assert(SETTINGS <= CONFIG_SETTINGS, "each setting has its origin");

/* A setting's text, and the line that an error names. */
typedef struct given {
    const char *text; /* NULL: this source does not set it */
    unsigned line;    /* of the settings file */
} given;

/* The settings of one source. */
typedef given givens[SETTINGS];

static const char *const origins[] = {"default", "file", "environment", "flag"};

/* Sets the field, or explains: "flag body is '7'; it must be …" or, from a file,
 * "fmixd.conf:3: body is '7'; it must be …". */
static bool set(const setting *s, config_origin origin, const given *g, config *out, FILE *errors) {
    char expected[160];
    if (setting_parse(s, g->text, out))
        return true;
    setting_expect(s, expected, sizeof expected);
    if (origin == CONFIG_FILE)
        message_print(errors, "fmixd: %s:%u: %s is '%.80s'; it must be %s\n", out->file, g->line,
                      s->name, g->text, expected);
    else
        message_print(errors, "fmixd: %s %s is '%.80s'; it must be %s\n", origins[origin], s->name,
                      g->text, expected);
    return false;
}

/* Each source spells names differently: --io-threads or --io_threads, FMIXD_IO_THREADS, io_threads.
 */
static bool same_letter(config_origin where, char written, char letter) {
    if (where == CONFIG_ENVIRONMENT)
        return written == (char)toupper((unsigned char)letter);
    return written == letter || (where == CONFIG_FLAG && written == '-' && letter == '_');
}

/* The row; SETTINGS if there is none. */
static size_t find(config_origin where, const char *name, size_t length) {
    for (size_t i = 0; i < SETTINGS; i++) {
        size_t at = 0;
        while (at < length && setting_table[i].name[at] &&
               same_letter(where, name[at], setting_table[i].name[at]))
            at++;
        if (at == length && setting_table[i].name[at] == 0)
            return i;
    }
    return SETTINGS;
}

/* "; did you mean NAME?", as this source spells names, or where the names are listed. */
static void suggest(config_origin where, const char *name, size_t length, char *out, size_t room) {
    static const char *const prefixes[] = {
        [CONFIG_FILE] = "", [CONFIG_ENVIRONMENT] = "FMIXD_", [CONFIG_FLAG] = "--"};
    const char *near = nearest(name, length, setting_name);
    int said = snprintf(out, room, near ? "; did you mean %s" : "; see fmixd --help%s",
                        near ? prefixes[where] : "");
    if (!near)
        return;
    char *at = out + said;
    snprintf(at, room - (size_t)said, "%s?", near);
    for (; *at; at++)
        *at = where == CONFIG_ENVIRONMENT          ? (char)toupper((unsigned char)*at)
              : where == CONFIG_FLAG && *at == '_' ? '-'
                                                   : *at;
}

/* line: of the settings file; 0: the environment. */
static bool unknown(const char *source, unsigned line, const char *name, size_t length,
                    FILE *errors) {
    char at[16] = "", hint[64];
    if (line)
        snprintf(at, sizeof at, ":%u", line);
    suggest(line ? CONFIG_FILE : CONFIG_ENVIRONMENT, name, length, hint, sizeof hint);
    message_print(errors, "fmixd: %s%s: unknown setting '%.*s'%s\n", source, at,
                  length < 40 ? (int)length : 40, name, hint);
    return false;
}

static config_result unknown_flag(const char *flag, FILE *errors) {
    char hint[64];
    size_t dashes = strspn(flag, "-");
    suggest(CONFIG_FLAG, flag + dashes, strcspn(flag + dashes, "="), hint, sizeof hint);
    message_print(errors, "fmixd: %s '%.40s'%s\n",
                  flag[0] == '-' ? "unknown option" : "unexpected argument", flag, hint);
    return CONFIG_BAD;
}

/* Kubernetes sets such variables in pods if a service is called fmixd. */
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
        if (i == SETTINGS && is_service_link(name))
            continue;
        if (i == SETTINGS)
            return unknown("environment", 0, name, length, errors);
        out[i].text = name + length + 1;
    }
    return true;
}

static bool is_flag(const char *flag, const char *name, const char *letter) {
    return strcmp(flag, name) == 0 || strcmp(flag, letter) == 0;
}

/* Checks each value at once, so that the first of two mistakes is named. --help and --version end
 * the list, whatever follows them. */
static config_result read_flags(int argc, char **argv, int first, givens out, FILE *errors) {
    config tried;
    for (int n = first; n < argc; n++) {
        const char *flag = argv[n];
        if (is_flag(flag, "--help", "-h"))
            return CONFIG_HELP;
        if (is_flag(flag, "--version", "-V"))
            return CONFIG_VERSION;
        size_t length = strcspn(flag, "=");
        bool long_flag = strncmp(flag, "--", 2) == 0 && length > 2;
        size_t i = long_flag ? find(CONFIG_FLAG, flag + 2, length - 2) : SETTINGS;
        if (i == SETTINGS)
            return unknown_flag(flag, errors);
        out[i].text = flag[length] ? flag + length + 1 : n + 1 < argc ? argv[++n] : NULL;
        if (!out[i].text) {
            message_print(errors, "fmixd: --%s needs a value\n", setting_table[i].name);
            return CONFIG_BAD;
        }
        if (!set(&setting_table[i], CONFIG_FLAG, &out[i], &tried, errors))
            return CONFIG_BAD;
    }
    return CONFIG_OK;
}

static const char space[] = " \t\r";

/* Ends a line before its comment, which begins the line or stands behind white space: # may be part
 * of a path. */
static void cut_comment(char *line) {
    char *at = strchr(line, '#');
    while (at && at != line && !strchr(space, at[-1]))
        at = strchr(at + 1, '#');
    if (at)
        *at = 0;
}

/* Reads a line name = value, or a line that has only a comment. */
static bool read_line(char *text, unsigned line, const char *file, givens out, FILE *errors) {
    cut_comment(text);
    text += strspn(text, space);
    size_t length = strcspn(text, " \t\r=");
    if (!*text)
        return true;
    size_t i = find(CONFIG_FILE, text, length);
    char *value = text + length + strspn(text + length, space);
    if (i == SETTINGS)
        return unknown(file, line, text, length, errors);
    if (i == SETTING_FILE_ROW) {
        message_print(errors, "fmixd: %s:%u: a settings file cannot name another by config\n", file,
                      line);
        return false;
    }
    if (*value != '=') {
        message_print(errors, "fmixd: %s:%u: %s has no value; write %s = value\n", file, line,
                      setting_table[i].name, setting_table[i].name);
        return false;
    }
    value += 1 + strspn(value + 1, space);
    for (size_t end = strlen(value); end && strchr(space, value[end - 1]); end--)
        value[end - 1] = 0;
    if (out[i].text) {
        message_print(errors, "fmixd: %s:%u: %s is set in line %u already\n", file, line,
                      setting_table[i].name, out[i].line);
        return false;
    }
    out[i] = (given){value, line};
    return true;
}

static bool apply(givens from, config_origin origin, config *out, FILE *errors) {
    for (size_t i = 0; i < SETTINGS; i++) {
        if (!from[i].text)
            continue;
        if (!set(&setting_table[i], origin, &from[i], out, errors))
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

/* A flag or the environment names the settings file, and both override it. */
config_result config_load(int argc, char **argv, int first, config *out, FILE *errors) {
    givens defaults = {{0}}, environment = {{0}}, flags = {{0}};
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < SETTINGS; i++)
        defaults[i].text = setting_table[i].fallback;
    config_result result = read_flags(argc, argv, first, flags, errors);
    if (result != CONFIG_OK)
        return result;
    if (!read_environment(environment, errors) || !apply(defaults, CONFIG_DEFAULT, out, errors))
        return CONFIG_BAD;
    const given *file =
        flags[SETTING_FILE_ROW].text ? &flags[SETTING_FILE_ROW] : &environment[SETTING_FILE_ROW];
    if (file->text && !set(&setting_table[SETTING_FILE_ROW], CONFIG_ENVIRONMENT, file, out, errors))
        return CONFIG_BAD;
    if (out->file[0] && !read_file(out->file, out, errors))
        return CONFIG_BAD;
    if (!apply(environment, CONFIG_ENVIRONMENT, out, errors) ||
        !apply(flags, CONFIG_FLAG, out, errors))
        return CONFIG_BAD;
    if (out->threads == 0)
        out->threads = machine_cores(&machine_own_cgroups);
    if (out->memory == 0)
        out->memory = machine_memory(&machine_own_cgroups) / 4;
    return CONFIG_OK;
}

void config_print(const config *c, FILE *out) {
    for (size_t i = 0; i < SETTINGS; i++) {
        if (i == SETTING_FILE_ROW && !c->file[0])
            continue;
        /* A settings file does not name another one. */
        fprintf(out, "%s%s = ", i == SETTING_FILE_ROW ? "# " : "", setting_table[i].name);
        setting_print(&setting_table[i], c, out);
        fprintf(out, " # %s\n", origins[c->origin[i]]);
    }
}
