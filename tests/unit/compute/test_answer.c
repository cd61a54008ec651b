#include "unit.h"

#include "compute/answer.h"
#include "lib/scratch.h"

#include <jansson.h>

/* streamed_body.h: "a few slices"; these are its few. */
#define SLICE_BYTES (512u << 10)
#define AHEAD_MOST  8
#define AHEAD_LEAST 2

/* The settings of a source, and the calls that the source has seen. */
typedef struct probe {
    bool fail_prepare, lost;
    uint64_t row_bytes; /* of x */
    uint64_t fail_row;  /* a fill that holds this row fails */
    unit_gate *hold;    /* every fill passes this gate, */
    atomic_bool told;   /* and then asks whether it is cancelled */
    atomic_uint prepared, fills, other_fills, destroyed;
    atomic_bool early; /* a fill came before the preparation */
    _Atomic uint64_t reading, lead, filled;
} probe;

static unsigned char byte_of(uint64_t row, uint64_t i) {
    return (unsigned char)(row * 131 + i * 7 + (row >> 8) * 29 + (i >> 8) * 3);
}

static void raise_to(_Atomic uint64_t *most, uint64_t value) {
    uint64_t seen = atomic_load(most);
    while (seen < value && !atomic_compare_exchange_weak(most, &seen, value))
        ;
}

static fmix_status fill_x(const void *self, fmix_scratch *scratch, uint64_t first, uint64_t n,
                          void *out) {
    probe *p = (probe *)self;
    uint64_t bytes = p->row_bytes;
    unsigned char *at = out;
    assert_non_null(scratch);
    atomic_fetch_add(&p->fills, 1);
    if (atomic_load(&p->prepared) != 1)
        atomic_store(&p->early, true);
    if (p->hold) {
        unit_gate_pass(p->hold);
        atomic_store(&p->told, scratch->cancellation.cancelled(scratch->cancellation.user));
    }
    raise_to(&p->lead, (first + n) * bytes - atomic_load(&p->reading));
    if (first <= p->fail_row && p->fail_row < first + n)
        return FMIX_ERROR_MEMORY;
    for (uint64_t row = first; row < first + n; row++)
        for (uint64_t i = 0; i < bytes; i++)
            *at++ = byte_of(row, i);
    raise_to(&p->filled, (first + n) * bytes);
    return FMIX_OK;
}

static fmix_status fill_other(const void *self, fmix_scratch *scratch, uint64_t first, uint64_t n,
                              void *out) {
    probe *p = (probe *)self;
    double *at = out;
    (void)scratch;
    atomic_fetch_add(&p->other_fills, 1);
    for (uint64_t row = first; row < first + n; row++)
        *at++ = (double)row / 8;
    return FMIX_OK;
}

static fmix_status prepare(void *self) {
    probe *p = self;
    if (p->fail_prepare)
        return FMIX_ERROR_MEMORY;
    atomic_fetch_add(&p->prepared, 1);
    return FMIX_OK;
}

static bool is_lost(const void *self) {
    return ((const probe *)self)->lost;
}

static void destroy(void *self) {
    probe *p = self;
    atomic_fetch_add(&p->destroyed, 1);
}

/* Rows of x, `bytes` bytes each, and a float64 beside each. */
static tensor_source *tensor_source_of(probe *p, uint64_t rows, uint64_t bytes, double cost) {
    tensor_source *s = tensor_source_new(rows);
    assert_non_null(s);
    p->row_bytes = bytes;
    assert_true(tensor_source_add(s, "x", DTYPE_U8, 1, &bytes, cost, fill_x, p));
    tensor_source_draw(s, CHANNELS_NOWHERE);
    assert_true(tensor_source_add(s, "other", DTYPE_F64, 0, NULL, 1, fill_other, p));
    s->scale = 1;
    s->self = p;
    s->prepare = prepare;
    s->is_lost = is_lost;
    s->destroy = destroy;
    return s;
}

/* The reader, which must be suspended and resumed in turn. */
typedef struct reader {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool suspended, out_of_turn;
    unsigned suspends;
} reader;

