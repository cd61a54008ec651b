"""How much later an answer comes while others ask for more than there is, or trickle, or are silent.

Figures of this machine, which should do nothing else meanwhile: no test asserts on them. That promises
are kept is tested in tests/unit/compute/test_schedule.c, and that nobody is held up in tests/http.
"""

import collections
import contextlib
import http.client
import itertools
import math
import pathlib
import resource
import socket
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "http"))

import harness  # noqa: E402

# Much to compute and little to read.
HEAVY = "/v1/masks.png?shape=512x512&n={}&seed={}"
SEEDS = 8
QUIET = 40  # requests that measure an idle daemon
CROWD = 24  # connections
SECONDS = 5
ROUNDS = 3
TIMES = 10  # the machine's capacity
SLOW, IDLE = 1000, 2000
ASKED = 300
HEAD = b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: "
POST = (b"POST /v1/mix?x_shape=4x8&x_dtype=u8 HTTP/1.1\r\nHost: x\r\n"
        b"Content-Type: application/octet-stream\r\nContent-Length: 32\r\n\r\n")


def p99(times):
    """The time within which all but a hundredth are answered."""
    return sorted(times)[max(0, math.ceil(0.99 * len(times)) - 1)]


def time_of(server, target):
    start = time.monotonic()
    status = server.get(target).status
    assert status == 200, status
    return time.monotonic() - start


class Crowd:
    """Clients that together ask at a rate, whatever the answers; what they got."""

    def __init__(self, server, targets, rate, clients=CROWD, source="127.0.0.1"):
        self.server, self.targets, self.source = server, targets, source
        self.gap = clients / rate
        self.statuses, self.times = collections.Counter(), []
        self.lock, self.end = threading.Lock(), None
        self.threads = [threading.Thread(target=self.ask, args=(i * self.gap / clients,))
                        for i in range(clients)]

    def ask(self, delay):
        connection = http.client.HTTPConnection(*self.server.address, timeout=harness.PATIENCE,
                                                source_address=(self.source, 0))
        due = time.monotonic() + delay
        while due < self.end:
            time.sleep(max(0, due - time.monotonic()))
            with self.lock:
                target = next(self.targets)
            start = time.monotonic()
            status = harness.exchange(connection, "GET", target).status
            with self.lock:
                self.statuses[status] += 1
                if status == 200:
                    self.times.append(time.monotonic() - start)
            due = max(due + self.gap, time.monotonic())
        connection.close()

    def start(self, seconds):
        self.end = time.monotonic() + seconds
        for thread in self.threads:
            thread.start()

    def wait(self):
        for thread in self.threads:
            thread.join()
        return sum(self.statuses.values()), self.statuses[200]


def targets(size):
    return (HEAVY.format(size, seed) for seed in itertools.cycle(range(SEEDS)))


def size_of(server):
    """As many masks as take 0.2 s at the least: twice what patience adds."""
    size = 8
    while True:
        quickest = min(time_of(server, HEAVY.format(size, seed)) for seed in range(4))
        if quickest > 0.2:
            return size
        size = math.ceil(size * max(1.1, min(4, 0.21 / quickest)))


def overload():
    """One compute thread, so that the clients have a core of their own."""
    with harness.Server("--threads", "1", "--log", "off",
                        environment={"FMIXD_PATIENCE": "100"}) as server:
        size = size_of(server)
        for _ in range(ROUNDS):
            quiet = [time_of(server, target)
                     for target in itertools.islice(targets(size), QUIET)]
            capacity = len(quiet) / sum(quiet)
            crowd = Crowd(server, targets(size), TIMES * capacity)
            crowd.start(SECONDS)
            asked, done = crowd.wait()
            print(f"{asked / SECONDS / capacity:.1f} times capacity: {done} of {asked} answered, "
                  f"{done / SECONDS / capacity:.2f} of capacity, p99 {p99(crowd.times):.3f} s, "
                  f"{p99(crowd.times) / p99(quiet):.2f} times quiet", flush=True)
        greedy = Crowd(server, targets(size), TIMES * capacity, source="127.0.0.2")
        tenth = 0.1 / min(time_of(server, HEAVY.format(1, seed)) for seed in range(4))
        modest = Crowd(server, targets(1), min(10, tenth), clients=2, source="127.0.0.3")
        greedy.start(SECONDS + 3)
        time.sleep(3)  # it is known by now
        modest.start(SECONDS)
        greedy.wait()
        asked, done = modest.wait()
        print(f"modest: {done} of {asked}; greedy: {dict(greedy.statuses)}", flush=True)


def trickle(socks, stop):
    """Each of them a byte a second, until told to stop."""
    while not stop.is_set():
        for i, sock in enumerate(socks):
            if i % 50 == 0 and stop.wait(0.05):
                return
            with contextlib.suppress(OSError):
                sock.send(b"a")


def slow_and_idle():
    """A thousand that trickle and two thousand that are silent."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = SLOW + IDLE + 200
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    target = "/v1/masks.npy?shape=64x64&n=32&seed=5"

    def ask(server, what):
        return p99([time_of(server, what) for _ in range(ASKED)])

    with harness.Server("--log", "off") as server, contextlib.ExitStack() as stack:
        ask(server, target)
        quiet, socks, stop = min(ask(server, target) for _ in range(2)), [], threading.Event()
        for i in range(SLOW + IDLE):
            sock = stack.enter_context(socket.create_connection(server.address))
            if i < SLOW:
                sock.sendall(HEAD if i % 2 else POST)
                socks.append(sock)
        thread = threading.Thread(target=trickle, args=(socks, stop))
        thread.start()
        try:
            loaded = min(ask(server, target) for _ in range(3))
            health = min(ask(server, "/livez") for _ in range(3))
        finally:
            stop.set()
            thread.join()
    print(f"{SLOW} slow, {IDLE} idle: p99 {1e3 * loaded:.1f} ms, {loaded / quiet:.2f} times "
          f"quiet; health {1e3 * health:.1f} ms", flush=True)


if __name__ == "__main__":
    overload()
    slow_and_idle()
