#include "report.h"
#include "base/message.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

void report_bad(report *r, const char *path, const char *text, ...) {
    char why[512];
    va_list arguments;
    if (r->bad++ >= REPORT_NAMED)
        return;
    va_start(arguments, text);
    vsnprintf(why, sizeof why, text, arguments);
    va_end(arguments);
    message_print(r->to, "fmixd: import: '%s': %s\n", path, why);
}

void report_warning(report *r, const char *path, const char *text) {
    if (r->warned++ < REPORT_NAMED)
        message_print(r->to, "fmixd: import: '%s' is read with a warning: %s\n", path, text);
}

static report_reason *reason_of(report *r, report_kind kind, const char *text) {
    for (unsigned i = 0; i < r->count; i++)
        if (r->reasons[i].kind == kind && strcmp(r->reasons[i].text, text) == 0)
            return &r->reasons[i];
    return NULL;
}

void report_add(report *r, report_kind kind, const char *reason, const char *path) {
    char text[sizeof r->reasons->text];
    /* The last ones are for all that come when there is no other place. */
    bool full = r->count >= REPORT_REASONS - REPORT_KINDS;
    snprintf(text, sizeof text, "%s", reason);
    report_reason *found = reason_of(r, kind, text);
    if (!found && full)
        found = reason_of(r, kind, strcpy(text, "of other kinds"));
    if (!found) {
        found = &r->reasons[r->count++];
        found->kind = kind;
        memcpy(found->text, text, sizeof text);
        snprintf(found->example, sizeof found->example, "%s", path);
    }
    found->count++;
}

static void print_kind(const report *r, report_kind kind, const char *name) {
    for (unsigned i = 0; i < r->count; i++)
        if (r->reasons[i].kind == kind)
            message_print(r->to, "fmixd: import: %s: %" PRIu64 " %s, the first '%s'\n", name,
                          r->reasons[i].count, r->reasons[i].text, r->reasons[i].example);
}

static void print_unnamed(const report *r, uint64_t count, const char *what) {
    if (count > REPORT_NAMED)
        message_print(
            r->to, "fmixd: import: %" PRIu64 " files %s, of which the first %d are named above\n",
            count, what, REPORT_NAMED);
    else if (count)
        message_print(r->to, "fmixd: import: %" PRIu64 " %s %s, named above\n", count,
                      count == 1 ? "file" : "files", what);
}

void report_print(const report *r, bool good) {
    print_kind(r, REPORT_CONVERTED, "converted");
    print_kind(r, REPORT_SKIPPED, "skipped");
    print_unnamed(r, r->warned, "read with a warning");
    print_unnamed(r, r->bad, "not read");
    if (good)
        message_print(r->to, "fmixd: import: %" PRIu64 " %s taken\n", r->taken,
                      r->taken == 1 ? "file is" : "files are");
}
