#include "unit.h"

#include "api/resource.h"

static void count(void *of) {
    ++*(int *)of;
}

static void freeing_a_result_releases_its_view_once(void **state) {
    (void)state;
    int released = 0;
    resource_result out = {.shared = {"bytes", 5, count, &released}};
    resource_result_free(&out);
    resource_result_free(&out);
    assert_int_equal(released, 1);
    assert_null(out.shared.bytes);
}

static void freeing_a_result_destroys_its_source_once(void **state) {
    (void)state;
    int destroyed = 0;
    resource_result out = {.source = tensor_source_new(1)};
    out.source->self = &destroyed;
    out.source->destroy = count;
    resource_result_free(&out);
    resource_result_free(&out);
    assert_int_equal(destroyed, 1);
}

static void freeing_a_result_gives_the_memory_of_its_text_back(void **state) {
    (void)state;
    budget payer;
    budget_init(&payer, 1 << 20, 1);
    resource_result out = {.text = buffer_paid(1000, (budget_payer){.from = &payer})};
    assert_true(buffer_text(&out.text, "text"));
    assert_true(budget_held(&payer) > 0);
    resource_result_free(&out);
    assert_int_equal(budget_held(&payer), 0);
    budget_destroy(&payer);
}

static void a_view_of_the_daemon_s_own_bytes_needs_no_release(void **state) {
    (void)state;
    resource_result out = {.shared = {.bytes = "page", .length = 4}};
    resource_result_free(&out);
    assert_null(out.shared.bytes);
}

RUN(T(freeing_a_result_releases_its_view_once), T(freeing_a_result_destroys_its_source_once),
    T(freeing_a_result_gives_the_memory_of_its_text_back),
    T(a_view_of_the_daemon_s_own_bytes_needs_no_release))
