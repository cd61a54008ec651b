/* A daemon, from its start to its replies, while the nth allocation fails, for every n. */
#include "fault.h"

#include "bodies.h"
#include "http/daemon.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <sys/socket.h>
#include <sys/time.h>

#if FAULTS

enum { MOST = 1 << 17 };

/* Every reply to it is the same but for its date and its id, or (metrics) differs anyway. */
typedef struct ask {
    const char *line, *fields;
    body_kind body;
    unsigned pieces;
    int status;
    bool varies;
} ask;

#define MASKS "/v1/masks.npy?shape=16x16&n=4"

static const ask asks[] = {
    {"GET " MASKS, "", BODY_NONE, 0, 200, false},
    {"GET /v1/masks?shape=5x4&n=2", "Accept: application/json\r\n", BODY_NONE, 0, 200, false},
    {"GET /v1/masks?shape=5x4&n=2", "Accept: text/html\r\nAccept: text/csv\r\n", BODY_NONE, 0, 406,
     false},
    {"GET /v1/masks.raw?shape=5x4&n=2", "", BODY_NONE, 0, 200, false},
    {"GET /v1/masks.png?shape=9x8&n=2", "", BODY_NONE, 0, 200, false},
    {"GET /v1/masks.safetensors?shape=9x8&n=2", "X-Request-ID: mine\r\n", BODY_NONE, 0, 200, false},
    {"GET " MASKS, "Range: bytes=100-300\r\n", BODY_NONE, 0, 206, false},
    {"GET " MASKS, "Range: bytes=999999-\r\n", BODY_NONE, 0, 416, false},
    {"GET " MASKS, "If-None-Match: *\r\n", BODY_NONE, 0, 304, false},
    {"GET /v1/masks.png?shape=9x8", "If-None-Match: *\r\n", BODY_NONE, 0, 304, false},
    {"GET " MASKS, "If-Match: *\r\n", BODY_NONE, 0, 200, false},
    {"GET " MASKS, "If-Match: \"x\"\r\n", BODY_NONE, 0, 412, false},
    {"HEAD " MASKS, "", BODY_NONE, 0, 200, false},
    {"GET /v1/masks?shape=0", "", BODY_NONE, 0, 400, false},
    {"GET /v1/masks?shape=%35&n=%31&dtype=%75%38", "", BODY_NONE, 0, 200, false},
    {"GET /v1/nothing", "", BODY_NONE, 0, 404, false},
    {"POST /v1/masks", "", BODY_NONE, 0, 405, false},
    {"GET /v1/plans.npz?shape=4x4&n=4&method=fmix,mixup&steps=3", "", BODY_NONE, 0, 200, false},
    {"POST /v1/mix.npy?layout=channels_first", "", BODY_NPY, 1, 200, false},
    {"POST /v1/mix.npz?layout=channels_first&classes=3", "", BODY_NPZ_DEFLATED, 6, 200, false},
    {"POST /v1/mix.safetensors?layout=channels_first&classes=3", "", BODY_SAFETENSORS, 3, 200,
     false},
    {"POST /v1/mix?layout=channels_first&classes=3", "Content-Type: image/png\r\n", BODY_NPY, 1,
     415, false},
    {"GET /readyz", "", BODY_NONE, 0, 200, false},
    {"GET /version", "", BODY_NONE, 0, 200, false},
    {"GET /metrics", "", BODY_NONE, 0, 200, true},
};
#define ASKS (sizeof asks / sizeof *asks)

/* ---- the daemon ---- */

static bool read_settings(config *c) {
    char *flags[] = {"fmixd", "--listen", "127.0.0.1:0", "--threads", "1",  "--io-threads",
                     "1",     "--log",    "off",         "--cache",   "0",  "--connections",
                     "16",    "--memory", "64M",         "--body",    "64K"};
    return config_load(sizeof flags / sizeof *flags, flags, 1, c, stderr) == CONFIG_OK;
}

static int start(void **state) {
    config c;
    fault_exempt = true;
    if (!read_settings(&c))
        return -1;
    *state = fmixd_start(&c, NULL, stderr);
    return *state ? 0 : -1;
}

static int stop(void **state) {
    return fmixd_stop(*state, 10) ? 0 : -1;
}

/* ---- the client, which needs no memory ---- */

