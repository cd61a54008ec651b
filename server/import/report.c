#include "report.h"
#include "base/message.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

void report_bad(report *r, const char *path, const char *text, ...) {
    char why[512];
    va_list arguments;
    if (r->bad++ >= REPORT_NAMED && !r->names_all)
        return;
    va_start(arguments, text);
    vsnprintf(why, sizeof why, text, arguments);
    va_end(arguments);
    message_print(r->to, "fmixd: import: '%s': %s\n", path, why);
}

void report_warning(report *r, const char *path, const char *text) {
    if (r->warned++ < REPORT_NAMED)
        message_print(r->to, "fmixd: import: '%s': imported with a warning: %s\n", path, text);
}

/* NULL: not counted so far. */
static report_reason *find_reason(report *r, report_kind kind, const char *text) {
    for (unsigned i = 0; i < r->count; i++)
        if (r->reasons[i].kind == kind && strcmp(r->reasons[i].text, text) == 0)
            return &r->reasons[i];
    return NULL;
}

void report_add(report *r, report_kind kind, const char *reason, const char *path) {
    char text[REPORT_REASON];
    /* The last places, one for each kind, count all reasons for which there is no other place. */
    bool full = r->count >= REPORT_REASONS - REPORT_KINDS;
    snprintf(text, sizeof text, "%s", reason);
    report_reason *found = find_reason(r, kind, text);
    if (!found && full)
        found = find_reason(r, kind, strcpy(text, "other reasons"));
    if (!found) {
        found = &r->reasons[r->count++];
        found->kind = kind;
        memcpy(found->text, text, sizeof text);
        snprintf(found->example, sizeof found->example, "%s", path);
    }
    found->count++;
}

static const char *files(uint64_t count) {
    return count == 1 ? "file" : "files";
}

static void print_kind(const report *r, report_kind kind, const char *verb) {
    for (unsigned i = 0; i < r->count; i++)
        if (r->reasons[i].kind == kind)
            message_print(r->to, "fmixd: import: %s %" PRIu64 " %s: %s (first: '%s')\n", verb,
                          r->reasons[i].count, files(r->reasons[i].count), r->reasons[i].text,
                          r->reasons[i].example);
}

/* Files that were named while there were few of them. */
static void print_named(const report *r, uint64_t count, bool all, const char *what) {
    if (count > REPORT_NAMED && !all)
        message_print(r->to, "fmixd: import: %" PRIu64 " files %s; the first %d are named above\n",
                      count, what, REPORT_NAMED);
    else if (count)
        message_print(r->to, "fmixd: import: %" PRIu64 " %s %s, named above\n", count, files(count),
                      what);
}

void report_print(const report *r, bool good) {
    print_kind(r, REPORT_CONVERTED, "converted");
    print_kind(r, REPORT_KEPT, "not turned:");
    print_kind(r, REPORT_LATER, "stored unchanged, converted when served:");
    print_kind(r, REPORT_SKIPPED, "skipped");
    print_named(r, r->warned, false, "imported with a warning");
    print_named(r, r->bad, r->names_all, "could not be read");
    if (good)
        message_print(r->to, "fmixd: import: imported %" PRIu64 " %s\n", r->imported,
                      files(r->imported));
}
