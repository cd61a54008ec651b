#include "accept_gate.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>

#define EXPORTED __attribute__((visibility("default")))

typedef int acceptor(int fd, struct sockaddr *peer, socklen_t *size, int flags);

static atomic_int closed = -1;
static atomic_uint passing; /* threads */
static _Thread_local bool passes;

static void set_passes(bool now) {
    if (passes != now)
        atomic_fetch_add(&passing, now ? 1 : -1u);
    passes = now;
}

void accept_gate_close(int fd) {
    atomic_store(&closed, fd);
}

bool accept_gate_is_passed(void) {
    return atomic_load(&passing) > 0;
}

void accept_gate_opened(void) {
    set_passes(false);
}

/* The function of libc, or of a sanitizer before it. */
static acceptor *next(void) {
    static _Atomic(acceptor *) found;
    acceptor *f = atomic_load_explicit(&found, memory_order_relaxed);
    if (!f) {
        *(void **)&f = dlsym(RTLD_NEXT, "accept4");
        atomic_store_explicit(&found, f, memory_order_relaxed);
    }
    return f;
}

int accept_gate_enter(int fd, struct sockaddr *peer, socklen_t *size, int flags) {
    return next()(fd, peer, size, flags);
}

/* Not by its name, since <sys/socket.h> declares it with a union of pointers, which ISO C cannot
 * define. */
EXPORTED int gated(int fd, struct sockaddr *peer, socklen_t *size, int flags) __asm__("accept4");

/* Counts before it looks, so that whoever closes the gate and then sees no count is seen here. */
int gated(int fd, struct sockaddr *peer, socklen_t *size, int flags) {
    set_passes(true);
    bool shut = fd == atomic_load(&closed);
    int client = shut ? -1 : accept_gate_enter(fd, peer, size, flags);
    if (client < 0)
        set_passes(false);
    if (shut)
        errno = EAGAIN;
    return client;
}
