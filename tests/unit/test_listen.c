#include "unit.h"

#include "listen.h"

#include <stdio.h>
#include <unistd.h>

static void port_0_picks_one_and_says_which(void **state) {
    (void)state;
    char address[80];
    int fd = listen_on("127.0.0.1:0", address, sizeof address, stderr);
    assert_true(fd >= 0);
    assert_memory_equal(address, "127.0.0.1:", 10);
    assert_in_range(atoi(address + 10), 1, 65535);
    close(fd);
}

/* Whether it fails, and says so with the address it was given. */
static bool fails_with_reason(const char *at) {
    char address[80], said[256] = "";
    FILE *errors = fmemopen(said, sizeof said, "w");
    int fd = listen_on(at, address, sizeof address, errors);
    fclose(errors);
    return fd < 0 && strstr(said, "cannot listen on ") && strstr(said, at);
}

static void an_address_in_use_is_refused_with_its_name(void **state) {
    (void)state;
    char address[80];
    int fd = listen_on("127.0.0.1:0", address, sizeof address, stderr);
    assert_true(fd >= 0);
    assert_true(fails_with_reason(address));
    close(fd);
}

static void an_address_of_another_machine_is_refused(void **state) {
    (void)state;
    assert_true(fails_with_reason("192.0.2.1:0"));
}

RUN(T(port_0_picks_one_and_says_which), T(an_address_in_use_is_refused_with_its_name),
    T(an_address_of_another_machine_is_refused))
