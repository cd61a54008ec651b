#include "epoll_removal.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/epoll.h>

#define EXPORTED __attribute__((visibility("default")))

typedef int control(int set, int operation, int fd, struct epoll_event *event);

static atomic_int allowed = -1;

void epoll_removal_allow_twice(int fd) {
    atomic_store(&allowed, fd);
}

/* The function of libc, or of a sanitizer before it. */
static control *next(void) {
    static _Atomic(control *) found;
    control *f = atomic_load_explicit(&found, memory_order_relaxed);
    if (!f) {
        *(void **)&f = dlsym(RTLD_NEXT, "epoll_ctl");
        atomic_store_explicit(&found, f, memory_order_relaxed);
    }
    return f;
}

EXPORTED int epoll_ctl(int set, int operation, int fd, struct epoll_event *event) {
    int result = next()(set, operation, fd, event);
    bool twice = result < 0 && errno == ENOENT && operation == EPOLL_CTL_DEL;
    return twice && fd == atomic_load(&allowed) ? 0 : result;
}
