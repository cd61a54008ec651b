"""Raw requests and what each must get: RFC 9112 and 9110, over real sockets.

Behind every refused request stands another, smuggled: it must never be
answered, and an honest client must not notice.
"""

import re
import socket
import unittest

import harness

HOST = b"Host: x\r\n"
GET = b"GET /livez HTTP/1.1\r\n"
POST = b"POST /v1/mix.npy HTTP/1.1\r\nHost: x\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNK = b"\r\n5\r\nhello\r\n0\r\n\r\n"


def get(*fields, host=HOST, line=GET):
    """A GET with these further field lines."""
    return line + host + b"".join(f + b"\r\n" for f in fields) + b"\r\n"


def post(*fields, body=b""):
    """A POST with these field lines and what follows them."""
    return POST + b"".join(f + b"\r\n" for f in fields) + b"\r\n" + body


def line(text):
    """A GET with this request line."""
    return get(line=text + b"\r\n")


# Refused by the guard: the status, problem+json, and the connection ends.
REFUSED = {
    # RFC 9112 3: the request line
    "method with @": (400, line(b"G@T /livez HTTP/1.1")),
    "method with /": (400, line(b"GE/T /livez HTTP/1.1")),
    "method in brackets": (400, line(b"(GET) /livez HTTP/1.1")),
    "method with a control": (400, line(b"GE\x01T /livez HTTP/1.1")),
    "method past ascii": (400, line(b"G\xc3\x8bT /livez HTTP/1.1")),
    "two spaces before the version": (400, line(b"GET /livez  HTTP/1.1")),
    "space in the target": (400, line(b"GET /li vez HTTP/1.1")),
    "space in the query": (400, line(b"GET /livez?a b HTTP/1.1")),
    # 3.2: forms of the target
    "target without a slash": (400, line(b"GET livez HTTP/1.1")),
    "asterisk": (400, line(b"OPTIONS * HTTP/1.1")),
    "authority": (400, line(b"CONNECT x:80 HTTP/1.1")),
    "another scheme": (400, line(b"GET ftp://x/livez HTTP/1.1")),
    "scheme without slashes": (400, line(b"GET http:livez HTTP/1.1")),
    "fragment": (400, line(b"GET /livez#x HTTP/1.1")),
    "fragment in the query": (400, line(b"GET /livez?a=1#x HTTP/1.1")),
    "control in the target": (400, line(b"GET /li\x01vez HTTP/1.1")),
    "delete in the target": (400, line(b"GET /livez\x7f HTTP/1.1")),
    "utf-8 in the target": (400, line(b"GET /liv\xc3\xa9z HTTP/1.1")),
    "backspace in the query": (400, line(b"GET /livez?a=\x08 HTTP/1.1")),
    # 2.3: versions
    "1.2": (505, line(b"GET /livez HTTP/1.2")),
    "1.9": (505, line(b"GET /livez HTTP/1.9")),
    # 3.2, 9110 7.2: Host
    "no host": (400, get(host=b"")),
    "two hosts": (400, get(b"Host: y")),
    "the same host twice": (400, get(b"Host: x")),
    "hosts in other case": (400, get(b"HOST: x")),
    "host with a path": (400, get(host=b"Host: x/y\r\n")),
    "host with a space": (400, get(host=b"Host: x y\r\n")),
    "host with a user": (400, get(host=b"Host: a@x\r\n")),
    "host with letters for a port": (400, get(host=b"Host: x:http\r\n")),
    "host with two ports": (400, get(host=b"Host: x:1:2\r\n")),
    "host with an open bracket": (400, get(host=b"Host: [::1\r\n")),
    "host behind a bracket": (400, get(host=b"Host: [::1]x\r\n")),
    "host with letters in brackets": (400, get(host=b"Host: [::g]\r\n")),
    "host with a quote": (400, get(host=b"Host: \"x\"\r\n")),
    "host of two": (400, get(host=b"Host: x, y\r\n")),
    # 5.1: field names
    "space before the colon": (400, get(b"X-A : b")),
    "tab before the colon": (400, get(b"X-A\t: b")),
    "space in a name": (400, get(b"X A: b")),
    "control in a name": (400, get(b"X\x01A: b")),
    "delete in a name": (400, get(b"X\x7fA: b")),
    "bracket in a name": (400, get(b"X(A): b")),
    "quote in a name": (400, get(b"\"X\": b")),
    "slash in a name": (400, get(b"X/A: b")),
    "at in a name": (400, get(b"X@A: b")),
    "semicolon in a name": (400, get(b"X;A: b")),
    "utf-8 in a name": (400, get(b"X\xc3\xa9: b")),
    "first line begins with a space": (400, get(host=b" X: y\r\nHost: x\r\n")),
    # 5.5: field values
    "bare cr in a value": (400, get(b"X: a\rb")),
    "bare cr and a field": (400, get(b"X: a\rHost: y")),
    "control in a value": (400, get(b"X: a\x01b")),
    "escape in a value": (400, get(b"X: a\x1bb")),
    "delete in a value": (400, get(b"X: a\x7fb")),
    "vertical tab in a value": (400, get(b"X: a\x0bb")),
    # 6: where the body ends
    "content-length with a space": (400, post(b"Content-Length : 36")),
    "content-length with a tab": (400, post(b"Content-Length\t: 36")),
    "two content-lengths": (400, post(b"Content-Length: 5",
                                      b"Content-Length: 6", body=b"hello")),
    "one content-length twice": (400, post(b"Content-Length: 5",
                                           b"Content-Length: 5",
                                           body=b"hello")),
    "lengths in other case": (400, post(b"content-length: 5",
                                        b"CONTENT-LENGTH: 0", body=b"hello")),
    "coding and length": (400, post(b"Transfer-Encoding: chunked",
                                    b"Content-Length: 5", body=CHUNK)),
    "length and coding": (400, post(b"Content-Length: 5",
                                    b"Transfer-Encoding: chunked",
                                    body=CHUNK)),
    "length 0 and coding": (400, post(b"Content-Length: 0",
                                      b"Transfer-Encoding: chunked",
                                      body=CHUNK)),
    "two codings": (400, post(b"Transfer-Encoding: chunked",
                              b"Transfer-Encoding: chunked", body=CHUNK)),
    "coding twice on a line": (501, post(
        b"Transfer-Encoding: chunked, chunked", body=CHUNK)),
    "gzip": (501, post(b"Transfer-Encoding: gzip", body=CHUNK)),
    "gzip, chunked": (501, post(b"Transfer-Encoding: gzip, chunked",
                                body=CHUNK)),
    "chunked, identity": (501, post(b"Transfer-Encoding: chunked, identity",
                                    body=CHUNK)),
    "identity": (501, post(b"Transfer-Encoding: identity", body=CHUNK)),
    "xchunked": (501, post(b"Transfer-Encoding: xchunked", body=CHUNK)),
    "chunked;q=1": (501, post(b"Transfer-Encoding: chunked;q=1", body=CHUNK)),
    "quoted chunked": (501, post(b"Transfer-Encoding: \"chunked\"",
                                 body=CHUNK)),
    "coding with a space": (400, post(b"Transfer-Encoding : chunked",
                                      body=CHUNK)),
    "coding behind a control": (400, post(b"Transfer-Encoding: \x0bchunked",
                                          body=CHUNK)),
    "coding in 1.0": (400, b"POST /v1/mix.npy HTTP/1.0\r\n"
                           b"Transfer-Encoding: chunked\r\n\r\n" + CHUNK),
    "coding of a get": (501, get(b"Transfer-Encoding: x")),
    # 9110 10.1.1
    "another expectation": (417, get(b"Expect: 200-ok")),
    "two expectations": (417, get(b"Expect: 100-continue",
                                  b"Expect: 100-continue")),
    "expectation of two": (417, get(b"Expect: 100-continue, x")),
    # 5.4
    "a hundred fields and one": (431, get(*(b"A%d: 1" % i
                                            for i in range(100)))),
}

