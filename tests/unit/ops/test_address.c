#include "unit.h"

#include "ops/address.h"

#define ROOM 64

static const struct {
    const char *listen, *host; /* NULL: malformed */
    uint16_t port;
} addresses[] = {
    {"127.0.0.1:8080", "127.0.0.1", 8080},
    {"0.0.0.0:0", "0.0.0.0", 0},
    {"[::1]:65535", "::1", 65535},
    {"[::]:1", "::", 1},
    {"[fe80::1%eth0]:80", "fe80::1%eth0", 80},
    {"localhost:80", "localhost", 80},
    {"a-b.example:80", "a-b.example", 80},
    {"127.0.0.1", NULL, 0},
    {"127.0.0.1:", NULL, 0},
    {"127.0.0.1:x", NULL, 0},
    {"127.0.0.1:80x", NULL, 0},
    {"127.0.0.1: 80", NULL, 0},
    {"127.0.0.1:-1", NULL, 0},
    {"127.0.0.1:+1", NULL, 0},
    {"127.0.0.1:65536", NULL, 0},
    {"127.0.0.1:4294967376", NULL, 0},
    {"127.0.0.1:99999999999999999999999", NULL, 0},
    {":80", NULL, 0},
    {"80", NULL, 0},
    {"", NULL, 0},
    {":", NULL, 0},
    {"[::1]", NULL, 0},
    {"[::1:80", NULL, 0},
    {"[:80", NULL, 0},
};

static void addresses_split_into_host_and_port(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        char host[ROOM];
        uint16_t port;
        bool good = address_split(addresses[i].listen, host, sizeof host, &port);
        if (good != (addresses[i].host != NULL))
            fail_msg("%s", addresses[i].listen);
        if (good) {
            assert_string_equal(host, addresses[i].host);
            assert_int_equal(port, addresses[i].port);
        }
    }
}

/* Without brackets, the port could be a part of the address. */
static void colons_outside_of_brackets_are_malformed(void **state) {
    (void)state;
    static const char *const bad[] = {"::1",       "::1:80",    "fe80::1:80",
                                      "1:2:3",     "[]:80",     "]:80",
                                      "[::1]x:80", "x[::1]:80", "http://127.0.0.1:80"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char host[ROOM];
        uint16_t port;
        if (address_split(bad[i], host, sizeof host, &port))
            fail_msg("%s: host '%s', port %u", bad[i], host, port);
    }
}

static void a_host_fits_its_room_or_is_refused(void **state) {
    (void)state;
    char host[4];
    uint16_t port;
    assert_true(address_split("abc:1", host, sizeof host, &port));
    assert_false(address_split("abcd:1", host, sizeof host, &port));
}

RUN(T(addresses_split_into_host_and_port), T(colons_outside_of_brackets_are_malformed),
    T(a_host_fits_its_room_or_is_refused))
