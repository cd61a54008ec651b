"""Time: no client holds the daemon up, however slowly it speaks or reads."""

import contextlib
import math
import resource
import socket
import threading
import time
import unittest

import harness

HEAD = b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: "
POST = (b"POST /v1/mix?x_shape=4x8&x_dtype=u8 HTTP/1.1\r\nHost: x\r\n"
        b"Content-Type: application/octet-stream\r\nContent-Length: 32\r\n\r\n")
LARGE = b"GET /v1/masks.npy?method=cutmix&shape=1024x1024&n=100 HTTP/1.1\r\nHost: x\r\n\r\n"
PATIENCE = 30  # seconds until a test gives up


def trickle(sock, first, rest, gap=0.2):
    """Sends byte after byte until the server ends it: what it said, and after how long."""
    start = time.monotonic()
    sock.settimeout(gap)
    sock.sendall(first)
    said = b""
    for _ in range(int(PATIENCE / gap)):
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            sock.send(rest)
        try:
            piece = sock.recv(1 << 16)
        except socket.timeout:
            continue
        except ConnectionResetError:
            piece = b""
        if not piece:
            break
        said += piece
    return said, time.monotonic() - start


class Deadlines(harness.ServerTest):
    arguments = ("--idle", "1", "--head", "2", "--upload", "3", "--stall", "1", "--rate", "1M")

    def open(self):
        sock = socket.create_connection(self.server.address)
        self.addCleanup(sock.close)
        return sock

    def check(self, said, took, status, least):
        """Never before its time; how long after is the machine's affair."""
        self.assertTrue(said.startswith(status), said[:100])
        self.assertGreaterEqual(took, least - 0.1)
        self.assertLess(took, PATIENCE)

    def test_a_connection_without_a_request_is_closed(self):
        self.check(*trickle(self.open(), b"", b""), b"", 1)

    def test_no_byte_of_a_request_line_moves_its_deadline(self):
        self.check(*trickle(self.open(), b"GET /", b"a"), b"", 1)

    def test_a_head_that_trickles_is_408(self):
        said, took = trickle(self.open(), HEAD, b"a")
        self.check(said, took, b"HTTP/1.1 408 ", 2)
        self.assertIn(b"the head of the request did not come within 2 s", said)

    def test_a_body_that_trickles_is_408(self):
        said, took = trickle(self.open(), POST, b"a", gap=0.5)
        self.check(said, took, b"HTTP/1.1 408 ", 3)
        self.assertIn(b"the body of the request did not come within 3 s", said)

    def test_a_kept_connection_is_closed_when_it_rests(self):
        sock = self.open()
        sock.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertIn(b"200 OK", sock.recv(4096))
        self.check(*trickle(sock, b"", b""), b"", 1)

    def test_a_reply_that_nobody_takes_is_cut_off(self):
        before = self.metric("requests_in_flight")
        sock = self.open()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.sendall(LARGE)
        end = time.monotonic() + PATIENCE
        while self.metric("requests_in_flight") == before and time.monotonic() < end:
            time.sleep(0.01)
        while self.metric("requests_in_flight") > before and time.monotonic() < end:
            time.sleep(0.1)
        self.assertEqual(self.metric("requests_in_flight"), before)

    def test_a_reply_taken_at_the_rate_arrives_whole(self):
        sock = self.open()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        sock.sendall(LARGE.replace(b"n=100", b"n=3"))
        got, start = 0, time.monotonic()
        while got < 3 << 22:
            piece = sock.recv(1 << 16)
            self.assertTrue(piece, f"cut off after {got} bytes")
            got += len(piece)
            time.sleep(0.02)
        self.assertGreater(time.monotonic() - start, 2)  # twice what a standstill may take

    def metric(self, name):
        text = self.get("/metrics").body.decode()
        line = next(line for line in text.splitlines() if line.startswith(f"fmixd_{name} "))
        return float(line.split()[1])


class Silence(harness.ServerTest):
    """All limits are one, as those of idle and body nearly are in the default setting."""

    arguments = ("--idle", "2", "--head", "2", "--upload", "2", "--stall", "2")

    def test_each_client_that_falls_silent_is_told(self):
        clients = [socket.create_connection(self.server.address) for _ in range(60)]
        for i, sock in enumerate(clients):
            self.addCleanup(sock.close)
            sock.sendall(POST + b"a" * 9 if i % 2 else HEAD)
        for i, sock in enumerate(clients):
            sock.settimeout(PATIENCE)
            said = b""
            with contextlib.suppress(ConnectionResetError):
                while piece := sock.recv(1 << 16):
                    said += piece
            self.assertTrue(said.startswith(b"HTTP/1.1 408 "), (i, said[:100]))


SLOW, IDLE = 1000, 2000
ASKED = 300


class Crowds(unittest.TestCase):
    """A thousand that trickle and two thousand that are silent."""

    def setUp(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = SLOW + IDLE + 200
        if hard != resource.RLIM_INFINITY and hard < wanted:
            self.skipTest(f"only {hard} descriptors are allowed")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        self.server = harness.Server("--log", "off")
        self.server.start()
        self.addCleanup(self.server.stop)
        self.stop = threading.Event()

    def ask(self, target):
        """The 99th percentile of honest requests one after another."""
        times = []
        for _ in range(ASKED):
            start = time.monotonic()
            self.assertEqual(self.server.get(target).status, 200)
            times.append(time.monotonic() - start)
        return sorted(times)[math.ceil(0.99 * ASKED) - 1]

    def trickle_all(self, socks):
        """Each of them a byte a second, until told to stop."""
        while not self.stop.is_set():
            for i, sock in enumerate(socks):
                if i % 50 == 0 and self.stop.wait(0.05):
                    return
                with contextlib.suppress(OSError):
                    sock.send(b"a")

    def test_slow_and_idle_thousands_do_not_slow_the_honest(self):
        target = "/v1/masks.npy?shape=64x64&n=32&seed=5"
        self.ask(target)
        quiet, socks = min(self.ask(target) for _ in range(2)), []
        with contextlib.ExitStack() as stack:
            for i in range(SLOW + IDLE):
                sock = stack.enter_context(socket.create_connection(self.server.address))
                if i < SLOW:
                    sock.sendall(HEAD if i % 2 else POST)
                    socks.append(sock)
            thread = threading.Thread(target=self.trickle_all, args=(socks,))
            thread.start()
            try:
                # The best of three: the machine is others' too.
                loaded = min(self.ask(target) for _ in range(3))
                health = min(self.ask("/livez") for _ in range(3))
            finally:
                self.stop.set()
                thread.join()
        print(f"\n{SLOW} slow, {IDLE} idle: p99 {1e3 * loaded:.1f} ms, {loaded / quiet:.2f} times "
              f"quiet; health {1e3 * health:.1f} ms", flush=True)
        self.assertLessEqual(loaded, 3 * quiet)
        self.assertLessEqual(health, 0.1)


if __name__ == "__main__":
    unittest.main()