# Refused by libmicrohttpd before we see it, with a page of its own.
REFUSED_BY_LIBRARY = {
    "2.0": (505, line(b"GET /livez HTTP/2.0")),
    "no version": (400, b"GET /livez\r\n\r\n"),
    "another protocol": (400, line(b"GET /livez FOO/1.1")),
    "no colon": (400, get(b"X-A")),
    "signed length": (400, post(b"Content-Length: +5", body=b"hello")),
    "negative length": (400, post(b"Content-Length: -5", body=b"hello")),
    "hexadecimal length": (400, post(b"Content-Length: 0x5", body=b"hello")),
    "list of lengths": (400, post(b"Content-Length: 5, 5", body=b"hello")),
    "length of words": (400, post(b"Content-Length: five", body=b"hello")),
    "length past 64 bits": (413, post(b"Content-Length: 99999999999999999999",
                                      body=b"hello")),
    "no number of a chunk": (400, post(b"Transfer-Encoding: chunked",
                                       body=b"zz\r\nhello\r\n0\r\n\r\n")),
    "field of 70,000 bytes": (431, get(b"A: " + b"a" * 70000)),
    "target of 70,000 bytes": (414, line(b"GET /" + b"a" * 70000
                                         + b" HTTP/1.1")),
}

# What is fine, and what libmicrohttpd makes fine before we see it: the
# residual that the README names.
SERVED = {
    "plain": get(),
    "1.0 without a host": b"GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n"
                          b"\r\n",
    "absolute form": line(b"GET http://x/livez HTTP/1.1"),
    "absolute form in capitals": line(b"GET HTTP://X/livez HTTP/1.1"),
    "ipv6 host": get(host=b"Host: [::1]:80\r\n"),
    "host with a port": get(host=b"Host: localhost:8080\r\n"),
    "empty host": get(host=b"Host:\r\n"),
    "utf-8 in a value": get(b"X: caf\xc3\xa9"),
    "tab in a value": get(b"X: a\tb"),
    "empty value": get(b"X:"),
    "99 fields": get(*(b"A%d: 1" % i for i in range(99))),
    "residual: bare line feeds": b"GET /livez HTTP/1.1\nHost: x\n\n",
    "residual: empty lines before": b"\r\n\r\n" + get(),
    "residual: two spaces after the method": line(b"GET  /livez HTTP/1.1"),
    "residual: a folded value": get(b"X: a\r\n b"),
    "residual: a nul in a value": get(b"X: a\x00b"),
    "residual: an empty name": get(b": v"),
}


