#include "held_clock.h"
#include "unit.h"

#include "compute/answer.h"
#include "http/connection_monitor.h"

#include <arpa/inet.h>
#include <linux/tcp.h> /* tcp_info with tcpi_bytes_acked */
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static fmix_status fill(const void *self, fmix_scratch *scratch, uint64_t first, uint64_t n,
                        void *out) {
    (void)self;
    (void)scratch;
    (void)first;
    memset(out, 1, (size_t)n);
    return FMIX_OK;
}

/* An answer that waits for a held thread, and the two ends of its connection. */
typedef struct bench {
    connection_monitor *monitor;
    unit_gate gate;
    jobs *pool;
    answer *answer;
    int ours, theirs;
    atomic_int suspended, late[CONNECTION_PHASES];
} bench;

static void suspend(void *of) {
    bench *b = of;
    atomic_fetch_add(&b->suspended, 1);
    connection_monitor_add(b->monitor, b->ours, answer_job(b->answer));
}

static void resume(void *of) {
    bench *b = of;
    connection_monitor_remove(b->monitor, b->ours);
    atomic_fetch_sub(&b->suspended, 1);
}

/* The two ends of a TCP connection: only TCP tells which bytes were acknowledged. */
static void connect_ends(bench *b) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    b->theirs = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &size), 0);
    assert_int_equal(connect(b->theirs, (struct sockaddr *)&at, size), 0);
    b->ours = accept(listener, NULL, NULL);
    assert_true(b->ours >= 0);
    close(listener);
}

static void make_answer(bench *b) {
    const job_waiter waiter = {suspend, resume, b, {0}, NULL};
    problem p = {0};
    tensor_source *s = tensor_source_new(1);
    assert_true(tensor_source_add(s, "x", DTYPE_U8, 0, NULL, 0, fill, NULL));
    b->answer = answer_new(b->pool, s, &format_raw, &waiter, &p);
    assert_non_null(b->answer);
}

static void count_late(void *of, int fd, connection_phase phase) {
    bench *b = of;
    if (fd == b->ours)
        atomic_fetch_add(&b->late[phase], 1);
}

/* Milliseconds: the limit of a phase, and until the monitor has checked all of them again. */
enum { LIMIT = 1000, LOOK = 500 };

static void open_bench(bench *b) {
    *b = (bench){.gate = UNIT_GATE};
    const connection_limits limits = {
        .milliseconds =
            {[CONNECTION_IDLE] = LIMIT, [CONNECTION_HEAD] = LIMIT, [CONNECTION_REPLY] = LIMIT},
        .rate = 1 << 20,
        .late = count_late,
        .user = b};
    const jobs_settings settings = {
        .threads = 1, .limit = 4, .patience = 1e12, .hooks = {unit_gate_pass, &b->gate}};
    unit_gate_set(&b->gate, true);
    b->monitor = connection_monitor_new(&limits);
    b->pool = jobs_new(&settings);
    assert_true(b->monitor && b->pool);
    connect_ends(b);
    connection_monitor_open(b->monitor, b->ours);
    connection_monitor_enter(b->monitor, b->ours, CONNECTION_WORK);
    make_answer(b);
}

static void close_bench(bench *b) {
    unit_gate_set(&b->gate, false);
    answer_abandon(b->answer);
    answer_release(b->answer);
    jobs_free(b->pool);
    connection_monitor_close(b->monitor, b->ours);
    connection_monitor_free(b->monitor);
    close(b->ours);
    held_clock_run();
}

static void close_both(bench *b) {
    close(b->theirs);
    close_bench(b);
}

/* Waits for edges of our end as libmicrohttpd does. */
static void await_edges(const bench *b, int edges) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};
    int poll = epoll_create1(0);
    assert_int_equal(epoll_ctl(poll, EPOLL_CTL_ADD, b->ours, &event), 0);
    while (edges--)
        assert_int_equal(epoll_wait(poll, &event, 1, 120000), 1);
    close(poll);
}

static void a_peer_that_closes_abandons_the_answer(void **state) {
    (void)state;
    bench b;
    open_bench(&b);
    assert_int_equal(answer_start(b.answer, &(refusal){0}), ANSWER_WAIT);
    assert_false(answer_abandoned(b.answer));
    close(b.theirs);
    UNIT_UNTIL(answer_abandoned(b.answer));
    UNIT_UNTIL(atomic_load(&b.suspended) == 0);
    close_bench(&b);
}

