#include "unit.h"

#include "ops/memory_shares.h"

enum { MIB = 1 << 20 };

static void connections_get_a_quarter_at_most_and_a_message_says_so(void **state) {
    (void)state;
    char *text;
    size_t length;
    FILE *said = open_memstream(&text, &length);
    config c = {.memory = 512 * MIB, .connections = 8192};
    const memory_shares s = memory_shares_divide(&c, said);
    fclose(said);
    assert_true(c.connections >= 1024 && c.connections < 8192);
    assert_true(s.connections <= 128 * MIB && s.connections >= c.connections * MEMORY_SHARES_POOL);
    assert_true(s.connections + s.buffer_pool + s.requests == 512 * MIB);
    assert_non_null(strstr(text, "from 8192 to "));
    free(text);
}

static void few_connections_leave_the_rest_to_requests(void **state) {
    (void)state;
    config c = {.memory = UINT64_C(8) << 30, .connections = 100};
    const memory_shares s = memory_shares_divide(&c, NULL); /* without a message */
    assert_int_equal(c.connections, 100);
    assert_true(s.connections < 10 * MIB);
    assert_true(s.requests > (UINT64_C(7) << 30));
}

static void sessions_of_tls_count_too(void **state) {
    (void)state;
    config plain = {.memory = UINT64_C(8) << 30, .connections = 1000}, tls = plain;
    snprintf(tls.tls_cert, sizeof tls.tls_cert, "cert.pem");
    assert_true(memory_shares_divide(&tls, NULL).connections >
                memory_shares_divide(&plain, NULL).connections);
}

static void requests_get_half_of_very_small_memory(void **state) {
    (void)state;
    char *text;
    size_t length;
    FILE *said = open_memstream(&text, &length);
    config c = {.memory = MIB, .connections = 8192};
    const memory_shares s = memory_shares_divide(&c, said);
    fclose(said);
    free(text);
    assert_int_equal(c.connections, 16);
    assert_true(s.requests > MIB / 3);
}

RUN(T(connections_get_a_quarter_at_most_and_a_message_says_so),
    T(few_connections_leave_the_rest_to_requests), T(sessions_of_tls_count_too),
    T(requests_get_half_of_very_small_memory))
