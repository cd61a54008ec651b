#include "unit.h"

#include "ops/sd_notify.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NONE, TAKEN, REFUSED };

/* Calls sd_notify_socket in a child with these variables, since a process has one set of variables
 * and descriptors. Descriptor 3 is a TCP or UDP socket that listens or does not. */
static int asked(int type, bool listening, bool mine, const char *count) {
    pid_t child = fork();
    if (child == 0) {
        struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        char pid[16];
        FILE *errors = fopen("/dev/null", "w");
        int fd = -1, s = socket(AF_INET, type, 0);
        if (s < 0 || bind(s, (struct sockaddr *)&any, sizeof any) != 0 ||
            (listening && listen(s, 1) != 0) || dup2(s, 3) != 3)
            _exit(9);
        snprintf(pid, sizeof pid, "%ld", (long)getpid() + !mine);
        setenv("LISTEN_PID", pid, 1);
        if (count)
            setenv("LISTEN_FDS", count, 1);
        else
            unsetenv("LISTEN_FDS");
        bool good = sd_notify_socket(&fd, errors);
        _exit(!good ? REFUSED : fd == 3 ? TAKEN : fd == -1 ? NONE : 9);
    }
    int status;
    assert_true(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void a_listening_socket_for_this_process_is_taken(void **state) {
    (void)state;
    assert_int_equal(asked(SOCK_STREAM, true, true, "1"), TAKEN);
    assert_int_equal(asked(SOCK_STREAM, true, false, "1"), NONE);
    assert_int_equal(asked(SOCK_STREAM, true, true, NULL), NONE);
    assert_int_equal(asked(SOCK_STREAM, true, true, "0"), NONE);
    assert_int_equal(asked(SOCK_STREAM, true, true, "one"), NONE);
    assert_int_equal(asked(SOCK_STREAM, true, true, "2"), REFUSED);
    assert_int_equal(asked(SOCK_STREAM, false, true, "1"), REFUSED);
    assert_int_equal(asked(SOCK_DGRAM, false, true, "1"), REFUSED);
}

/* The message that arrives at a name; an abstract name begins with @. */
static void hears(const char *name) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char text[100] = "";
    memcpy(at.sun_path, name, strlen(name));
    if (name[0] == '@')
        at.sun_path[0] = 0;
    int s = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_int_equal(bind(s, (struct sockaddr *)&at,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
                     0);
    setenv("NOTIFY_SOCKET", name, 1);
    sd_notify_send("READY=1");
    assert_int_equal(recv(s, text, sizeof text, MSG_DONTWAIT), 7);
    assert_string_equal(text, "READY=1");
    sd_notify_reloading();
    assert_true(recv(s, text, sizeof text, MSG_DONTWAIT) > 28);
    assert_int_equal(strncmp(text, "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
    close(s);
}

static void messages_reach_a_path_or_an_abstract_name(void **state) {
    (void)state;
    char path[64], name[64];
    snprintf(path, sizeof path, "/tmp/fmixd-sd-notify-%ld", (long)getpid());
    snprintf(name, sizeof name, "@fmixd-sd-notify-%ld", (long)getpid());
    hears(path);
    unlink(path);
    hears(name);
}

static void without_a_receiver_nothing_is_sent(void **state) {
    (void)state;
    static const char *const nobody[] = {"", "@", "/nowhere/at/all"};
    char longest[200];
    memset(longest, 'x', sizeof longest - 1);
    longest[0] = '/';
    longest[sizeof longest - 1] = 0;
    for (size_t i = 0; i < sizeof nobody / sizeof *nobody; i++) {
        setenv("NOTIFY_SOCKET", nobody[i], 1);
        sd_notify_send("READY=1");
    }
    setenv("NOTIFY_SOCKET", longest, 1);
    sd_notify_send("READY=1");
    unsetenv("NOTIFY_SOCKET");
    sd_notify_send("READY=1");
}

RUN(T(a_listening_socket_for_this_process_is_taken), T(messages_reach_a_path_or_an_abstract_name),
    T(without_a_receiver_nothing_is_sent))
