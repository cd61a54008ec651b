#include "unit.h"

#include "http/epoll_removal.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

static void only_the_descriptor_that_is_allowed_is_removed_twice(void **state) {
    (void)state;
    int set = epoll_create1(0), ends[2];
    struct epoll_event event = {.events = EPOLLIN};
    assert_true(set >= 0 && pipe(ends) == 0);
    assert_int_equal(epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event), 0);
    assert_int_equal(epoll_ctl(set, EPOLL_CTL_DEL, ends[0], NULL), 0);
    assert_true(epoll_ctl(set, EPOLL_CTL_DEL, ends[0], NULL) == -1 && errno == ENOENT);
    epoll_removal_allow_twice(ends[0]);
    assert_int_equal(epoll_ctl(set, EPOLL_CTL_DEL, ends[0], NULL), 0);
    assert_true(epoll_ctl(set, EPOLL_CTL_MOD, ends[0], &event) == -1 && errno == ENOENT);
    assert_true(epoll_ctl(set, EPOLL_CTL_DEL, ends[1], NULL) == -1 && errno == ENOENT);
    epoll_removal_allow_twice(-1);
    for (int i = 0; i < 2; i++)
        close(ends[i]);
    close(set);
}

RUN(T(only_the_descriptor_that_is_allowed_is_removed_twice))
