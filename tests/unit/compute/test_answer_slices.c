#include "unit.h"

#include "compute/answer.h"

enum { ROWS = 300, BYTES = 100000 };
static unsigned char all[ROWS * BYTES], out[ROWS * BYTES];

/* Rows that lie in `all`, and what is asked of them. */
typedef struct lender {
    uint64_t lost; /* the row that cannot be lent */
    bool altered;
    atomic_uint loans, fills, checks;
    atomic_bool suspended; /* the reader */
    atomic_bool destroyed; /* the source */
} lender;

static const void *lend(const void *self, uint64_t first, uint64_t n) {
    lender *l = (lender *)self;
    atomic_fetch_add(&l->loans, 1);
    return first <= l->lost && l->lost < first + n ? NULL : all + first * BYTES;
}

static fmix_status fill(const void *self, fmix_scratch *scratch, uint64_t first, uint64_t n,
                        void *to) {
    lender *l = (lender *)self;
    (void)scratch;
    atomic_fetch_add(&l->fills, 1);
    memcpy(to, all + first * BYTES, (size_t)n);
    return FMIX_OK;
}

static bool lent_well(const void *self) {
    lender *l = (lender *)self;
    atomic_fetch_add(&l->checks, 1);
    return !l->altered;
}

static void destroy(void *self) {
    atomic_store(&((lender *)self)->destroyed, true);
}

static void suspend(void *of) {
    atomic_store(&((lender *)of)->suspended, true);
}

static void resume(void *of) {
    atomic_store(&((lender *)of)->suspended, false);
}

static double first_cost; /* of the sources that are made */

static fmix_status prepare(void *self) {
    (void)self;
    return FMIX_OK;
}

static answer *start_costly(lender *l, jobs *pool, const format *f, uint64_t rows, uint64_t bytes,
                            double prepare_cost, double row_cost) {
    const job_waiter waiter = {suspend, resume, l, {0}, NULL};
    tensor_source *s = tensor_source_new(rows);
    problem p = {0};
    refusal why;
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (unsigned char)(i * 7 + i / BYTES);
    assert_true(tensor_source_add(s, "x", DTYPE_U8, 1, &bytes, row_cost, fill, l));
    s->tensors[0].lend = lend;
    s->lent_well = lent_well;
    s->prepare = prepare_cost > 0 ? prepare : NULL;
    s->prepare_cost = prepare_cost;
    s->first_cost = first_cost;
    s->self = l;
    s->destroy = destroy;
    answer *a = answer_new(pool, s, f, &waiter, &p);
    assert_non_null(a);
    while (answer_start(a, &why) == ANSWER_WAIT)
        UNIT_UNTIL(!atomic_load(&l->suspended));
    return a;
}

static answer *start(lender *l, jobs *pool, const format *f, uint64_t rows, uint64_t bytes) {
    return start_costly(l, pool, f, rows, bytes, 0, 1);
}

/* Bytes that were read; each of them is right. */
static uint64_t read_all(lender *l, answer *a) {
    uint64_t at = 0;
    for (int64_t n = 0; at < sizeof out && n >= 0; at += n > 0 ? (uint64_t)n : 0) {
        UNIT_UNTIL(!atomic_load(&l->suspended));
        n = answer_read(a, at, out + at, 65536);
    }
    assert_memory_equal(out, all, at);
    return at;
}

/* A thread may hold the answer until its slice is over. */
static void end(lender *l, jobs *pool, answer *a) {
    answer_release(a);
    UNIT_UNTIL(atomic_load(&l->destroyed));
    jobs_free(pool);
}

static void rows_that_are_lent_are_read_where_they_lie_and_checked_at_the_end(void **state) {
    (void)state;
    const jobs_settings settings = {.threads = 2, .limit = 1, .patience = 1e12};
    for (int altered = 0; altered < 2; altered++) {
        lender l = {.lost = ROWS, .altered = altered};
        const void *at = NULL;
        jobs *pool = jobs_new(&settings);
        answer *a = start(&l, pool, &format_raw, ROWS, BYTES);
        assert_true(answer_peek(a, 7, 1000, &at) == 1000);
        assert_ptr_equal(at, all + 7);
        uint64_t got = read_all(&l, a);
        assert_true(altered ? got < sizeof out : got == sizeof out);
        assert_int_equal(atomic_load(&l.checks), 1);
        assert_int_equal(atomic_load(&l.loans), 4);
        assert_int_equal(atomic_load(&l.fills), 0);
        end(&l, pool, a);
    }
}

static void rows_that_cannot_be_lent_end_the_reading_before_them(void **state) {
    (void)state;
    const jobs_settings settings = {.threads = 2, .limit = 1, .patience = 1e12};
    lender l = {.lost = 200};
    jobs *pool = jobs_new(&settings);
    answer *a = start(&l, pool, &format_raw, ROWS, BYTES);
    assert_true(read_all(&l, a) <= UINT64_C(200) * BYTES);
    end(&l, pool, a);
}