static void move(reader *r, bool suspended) {
    pthread_mutex_lock(&r->lock);
    r->out_of_turn |= r->suspended == suspended;
    r->suspended = suspended;
    r->suspends += suspended;
    pthread_cond_broadcast(&r->moved);
    pthread_mutex_unlock(&r->lock);
}

static void suspend(void *of) {
    move(of, true);
}

static void resume(void *of) {
    move(of, false);
}

static void await_resume(reader *r) {
    pthread_mutex_lock(&r->lock);
    while (r->suspended)
        pthread_cond_wait(&r->moved, &r->lock);
    pthread_mutex_unlock(&r->lock);
}

/* One answer in a pool of its own, or of another bench. */
typedef struct bench {
    probe probe;
    reader reader;
    unit_gate gate;
    jobs *pool;
    answer *answer;
    problem problem;
} bench;

static void bench_init(bench *b) {
    *b = (bench){.probe = {.fail_row = UINT64_MAX},
                 .reader = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, false, 0},
                 .gate = UNIT_GATE};
}

static void bench_open(bench *b, unsigned threads, unsigned limit) {
    bench_init(b);
    const jobs_settings settings = {
        .threads = threads, .limit = limit, .patience = 1e12, .hooks = {unit_gate_pass, &b->gate}};
    b->pool = jobs_new(&settings);
    assert_non_null(b->pool);
}

static void bench_answer(bench *b, tensor_source *s, const format *f) {
    const job_waiter waiter = {suspend, resume, &b->reader, {0}, NULL};
    b->answer = answer_new(b->pool, s, f, &waiter, &b->problem);
}

static jobs_counters count(const bench *b) {
    jobs_counters c;
    jobs_count(b->pool, &c);
    return c;
}

/* Drops the last reference, which destroys the source. */
static void bench_release(bench *b) {
    answer_release(b->answer);
    UNIT_UNTIL(atomic_load(&b->probe.destroyed) == 1);
    assert_false(b->reader.suspended);
    assert_false(b->reader.out_of_turn);
}

static void bench_close(bench *b) {
    unit_gate_set(&b->gate, false);
    bench_release(b);
    assert_int_equal(count(b).admitted, 0);
    assert_int_equal(count(b).waiting, 0);
    jobs_free(b->pool);
}

/* Starts the answer, and asks again each time the reader is resumed. */
static answer_state start(bench *b) {
    answer_state state;
    do {
        await_resume(&b->reader);
        state = answer_start(b->answer, &(refusal){0});
    } while (state == ANSWER_WAIT);
    return state;
}

/* Reads from `offset` in pieces until the end or a failure, and returns where that was. */
static uint64_t read_from(bench *b, uint64_t offset, uint64_t end, size_t piece,
                          unsigned char *out) {
    const tensor *x = &answer_source(b->answer)->tensors[0];
    uint64_t slice =
        SLICE_BYTES > x->row_bytes ? SLICE_BYTES / x->row_bytes * x->row_bytes : x->row_bytes;
    while (offset < end) {
        atomic_store(&b->probe.reading, offset / slice * slice);
        int64_t n = answer_read(b->answer, offset, out + offset, piece);
        if (n < 0)
            break;
        if (n == 0)
            await_resume(&b->reader);
        offset += (uint64_t)n;
    }
    return offset;
}

/* How many of the first bytes are those of x. */
static uint64_t right_bytes(const unsigned char *bytes, uint64_t n, uint64_t row_bytes) {
    uint64_t i = 0;
    while (i < n && bytes[i] == byte_of(i / row_bytes, i % row_bytes))
        i++;
    return i;
}

