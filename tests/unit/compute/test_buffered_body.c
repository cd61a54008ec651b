#include "unit.h"

#include "compute/answer.h"
#include "compute/buffered_body.h"

/* Three rows of x, two bytes each, and a float64 beside each. Tests write the rows themselves. */
static tensor_source *tensor_source_of(void) {
    const uint64_t bytes = 2;
    tensor_source *s = tensor_source_new(3);
    assert_non_null(s);
    assert_true(tensor_source_add(s, "x", DTYPE_U8, 1, &bytes, 0, NULL, NULL));
    assert_true(tensor_source_add(s, "other", DTYPE_F64, 0, NULL, 0, NULL, NULL));
    return s;
}

static void its_rows_are_those_of_every_tensor_that_the_format_holds(void **state) {
    (void)state;
    format one = format_json;
    one.all = false;
    tensor_source *s = tensor_source_of();
    double cost;
    slicing all = {0}, main = {0};
    assert_true(buffered_body_plan(s, &format_json, &all, &cost, NULL));
    assert_int_equal(all.count, 2);
    assert_true(all.each[0].offset == 0 && all.each[1].offset == 8); /* 6 bytes, aligned to 8 */
    assert_true(buffered_body_memory(s, &format_json, &all) >= 6 + 24);
    assert_true(buffered_body_plan(s, &one, &main, &cost, NULL));
    assert_int_equal(main.count, 1);
    assert_ptr_equal(main.each[0].from, &s->tensors[s->main]);
    tensor_source_free(s);
}

static void more_elements_than_the_format_holds_are_413(void **state) {
    (void)state;
    format small = format_json;
    tensor_source *s = tensor_source_of();
    const uint64_t elements = tensor_nodes(&s->tensors[0]) + tensor_nodes(&s->tensors[1]);
    problem p = {0};
    double cost;
    small.most = elements;
    assert_true(buffered_body_plan(s, &small, &(slicing){0}, &cost, &p));
    assert_true(cost == small.cost(s, elements) && cost > 0);
    small.most = elements - 1;
    assert_false(buffered_body_plan(s, &small, &(slicing){0}, &cost, &p));
    assert_int_equal(p.status, 413);
    tensor_source_free(s);
}

/* Computes all rows: x counts from 1, other is a half of each row's number. */
static void collect(buffered_body *b, const slicing *all) {
    assert_true(buffered_body_begin(b, all));
    for (uint64_t row = 0; row < 3; row++) {
        unsigned char *x = buffered_body_room(b, &all->each[0], row);
        const double other = (double)row / 2;
        x[0] = (unsigned char)(2 * row + 1);
        x[1] = (unsigned char)(2 * row + 2);
        memcpy(buffered_body_room(b, &all->each[1], row), &other, sizeof other);
    }
}

static void a_body_is_encoded_from_all_its_rows_and_read_in_pieces(void **state) {
    (void)state;
    static const char json[] = "{\"x\":[[1,2],[3,4],[5,6]],\"other\":[0.0,0.5,1.0]}\n";
    tensor_source *s = tensor_source_of();
    char text[sizeof json + 1] = "";
    uint64_t at = 0;
    int64_t n;
    double cost;
    slicing all = {0};
    buffered_body b;
    buffered_body_init(&b, (budget_payer){0}, NULL);
    assert_true(buffered_body_plan(s, &format_json, &all, &cost, NULL));
    collect(&b, &all);
    assert_true(buffered_body_encode(&b, s, &format_json, &all));
    assert_null(b.rows.bytes);
    for (const void *encoded; (n = buffered_body_peek(&b, at, 7, &encoded)) > 0; at += (uint64_t)n)
        memcpy(text + at, encoded, (size_t)n);
    assert_int_equal(n, -1);
    assert_string_equal(text, json);
    buffered_body_free(&b);
    tensor_source_free(s);
}

static void bytes_that_the_budget_cannot_pay_for_starve_the_body(void **state) {
    (void)state;
    tensor_source *s = tensor_source_of();
    double cost;
    slicing all = {0};
    budget payer;
    buffered_body b;
    budget_init(&payer, 10, 1);
    buffered_body_init(&b, (budget_payer){.from = &payer}, NULL);
    assert_true(buffered_body_plan(s, &format_json, &all, &cost, NULL));
    collect(&b, &all);
    assert_false(buffered_body_encode(&b, s, &format_json, &all));
    assert_true(b.encoded.starved);
    buffered_body_free(&b);
    assert_true(budget_held(&payer) == 0);
    budget_destroy(&payer);
    tensor_source_free(s);
}

/* What the source holds is held until the answer's end, so the answer must fit beside it. */
static void an_answer_that_never_fits_beside_its_source_is_413_before_any_work(void **state) {
    (void)state;
    enum { LIMIT = 32 << 20 };
    budget payer;
    budget_init(&payer, LIMIT, 1);
    const jobs_settings settings = {.threads = 1, .limit = 1, .patience = 1e12, .payer = &payer};
    for (unsigned holds = 0; holds < 2; holds++) {
        problem p = {0};
        jobs *pool = jobs_new(&settings);
        tensor_source *s = tensor_source_of();
        s->held = holds ? LIMIT - 1 : 0;
        answer *a = answer_new(pool, s, &format_npz, &(job_waiter){0}, &p);
        assert_int_equal(p.status, holds ? 413 : 0);
        assert_true((a == NULL) == (holds == 1));
        if (a)
            answer_release(a);
        jobs_free(pool);
    }
    budget_destroy(&payer);
}

RUN(T(its_rows_are_those_of_every_tensor_that_the_format_holds),
    T(more_elements_than_the_format_holds_are_413),
    T(a_body_is_encoded_from_all_its_rows_and_read_in_pieces),
    T(bytes_that_the_budget_cannot_pay_for_starve_the_body),
    T(an_answer_that_never_fits_beside_its_source_is_413_before_any_work))
