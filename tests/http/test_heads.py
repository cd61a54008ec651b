"""Heads that libmicrohttpd cannot hold or parse: each gets one answer, at once, and is counted."""

import json
import socket
import ssl
import subprocess
import tempfile
import time
import unittest

import harness
from raw_requests import get, post, problem, statuses

PATIENCE = harness.PATIENCE
CLOSE = b"Connection: close"
CHUNKED = b"Transfer-Encoding: chunked"


def query(n, line=b"GET /livez?%s HTTP/1.1\r\n", one=b"a"):
    """A GET with so many parameters."""
    return get(CLOSE, line=line % b"&".join([one] * n))


# The statuses that one of several may be, for the library may refuse before we do.
REFUSED = {
    "a hundred parameters and one": ((400,), query(101)),
    "a thousand parameters": ((400,), query(1000)),
    "thirty thousand parameters": ((414,), query(30000)),
    "a thousand parameters with values": ((400,), query(1000, one=b"a=b")),
    "a thousand parameters of a url": ((400,), query(1000, b"GET http://x/?%s HTTP/1.1\r\n")),
    "a target of 16 KiB and one": ((414,), get(CLOSE, line=b"GET /" + b"a" * 16384 + b" HTTP/1.1\r\n")),
    "a query of 60,000 bytes": ((414,), get(CLOSE, line=b"GET /?" + b"a" * 60000 + b" HTTP/1.1\r\n")),
    "a crowd of crumbs": ((431,), get(CLOSE, b"Cookie: " + b"a=b; " * 1500)),
    "a cookie of 33,000 bytes": ((431,), get(b"Cookie: " + b"a" * 33000)),
    "a field of 66,000 bytes": ((431,), get(b"X: " + b"a" * 66000)),
    "a signed length": ((400,), post(b"Content-Length: +4", body=b"abcd")),
    "a list of lengths": ((400,), post(b"Content-Length: 4, 4", body=b"abcd")),
    "a length past 64 bits": ((413,), post(b"Content-Length: 99999999999999999999")),
    "a chunk of words": ((400,), post(CHUNKED, body=b"zz\r\nabcd\r\n0\r\n\r\n")),
    "a version of the future": ((505,), get(line=b"GET /livez HTTP/2.0\r\n")),
}


def exchange(sock, data):
    """All that comes back until the daemon ends the connection."""
    answer = b""
    sock.settimeout(PATIENCE)
    try:
        sock.sendall(data)
    except ConnectionError:
        pass  # it has said no, and reads no further
    while more := sock.recv(65536):
        answer += more
    return answer