static void a_peer_that_was_gone_before_is_noticed_too(void **state) {
    (void)state;
    bench b;
    open_bench(&b);
    close(b.theirs);
    await_edges(&b, 3); /* the monitor has noticed the hang-up */
    assert_int_equal(answer_start(b.answer, &(refusal){0}), ANSWER_WAIT);
    UNIT_UNTIL(answer_abandoned(b.answer));
    close_bench(&b);
}

/* Another connection hangs up. Once the monitor has noticed that hang-up, the monitor has seen all
 * earlier events too. */
static void await_another(bench *b) {
    bench other = {.monitor = b->monitor, .pool = b->pool};
    connect_ends(&other);
    make_answer(&other);
    connection_monitor_open(other.monitor, other.ours);
    connection_monitor_enter(other.monitor, other.ours, CONNECTION_WORK);
    connection_monitor_add(other.monitor, other.ours, answer_job(other.answer));
    close(other.theirs);
    UNIT_UNTIL(answer_abandoned(other.answer));
    connection_monitor_remove(other.monitor, other.ours);
    connection_monitor_close(other.monitor, other.ours);
    answer_release(other.answer);
    close(other.ours);
}

static void a_client_that_stays_or_sends_keeps_its_job(void **state) {
    (void)state;
    bench b;
    open_bench(&b);
    assert_int_equal(answer_start(b.answer, &(refusal){0}), ANSWER_WAIT);
    assert_int_equal(send(b.theirs, "GET ", 4, 0), 4);
    await_another(&b);
    assert_false(answer_abandoned(b.answer));
    assert_int_equal(atomic_load(&b.suspended), 1);
    unit_gate_set(&b.gate, false);
    UNIT_UNTIL(atomic_load(&b.suspended) == 0);
    assert_int_equal(answer_start(b.answer, &(refusal){0}), ANSWER_READY);
    close_both(&b);
}

static void a_removed_job_is_not_abandoned(void **state) {
    (void)state;
    bench b;
    open_bench(&b);
    unit_gate_set(&b.gate, false);
    answer_state began = answer_start(b.answer, &(refusal){0});
    assert_true(began == ANSWER_WAIT || began == ANSWER_READY);
    UNIT_UNTIL(atomic_load(&b.suspended) == 0);
    close(b.theirs);
    await_another(&b);
    assert_false(answer_abandoned(b.answer));
    connection_monitor_remove(b.monitor, b.ours); /* a second call does nothing */
    close_bench(&b);
}

static void a_descriptor_used_again_speaks_for_its_new_answer(void **state) {
    (void)state;
    bench b;
    open_bench(&b);
    answer *first = b.answer;
    connection_monitor_add(b.monitor, b.ours, answer_job(first));
    connection_monitor_remove(b.monitor, b.ours);
    connection_monitor_close(b.monitor, b.ours);
    connection_monitor_open(b.monitor, b.ours);
    make_answer(&b);
    connection_monitor_add(b.monitor, b.ours, answer_job(b.answer));
    close(b.theirs);
    UNIT_UNTIL(answer_abandoned(b.answer));
    assert_false(answer_abandoned(first));
    connection_monitor_remove(b.monitor, b.ours);
    answer_release(first);
    close_bench(&b);
}

static void descriptors_of_any_number_are_monitored(void **state) {
    (void)state;
    bench b;
    open_bench(&b);
    int high = dup2(b.ours, 900);
    assert_int_equal(high, 900);
    connection_monitor_close(b.monitor, b.ours);
    close(b.ours);
    b.ours = high;
    connection_monitor_open(b.monitor, b.ours);
    assert_int_equal(answer_start(b.answer, &(refusal){0}), ANSWER_WAIT);
    close(b.theirs);
    UNIT_UNTIL(answer_abandoned(b.answer));
    close_bench(&b);
}

static void edges_come_until_a_client_that_left_unsuspended_is_closed(void **state) {
    (void)state;
    bench b;
    open_bench(&b);
    assert_int_equal(send(b.theirs, "GET ", 4, 0), 4);
    close(b.theirs);
    /* One edge for the bytes; the third is the monitor's. Nothing was read. */
    await_edges(&b, 3);
    assert_false(answer_abandoned(b.answer));
    close_bench(&b);
}