/* A safetensors file holds a header, other and x. */
static void a_range_is_its_bytes_and_computes_its_rows_alone(void **state) {
    (void)state;
    enum { ROWS = 700, BYTES = 1001, PIECE = 65536 };
    static const uint64_t lengths[] = {1, 7, 1001, 5000, 300000, UINT64_MAX};
    static unsigned char all[ROWS * (BYTES + 8) + 4096], part[sizeof all];
    bench b;
    bench_open(&b, 2, 4);
    bench_answer(&b, tensor_source_of(&b.probe, ROWS, BYTES, 1), &format_safetensors);
    uint64_t total = answer_length(b.answer), step = 1;
    assert_int_equal(start(&b), ANSWER_READY);
    assert_true(read_from(&b, 0, total, PIECE, all) == total);
    bench_close(&b);
    for (uint64_t first = 0; first < total; first += step, step = step * 3 / 2 + 1)
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
            uint64_t n = lengths[i] < total - first ? lengths[i] : total - first;
            uint64_t data = total - ROWS * BYTES; /* where x begins */
            bench_open(&b, 2, 4);
            bench_answer(&b, tensor_source_of(&b.probe, ROWS, BYTES, 1), &format_safetensors);
            answer_range(b.answer, first, n);
            assert_true(answer_length(b.answer) == n);
            assert_int_equal(start(&b), ANSWER_READY);
            assert_true(read_from(&b, 0, n, PIECE, part) == n);
            assert_memory_equal(part, all + first, (size_t)n);
            assert_int_equal(answer_read(b.answer, n, part, 1), -1);
            if (first + n <= data)
                assert_int_equal(atomic_load(&b.probe.fills), 0);
            if (first >= data)
                assert_int_equal(atomic_load(&b.probe.other_fills), 0);
            if (first + n <= data - 8 * ROWS)
                assert_int_equal(atomic_load(&b.probe.prepared), 0);
            bench_close(&b);
        }
}

static void windows_read_in_pieces_of_any_size_are_the_plain_bytes(void **state) {
    (void)state;
    enum { ROWS = 1500, BYTES = 1001, ALL = ROWS * BYTES };
    static const size_t pieces[] = {13, 4099, SLICE_BYTES - 1, SLICE_BYTES + 1, ALL};
    static unsigned char out[ALL + 128];
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        bench b;
        bench_open(&b, 2, 4);
        bench_answer(&b, tensor_source_of(&b.probe, ROWS, BYTES, 0), &format_raw);
        assert_true(answer_length(b.answer) == ALL);
        assert_int_equal(start(&b), ANSWER_READY);
        assert_true(read_from(&b, 0, ALL, pieces[i], out) == ALL);
        assert_true(right_bytes(out, ALL, BYTES) == ALL);
        assert_true(answer_read(b.answer, ALL, out, 1) == -1);
        assert_int_equal(atomic_load(&b.probe.prepared), 1);
        assert_int_equal(atomic_load(&b.probe.other_fills), 0);
        bench_close(&b);
    }
}

static void a_literal_and_a_tensor_follow_each_other(void **state) {
    (void)state;
    enum { ROWS = 300, BYTES = 1001, HEADER = 128 };
    static unsigned char out[HEADER + ROWS * BYTES];
    bench b;
    bench_open(&b, 2, 4);
    bench_answer(&b, tensor_source_of(&b.probe, ROWS, BYTES, 0), &format_npy);
    assert_true(answer_length(b.answer) == sizeof out);
    assert_int_equal(start(&b), ANSWER_READY);
    assert_true(read_from(&b, 0, sizeof out, 77, out) == sizeof out);
    assert_memory_equal(out, "\x93NUMPY\1\0", 8);
    assert_true(right_bytes(out + HEADER, ROWS * BYTES, BYTES) == ROWS * BYTES);
    bench_close(&b);
}

/* Waits without reading until the pool is idle: it has computed a second answer. */
static void let_the_pool_run_ahead(bench *b) {
    bench after;
    bench_init(&after);
    after.pool = b->pool;
    bench_answer(&after, tensor_source_of(&after.probe, 1, 1, 0), &format_raw);
    assert_int_equal(start(&after), ANSWER_READY);
    bench_release(&after);
}

