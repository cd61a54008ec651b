"""A flood of refused uploads waits for its refusals, and nobody else waits.

refusal_pace.h says how long; /metrics counts the refusals that are held back.
"""

import contextlib
import json
import socket
import threading
import unittest

import numpy as np

import harness

MIB = 1 << 20
BURST = 64 * MIB  # of refused bodies, whose refusals are sent at once
CLIENTS = 16
BODY = bytes(8 * MIB)
UNREAD = "/v1/mix?layout=none&method=wrong"  # the body is dropped
UNLIKELY = "/v1/mix?layout=none&method=none"  # the body is kept, and is not an array
HELD = 8  # refusals that are held back when the process ends


def request(target, body):
    """The bytes of an upload."""
    return (f"POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
            "Content-Type: application/x-npy\r\n\r\n").encode() + body


class Refusals(unittest.TestCase):

    def setUp(self):
        self.server = harness.Server("--memory", "1G", "--drain", "0")
        self.server.start()
        self.addCleanup(self.server.stop)

    def upload(self, target, body=BODY):
        return self.server.post(target, body, fresh=True).status

    @contextlib.contextmanager
    def flood(self, ask):
        """Many threads ask until the block ends, which begins once refusals are held back."""
        end = threading.Event()

        def client():
            while not end.is_set():
                ask()
        threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            self.await_holds()
            yield
        finally:
            end.set()
            for thread in threads:
                thread.join()

    def await_holds(self):
        """More refusals are held back than were before."""
        before = self.server.metric("fmixd_refusals_held_total")
        harness.until(lambda: self.server.metric("fmixd_refusals_held_total") > before)

    def test_a_few_mistakes_are_told_at_once(self):
        for _ in range(BURST // len(BODY)):
            self.assertEqual(self.upload(UNREAD), 400)
        self.assertEqual(self.server.metric("fmixd_refusals_held_total"), 0)

    def test_in_a_flood_refusals_come_late_and_say_what_they_said(self):
        answers = []

        def ask():
            answer = self.server.post(UNREAD, BODY, fresh=True)
            answers.append((answer.status, answer.json()["errors"][0]["parameter"]))
        with self.flood(ask):
            harness.until(lambda: self.server.metric("fmixd_refusals_held_seconds_total") > 0)
        self.assertEqual(set(answers), {(400, "method")})
        self.assertGreaterEqual(len(answers), CLIENTS)

    def test_small_refusals_and_good_uploads_are_not_held_back(self):
        good = harness.write_npy(np.zeros((2, 3 * MIB), np.uint8))
        for _ in range(BURST // len(BODY)):
            self.upload(UNREAD)
        for _ in range(20):
            self.assertEqual(self.upload(UNLIKELY, good), 200)
            self.assertEqual(self.upload(UNREAD, b"little"), 400)
        self.assertEqual(self.server.metric("fmixd_refusals_held_total"), 0)

    def test_a_held_connection_does_not_keep_its_body(self):
        statuses = []
        with self.flood(lambda: statuses.append(self.upload(UNLIKELY))):
            harness.until(lambda: self.server.metric("fmixd_memory_bytes") == 0)
        self.assertEqual(set(statuses), {400})
        self.assertGreaterEqual(len(statuses), CLIENTS)

    def test_clients_that_leave_leave_nothing(self):
        def ask():
            with socket.create_connection(self.server.address) as sock:
                sock.sendall(request(UNREAD, BODY))
                sock.settimeout(0.1)
                with contextlib.suppress(TimeoutError):
                    sock.recv(1)
        with self.flood(ask):
            self.await_holds()
        self.server.until_metric("fmixd_requests_in_flight", 1)
        self.server.until_metric("fmixd_connections", 1)

    def test_the_end_of_the_process_answers_what_is_held_back(self):
        """Nobody reads before that, so the answers are those that it gave at its end, and before."""
        sockets = []

        def send():
            sock = self.enterContext(socket.create_connection(self.server.address, harness.PATIENCE))
            sock.sendall(request(UNREAD, bytes(MIB)))
            sockets.append(sock)
            held, unfinished = self.server.metric("fmixd_refusals_held_total", "fmixd_requests_in_flight")
            return min(held, unfinished - 1) >= HELD
        harness.until(send)
        self.server.process.terminate()
        self.assertEqual(self.server.process.wait(harness.PATIENCE), 0)
        for sock in sockets:
            head, body = harness.read_reply(sock)
            self.assertEqual(head.split(b"\r\n")[0], b"HTTP/1.1 400 Bad Request")
            self.assertEqual(len(body), harness.length_of(head))
            self.assertEqual(json.loads(body)["errors"][0]["parameter"], "method")


if __name__ == "__main__":
    unittest.main()
