#include "served_bench.h"

#include "bodies.h"

/* As http/ hands it over: a body that the budget counts. */
static resource_request request_of(const char *text, const body *b) {
    resource_request c = served_request(bench, mix_post, text, &format_npz);
    c.body = buffer_paid(1 << 20, (budget_payer){.from = &bench->server.budget});
    assert_true(buffer_add(&c.body, b->bytes, b->length));
    return c;
}

static resource_result ask(const char *text, const body *b) {
    resource_request c = request_of(text, b);
    resource_result out = {0};
    mix_post(&c, &out);
    buffer_free(&c.body);
    return out;
}

/* Rows of x, four of 3 x 4 x 4, and more arrays of body_pieces(). */
static body *npz_of(unsigned pieces, int deflated) {
    static body b;
    b.length = 0;
    body_npz(&b, body_pieces(), pieces, deflated);
    return &b;
}

#define LAYOUT "layout=channels_first"
enum { BYTES = 192, ROW = 48 };

static void method_none_answers_with_the_rows_of_the_upload(void **state) {
    (void)state;
    for (int deflated = 0; deflated < 2; deflated++) {
        unsigned char mixed[BYTES];
        resource_result out = ask(LAYOUT "&method=none", npz_of(1, deflated));
        served_is(&out.problem, 0, "");
        served_prepare(out.source);
        served_fill(out.source, "mixed", mixed, sizeof mixed);
        assert_memory_equal(mixed, body_pieces()[0].data, sizeof mixed);
        resource_result_free(&out);
    }
}

static void each_element_is_the_row_s_or_its_partner_s_by_the_mask(void **state) {
    (void)state;
    unsigned char mixed[4][ROW];
    float masks[4][16];
    int64_t pairing[4];
    const unsigned char *x = body_pieces()[0].data;
    resource_result out = ask(LAYOUT "&method=cutmix&seed=2", npz_of(1, 0));
    served_is(&out.problem, 0, "");
    served_prepare(out.source);
    served_fill(out.source, "mixed", mixed, sizeof mixed);
    served_fill(out.source, "masks", masks, sizeof masks);
    served_fill(out.source, "pairing", pairing, sizeof pairing);
    for (unsigned i = 0; i < 4; i++)
        for (unsigned j = 0; j < ROW; j++)
            assert_int_equal(mixed[i][j], x[(masks[i][j % 16] ? i : pairing[i]) * ROW + j]);
    resource_result_free(&out);
}

static void with_x2_the_partner_of_a_row_is_the_same_row_of_x2(void **state) {
    (void)state;
    unsigned char mixed[4][ROW];
    float masks[4][16];
    const unsigned char *x = body_pieces()[0].data, *x2 = body_pieces()[3].data;
    resource_result out = ask(LAYOUT "&method=cutmix&seed=2&classes=3", npz_of(6, 0));
    served_is(&out.problem, 0, "");
    served_prepare(out.source);
    served_fill(out.source, "mixed", mixed, sizeof mixed);
    served_fill(out.source, "masks", masks, sizeof masks);
    for (unsigned i = 0; i < 4; i++)
        for (unsigned j = 0; j < ROW; j++)
            assert_int_equal(mixed[i][j], (masks[i][j % 16] ? x : x2)[i * ROW + j]);
    int64_t pairing[4];
    served_fill(out.source, "pairing", pairing, sizeof pairing);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(pairing[i], i);
    assert_non_null(served_find(out.source, "labels"));
    assert_non_null(served_find(out.source, "labels.share"));
    resource_result_free(&out);
}

/* The class of a row is its number modulo 2. */
static void partners_by_class_are_found_before_rows_are_mixed(void **state) {
    (void)state;
    static const char x[4] = {10, 20, 30, 40}, y[4] = {0, 1, 0, 1};
    static const piece pieces[] = {{"x", "|u1", "U8", "4, 1", x, 4}, {"y", "|u1", "U8", "4", y, 4}};
    static const char *const texts[] = {"classes=2&pairing=same_class",
                                        "classes=2&pairing=other_class"};
    for (int64_t other = 0; other < 2; other++) {
        body b = {.length = 0};
        int64_t pairing[4];
        body_npz(&b, pieces, 2, 0);
        resource_result out = ask(texts[other], &b);
        served_is(&out.problem, 0, "");
        served_prepare(out.source);
        served_fill(out.source, "pairing", pairing, sizeof pairing);
        for (int64_t row = 0; row < 4; row++)
            assert_true((pairing[row] + row) % 2 == other && pairing[row] != row);
        resource_result_free(&out);
    }
}