static void eight_slices_are_computed_ahead_of_the_reader_and_no_more(void **state) {
    (void)state;
    enum { ROWS = 40, BYTES = SLICE_BYTES };
    unsigned char *out = malloc((size_t)ROWS * BYTES);
    bench b;
    bench_open(&b, 1, 4);
    bench_answer(&b, tensor_source_of(&b.probe, ROWS, BYTES, 0), &format_raw);
    assert_int_equal(start(&b), ANSWER_READY);
    UNIT_UNTIL(atomic_load(&b.probe.fills) >= AHEAD_MOST);
    let_the_pool_run_ahead(&b);
    assert_int_equal(atomic_load(&b.probe.fills), AHEAD_MOST);
    /* The first byte of slice 3 frees three slots, which wake no thread; that of slice 4 frees
     * four. */
    assert_true(read_from(&b, 0, 3 * BYTES + 1, BYTES, out) > 3 * BYTES);
    let_the_pool_run_ahead(&b);
    assert_int_equal(atomic_load(&b.probe.fills), AHEAD_MOST);
    assert_true(read_from(&b, 4 * BYTES, 4 * BYTES + 1, BYTES, out) > 4 * BYTES);
    UNIT_UNTIL(atomic_load(&b.probe.fills) >= AHEAD_MOST + 4);
    let_the_pool_run_ahead(&b);
    assert_int_equal(atomic_load(&b.probe.fills), AHEAD_MOST + 4);
    assert_true(read_from(&b, 5 * BYTES, ROWS * BYTES, 100000, out) == ROWS * BYTES);
    assert_true(atomic_load(&b.probe.lead) == AHEAD_MOST * BYTES);
    free(out);
    bench_close(&b);
}

static void rows_of_megabytes_are_computed_two_ahead(void **state) {
    (void)state;
    enum { ROWS = 5, BYTES = 5 << 20 };
    unsigned char *out = malloc((size_t)ROWS * BYTES);
    bench b;
    bench_open(&b, 2, 4);
    bench_answer(&b, tensor_source_of(&b.probe, ROWS, BYTES, 0), &format_raw);
    assert_int_equal(start(&b), ANSWER_READY);
    assert_true(read_from(&b, 0, ROWS * BYTES, 1 << 20, out) == ROWS * BYTES);
    assert_true(right_bytes(out, ROWS * BYTES, BYTES) == ROWS * BYTES);
    assert_in_range(atomic_load(&b.probe.lead), BYTES, AHEAD_LEAST * BYTES);
    free(out);
    bench_close(&b);
}

/* An expensive row is a slice of its own. */
static void preparation_runs_once_and_before_every_row(void **state) {
    (void)state;
    enum { ROWS = 100, BYTES = 10 };
    unsigned char out[ROWS * BYTES];
    bench b;
    bench_open(&b, 4, 4);
    bench_answer(&b, tensor_source_of(&b.probe, ROWS, BYTES, 2e6), &format_raw);
    assert_int_equal(start(&b), ANSWER_READY);
    assert_true(read_from(&b, 0, sizeof out, 3, out) == sizeof out);
    assert_int_equal(atomic_load(&b.probe.fills), ROWS);
    assert_int_equal(atomic_load(&b.probe.prepared), 1);
    assert_false(atomic_load(&b.probe.early));
    UNIT_UNTIL(count(&b).slices == ROWS + 1);
    bench_close(&b);
}

static void a_small_and_warm_answer_is_computed_by_its_reader(void **state) {
    (void)state;
    unsigned char out[30];
    bench b;
    bench_open(&b, 1, 1);
    tensor_source *s = tensor_source_of(&b.probe, 3, 10, 10);
    s->warm = true;
    bench_answer(&b, s, &format_raw);
    assert_int_equal(answer_start(b.answer, &(refusal){0}), ANSWER_READY);
    assert_true(read_from(&b, 0, 30, 30, out) == 30);
    assert_true(right_bytes(out, 30, 10) == 30);
    assert_int_equal(b.reader.suspends, 0);
    assert_true(count(&b).inlined == 2 && count(&b).slices == 0);
    bench_close(&b);
}

static void a_cold_or_costly_answer_is_handed_to_the_pool(void **state) {
    (void)state;
    enum { COLD, COSTLY_ROWS, COSTLY_PREPARATION, REASONS };
    for (int reason = COLD; reason < REASONS; reason++) {
        bench b;
        bench_open(&b, 1, 1);
        tensor_source *s = tensor_source_of(&b.probe, 3, 10, reason == COSTLY_ROWS ? 20e3 : 10);
        s->warm = reason != COLD;
        s->prepare_cost = reason == COSTLY_PREPARATION ? 1e6 : 0;
        bench_answer(&b, s, &format_raw);
        assert_int_equal(start(&b), ANSWER_READY);
        UNIT_UNTIL(count(&b).inlined == 0 && count(&b).slices == 2);
        bench_close(&b);
    }
}

