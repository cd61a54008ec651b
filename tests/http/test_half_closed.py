"""Clients that close their sending half: what is ready is sent, and what is computed counts as left."""

import socket
import unittest

import harness
from harness import PATIENCE

LONG = "/v1/masks.npy?shape=512x512&n=40000"
SHORT = "/v1/masks.npy?shape=512x512&n=4"


class HalfClosed(harness.ServerTest):
    arguments = ("--stall", "3000")

    def open(self, target, window=None):
        """A connection that has asked, and does not close it."""
        sock = self.enterContext(socket.socket())
        if window:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        sock.settimeout(PATIENCE)
        sock.connect(self.server.address)
        sock.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        return sock

    def test_what_needs_no_computing_is_sent(self):
        for target in ("/livez", "/openapi.json", "/v1/masks?shape=wrong"):
            wanted = self.server.get(target, fresh=True)
            sock = self.open(target)
            sock.shutdown(socket.SHUT_WR)
            head, body = harness.read_reply(sock)
            self.assertTrue(head.startswith(b"HTTP/1.1 %d " % wanted.status), head)
            self.assertEqual(body, wanted.body)
            self.assertEqual(sock.recv(1), b"")

    def test_the_rest_of_an_answer_that_is_computed_is_sent(self):
        wanted = self.get(SHORT, fresh=True).body
        sock = self.open(SHORT, window=2048)
        sock.recv(1, socket.MSG_PEEK)
        self.server.until_metric("fmixd_queue_jobs", 0)
        sock.shutdown(socket.SHUT_WR)
        head, body = harness.read_reply(sock)
        self.assertTrue(head.startswith(b"HTTP/1.1 200 "), head)
        self.assertEqual(body, wanted)

    def test_an_answer_that_is_being_computed_is_not(self):
        cancelled = self.server.metric("fmixd_cancelled_total")
        sock = self.open(LONG)
        sock.shutdown(socket.SHUT_WR)
        self.server.until_metric("fmixd_cancelled_total", cancelled + 1)
        self.server.until_metric("fmixd_queue_jobs", 0)
        head, body = harness.read_reply(sock)
        self.assertLess(len(body), 40000 * 4 * 512 * 512, head)


if __name__ == "__main__":
    unittest.main()
