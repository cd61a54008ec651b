"""Raw requests and what each must get: RFC 9112 and 9110, over real sockets.

Behind every refused request stands another, smuggled: it must never be
answered, and an honest client must not notice.
"""

import socket
import unittest

import harness
from raw_requests import (BY_VERSION, CHUNKED, DROPPED_BY_LIBRARY, GOES_ON, MISPRINTED_BY_LIBRARY, REFUSED,
                          REFUSED_BY_LIBRARY, SERVED, SMUGGLED, exchange, get, line, post, problem, statuses)


class Guard(harness.ServerTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.version = cls.server.get("/version").json()["microhttpd"]

    def check(self, name, request, *usual):
        """The answers that this version gives, and what they are."""
        wanted = BY_VERSION[self.version].get(name, list(usual))
        answer, ended = exchange(self.server.address, request + SMUGGLED)
        self.assertEqual(statuses(answer), wanted, answer)
        self.assertEqual(ended, wanted != GOES_ON, answer)
        honest, _ = exchange(self.server.address, get(b"Connection: close"))
        self.assertEqual(statuses(honest), [200], honest)
        return wanted, answer

    def check_refused(self, name, request, status):
        """An answer that says why and then the end, or the end alone."""
        wanted, answer = self.check(name, request, status)
        if wanted in ([], GOES_ON):
            return
        told = problem(answer)
        self.assertEqual([told["status"]], wanted)
        self.assertTrue(told["errors"][0]["detail"])

    def test_what_versions_do_otherwise_is_in_the_tables(self):
        names = {*REFUSED, *REFUSED_BY_LIBRARY, *MISPRINTED_BY_LIBRARY,
                 *DROPPED_BY_LIBRARY, *SERVED, *CHUNKED}
        for version, otherwise in BY_VERSION.items():
            self.assertLessEqual(otherwise.keys(), names, version)

    def test_what_is_ambiguous_is_refused_and_its_connection_ended(self):
        self.assertGreaterEqual(len(REFUSED), 80)
        for name, (status, request) in REFUSED.items():
            with self.subTest(name):
                self.check_refused(name, request, status)

    def test_a_refusal_names_the_field(self):
        for request, field in ((get(b"X-A: \x01"), "X-A"),
                               (get(b"Host: y"), "Host"),
                               (post(b"Content-Length: 5",
                                     b"Content-Length: 6"), "Content-Length"),
                               (get(b"Expect: x"), "Expect")):
            with self.subTest(field):
                answer, _ = exchange(self.server.address, request)
                self.assertEqual(problem(answer)["errors"][0]["parameter"],
                                 field)

    def test_a_refusal_names_the_field_unless_the_library_is_the_first(self):
        named = self.version == "0.9.75"
        for request, field in ((get(b"X-A : b"), "X-A"),
                               (get(host=b""), "Host"),
                               (post(b"Transfer-Encoding: gzip, chunked"),
                                "Transfer-Encoding")):
            with self.subTest(field):
                answer, _ = exchange(self.server.address, request)
                error = problem(answer)["errors"][0]
                self.assertEqual(error.get("parameter"), field if named else None)

    def test_what_the_library_refuses_is_refused(self):
        for name, (status, request) in {**REFUSED_BY_LIBRARY,
                                        **MISPRINTED_BY_LIBRARY}.items():
            with self.subTest(name):
                self.check_refused(name, request, status)

    def test_what_the_library_drops_is_dropped(self):
        for name, request in DROPPED_BY_LIBRARY.items():
            with self.subTest(name):
                wanted, answer = self.check(name, request)
                if not wanted:
                    self.assertIn(answer,
                                  (b"", b"HTTP/1.1 100 Continue\r\n\r\n"))

    def test_what_is_fine_is_served_and_the_connection_goes_on(self):
        for name, request in SERVED.items():
            with self.subTest(name):
                self.check(name, request, *GOES_ON)

    def test_nothing_behind_a_chunked_body_is_answered(self):
        for name, request in CHUNKED.items():
            with self.subTest(name):
                _, answer = self.check(name, request, 200)
                self.assertIn(b"\r\nConnection: close\r\n", answer)

    def test_options_of_the_server_are_well_formed(self):
        answer, _ = exchange(self.server.address,
                             line(b"OPTIONS * HTTP/1.1") + SMUGGLED)
        self.assertEqual(statuses(answer), [204, 404])

    def test_honest_heads_are_served_however_they_are_cut(self):
        head = get(b"Cookie: a=b", b"Accept: */*", b"X: \t a \t ")
        with socket.create_connection(self.server.address, timeout=harness.PATIENCE) as kept:
            kept.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for cut in range(1, len(head)):
                kept.sendall(head[:cut])
                kept.sendall(head[cut:])
                self.assertEqual(statuses(harness.read_reply(kept)[0]), [200], cut)

    def test_honest_heads_are_served_whatever_their_size(self):
        with socket.create_connection(self.server.address, timeout=harness.PATIENCE) as kept:
            for size in range(0, 40000, 617):
                kept.sendall(get(b"X: " + b"x" * (size // 2),
                                 b"Y: " + b"y" * (size // 2),
                                 line=b"GET http://x" + b"x" * (size % 199)
                                 + b"/livez HTTP/1.1\r\n"))
                self.assertEqual(statuses(harness.read_reply(kept)[0]), [200], size)

    def test_pipelined_heads_are_each_measured_by_themselves(self):
        with socket.create_connection(self.server.address, timeout=harness.PATIENCE) as kept:
            kept.sendall(get() * 20 + get(b"X: a\n") + get())
            answer = b""
            while more := kept.recv(65536):
                answer += more
        self.assertEqual(statuses(answer), [200] * 20 + [400])

    def test_an_expectation_without_a_body_is_served(self):
        with socket.create_connection(self.server.address, timeout=harness.PATIENCE) as kept:
            kept.sendall(get(b"Expect: 100-Continue", b"Connection: close"))
            answer = b""
            while more := kept.recv(65536):
                answer += more
        self.assertEqual(statuses(answer), [200])

    def test_a_client_that_waits_to_be_told_to_go_on_is_told_no(self):
        for target, status in (b"/nowhere", 404), (b"/v1/mix?what=1", 400):
            with self.subTest(target):
                answer, ended = exchange(
                    self.server.address,
                    b"POST " + target + b" HTTP/1.1\r\nHost: x\r\n"
                    b"Expect: 100-continue\r\nContent-Length: 99\r\n\r\n")
                self.assertTrue(ended)
                self.assertEqual(statuses(answer), [status])

    def test_a_refusal_leaves_other_connections_alone(self):
        with socket.create_connection(self.server.address, timeout=harness.PATIENCE) as kept:
            kept.sendall(get())
            self.assertEqual(statuses(harness.read_reply(kept)[0]), [200])
            for status, request in REFUSED.values():
                exchange(self.server.address, request)
            kept.sendall(get())
            self.assertEqual(statuses(harness.read_reply(kept)[0]), [200])


if __name__ == "__main__":
    unittest.main()