def exchange(address, data):
    """All that comes back, and whether the connection was ended."""
    with socket.create_connection(address, timeout=20) as sock:
        answer = b""
        try:
            sock.sendall(data)
            while b"smuggled" not in answer:
                more = sock.recv(65536)
                if not more:
                    return answer, True
                answer += more
        except ConnectionError:
            return answer, True
    return answer, False


def statuses(answer):
    return [int(code) for code in re.findall(rb"HTTP/1\.[01] (\d+)", answer)]


class Guard(harness.ServerTest):
    def check_refused(self, name, status, request):
        answer, ended = exchange(self.server.address, request + SMUGGLED)
        with self.subTest(name, answer=answer[:600]):
            self.assertTrue(ended)
            self.assertNotIn(b"smuggled", answer)
            self.assertNotIn(404, statuses(answer))
            self.assertEqual(statuses(answer)[:1], [status])
            return answer

    def test_what_is_ambiguous_is_refused_and_its_connection_ended(self):
        self.assertGreaterEqual(
            len(REFUSED) + len(REFUSED_BY_LIBRARY) + len(SERVED), 80)
        for name, (status, request) in REFUSED.items():
            answer = self.check_refused(name, status, request)
            with self.subTest(name):
                self.assertIn(b"application/problem+json", answer)
                self.assertIn(b"Connection: close", answer)
        self.assertEqual(self.get("/livez").status, 200)

    def test_what_the_library_refuses_is_refused(self):
        for name, (status, request) in REFUSED_BY_LIBRARY.items():
            self.check_refused(name, status, request)
        self.assertEqual(self.get("/livez").status, 200)

    def test_what_is_fine_is_served_and_the_connection_goes_on(self):
        for name, request in SERVED.items():
            answer, _ = exchange(self.server.address, request + SMUGGLED)
            with self.subTest(name, answer=answer[:300]):
                served = [s for s in statuses(answer) if s != 100]
                self.assertEqual(served, [200, 404])

    def test_a_refusal_leaves_other_connections_alone(self):
        with socket.create_connection(self.server.address, timeout=20) as kept:
            kept.sendall(get())
            self.assertEqual(statuses(kept.recv(65536)), [200])
            for status, request in REFUSED.values():
                exchange(self.server.address, request)
            kept.sendall(get())
            self.assertEqual(statuses(kept.recv(65536)), [200])


if __name__ == "__main__":
    unittest.main()