/* Not begun to be sent, so that it can be refused. */
static void a_small_answer_whose_lent_rows_were_altered_is_refused(void **state) {
    (void)state;
    const jobs_settings settings = {.threads = 2, .limit = 1, .patience = 1e12};
    for (int altered = 0; altered < 2; altered++) {
        lender l = {.lost = ROWS, .altered = altered};
        refusal why;
        jobs *pool = jobs_new(&settings);
        answer *a = start(&l, pool, &format_raw, ANSWER_BLOCK / BYTES, BYTES);
        assert_int_equal(answer_start(a, &why), altered ? ANSWER_BUSY : ANSWER_READY);
        assert_int_equal(why, altered ? REFUSAL_INTERNAL : REFUSAL_NONE);
        end(&l, pool, a);
    }
}

static void an_answer_that_is_encoded_fills_rows_that_could_be_lent(void **state) {
    (void)state;
    const jobs_settings settings = {.threads = 1, .limit = 1, .patience = 1e12};
    lender l = {.lost = ROWS};
    jobs *pool = jobs_new(&settings);
    answer *a = start(&l, pool, &format_json, 3, 1);
    assert_int_equal(atomic_load(&l.loans), 0);
    assert_true(atomic_load(&l.fills) > 0);
    end(&l, pool, a);
}

/* The threads of a pool with one of each kind, by the slices that they computed. */
typedef struct slices {
    pthread_mutex_t lock;
    unsigned count;
    pthread_t by[1000];
} slices;

static void record(void *of) {
    slices *s = of;
    pthread_mutex_lock(&s->lock);
    if (s->count < 1000)
        s->by[s->count++] = pthread_self();
    pthread_mutex_unlock(&s->lock);
}

/* Preparing is the first slice, encoding the last; the others are of rows. */
static void other_threads_compute_slices_that_take_long(void **state) {
    (void)state;
    for (int i = 0; i < 8; i++) {
        bool long_prepare = i & 1, long_rows = i & 2, long_encode = i & 4;
        slices s = {.lock = PTHREAD_MUTEX_INITIALIZER};
        const jobs_settings settings = {
            .threads = 1, .limit = 1, .patience = 1e12, .hooks = {record, &s}};
        lender l = {.lost = ROWS};
        jobs *pool = jobs_new(&settings);
        answer *a = start_costly(&l, pool, &format_json, ROWS, long_encode ? 2000 : 20,
                                 long_prepare ? 11e6 : 9e6, long_rows ? 11e6 : 9e6);
        assert_int_equal(answer_job(a)->task.yields, i != 0);
        end(&l, pool, a);
        assert_int_equal(s.count, ROWS + 2);
        const pthread_t *rows = &s.by[1], *encode = &s.by[ROWS + 1];
        assert_int_equal(pthread_equal(s.by[0], *rows) != 0, long_prepare == long_rows);
        assert_int_equal(pthread_equal(*encode, *rows) != 0, long_encode == long_rows);
        for (unsigned row = 1; row < ROWS; row++)
            assert_true(pthread_equal(rows[row], *rows));
    }
}

/* The rows of such an answer are for the threads for long slices. */
static void what_the_first_fill_makes_counts_as_part_of_a_slice(void **state) {
    (void)state;
    const jobs_settings settings = {.threads = 1, .limit = 1, .patience = 1e12};
    for (int cold = 0; cold < 2; cold++) {
        lender l = {.lost = ROWS};
        jobs *pool = jobs_new(&settings);
        jobs_counters c;
        first_cost = cold ? 11e6 : 0;
        answer *a = start(&l, pool, &format_json, ROWS, 20);
        assert_int_equal(answer_job(a)->task.yields, cold);
        assert_int_equal(answer_job(a)->indivisible_rows, cold);
        UNIT_UNTIL((jobs_count(pool, &c), c.running == 0));
        assert_true((c.estimated[JOB_ROWS] > 10e-3) == cold);
        end(&l, pool, a);
    }
    first_cost = 0;
}

static void a_slice_of_seconds_makes_the_task_lengthy(void **state) {
    (void)state;
    const jobs_settings settings = {.threads = 1, .limit = 1, .patience = 1e12};
    for (int i = 0; i < 4; i++) {
        lender l = {.lost = ROWS};
        jobs *pool = jobs_new(&settings);
        answer *a = start_costly(&l, pool, &format_json, ROWS, 20, i & 1 ? 2.1e9 : 1.9e9,
                                 i & 2 ? 2.1e9 : 1.9e9);
        assert_int_equal(answer_job(a)->task.lengthy, i != 0);
        end(&l, pool, a);
    }
}

RUN(T(rows_that_are_lent_are_read_where_they_lie_and_checked_at_the_end),
    T(rows_that_cannot_be_lent_end_the_reading_before_them),
    T(a_small_answer_whose_lent_rows_were_altered_is_refused),
    T(an_answer_that_is_encoded_fills_rows_that_could_be_lent),
    T(other_threads_compute_slices_that_take_long), T(a_slice_of_seconds_makes_the_task_lengthy),
    T(what_the_first_fill_makes_counts_as_part_of_a_slice))