/* ---- deadlines, by a clock that the test moves ---- */

static bool is_cut_off(const bench *b) {
    char byte;
    return recv(b->theirs, &byte, 1, MSG_DONTWAIT) == 0;
}

static unsigned late(bench *b) {
    unsigned all = 0;
    for (int phase = 0; phase < CONNECTION_PHASES; phase++)
        all += (unsigned)atomic_load(&b->late[phase]);
    return all;
}

/* Another connection, which is idle from now on. */
static void open_witness(const bench *b, bench *other) {
    *other = (bench){.monitor = b->monitor};
    connect_ends(other);
    connection_monitor_open(b->monitor, other->ours);
}

static void close_witness(const bench *b, const bench *other) {
    connection_monitor_close(b->monitor, other->ours);
    close(other->ours);
    close(other->theirs);
}

/* The limit of this connection is over, so the monitor shuts the connection down once all
 * connections are checked. */
static void await_check(const bench *b, bench *other) {
    UNIT_UNTIL(is_cut_off(other));
    connection_monitor_was_late(
        b->monitor, b->ours); /* waits for the lock, which the monitor holds while it checks */
    close_witness(b, other);
}

/* Enters a phase and lets time pass, a millisecond less than its limit or more, until the monitor
 * has checked. */
static void stay(bench *b, connection_phase phase, unsigned milliseconds) {
    bench other;
    open_witness(b, &other);
    held_clock_pass(1);
    connection_monitor_enter(b->monitor, b->ours, phase);
    held_clock_pass(milliseconds);
    await_check(b, &other);
}

static void trickle(connection_phase phase) {
    bench b;
    open_bench(&b);
    held_clock_stop();
    stay(&b, phase, LIMIT - 1);
    assert_int_equal(late(&b), 0);
    assert_int_equal(send(b.theirs, "x", 1, MSG_NOSIGNAL), 1);
    held_clock_pass(LOOK);
    UNIT_UNTIL(atomic_load(&b.late[phase]) == 1);
    UNIT_UNTIL(is_cut_off(&b));
    assert_true(connection_monitor_was_late(b.monitor, b.ours));
    assert_int_equal(late(&b), 1);
    close_both(&b);
}

static void no_byte_moves_the_deadline_of_a_request_line(void **state) {
    (void)state;
    trickle(CONNECTION_IDLE);
}

static void no_byte_moves_the_deadline_of_a_head(void **state) {
    (void)state;
    trickle(CONNECTION_HEAD);
}

static void each_phase_has_a_time_of_its_own(void **state) {
    (void)state;
    bench b;
    open_bench(&b);
    held_clock_stop();
    for (int i = 0; i < 4; i++)
        stay(&b, i % 2 ? CONNECTION_IDLE : CONNECTION_HEAD, LIMIT - 1);
    assert_int_equal(late(&b), 0);
    close_both(&b);
}

static void a_request_that_the_server_works_on_is_never_late(void **state) {
    (void)state;
    bench b;
    open_bench(&b);
    held_clock_stop();
    stay(&b, CONNECTION_WORK, 100 * LIMIT);
    assert_int_equal(late(&b), 0);
    assert_false(is_cut_off(&b));
    close_both(&b);
}

