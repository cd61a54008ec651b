"""More is asked for than the machine can do: what is taken on is done right, the rest is refused at
once, and who asks for little gets it. That what is taken on is done in time is shown where time is a
number (tests/unit/compute/test_schedule.c), and measured by tests/bench/crowds.py."""

import collections
import contextlib
import hashlib
import http.client
import itertools
import socket
import threading
import time
import unittest

import harness
from harness import PATIENCE, until

# Much to compute and little to read.
HEAVY = "/v1/masks.png?shape=512x512&n={}&seed={}"
SEEDS = 8  # so many different answers
SIZE = 16  # masks of a large one
CROWD = 24  # connections
# Until who was refused or asks for little asks again, in times that a small answer takes at least: refusing is
# not all there is to do, however slow the daemon is.
PAUSE = 8


def digest(answer):
    """What must be the same each time."""
    return hashlib.sha256(answer.body).digest()


def targets(size):
    """One seed after the other, without end."""
    return ((seed, HEAVY.format(size, seed)) for seed in itertools.cycle(range(SEEDS)))


class Crowd:
    """Clients of one address that ask again and again; what they got."""

    def __init__(self, server, wanted, clients, source, pause, rests=False):
        self.server, self.wanted, self.source = server, wanted, source
        self.pause, self.rests = pause, rests
        self.results, self.bodies, self.retries = [], [], []
        self.lock, self.stopped = threading.Lock(), threading.Event()
        self.threads = [threading.Thread(target=self.ask) for _ in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        for thread in self.threads:
            thread.join()

    def ask(self):
        connection = http.client.HTTPConnection(*self.server.address, timeout=PATIENCE,
                                                source_address=(self.source, 0))
        while not self.stopped.is_set():
            with self.lock:
                name, target = next(self.wanted)
            answer = harness.exchange(connection, "GET", target)
            with self.lock:
                self.results.append(answer.status)
                if answer.status == 200:
                    self.bodies.append((name, digest(answer)))
                else:
                    self.retries.append(answer.headers["Retry-After"])
            if answer.status != 200 or self.rests:
                time.sleep(self.pause)
        connection.close()

    @property
    def statuses(self):
        """How often it got each."""
        return collections.Counter(self.results)

    def __repr__(self):
        return f"{self.source}: {dict(self.statuses)}"


class Overload(unittest.TestCase):
    """One compute thread, and far more clients than it can serve."""

    def setUp(self):
        self.server = harness.Server("--threads", "1", "--log", "off",
                                     environment={"FMIXD_PATIENCE": "100"})
        self.server.start()
        self.addCleanup(self.server.stop)
        self.small, fastest = self.right(1)
        self.pause = PAUSE * fastest

    def right(self, size):
        """What each answer is to be, asked for one after the other; the seconds that the fastest took."""
        found, times = {}, []
        for seed in range(SEEDS):
            begun = time.monotonic()
            answer = self.server.get(HEAVY.format(size, seed))
            times.append(time.monotonic() - begun)
            self.assertEqual(answer.status, 200)
            found[seed] = digest(answer)
        return found, min(times)

    def check_right(self, crowd, right):
        for name, got in crowd.bodies:
            self.assertEqual(got, right[name])
        self.assertLessEqual(set(crowd.statuses), {200, 429, 503})
        for retry in crowd.retries:
            self.assertTrue(1 <= int(retry) <= 60, retry)

    def test_what_is_taken_on_is_right_and_the_rest_is_refused_and_told_when_to_come_again(self):
        right, _ = self.right(SIZE)
        with Crowd(self.server, targets(SIZE), CROWD, "127.0.0.2", self.pause) as crowd:
            until(lambda: SEEDS <= crowd.statuses[200] < len(crowd.results) / 4, lambda: crowd)
        self.check_right(crowd, right)
        self.server.until_metric("fmixd_queue_jobs", 0)
        self.assertEqual(digest(self.server.get(HEAVY.format(SIZE, 0))), right[0])

    def test_a_modest_client_is_served_while_another_asks_for_everything(self):
        """Of forty requests in a row (twenty by ThreadSanitizer, which is slow) four of five get their answer, once
        the machine lets us ask them in peace; of the other's hardly any."""
        last = 20 if harness.has_sanitizer(harness.program(), "tsan") else 40
        right, _ = self.right(SIZE)
        with (Crowd(self.server, targets(SIZE), CROWD, "127.0.0.2", self.pause) as greedy,
              Crowd(self.server, targets(1), 2, "127.0.0.3", self.pause, rests=True) as modest):
            until(lambda: greedy.statuses[429] and greedy.statuses[200] and modest.results[last:]
                  and modest.results[-last:].count(200) >= last * 4 / 5, lambda: (greedy, modest))
        self.check_right(greedy, right)
        self.check_right(modest, self.small)


def drain(sock):
    """Reads until either end closes: else an answer waits for its reader."""
    with contextlib.suppress(OSError):
        while sock.recv(1 << 16):
            pass


class Turns(harness.ServerTest):
    arguments = ("--threads", "1")

    def test_a_small_answer_does_not_wait_for_a_large_one(self):
        """That takes a minute, and which a client takes as fast as it comes."""
        target = "/v1/masks.npy?shape=512x512&n={}&seed=1&dtype=bits"
        alone = self.get(target.format(4)).body
        with socket.create_connection(self.server.address, PATIENCE) as large:
            large.sendall(f"GET {target.format(20000)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            reader = threading.Thread(target=drain, args=(large,))
            reader.start()
            until(lambda: self.server.metric("fmixd_slices_running", "fmixd_queue_jobs") == [1, 1])
            small = self.get(target.format(4), fresh=True)
            self.assertTrue(reader.is_alive(), "the small answer came last")
            large.shutdown(socket.SHUT_RDWR)
            reader.join()
        self.assertEqual(small.body, alone)
        self.server.until_metric("fmixd_queue_jobs", 0)

    def test_an_upload_that_nothing_will_come_of_is_refused_unseen(self):
        server = harness.Server("--threads", "1", "--queue", "1")
        server.start()
        self.addCleanup(server.stop)
        with (socket.create_connection(server.address, PATIENCE) as busy,
              socket.create_connection(server.address, PATIENCE) as upload):
            busy.sendall(b"GET /v1/masks.npy?shape=512x512&n=3000&dtype=bits HTTP/1.1\r\n"
                         b"Host: x\r\n\r\n")
            server.until_metric("fmixd_queue_jobs", 1)
            upload.sendall(b"POST /v1/mix HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n"
                           b"Expect: 100-continue\r\n\r\n")
            said = upload.recv(4096)
        self.assertTrue(said.startswith(b"HTTP/1.1 503 "), said)
        self.assertIn(b"\r\nRetry-After: ", said)


if __name__ == "__main__":
    unittest.main()
