#include "progress.h"
#include "base/message.h"

#include <inttypes.h>
#include <unistd.h>

#define BAR 40 /* characters */

progress progress_of(FILE *to, uint64_t expected) {
    int fd = fileno(to);
    return (progress){.to = to, .terminal = fd >= 0 && isatty(fd) == 1, .expected = expected};
}

static void draw_bar(const progress *p, unsigned full) {
    fputc('\r', p->to);
    for (unsigned i = 0; i < BAR; i++)
        fputc(i < full ? '#' : '.', p->to);
    fprintf(p->to, " %3u %%%s", p->shown, p->shown == 100 ? "\n" : "");
    fflush(p->to);
}

void progress_show(progress *p, uint64_t rows) {
    if (p->expected == 0)
        return;
    double part = (double)rows / (double)p->expected;
    unsigned step = (unsigned)(part * (p->terminal ? 100 : 10));
    if (step == p->shown || (step == 0 && !p->terminal))
        return;
    p->shown = step;
    if (p->terminal)
        draw_bar(p, (unsigned)(part * BAR));
    else
        message_print(p->to, "fmixd: import: %u %%, %" PRIu64 " rows%s%s\n", 10 * step, rows,
                      p->of ? " of " : "", p->of ? p->of : "");
}

void progress_break(progress *p) {
    if (!p->terminal || p->shown == 0 || p->shown == 100)
        return;
    fputc('\n', p->to);
    p->shown = 0;
}
