"""Every raw case of test_guard through nginx, haproxy and squid to a daemon: nobody's request is read
as another's, honest clients get their own bytes, and the daemon is what it was. `make long` does it for
FMIX_GUARD_ROUNDS rounds."""

import contextlib
import os
import pathlib
import socket
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "deploy"))

import caches  # noqa: E402
import harness  # noqa: E402
import hostile_clients  # noqa: E402
import raw_requests  # noqa: E402
import replicas  # noqa: E402
from process import resident  # noqa: E402

ROUNDS = int(os.environ.get("FMIX_GUARD_ROUNDS", "1"))
# Bytes that the daemon's own memory may grow by once it had all cases: what its threads' heaps take until
# each had the worst of them. Measured behind haproxy: 2.6 MB in 135 rounds, nearly all of it in the first 60. A
# connection's buffers lost by each case would be more in one round, and 350 bytes in thirty.
GROWTH = 4 << 20
SANITIZED = harness.has_sanitizer(harness.program())
# All that is forwarded is marked, and over as few connections to the daemon as can be.
NGINX = {"proxy_set_header X-Request-ID $fmixd_request_id;":
         f"proxy_set_header X-Request-ID {hostile_clients.MARK};"}
SQUID = f"""request_header_access X-Request-ID deny all
request_header_add X-Request-ID {hostile_clients.MARK}
"""
HAPROXY = f"""    http-reuse always
    http-request set-header X-Request-ID {hostile_clients.MARK}
"""


class Unframed:
    """A front that takes whatever comes at once for one request, over one connection to the daemon."""

    def __init__(self, origin):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.origin = socket.create_connection(origin, harness.PATIENCE)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        """One client after the other."""
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client, contextlib.suppress(OSError):  # the daemon ends the connection
                self.origin.sendall(client.recv(1 << 16))
                head, body = harness.read_reply(self.origin)
                client.sendall(head + b"\r\n\r\n" + body)

    def connect(self):
        """A connection to it."""
        return socket.create_connection(self.listener.getsockname(), harness.PATIENCE)

    def stop(self):
        """Ends it."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(harness.PATIENCE)
        self.listener.close()
        self.origin.close()


class Behind(unittest.TestCase):
    def setUp(self):
        self.server = self.enterContext(harness.Server("--log", "text", "--drain", "0"))

    def attack(self, front):
        """Rounds of all cases."""
        self.addCleanup(front.stop)
        crowd = hostile_clients.Crowd(self.server, front.connect)
        self.addCleanup(crowd.close)
        known = list(hostile_clients.raw_cases())
        self.assertGreater(len(known), 200)
        for name, case in known:
            crowd.attack(name, case)
        before = resident(self.server.process, "RssAnon")
        for _ in range(ROUNDS):
            for name, case in known:
                crowd.attack(name, case)
                crowd.attack_and_leave(name, case)
            self.assertGreater(crowd.check_log(), 2 * len(known))
            self.assertEqual(crowd.wrong, [])
        self.is_as_before(before)

    def is_as_before(self, before):
        """The daemon lives, holds nothing, and has not grown."""
        self.server.until_metric("fmixd_requests_in_flight", 1)
        self.server.until_metric("fmixd_memory_bytes", 0)
        self.assertIsNone(self.server.process.poll())
        if not SANITIZED:
            self.assertLess(resident(self.server.process, "RssAnon"), before + GROWTH)

    def test_through_nginx(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        self.attack(replicas.Nginx(folder, [self.server] * 3, NGINX))

    def test_through_haproxy(self):
        text, *command = caches.HAPROXY
        self.attack(caches.Cache(self.server.address, text + HAPROXY, command))

    def test_through_squid(self):
        text, *command = caches.SQUID
        self.attack(caches.Cache(self.server.address, text + SQUID, command))

    def test_a_front_that_reads_requests_otherwise_is_found_out(self):
        front = Unframed(self.server.address)
        self.addCleanup(front.stop)
        crowd = hostile_clients.Crowd(self.server, front.connect, pieces=1)
        crowd.ask_honestly([crowd.new()])
        crowd.close()
        self.assertEqual(crowd.wrong, [])
        crowd.attack("plain", raw_requests.SERVED["plain"])
        self.assertIn("an honest client", {what for _, what, *_ in crowd.wrong})
        crowd.check_log()
        self.assertIn("not sent by the front", {what for _, what, *_ in crowd.wrong})


if __name__ == "__main__":
    unittest.main()
