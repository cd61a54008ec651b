"""Time: no client holds the daemon up, however slowly it speaks or reads."""

import contextlib
import socket
import threading
import time
import unittest

import harness
from harness import PATIENCE

HEAD = b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: "
POST = (b"POST /v1/mix?x_shape=4x8&x_dtype=u8 HTTP/1.1\r\nHost: x\r\n"
        b"Content-Type: application/octet-stream\r\nContent-Length: 32\r\n\r\n")
LARGE = b"GET /v1/masks.npy?method=cutmix&shape=1024x1024&n=100 HTTP/1.1\r\nHost: x\r\n\r\n"


def trickle(sock, first, rest, gap=0.2):
    """Sends byte after byte until the server ends it; what it said."""
    end = time.monotonic() + PATIENCE
    sock.settimeout(gap)
    sock.sendall(first)
    said = b""
    while time.monotonic() < end:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            sock.send(rest)
        try:
            piece = sock.recv(1 << 16)
        except socket.timeout:
            continue
        except ConnectionResetError:
            piece = b""
        if not piece:
            return said
        said += piece
    raise AssertionError(f"it was never ended; it said {said!r}")


class Deadlines(unittest.TestCase):
    """Daemons that have one deadline each: what ends a connection is that one, however slow the
    machine is."""

    def start(self, *deadline):
        self.server = harness.Server("--drain", "0", *deadline)
        self.server.start()
        self.addCleanup(self.server.stop)
        return self.server

    def open(self):
        """Notes when: no deadline begins before that."""
        self.opened = time.monotonic()
        return self.enterContext(socket.create_connection(self.server.address, PATIENCE))

    def check(self, said, status, least):
        """Never before its time; how long after is the machine's affair."""
        self.assertGreaterEqual(time.monotonic() - self.opened, least - 0.01)
        self.assertTrue(said.startswith(status), said[:100])

    def test_a_connection_without_a_request_is_closed(self):
        self.start("--idle", "1")
        self.check(trickle(self.open(), b"", b""), b"", 1)

    def test_no_byte_of_a_request_line_moves_its_deadline(self):
        self.start("--idle", "1")
        self.check(trickle(self.open(), b"GET /", b"a"), b"", 1)

    def test_a_head_that_trickles_is_408(self):
        self.start("--head", "2")
        said = trickle(self.open(), HEAD, b"a")
        self.check(said, b"HTTP/1.1 408 ", 2)
        self.assertIn(b"the head of the request was not received within 2 s", said)

    def test_a_body_that_trickles_is_408(self):
        self.start("--upload", "3")
        said = trickle(self.open(), POST, b"a", gap=0.5)
        self.check(said, b"HTTP/1.1 408 ", 3)
        self.assertIn(b"the body of the request was not received within 3 s", said)

    def test_a_kept_connection_is_closed_when_it_rests(self):
        """Once it was asked something: for which a busy machine may need more than a second, so it is
        tried until it comes to it."""
        def asked():
            sock = self.open()
            try:
                sock.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
                return b"200 OK" in sock.recv(4096) and sock
            except ConnectionError:
                return None
        self.start("--idle", "1")
        self.check(trickle(harness.until(asked), b"", b""), b"", 1)

    def test_a_reply_that_nobody_takes_is_cut_off(self):
        server = self.start("--stall", "1", "--rate", "1M")
        sock = self.open()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.sendall(LARGE)
        server.until_logged('"status":499')
        server.until_metric("fmixd_requests_in_flight", 1)
        self.check(b"", b"", 1)

    def test_a_reply_taken_at_the_rate_arrives_whole(self):
        """It takes longer than a standstill may. Where it is we who did not take what the rate asks
        for, because the machine let us not, that shows nothing, and we try again."""
        self.start("--stall", "1", "--rate", "64K")
        harness.until(self.take_at_the_rate, "a machine that lets us read once in a second")

    def take_at_the_rate(self):
        """True: whole. False: we were slow ourselves."""
        sock = self.open()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        sock.sendall(LARGE.replace(b"n=100", b"n=3"))
        got, last, longest = 0, time.monotonic(), 0
        while got < 3 << 22:
            try:
                piece = sock.recv(1 << 16)
            except ConnectionResetError:
                piece = b""
            now = time.monotonic()
            longest, last = max(longest, now - last), now
            if not piece:
                self.assertGreater(longest, 0.5, f"cut off after {got} bytes")
                return False
            got += len(piece)
            time.sleep(0.02)
        return time.monotonic() - self.opened > 2  # twice what a standstill may take