/* All that the socket holds. */
static void fill_up(const bench *b) {
    static const char zeros[1 << 16];
    while (send(b->ours, zeros, sizeof zeros, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
        ;
}

static void a_reply_that_is_not_received_is_cut_off(void **state) {
    (void)state;
    bench b;
    open_bench(&b);
    held_clock_stop();
    connection_monitor_enter(b.monitor, b.ours, CONNECTION_REPLY);
    fill_up(&b);
    UNIT_UNTIL((held_clock_pass(LOOK), atomic_load(&b.late[CONNECTION_REPLY]) == 1));
    close_both(&b);
}

/* Lets the other end receive some more, and returns the bytes that it has acknowledged. */
static uint64_t take(const bench *b) {
    static char taken[1 << 18];
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    fill_up(b);
    recv(b->theirs, taken, sizeof taken, MSG_DONTWAIT);
    fill_up(b);
    assert_int_equal(getsockopt(b->ours, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
    return info.tcpi_bytes_acked;
}

/* The other end receives a little more than the rate requires, in each of several intervals. */
static void a_reply_that_is_received_at_the_rate_is_not_late(void **state) {
    (void)state;
    bench b, other;
    open_bench(&b);
    held_clock_stop();
    stay(&b, CONNECTION_REPLY, LIMIT); /* the monitor checks again only when time has passed, not
                                          while bytes are received */
    for (int i = 0; i < 5; i++) {
        const uint64_t enough = take(&b) + (1 << 20);
        UNIT_UNTIL(take(&b) >= enough);
        open_witness(&b, &other);
        held_clock_pass(LIMIT);
        await_check(&b, &other);
    }
    assert_int_equal(late(&b), 0);
    close_both(&b);
}

/* The monitor asks of few replies at a time; the late connection comes after all of them. */
static void a_late_connection_behind_many_replies_is_cut_off(void **state) {
    (void)state;
    enum { REPLIES = 200 };
    bench b, replies[REPLIES];
    open_bench(&b);
    held_clock_stop();
    for (int i = 0; i < REPLIES; i++) {
        open_witness(&b, &replies[i]);
        connection_monitor_enter(b.monitor, replies[i].ours, CONNECTION_REPLY);
    }
    stay(&b, CONNECTION_REPLY, LIMIT);
    assert_int_equal(late(&b), 0);
    for (int i = 0; i < REPLIES; i++)
        close_witness(&b, &replies[i]);
    close_both(&b);
}

static void a_reply_that_waits_for_the_server_is_not_late(void **state) {
    (void)state;
    bench b;
    open_bench(&b);
    held_clock_stop();
    stay(&b, CONNECTION_REPLY, 100 * LIMIT); /* there are no bytes to receive */
    assert_int_equal(late(&b), 0);
    close_both(&b);
}

static void *begin_soon(void *of) {
    bench *b = of;
    const struct timespec pause = {.tv_nsec = 20000000};
    nanosleep(&pause, NULL);
    connection_monitor_open(b->monitor, b->ours);
    nanosleep(&pause, NULL);
    connection_monitor_enter(b->monitor, b->ours, CONNECTION_HEAD);
    return NULL;
}

static void settling_waits_until_an_expected_connection_begins(void **state) {
    (void)state;
    bench b;
    pthread_t opener;
    open_bench(&b);
    connection_monitor_close(b.monitor, b.ours);
    connection_monitor_settle(b.monitor, 60000); /* there is nothing to wait for */
    connection_monitor_expect(b.monitor, b.ours);
    assert_false(connection_monitor_arrived(b.monitor, b.ours, 20));
    assert_int_equal(pthread_create(&opener, NULL, begin_soon, &b), 0);
    assert_true(connection_monitor_arrived(b.monitor, b.ours, 120000));
    connection_monitor_settle(b.monitor, 60000);
    pthread_join(opener, NULL);
    connection_monitor_expect(b.monitor, b.ours); /* expected again, and closed instead */
    connection_monitor_close(b.monitor, b.ours);
    connection_monitor_settle(b.monitor, 60000);
    close_both(&b);
}

RUN(T(a_peer_that_closes_abandons_the_answer), T(a_peer_that_was_gone_before_is_noticed_too),
    T(a_client_that_stays_or_sends_keeps_its_job), T(a_removed_job_is_not_abandoned),
    T(edges_come_until_a_client_that_left_unsuspended_is_closed),
    T(a_descriptor_used_again_speaks_for_its_new_answer),
    T(descriptors_of_any_number_are_monitored), T(no_byte_moves_the_deadline_of_a_request_line),
    T(no_byte_moves_the_deadline_of_a_head), T(each_phase_has_a_time_of_its_own),
    T(a_request_that_the_server_works_on_is_never_late), T(a_reply_that_is_not_received_is_cut_off),
    T(a_reply_that_is_received_at_the_rate_is_not_late),
    T(a_late_connection_behind_many_replies_is_cut_off),
    T(a_reply_that_waits_for_the_server_is_not_late),
    T(settling_waits_until_an_expected_connection_begins))
