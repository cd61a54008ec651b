/* GET /livez, /readyz, /startupz and /version: answered at once, without the queue. */
#include "base/json_build.h"
#include "base/machine.h"
#include "ops/mhd_version.h"
#include "resource.h"

static void answer_text(resource_result *out, int status, const char *text) {
    out->status = status;
    out->text = buffer_of(4096);
    buffer_text(&out->text, text);
}

void health_live(resource_request *request, resource_result *out) {
    (void)request;
    answer_text(out, 200, "alive\n");
}

void health_ready(resource_request *request, resource_result *out) {
    if (atomic_load(&request->server->draining)) {
        out->problem.reason = REFUSAL_DRAINING;
        problem_add(&out->problem, 503, NULL, "draining: this replica is about to stop");
        out->problem.retry_after = 5;
        return;
    }
    answer_text(out, 200, "ready\n");
}

void version_get(resource_request *request, resource_result *out) {
    out->status = 200;
    out->text = buffer_of(4096);
    fmix_engine engine;
    machine_cpu cpu = {.features = ""};
    fmix_context_engine(request->server->context, &engine);
    machine_cpu_read(&cpu);
    json_t *root =
        json_pack("{si ss ss ss ss ss ss ss ss ss}", "stream", FMIX_STREAM, "version",
                  FMIXD_VERSION, "build", __VERSION__, "microhttpd", mhd_version(), "fftw",
                  engine.fftw, "mpfr", engine.mpfr, "kernels", engine.kernels, "architecture",
                  cpu.architecture, "features", cpu.features, "golden", request->server->golden);
    json_print_line(root, &out->text);
}