/* Starts a buffered answer, and reads all of it. */
static unsigned char *read_buffered(bench *b, uint64_t *length) {
    assert_true(answer_length(b->answer) == UINT64_MAX);
    assert_int_equal(start(b), ANSWER_READY);
    *length = answer_length(b->answer);
    unsigned char *out = malloc((size_t)*length);
    assert_true(read_from(b, 0, *length, 1001, out) == *length);
    assert_true(answer_read(b->answer, *length, out, 1) == -1);
    return out;
}

static void a_buffered_answer_collects_every_tensor_then_encodes(void **state) {
    (void)state;
    enum { ROWS = 40, BYTES = 25 };
    uint64_t length;
    bench b;
    bench_open(&b, 3, 4);
    bench_answer(&b, tensor_source_of(&b.probe, ROWS, BYTES, 1e6), &format_json);
    unsigned char *text = read_buffered(&b, &length);
    UNIT_UNTIL(count(&b).slices == ROWS + 3); /* rows of x, one of other, first and last */
    json_t *root = json_loadb((const char *)text, (size_t)length, 0, NULL);
    for (size_t row = 0; row < ROWS; row++) {
        const json_t *x = json_array_get(json_object_get(root, "x"), row);
        for (size_t i = 0; i < BYTES; i++)
            assert_int_equal(json_integer_value(json_array_get(x, i)), byte_of(row, i));
        assert_true(json_real_value(json_array_get(json_object_get(root, "other"), row)) ==
                    (double)row / 8);
    }
    json_decref(root);
    free(text);
    bench_close(&b);
}

static void a_buffered_answer_of_one_tensor_computes_that_tensor_alone(void **state) {
    (void)state;
    uint64_t length;
    bench b;
    bench_open(&b, 2, 4);
    bench_answer(&b, tensor_source_of(&b.probe, 9, 10, 1e6), &format_png);
    free(read_buffered(&b, &length));
    assert_int_equal(atomic_load(&b.probe.fills), 9);
    assert_int_equal(atomic_load(&b.probe.other_fills), 0);
    bench_close(&b);
}

static void a_buffered_answer_without_rows_is_prepared_and_encoded(void **state) {
    (void)state;
    unsigned char text[200];
    bench b;
    bench_open(&b, 2, 4);
    bench_answer(&b, tensor_source_of(&b.probe, 0, 3, 1), &format_json);
    assert_int_equal(start(&b), ANSWER_READY);
    uint64_t length = answer_length(b.answer);
    assert_in_range(length, 1, sizeof text - 1);
    assert_true(read_from(&b, 0, length, sizeof text, text) == length);
    text[length] = 0;
    assert_string_equal((const char *)text, "{\"x\":[],\"other\":[]}\n");
    assert_int_equal(atomic_load(&b.probe.prepared), 1);
    assert_int_equal(atomic_load(&b.probe.fills), 0);
    bench_close(&b);
}

static void an_answer_that_its_format_cannot_hold_is_413_before_any_work(void **state) {
    (void)state;
    const uint64_t most = format_json.most;
    bench b;
    bench_open(&b, 1, 1);
    bench_answer(&b, tensor_source_of(&b.probe, 1 << 10, most / (1 << 10) - 4, 0), &format_json);
    assert_non_null(b.answer);
    bench_close(&b);
    bench_open(&b, 1, 1);
    bench_answer(&b, tensor_source_of(&b.probe, 1 << 10, most / (1 << 10), 0), &format_json);
    assert_null(b.answer);
    assert_int_equal(b.problem.status, 413);
    assert_int_equal(atomic_load(&b.probe.fills), 0);
    bench_close(&b);
    bench_open(&b, 1, 1);
    bench_answer(&b, tensor_source_of(&b.probe, 1, 65501, 0), &format_png); /* by its check */
    assert_null(b.answer);
    assert_int_equal(b.problem.status, 413);
    bench_close(&b);
}

