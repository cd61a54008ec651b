#include "progress.h"
#include "base/clock.h"
#include "base/message.h"

#include <inttypes.h>
#include <unistd.h>

#define BAR   40       /* characters */
#define QUIET 2        /* seconds */
#define CLEAR "\x1b[K" /* the rest of the line */

progress progress_of(FILE *to, uint64_t expected) {
    int fd = fileno(to);
    return (progress){.to = to,
                      .terminal = fd >= 0 && isatty(fd) == 1,
                      .expected = expected,
                      .began = clock_nanoseconds()};
}

/* ", 840 rows/s, 2 min left"; nothing at first, when the rate says little. */
static void tell_rate(const progress *p, uint64_t rows, char *out, size_t room) {
    double seconds = (double)(clock_nanoseconds() - p->began) / 1e9;
    double rate = (double)(rows - p->before) / seconds;
    out[0] = 0;
    if (seconds < QUIET || rows <= p->before)
        return;
    double left = (double)(p->expected - rows) / rate;
    const char *unit = left < 100 ? "s" : left < 6000 ? "min" : "h";
    double divided = left < 100 ? left : left < 6000 ? left / 60 : left / 3600;
    if (rows >= p->expected)
        snprintf(out, room, ", %.*f rows/s", rate < 10, rate);
    else
        snprintf(out, room, ", %.*f rows/s, %.0f %s left", rate < 10, rate, divided, unit);
}

static void draw_bar(const progress *p, unsigned full, const char *rate) {
    fputc('\r', p->to);
    for (unsigned i = 0; i < BAR; i++)
        fputc(i < full ? '#' : '.', p->to);
    fprintf(p->to, " %3u %%%s%s%s", p->shown, rate, rate[0] ? CLEAR : "",
            p->shown == 100 ? "\n" : "");
    fflush(p->to);
}

void progress_show(progress *p, uint64_t rows) {
    if (p->expected == 0)
        return;
    char rate[64];
    double part = (double)rows / (double)p->expected;
    unsigned step = (unsigned)(part * (p->terminal ? 100 : 10));
    if (step == p->shown || (step == 0 && !p->terminal))
        return;
    p->shown = step;
    tell_rate(p, rows, rate, sizeof rate);
    if (p->terminal)
        draw_bar(p, (unsigned)(part * BAR), rate);
    else
        message_print(p->to, "fmixd: import: %u %%, %" PRIu64 " rows%s%s%s\n", 10 * step, rows,
                      p->of ? " of " : "", p->of ? p->of : "", rate);
}

void progress_break(progress *p) {
    if (!p->terminal || p->shown == 0 || p->shown == 100)
        return;
    fputc('\n', p->to);
    p->shown = 0;
}