typedef struct reply {
    int status; /* 0: not even a head */
    bool whole; /* as long as it says it is */
    char head[4096];
    size_t length;
    unsigned char body[MOST];
} reply;

static size_t request_text(const ask *a, body *out) {
    char head[600];
    body sent;
    out->length = 0;
    body_make(&sent, a->body, a->pieces);
    bool post = strncmp(a->line, "POST", 4) == 0;
    int n = snprintf(head, sizeof head, "%s HTTP/1.1\r\nHost: test\r\nConnection: close\r\n%s",
                     a->line, a->fields);
    if (post)
        n += snprintf(head + n, sizeof head - (size_t)n, "Content-Length: %zu\r\n", sent.length);
    n += snprintf(head + n, sizeof head - (size_t)n, "\r\n");
    body_add(out, head, (size_t)n);
    body_add(out, sent.bytes, sent.length);
    return out->length;
}

/* The fields that are the same in every reply: all but Date and X-Request-ID. */
static void keep_head(const char *from, const char *end, reply *out) {
    size_t used = 0;
    for (const char *next; from < end; from = next) {
        next = strstr(from, "\r\n") + 2;
        if (strncmp(from, "Date:", 5) == 0 || strncmp(from, "X-Request-ID:", 13) == 0)
            continue;
        memcpy(out->head + used, from, (size_t)(next - from));
        used += (size_t)(next - from);
    }
    out->head[used] = 0;
}

static void parse(const ask *a, char *text, size_t length, reply *out) {
    text[length] = 0;
    char *end = strstr(text, "\r\n\r\n");
    *out = (reply){.status = 0};
    if (!end)
        return;
    out->status = atoi(text + 9);
    keep_head(text, end + 2, out);
    out->length = length - (size_t)(end + 4 - text);
    memcpy(out->body, end + 4, out->length);
    const char *says = strstr(out->head, "Content-Length: ");
    bool none = out->status == 304 || strncmp(a->line, "HEAD", 4) == 0;
    out->whole = none ? out->length == 0 : says && strtoul(says + 16, NULL, 10) == out->length;
}