static void a_failing_preparation_fails_the_start(void **state) {
    (void)state;
    static const format *const formats[] = {&format_raw, &format_json};
    for (int warm = 0; warm < 2; warm++)
        for (int f = 0; f < 2; f++) {
            bench b;
            unsigned char byte;
            bench_open(&b, 2, 1);
            b.probe.fail_prepare = true;
            tensor_source *s = tensor_source_of(&b.probe, 3, 10, 0);
            s->warm = warm;
            bench_answer(&b, s, formats[f]);
            assert_int_equal(start(&b), ANSWER_FAILED);
            assert_int_equal(answer_start(b.answer, &(refusal){0}), ANSWER_FAILED);
            assert_true(answer_read(b.answer, 0, &byte, 1) == -1);
            assert_int_equal(atomic_load(&b.probe.fills), 0);
            bench_close(&b);
        }
}

static void an_answer_made_of_something_lost_is_refused_as_internal(void **state) {
    (void)state;
    refusal why;
    bench b;
    bench_open(&b, 2, 4);
    b.probe.fail_prepare = b.probe.lost = true;
    bench_answer(&b, tensor_source_of(&b.probe, 10, 10, 1), &format_npy);
    assert_int_equal(start(&b), ANSWER_BUSY);
    assert_int_equal(answer_start(b.answer, &why), ANSWER_BUSY);
    assert_int_equal(why, REFUSAL_INTERNAL);
    bench_close(&b);
}

static void a_failing_fill_of_a_buffered_answer_fails_the_start(void **state) {
    (void)state;
    bench b;
    bench_open(&b, 2, 1);
    b.probe.fail_row = 17;
    bench_answer(&b, tensor_source_of(&b.probe, 40, 10, 1e6), &format_json);
    assert_int_equal(start(&b), ANSWER_FAILED);
    bench_close(&b);
}

static void a_failing_fill_ends_the_reading_and_nothing_wrong_is_read(void **state) {
    (void)state;
    enum { ROWS = 40, BYTES = 100 };
    for (uint64_t row = 0; row < ROWS; row += 13) {
        unsigned char out[ROWS * BYTES];
        bench b;
        bench_open(&b, 2, 1);
        b.probe.fail_row = row;
        bench_answer(&b, tensor_source_of(&b.probe, ROWS, BYTES, 1e6), &format_raw);
        uint64_t got = start(&b) == ANSWER_READY ? read_from(&b, 0, sizeof out, 7, out) : 0;
        assert_true(got <= row * BYTES);
        assert_true(right_bytes(out, got, BYTES) == got);
        bench_close(&b);
    }
}

static void a_full_queue_is_busy_until_a_job_ends(void **state) {
    (void)state;
    bench first, second;
    bench_open(&first, 1, 1);
    bench_init(&second);
    second.pool = first.pool;
    unit_gate_set(&first.gate, true);
    bench_answer(&first, tensor_source_of(&first.probe, 3, 10, 0), &format_raw);
    bench_answer(&second, tensor_source_of(&second.probe, 3, 10, 0), &format_raw);
    assert_int_equal(answer_start(first.answer, &(refusal){0}), ANSWER_WAIT);
    assert_int_equal(answer_start(second.answer, &(refusal){0}), ANSWER_BUSY);
    assert_int_equal(second.reader.suspends, 0);
    unit_gate_set(&first.gate, false);
    assert_int_equal(start(&first), ANSWER_READY);
    UNIT_UNTIL(count(&first).admitted == 0);
    assert_int_equal(start(&second), ANSWER_READY);
    bench_release(&second);
    bench_close(&first);
}

static void an_answer_abandoned_before_its_start_is_never_queued(void **state) {
    (void)state;
    bench b;
    bench_open(&b, 1, 1);
    bench_answer(&b, tensor_source_of(&b.probe, 3, 10, 0), &format_raw);
    answer_abandon(b.answer);
    assert_true(answer_abandoned(b.answer));
    assert_int_equal(answer_start(b.answer, &(refusal){0}), ANSWER_FAILED);
    assert_int_equal(b.reader.suspends, 0);
    bench_close(&b);
}