static void dense_targets_are_tensors_after_the_labels(void **state) {
    (void)state;
    static const char x[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    static const piece pieces[] = {{"x", "|u1", "U8", "4, 3", x, 12},
                                   {"dense.map", "|u1", "U8", "4, 3", x, 12}};
    body b = {.length = 0};
    unsigned char mixed[12], dense[12];
    body_npz(&b, pieces, 2, 0);
    resource_result out = ask("method=cutmix", &b);
    served_is(&out.problem, 0, "");
    served_prepare(out.source);
    assert_string_equal(out.source->tensors[1].name, "dense.map");
    served_fill(out.source, "mixed", mixed, sizeof mixed);
    served_fill(out.source, "dense.map", dense, sizeof dense);
    assert_memory_equal(mixed, dense, sizeof mixed);
    resource_result_free(&out);
}

static void the_source_takes_the_body_and_gives_its_memory_back(void **state) {
    (void)state;
    resource_request c = request_of(LAYOUT, npz_of(1, 1));
    resource_result out = {0};
    mix_post(&c, &out);
    assert_null(c.body.bytes);
    assert_non_null(out.source);
    assert_true(budget_held(&bench->server.budget) > 0);
    assert_int_equal(out.source->held, budget_held(&bench->server.budget));
    resource_result_free(&out);
    assert_int_equal(budget_held(&bench->server.budget), 0);
}

static void refused(const char *text, const body *b, int status, const char *parameter) {
    resource_result out = ask(text, b);
    assert_null(out.source);
    served_is(&out.problem, status, parameter);
    assert_int_equal(budget_held(&bench->server.budget), 0);
}

static void an_upload_that_cannot_be_mixed_is_refused_by_the_name_to_blame(void **state) {
    (void)state;
    static const char zeros[64];
    static const piece shorter[] = {{"x", "|u1", "U8", "4, 4, 4", zeros, 64},
                                    {"x2", "|u1", "U8", "2, 4, 4", zeros, 32}};
    static const piece named[] = {{"x", "|u1", "U8", "4, 4, 4", zeros, 64},
                                  {"z", "|u1", "U8", "2, 4, 4", zeros, 32}};
    body b = {.length = 0};
    body_npz(&b, shorter, 2, 0);
    refused(LAYOUT, &b, 400, "x2");
    b.length = 0;
    body_npz(&b, named, 2, 0);
    refused(LAYOUT, &b, 400, "z");
    b.length = 0;
    body_npz(&b, named + 1, 1, 0);
    refused(LAYOUT, &b, 400, "x");
    refused("", npz_of(1, 0), 400, "layout");
    refused(LAYOUT "&parts=labels", npz_of(1, 0), 400, "parts");
    refused(LAYOUT "&parts=rows", npz_of(1, 0), 400, "parts");
    refused(LAYOUT "&parts=dense", npz_of(1, 0), 400, "parts");
    refused(LAYOUT "&parts=lengths", npz_of(1, 0), 400, "parts");
    refused(LAYOUT "&pairing=neighbour", npz_of(1, 0), 400, "pairing");
    refused(LAYOUT "&pairing=other_class", npz_of(1, 0), 400, "pairing");
    refused(LAYOUT "&pairing=same_class&classes=3", npz_of(6, 0), 400, "pairing"); /* with x2 */
    refused(LAYOUT, npz_of(2, 0), 400, "classes");
    b = (body){.bytes = "neither", .length = 7};
    refused(LAYOUT, &b, 400, "x_shape"); /* as a raw body */
}

static void a_body_is_not_inflated_past_the_limit_of_bodies(void **state) {
    (void)state;
    uint64_t most = bench->config.body;
    bench->config.body = 200; /* x alone has 320 bytes */
    resource_result out = ask(LAYOUT, npz_of(1, 1));
    assert_null(out.source);
    assert_int_equal(out.problem.status, 413);
    bench->config.body = most;
}

static void a_body_that_may_hold_labels_weighs_by_its_length(void **state) {
    (void)state;
    resource_request c = request_of(LAYOUT, npz_of(6, 0));
    double whole = mix_weight(&c).cost;
    buffer_free(&c.body);
    c = request_of(LAYOUT, npz_of(1, 0));
    assert_true(whole > mix_weight(&c).cost);
    buffer_free(&c.body);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        T(method_none_answers_with_the_rows_of_the_upload),
        T(each_element_is_the_row_s_or_its_partner_s_by_the_mask),
        T(with_x2_the_partner_of_a_row_is_the_same_row_of_x2),
        T(partners_by_class_are_found_before_rows_are_mixed),
        T(dense_targets_are_tensors_after_the_labels),
        T(the_source_takes_the_body_and_gives_its_memory_back),
        T(an_upload_that_cannot_be_mixed_is_refused_by_the_name_to_blame),
        T(a_body_is_not_inflated_past_the_limit_of_bodies),
        T(a_body_that_may_hold_labels_weighs_by_its_length),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