class Heads(harness.ServerTest):
    arguments = ("--head", "600", "--upload", "600", "--idle", "600")

    def ask(self, data):
        with socket.create_connection(self.server.address) as sock:
            return exchange(sock, data)

    def check(self, answer, allowed):
        """One answer, and that a problem."""
        self.assertEqual(len(statuses(answer)), 1, answer[:2000])
        told = problem(answer)
        self.assertIn(told["status"], allowed)
        self.assertEqual(told["status"], statuses(answer)[0])
        return told

    def test_each_is_refused_once_and_at_once(self):
        for name, (allowed, request) in REFUSED.items():
            with self.subTest(name):
                self.check(self.ask(request), allowed)

    def test_what_is_within_the_caps_is_served(self):
        for name, request in {"parameters": query(100),
                              "target": get(CLOSE, line=b"GET /livez?" + b"a" * 16373
                                            + b" HTTP/1.1\r\n")}.items():
            with self.subTest(name):
                told = self.check(self.ask(request), (400,))
                self.assertRegex(told["detail"], "unknown parameter|is not a parameter")

    def test_no_size_of_a_head_is_left_without_an_answer(self):
        """Whatever libmicrohttpd's memory holds, and whatever is left of it for the answer."""
        for size in (*range(15000, 33000, 997), *range(60000, 67000, 53)):
            answer = self.ask(get(CLOSE, b"X: " + b"x" * size))
            self.assertEqual(len(statuses(answer)), 1, (size, answer[:200]))
            self.assertIn(statuses(answer)[0], (200, 431), size)

    def test_no_size_of_a_query_is_left_without_an_answer(self):
        """Around the size whose query ends where libmicrohttpd's memory of a connection does."""
        for size in range(65300, 65560, 7):
            answer = self.ask(get(CLOSE, line=b"GET /livez?" + b"a" * size + b" HTTP/1.1\r\n"))
            self.assertEqual(statuses(answer), [414], (size, answer[:200]))

    def test_no_number_of_fields_is_left_without_an_answer(self):
        for count in (*range(0, 1200, 61), *range(600, 900, 7)):
            answer = self.ask(get(CLOSE, *[b"a:"] * count))
            self.assertEqual(len(statuses(answer)), 1, (count, answer[:200]))
            self.assertIn(statuses(answer)[0], (200, 431), count)

    def test_a_body_that_looks_like_a_page_is_sent(self):
        page = (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 6\r\n\r\n<html>" * 3000)
        for n in (1, 3000):
            body = page[:n * len(page) // 3000]
            answer = self.post(f"/v1/mix.raw?x_shape=1x{len(body)}&x_dtype=u8&method=none",
                               body, content_type="application/octet-stream")
            self.assertEqual(answer.body, body)

    def test_a_body_that_looks_like_heads_of_304_is_sent_whole(self):
        begin, end, size = b"HTTP/1.1 304 ", b"\r\nContent-Length: 0\r\n\r\n", 1 << 17
        block = begin + b"a" * (size - len(begin) - len(end)) + end
        for blocks in 1, 4:
            target = f"/v1/mix.raw?x_shape=1x{blocks * size}&x_dtype=u8&method=none&layout=none"
            answer = self.post(target, block * blocks, content_type="application/octet-stream")
            self.assertEqual(answer.body, block * blocks)

    def test_a_chunk_extension_past_the_memory_ends_no_daemon(self):
        for more in b"Content-Type: application/octet-stream", b"Origin: http://a.example":
            with harness.Server("--cors", "http://a.example", "--drain", "0") as server:
                with socket.create_connection(server.address, PATIENCE) as sock:
                    sock.settimeout(PATIENCE)
                    try:
                        sock.sendall(post(CHUNKED, more)
                                     + 9 * (b"100000\r\n" + bytes(1 << 20) + b"\r\n")
                                     + b"5;" + b"x" * 80000 + b"\r\nhello\r\n0\r\n\r\n")
                    except ConnectionError:
                        pass  # refused before its end
                harness.until(lambda: server.metric("fmixd_requests_in_flight") == 1)  # the asker's own
                self.assertEqual(server.get("/livez", fresh=True).status, 200)

    def test_head_has_no_body_where_its_own_is_too_large(self):
        with harness.Server("--body", "1K", "--drain", "0") as server:
            with socket.create_connection(server.address, PATIENCE) as sock:
                answer = exchange(sock, b"HEAD /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                                        b"1000\r\n" + b"a" * 4096 + b"\r\n0\r\n\r\n")
            head, _, body = answer.partition(b"\r\n\r\n")
            self.assertEqual((head[:13], body), (b"HTTP/1.1 413 ", b""))

    def test_parameters_behind_a_nul_do_not_hold_a_connection(self):
        """Version 1.0.1 of the library closes such a connection without an answer."""
        answer = self.ask(query(1000, b"GET /livez\0?%s HTTP/1.1\r\n"))
        if answer:
            self.check(answer, (400,))

    def test_head_is_refused_without_a_body(self):
        answer = self.ask(b"HEAD /livez HTTP/1.1\r\nHost: x\r\nContent-Length: +4\r\n\r\n")
        head, _, body = answer.partition(b"\r\n\r\n")
        self.assertTrue(head.startswith(b"HTTP/1.1 400 "), head)
        self.assertEqual(body, b"")

    def test_white_space_behind_a_value_is_no_part_of_it(self):
        for request in (get(CLOSE, host=b"Host: x \r\n"), get(CLOSE, host=b"Host: x:80\t \r\n"),
                        get(b"Connection: close "), get(CLOSE, b"Accept: */* \t")):
            self.assertEqual(statuses(self.ask(request)), [200])
        with socket.create_connection(self.server.address) as sock:
            sock.settimeout(PATIENCE)
            sock.sendall(post(CLOSE, b"Content-Length: 5", b"Expect: 100-continue \t"))
            self.assertTrue(sock.recv(65536).startswith(b"HTTP/1.1 100 "))
            self.assertEqual(statuses(exchange(sock, b"hello")), [200])

    def test_behind_a_length_or_a_coding_the_older_version_refuses_it(self):
        """By the word of deploy/README: what is left, by version."""
        version = self.get("/version").json()["microhttpd"]
        for field, body in ((b"Content-Length: 5", b"hello"), (CHUNKED, b"5\r\nhello\r\n0\r\n\r\n")):
            for space in (b"", b" ", b"\t"):
                answer = self.ask(post(CLOSE, field + space, body=body))
                self.assertEqual(statuses(answer), [400 if space and version == "0.9.75" else 200], answer)

    def test_an_escape_that_is_none_is_named(self):
        for target, parameter in (("/v1/masks?shape=%zz", "shape"), ("/v1/masks?seed=1%4", "seed"),
                                  ("/v1/masks%zz?shape=3", None), ("/%", None)):
            for method in ("GET", "POST"):
                told = self.server.request(method, target)
                self.assertEqual(told.status, 400)
                error = told.json()["errors"][0]
                self.assertEqual(error.get("parameter"), parameter)
                self.assertIn("two hexadecimal digits", error["detail"])


class Forgotten(harness.ServerTest):
    """A chunk extension past the library's memory: version 0.9.75 refuses it at once, and 1.0.1
    forgets it until its time is over."""

    arguments = ("--upload", "3")

    def test_it_gets_one_answer_and_nothing_is_left_of_it(self):
        with socket.create_connection(self.server.address) as sock:
            answer = exchange(sock, post(CHUNKED, body=b"4;" + b"a" * 70000
                                         + b"\r\nabcd\r\n0\r\n\r\n"))
        self.assertEqual(len(statuses(answer)), 1, answer[:2000])
        self.assertIn(problem(answer)["status"], (400, 408, 413, 431))
        end = time.monotonic() + PATIENCE
        while self.in_flight() != 1 and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual(self.in_flight(), 1)  # which asks

    def in_flight(self):
        """Requests that have begun and not ended."""
        text = self.get("/metrics").body.decode()
        return float(text.partition("\nfmixd_requests_in_flight ")[2].split("\n")[0])


class Counted(unittest.TestCase):
    def test_each_refusal_is_logged_and_counted_with_its_status(self):
        with harness.Server() as server:
            wanted = []
            for allowed, request in REFUSED.values():
                with socket.create_connection(server.address) as sock:
                    wanted.append(statuses(exchange(sock, request))[0])
            end = time.monotonic() + PATIENCE
            while server.log_tail(1 << 20).count("\n") < len(wanted) and time.monotonic() < end:
                time.sleep(0.05)
            lines = [json.loads(line) for line in server.log_tail(1 << 20).splitlines()]
            self.assertCountEqual([line["status"] for line in lines], wanted)
            self.assertLessEqual({line["reason"] for line in lines}, {"guard", "large", "request"})
            text = server.get("/metrics").body.decode()
        for status in {499, *wanted}:
            self.assertEqual(self.counted(text, status), wanted.count(status), status)

    def counted(self, text, status):
        """How many requests the metrics say to have had this status."""
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
                   if line.startswith("fmixd_request_duration_seconds_count{")
                   and f'code="{status}"' in line)


class Encrypted(unittest.TestCase):
    """The same through TLS, which libmicrohttpd writes in another way."""

    def test_each_is_refused_once_and_304_has_no_false_length(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                            "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                            "/CN=localhost", "-keyout", f"{folder}/key", "-out", f"{folder}/cert"],
                           check=True, capture_output=True)
            context = ssl.create_default_context(cafile=f"{folder}/cert")
            context.check_hostname = False
            with harness.Server("--tls-cert", f"{folder}/cert", "--tls-key",
                                f"{folder}/key") as server:
                for name, (allowed, request) in REFUSED.items():
                    with self.subTest(name), socket.create_connection(server.address) as plain, \
                            context.wrap_socket(plain, suppress_ragged_eofs=True) as sock:
                        answer = exchange(sock, request)
                        self.assertEqual(len(statuses(answer)), 1, answer[:2000])
                        self.assertIn(problem(answer)["status"], allowed)
                with socket.create_connection(server.address) as plain, \
                        context.wrap_socket(plain, suppress_ragged_eofs=True) as sock:
                    answer = exchange(sock, get(b"If-None-Match: *", line=b"GET /v1/masks.png?"
                                                b"shape=3 HTTP/1.1\r\n") + get(CLOSE))
                    self.assertEqual(statuses(answer), [304, 200])
                    self.assertNotIn(b"Content-Length", answer.partition(b"\r\n\r\n")[0])


if __name__ == "__main__":
    unittest.main()