static void an_answer_abandoned_in_the_queue_is_destroyed_at_once(void **state) {
    (void)state;
    bench holder, b;
    bench_open(&holder, 1, 4);
    bench_init(&b);
    b.pool = holder.pool;
    unit_gate_set(&holder.gate, true);
    bench_answer(&holder, tensor_source_of(&holder.probe, 3, 10, 0), &format_raw);
    bench_answer(&b, tensor_source_of(&b.probe, 3, 10, 0), &format_raw);
    assert_int_equal(answer_start(holder.answer, &(refusal){0}), ANSWER_WAIT);
    unit_gate_await(&holder.gate, 1);
    assert_int_equal(answer_start(b.answer, &(refusal){0}), ANSWER_WAIT);
    assert_int_equal(count(&b).waiting, 1);
    answer_abandon(b.answer);
    answer_abandon(b.answer);
    assert_false(b.reader.suspended);
    assert_true(count(&b).waiting == 0 && count(&b).admitted == 1 && count(&b).cancelled == 1);
    assert_int_equal(answer_start(b.answer, &(refusal){0}), ANSWER_FAILED);
    answer_release(b.answer);
    b.answer = NULL;
    assert_int_equal(atomic_load(&b.probe.destroyed), 1);
    assert_int_equal(atomic_load(&b.probe.prepared), 0);
    bench_release(&b);
    unit_gate_set(&holder.gate, false);
    assert_int_equal(start(&holder), ANSWER_READY);
    bench_close(&holder);
}

static void an_answer_abandoned_while_a_slice_runs_lives_until_its_end(void **state) {
    (void)state;
    bench b;
    bench_open(&b, 1, 4);
    unit_gate_set(&b.gate, true);
    bench_answer(&b, tensor_source_of(&b.probe, 300, 10, 1e6), &format_raw);
    assert_int_equal(answer_start(b.answer, &(refusal){0}), ANSWER_WAIT);
    unit_gate_await(&b.gate, 1);
    answer_abandon(b.answer);
    assert_false(b.reader.suspended);
    assert_int_equal(b.reader.suspends, 1);
    assert_true(count(&b).admitted == 0 && count(&b).running == 1);
    answer_release(b.answer);
    b.answer = NULL;
    assert_int_equal(atomic_load(&b.probe.destroyed), 0);
    unit_gate_set(&b.gate, false);
    bench_close(&b);
    assert_int_equal(atomic_load(&b.probe.fills), 0); /* the held slice was the preparation */
}

static void a_fill_of_an_abandoned_answer_is_told_to_stop(void **state) {
    (void)state;
    for (int abandon = 0; abandon < 2; abandon++) {
        unit_gate hold = UNIT_GATE;
        bench b;
        bench_open(&b, 1, 4);
        b.probe.hold = &hold;
        unit_gate_set(&hold, true);
        bench_answer(&b, tensor_source_of(&b.probe, 1, 10, 0), &format_raw);
        assert_int_equal(answer_start(b.answer, &(refusal){0}), ANSWER_WAIT);
        unit_gate_await(&hold, 1);
        if (abandon)
            answer_abandon(b.answer);
        unit_gate_set(&hold, false);
        assert_int_equal(start(&b), abandon ? ANSWER_FAILED : ANSWER_READY);
        bench_close(&b);
        assert_int_equal(atomic_load(&b.probe.told), abandon);
    }
}

static void abandoning_an_answer_resumes_a_reader_in_its_middle(void **state) {
    (void)state;
    enum { ROWS = 40, BYTES = SLICE_BYTES };
    static unsigned char out[SLICE_BYTES];
    bench b;
    bench_open(&b, 1, 4);
    bench_answer(&b, tensor_source_of(&b.probe, ROWS, BYTES, 0), &format_raw);
    assert_int_equal(start(&b), ANSWER_READY);
    UNIT_UNTIL(atomic_load(&b.probe.fills) == AHEAD_MOST && count(&b).running == 0);
    unit_gate_set(&b.gate, true);
    for (uint64_t i = 0; i < AHEAD_MOST; i++)
        assert_true(answer_read(b.answer, i * BYTES, out, BYTES) == BYTES);
    assert_true(answer_read(b.answer, AHEAD_MOST * BYTES, out, BYTES) == 0);
    assert_true(b.reader.suspended);
    answer_abandon(b.answer);
    assert_false(b.reader.suspended);
    assert_true(answer_read(b.answer, AHEAD_MOST * BYTES, out, BYTES) == -1);
    bench_close(&b);
}

