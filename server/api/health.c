/* Never queued, never computing: what an orchestrator and a person ask first. */
#include "../call.h"
#include "../machine.h"
#include "../selftest.h"

#include <jansson.h>

static void answer_text(outcome *out, int status, const char *text) {
    out->status = status;
    out->text = buffer_of(4096);
    buffer_text(&out->text, text);
}

void health_live(call *c, outcome *out) {
    (void)c;
    answer_text(out, 200, "alive\n");
}

void health_ready(call *c, outcome *out) {
    if (atomic_load(&c->service->draining)) {
        out->problem.reason = PROBLEM_DRAINING;
        problem_add(&out->problem, 503, NULL, "draining: this replica is about to stop");
        out->problem.retry_after = 5;
        return;
    }
    answer_text(out, 200, "ready\n");
}

static int append(const char *bytes, size_t length, void *out) {
    return buffer_add(out, bytes, length) ? 0 : -1;
}

void version_get(call *c, outcome *out) {
    out->status = 200;
    out->text = buffer_of(4096);
    fmix_engine engine;
    machine_cpu cpu = {.features = ""};
    fmix_context_engine(c->service->context, &engine);
    machine_cpu_read(&cpu);
    json_t *root = json_pack(
        "{si ss ss ss ss ss ss ss ss}", "stream", FMIX_STREAM, "version", FMIXD_VERSION, "build",
        __VERSION__, "fftw", engine.fftw, "mpfr", engine.mpfr, "kernels", engine.kernels,
        "architecture", cpu.architecture, "features", cpu.features, "golden", c->service->golden);
    if (!root || json_dump_callback(root, append, &out->text, JSON_COMPACT) != 0)
        out->text.failed = true;
    json_decref(root);
    buffer_text(&out->text, "\n");
}
