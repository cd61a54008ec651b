#include "unit.h"

#include "access/client_key.h"

#include <arpa/inet.h>

static uint64_t four(const char *text) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = (in_port_t)rand()};
    assert_int_equal(inet_pton(AF_INET, text, &a.sin_addr), 1);
    return client_key_of_address((const struct sockaddr *)&a);
}

static uint64_t six(const char *text) {
    struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = (in_port_t)rand()};
    assert_int_equal(inet_pton(AF_INET6, text, &a.sin6_addr), 1);
    return client_key_of_address((const struct sockaddr *)&a);
}

static void an_ipv4_client_is_its_address_on_any_port(void **state) {
    (void)state;
    assert_true(four("192.0.2.1") == four("192.0.2.1"));
    assert_true(four("192.0.2.1") != four("192.0.2.2"));
    assert_true(four("192.0.2.1") != four("193.0.2.1"));
    assert_true(four("192.0.2.1") == six("::ffff:192.0.2.1"));
}

static void an_ipv6_client_is_its_64_bits_of_network(void **state) {
    (void)state;
    assert_true(six("2001:db8:0:1::1") == six("2001:db8:0:1:ffff::2"));
    assert_true(six("2001:db8:0:1::1") != six("2001:db8:0:2::1"));
    assert_true(six("::1") != four("0.0.0.1"));
}

static void names_and_addresses_have_keys_of_their_own(void **state) {
    (void)state;
    assert_true(client_key_of_name("a") == client_key_of_name("a"));
    assert_true(client_key_of_name("a") != client_key_of_name("b"));
    assert_true(client_key_of_name("ab") != client_key_of_name("ba"));
    assert_true(client_key_of_name("0000") != four("48.48.48.48"));
}

static void clients_without_an_address_share_a_key(void **state) {
    (void)state;
    const struct sockaddr other = {.sa_family = AF_UNIX};
    assert_true(client_key_of_address(NULL) == client_key_of_address(&other));
}

/* 2^16 clients are 2^31 pairs; by chance, one pair in 2^64 has equal keys. */
static void clients_do_not_collide(void **state) {
    (void)state;
    enum { MANY = 1 << 16, TABLE = 1 << 18 };
    uint64_t *seen = calloc(TABLE, sizeof *seen);
    for (uint32_t i = 0; i < MANY; i++) {
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(10u << 24 | i)};
        uint64_t number = client_key_of_address((const struct sockaddr *)&a);
        size_t at = number % TABLE;
        for (; seen[at]; at = (at + 1) % TABLE)
            assert_true(seen[at] != number);
        seen[at] = number;
    }
    free(seen);
}

RUN(T(an_ipv4_client_is_its_address_on_any_port), T(an_ipv6_client_is_its_64_bits_of_network),
    T(names_and_addresses_have_keys_of_their_own), T(clients_without_an_address_share_a_key),
    T(clients_do_not_collide))