static void an_answer_abandoned_after_its_end_is_not_cancelled(void **state) {
    (void)state;
    bench b;
    bench_open(&b, 1, 4);
    bench_answer(&b, tensor_source_of(&b.probe, 3, 10, 0), &format_raw);
    assert_int_equal(start(&b), ANSWER_READY);
    UNIT_UNTIL(count(&b).admitted == 0);
    answer_abandon(b.answer);
    assert_true(count(&b).cancelled == 0);
    assert_int_equal(answer_start(b.answer, &(refusal){0}), ANSWER_FAILED);
    bench_close(&b);
}

typedef struct quitter {
    answer *answer;
    uint64_t spins;
} quitter;

static void *quit(void *of) {
    quitter *q = of;
    for (volatile uint64_t i = 0; i < q->spins; i = i + 1)
        ;
    answer_abandon(q->answer);
    return NULL;
}

static void each_suspend_has_its_resume_whenever_an_answer_is_abandoned(void **state) {
    (void)state;
    enum { ROWS = 60, BYTES = 30, ROUNDS = 400 };
    static unsigned char out[1 << 16];
    uint64_t random = 1;
    bench owner;
    bench_open(&owner, 2, 4);
    for (int i = 0; i < ROUNDS; i++) {
        bench b;
        pthread_t thread;
        bench_init(&b);
        b.pool = owner.pool;
        const format *f = i % 2 ? &format_raw : &format_json;
        bench_answer(&b, tensor_source_of(&b.probe, ROWS, BYTES, 1e6), f);
        quitter q = {b.answer, unit_random(&random) % 200000};
        assert_int_equal(pthread_create(&thread, NULL, quit, &q), 0);
        if (start(&b) == ANSWER_READY)
            read_from(&b, 0, answer_length(b.answer), 17, out);
        pthread_join(thread, NULL);
        answer_abandon(b.answer); /* as the daemon does at the end of a request */
        bench_release(&b);
    }
    assert_int_equal(count(&owner).admitted, 0);
    jobs_free(owner.pool);
}

RUN(T(a_range_is_its_bytes_and_computes_its_rows_alone),
    T(windows_read_in_pieces_of_any_size_are_the_plain_bytes),
    T(a_literal_and_a_tensor_follow_each_other),
    T(eight_slices_are_computed_ahead_of_the_reader_and_no_more),
    T(rows_of_megabytes_are_computed_two_ahead), T(preparation_runs_once_and_before_every_row),
    T(a_small_and_warm_answer_is_computed_by_its_reader),
    T(a_cold_or_costly_answer_is_handed_to_the_pool),
    T(a_buffered_answer_collects_every_tensor_then_encodes),
    T(a_buffered_answer_of_one_tensor_computes_that_tensor_alone),
    T(a_buffered_answer_without_rows_is_prepared_and_encoded),
    T(an_answer_that_its_format_cannot_hold_is_413_before_any_work),
    T(a_failing_preparation_fails_the_start),
    T(an_answer_made_of_something_lost_is_refused_as_internal),
    T(a_failing_fill_of_a_buffered_answer_fails_the_start),
    T(a_failing_fill_ends_the_reading_and_nothing_wrong_is_read),
    T(a_full_queue_is_busy_until_a_job_ends),
    T(an_answer_abandoned_before_its_start_is_never_queued),
    T(an_answer_abandoned_in_the_queue_is_destroyed_at_once),
    T(an_answer_abandoned_while_a_slice_runs_lives_until_its_end),
    T(a_fill_of_an_abandoned_answer_is_told_to_stop),
    T(abandoning_an_answer_resumes_a_reader_in_its_middle),
    T(an_answer_abandoned_after_its_end_is_not_cancelled),
    T(each_suspend_has_its_resume_whenever_an_answer_is_abandoned))