static void ask_for(const fmixd *d, const ask *a, reply *out) {
    static char text[MOST];
    static body request;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port =
                                      htons((uint16_t)atoi(strrchr(fmixd_address(d), ':') + 1)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval patience = {.tv_sec = 120};
    size_t got = 0;
    ssize_t n;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    request_text(a, &request);
    (void)!send(fd, request.bytes, request.length, MSG_NOSIGNAL); /* it may be closed already */
    while (got + 1 < sizeof text && (n = recv(fd, text + got, sizeof text - 1 - got, 0)) > 0)
        got += (size_t)n;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        fail_msg("%s: neither a reply nor an end", a->line);
    close(fd);
    parse(a, text, got, out);
}

/* ---- what must hold ---- */

static bool same(const reply *a, const reply *b) {
    return a->status == b->status && a->whole && strcmp(a->head, b->head) == 0 &&
           a->length == b->length && memcmp(a->body, b->body, a->length) == 0;
}

static bool is_problem(const reply *r) {
    json_error_t error;
    json_t *root = json_loadb((const char *)r->body, r->length, 0, &error);
    bool good = (r->status == 500 || r->status == 503) && root &&
                json_integer_value(json_object_get(root, "status")) == r->status &&
                strstr(r->head, "application/problem+json");
    json_decref(root);
    return good;
}

/* If there is no memory for the condition, the whole answer is sent, as without a condition. */
static bool is_conditional(const ask *a) {
    return strncmp(a->fields, "Range:", 6) == 0 || strncmp(a->fields, "If-None-Match:", 14) == 0;
}

/* Cut off, and right so far. */
static bool is_begun(const reply *got, const reply *right) {
    return got->status == right->status && !got->whole && strcmp(got->head, right->head) == 0 &&
           got->length < right->length && memcmp(got->body, right->body, got->length) == 0;
}

/* No reply, a refusal, the right reply, the reply to the line alone for one with a condition, or
 * the beginning of any of these. */
static bool is_clean(const ask *a, const reply *got, const reply *right, const reply *plain) {
    if (got->status == 0 || (a->varies && got->status == right->status))
        return true;
    if (is_conditional(a) && got->status == plain->status)
        right = plain;
    return same(got, right) || is_begun(got, right) || is_problem(got) ||
           (!got->whole && (got->status == 500 || got->status == 503));
}

/* HEAD has no body to tell a problem by. */
static bool is_clean_head(const ask *a, const reply *got) {
    return strncmp(a->line, "HEAD", 4) == 0 && (got->status == 500 || got->status == 503);
}

/* Within two minutes. */
static bool comes_down_to(long live) {
    for (int left = 120000; fault_live() > live && left; left--)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    return fault_live() <= live;
}

static unsigned long check(const fmixd *d, const ask *a) {
    static reply right, got, plain;
    ask alone = *a;
    unsigned long n = 0;
    bool fired = true;
    alone.fields = "";
    ask_for(d, &alone, &plain);
    ask_for(d, a, &right);
    ask_for(d, a, &got);
    if (right.status != a->status || !right.whole || (!same(&got, &right) && !a->varies))
        fail_msg("%s: %d\n%s", a->line, right.status, right.head);
    /* The least that is ever left: what a connection held is freed some time after its end. */
    long live = fault_live();
    while (fired) {
        n = fault_after(n);
        fault_arm(n);
        ask_for(d, a, &got);
        fired = fault_disarm();
        bool good = is_clean(a, &got, &right, &plain) || is_clean_head(a, &got);
        int status = got.status;
        ask_for(d, a, &got);
        if (!good || !(same(&got, &right) || a->varies)) {
            fault_tell(a->line, n);
            fail_msg("%s, allocation %lu: %d, then %d\n%s%.*s", a->line, n, status, got.status,
                     got.head, (int)got.length, (const char *)got.body);
        }
        if (!comes_down_to(live)) {
            fault_tell(a->line, n);
            fail_msg("%s, allocation %lu: %d, and %ld are left", a->line, n, status,
                     fault_live() - live);
        }
        live = fault_live() < live ? fault_live() : live;
    }
    return n - 1;
}

static void every_reply_is_clean_whichever_allocation_fails(void **state) {
    unsigned long faults = 0;
    for (size_t i = 0; i < ASKS; i++) {
        unsigned long n = check(*state, &asks[i]);
        assert_true(n > 0);
        faults += n;
    }
    print_message("%lu allocations failed\n", faults);
}

/* Messages are in *said. */
static fmixd *try_to_start(const config *c, unsigned long n, bool *fired, char *said, size_t room) {
    static char space[BUFSIZ];
    memset(said, 0, room);
    FILE *errors = fmemopen(said, room, "w");
    assert_non_null(errors);
    setvbuf(errors, space, _IOFBF, sizeof space);
    fault_exempt = false;
    fault_arm(n);
    fmixd *d = fmixd_start(c, NULL, errors);
    *fired = fault_disarm();
    fault_exempt = true;
    fclose(errors);
    return d;
}

static void a_start_without_memory_is_explained_and_leaks_nothing(void **state) {
    (void)state;
    static reply got;
    unsigned long faults = 0;
    char said[1000];
    config c;
    bool fired = true;
    assert_true(read_settings(&c));
    fmixd *d = try_to_start(&c, 0, &fired, said, sizeof said);
    assert_non_null(d);
    assert_true(fmixd_stop(d, 5));
    fired = true;
    for (unsigned long n = 1; fired; n = fault_after(n), faults++) {
        long live = fault_live();
        d = try_to_start(&c, n, &fired, said, sizeof said);
        bool good = d ? !said[0] : strstr(said, "fmixd: ") != NULL;
        if (d) {
            ask_for(d, &asks[0], &got);
            good = good && got.status == 200 && got.whole && fmixd_stop(d, 5);
        }
        if (!good || fault_live() != live) {
            fault_tell("start", n);
            fail_msg("start, allocation %lu: %s, said '%s', %ld are left", n,
                     d ? "started" : "failed", said, fault_live() - live);
        }
    }
    print_message("%lu allocations failed\n", faults - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_reply_is_clean_whichever_allocation_fails, start,
                                        stop),
        cmocka_unit_test(a_start_without_memory_is_explained_and_leaks_nothing),
    };
    fault_exempt = true;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

FAULT_SKIPPED(every_reply_is_clean_whichever_allocation_fails)
FAULT_SKIPPED(a_start_without_memory_is_explained_and_leaks_nothing)

RUN(T(every_reply_is_clean_whichever_allocation_fails),
    T(a_start_without_memory_is_explained_and_leaks_nothing))

#endif
