#include "usage.h"
#include "settings.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#define COLUMNS 80
#define INDENT  28 /* where meanings begin */

static const char head[] =
    "Usage: fmixd [COMMAND] [OPTION]...\n"
    "Serve FMix, CutMix and MixUp masks, mixed batches and data sets over HTTP.\n"
    "\n"
    "Commands:\n"
    "  serve                     serve until SIGTERM (the default)\n"
    "  import SET --from KIND    write a data set; see fmixd import --help\n"
    "  info SET                  print what a data set is\n"
    "  verify SET                read a data set, and name what is damaged\n"
    "  token NAME                create an access token for the tokens file\n"
    "  healthcheck               exit with 0 if the daemon at --listen is alive\n"
    "  selftest                  compare masks with the golden answers\n"
    "  config                    print the effective settings and their origins\n"
    "  settings                  print all settings as a table in Markdown\n"
    "  api                       print routes, parameters and formats likewise\n"
    "  version                   print the version\n"
    "  help                      print this help\n"
    "\n"
    "Options:\n"
    "  -h, --help                print this help\n"
    "  -V, --version             print the version\n";

static const char tail[] =
    "\n"
    "A setting is taken from its option, else from FMIXD_NAME in the environment,\n"
    "else from a line name = value of the file that --config names, else from its\n"
    "default. fmixd(1) says more.\n"
    "\n"
    "Examples:\n"
    "  fmixd --listen 0.0.0.0:8080 --log text\n"
    "  fmixd import /srv/fmixd/flowers --from folder photos\n"
    "  FMIXD_DATA=/srv/fmixd fmixd --threads 8\n"
    "  curl -o masks.png 'http://127.0.0.1:8080/v1/masks.png?shape=32x32&n=64'\n";

/* "--io-threads N" */
static int print_option(const setting *s, FILE *out) {
    int width = fprintf(out, "  --");
    for (const char *c = s->name; *c; c++, width++)
        fputc(*c == '_' ? '-' : *c, out);
    if (setting_placeholder(s))
        return width + fprintf(out, " %s", setting_placeholder(s));
    for (size_t i = 0; s->choices[i]; i++)
        width += fprintf(out, "%c%s", i ? '|' : ' ', s->choices[i]);
    return width;
}

static size_t print_amount(const setting *s, uint64_t amount, char *out, size_t room) {
    static const char *const units[] = {"", "K", "M", "G"};
    unsigned unit = 0;
    while (s->kind == SETTING_BYTES && unit < 3 && amount && amount % 1024 == 0) {
        amount /= 1024;
        unit++;
    }
    return (size_t)snprintf(out, room, "%" PRIu64 "%s", amount, units[unit]);
}

/* "1 to 64", or nothing. */
static void range_text(const setting *s, char out[48]) {
    out[0] = 0;
    if (!setting_has_range(s))
        return;
    size_t used = print_amount(s, s->least, out, 48);
    used += (size_t)snprintf(out + used, 48 - used, " to ");
    print_amount(s, s->most, out + used, 48 - used);
}

/* "MEANING (default D; A to B)" */
static void describe(const setting *s, char *out, size_t room) {
    char range[48];
    range_text(s, range);
    if (s->fallback[0])
        snprintf(out, room, "%s (default %s%s%s)", s->meaning, s->fallback, range[0] ? "; " : "",
                 range);
    else
        snprintf(out, room, "%s", s->meaning);
}

/* Words from column `at` on, in lines that begin at INDENT. */
static void print_wrapped(const char *text, int at, FILE *out) {
    bool first = true;
    if (at >= INDENT) {
        fputc('\n', out);
        at = 0;
    }
    at += fprintf(out, "%*s", INDENT - at, "");
    for (size_t word; *text; text += word + strspn(text + word, " ")) {
        word = strcspn(text, " ");
        if (!first && at + 1 + (int)word > COLUMNS) {
            fprintf(out, "\n%*s", INDENT, "");
            at = INDENT;
            first = true;
        }
        at += fprintf(out, "%s%.*s", first ? "" : " ", (int)word, text);
        first = false;
    }
    fputc('\n', out);
}

void usage_print(FILE *out) {
    char text[256];
    fputs(head, out);
    fputs("\nSettings:\n", out);
    for (size_t i = 0; i < SETTINGS; i++) {
        describe(&setting_table[i], text, sizeof text);
        print_wrapped(text, print_option(&setting_table[i], out), out);
    }
    fputs(tail, out);
}

void usage_table(FILE *out) {
    char range[48];
    fprintf(out, "| setting | meaning | default | range |\n|---|---|---|---|\n");
    for (size_t i = 0; i < SETTINGS; i++) {
        const setting *s = &setting_table[i];
        range_text(s, range);
        fprintf(out, "| `%s` | %s | %s | %s%s|\n", s->name, s->meaning,
                s->fallback[0] ? s->fallback : "none", range, range[0] ? " " : "");
    }
}