class Silence(harness.ServerTest):
    """All limits are one, as those of idle and body nearly are in the default setting."""

    arguments = ("--idle", "2", "--head", "2", "--upload", "2", "--stall", "2")

    def test_each_client_that_falls_silent_is_told(self):
        """A connection of which nothing comes for two seconds is closed without a word: where it is we who were so
        slow, because the machine let us not, that shows nothing, and we try again."""
        harness.until(self.fall_silent, "a machine that lets us write once in a second")

    def fall_silent(self):
        """Sixty at once. False: we were slow ourselves."""
        begun, clients = time.monotonic(), []
        for i in range(60):
            sock = self.enterContext(socket.create_connection(self.server.address, PATIENCE))
            sock.sendall(POST + b"a" * 9 if i % 2 else HEAD)
            clients.append(sock)
        slow = time.monotonic() - begun > 1
        answers = [self.said_to(sock) for sock in clients]
        told = all(said.startswith(b"HTTP/1.1 408 ") for said in answers)
        self.assertTrue(told or slow, answers)
        return told

    def said_to(self, sock):
        """All that comes until the end."""
        said = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := sock.recv(1 << 16):
                said += piece
        return said


SLOW, IDLE = 1000, 2000
ASKED = 150


class Crowds(unittest.TestCase):
    """A thousand that trickle and two thousand that are silent."""

    def setUp(self):
        harness.allow_descriptors(self, SLOW + IDLE + 200)
        self.server = harness.Server("--log", "off")
        self.server.start()
        self.addCleanup(self.server.stop)
        self.stop = threading.Event()

    def trickle_all(self, socks):
        """Each of them a byte a second, until told to stop."""
        while not self.stop.is_set():
            for i, sock in enumerate(socks):
                if i % 50 == 0 and self.stop.wait(0.05):
                    return
                with contextlib.suppress(OSError):
                    sock.send(b"a")

    def test_slow_and_idle_thousands_hold_up_no_honest_request(self):
        """None of them ever comes to its end, so who waited for one of them would wait for ever. How
        much later the honest are answered is measured by tests/bench/crowds.py."""
        target = "/v1/masks.npy?shape=64x64&n=32&seed=5"
        right, socks = self.server.get(target).body, []
        for i in range(SLOW + IDLE):
            sock = self.enterContext(socket.create_connection(self.server.address, PATIENCE))
            if i < SLOW:
                sock.sendall(HEAD if i % 2 else POST)
                socks.append(sock)
        self.server.until_metric("fmixd_connections", SLOW + IDLE + 2)
        self.server.until_metric("fmixd_requests_in_flight", SLOW + 1)
        thread = threading.Thread(target=self.trickle_all, args=(socks,))
        thread.start()
        try:
            for i in range(ASKED):
                self.assertEqual(self.server.get(target, fresh=i % 2).body, right)
                self.assertEqual(self.server.get("/livez", fresh=i % 2).body, b"alive\n")
        finally:
            self.stop.set()
            thread.join()
        self.assertEqual(self.server.metric("fmixd_requests_in_flight"), SLOW + 1)
        self.server.until_metric("fmixd_connections", SLOW + IDLE + 2)


if __name__ == "__main__":
    unittest.main()
