"""Raw requests that two servers may read in two ways, and what each must get: RFC 9112 and 9110.

What two versions of libmicrohttpd make otherwise is listed by version, and which one the daemon runs
with is what /version says.
"""

import json
import re
import socket

import harness

HOST = b"Host: x\r\n"
GET = b"GET /livez HTTP/1.1\r\n"
POST = (b"POST /v1/mix.npy?x_shape=1x5&x_dtype=u8 HTTP/1.1\r\n"
        b"Host: x\r\n")
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


def chunked(*pieces):
    """A POST whose body is spelt out."""
    return post(b"Transfer-Encoding: chunked", body=b"".join(pieces))


# Refused by the guard: the status, problem+json, and the connection ends.
REFUSED = {
    # RFC 9112 3: the request line
    "method with @": (400, line(b"G@T /livez HTTP/1.1")),
    "method with /": (400, line(b"GE/T /livez HTTP/1.1")),
    "method in brackets": (400, line(b"(GET) /livez HTTP/1.1")),
    "method with a control": (400, line(b"GE\x01T /livez HTTP/1.1")),
    "method past ascii": (400, line(b"G\xc3\x8bT /livez HTTP/1.1")),
    "method with a nul": (400, line(b"GET\x00 /livez HTTP/1.1")),
    "two spaces after the method": (400, line(b"GET  /livez HTTP/1.1")),
    "two spaces before the version": (400, line(b"GET /livez  HTTP/1.1")),
    "space in the target": (400, line(b"GET /li vez HTTP/1.1")),
    "space in the query": (400, line(b"GET /livez?a b HTTP/1.1")),
    # 3.2: forms of the target
    "target without a slash": (400, line(b"GET livez HTTP/1.1")),
    "asterisk of a get": (400, line(b"GET * HTTP/1.1")),
    "host and port of a get": (400, line(b"GET x:80 HTTP/1.1")),
    "tunnel": (501, line(b"CONNECT x:80 HTTP/1.1")),
    "tunnel to a path": (501, line(b"CONNECT /livez HTTP/1.1")),
    "url without a host": (400, line(b"GET http:///livez HTTP/1.1")),
    "url of a port": (400, line(b"GET http://:80/livez HTTP/1.1")),
    "url with a user": (400, line(b"GET http://u@x/livez HTTP/1.1")),
    "url with letters for a port": (400, line(b"GET http://x:y/ HTTP/1.1")),
    "another scheme": (400, line(b"GET ftp://x/livez HTTP/1.1")),
    "scheme without slashes": (400, line(b"GET http:livez HTTP/1.1")),
    "fragment": (400, line(b"GET /livez#x HTTP/1.1")),
    "fragment in the query": (400, line(b"GET /livez?a=1#x HTTP/1.1")),
    "nul in the target": (400, line(b"GET /livez\x00x HTTP/1.1")),
    "nul and a query": (400, line(b"GET /livez\x00?a=1 HTTP/1.1")),
    "control in the target": (400, line(b"GET /li\x01vez HTTP/1.1")),
    "delete in the target": (400, line(b"GET /livez\x7f HTTP/1.1")),
    "utf-8 in the target": (400, line(b"GET /liv\xc3\xa9z HTTP/1.1")),
    "backspace in the query": (400, line(b"GET /livez?a=\x08 HTTP/1.1")),
    # 2.2: line ends
    "bare line feeds": (400, b"GET /livez HTTP/1.1\nHost: x\n\n"),
    "bare line feed behind the line": (400, b"GET /livez HTTP/1.1\n" + HOST
                                       + b"\r\n"),
    "bare line feed behind a field": (400, get(b"X: a\nY: b")),
    "bare line feed behind the last": (400, get(b"X: a\nY: b\n")),
    "bare line feed for an end": (400, GET + HOST + b"\n"),
    "line feed and carriage return": (400, get(b"X: a\n\rY: b")),
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
    "host with a port past 65535": (400, get(host=b"Host: x:65536\r\n")),
    "host of colons": (400, get(host=b"Host: [:::]\r\n")),
    "host of brackets": (400, get(host=b"Host: []\r\n")),
    "host with a zone": (400, get(host=b"Host: [fe80::1%25lo]\r\n")),
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
    "no name": (400, get(b": v")),
    "no name and a length": (400, post(b": v", b"Content-Length: 44")),
    "no name and no value": (400, get(b":")),
    "nul at the start of a line": (400, post(b"\x00", b"X: a")),
    "nul for the end of the head": (400, post(b"\x00Content-Length: 44")),
    "first line begins with a space": (400, get(host=b" X: y\r\nHost: x\r\n")),
    # 5.5: field values
    "bare cr in a value": (400, get(b"X: a\rb")),
    "bare cr and a field": (400, get(b"X: a\rHost: y")),
    "control in a value": (400, get(b"X: a\x01b")),
    "escape in a value": (400, get(b"X: a\x1bb")),
    "delete in a value": (400, get(b"X: a\x7fb")),
    "vertical tab in a value": (400, get(b"X: a\x0bb")),
    "nul in a value": (400, get(b"X: a\x00b")),
    "nul before a value": (400, get(b"X: \x00a")),
    "nul behind a value": (400, get(b"X: a\x00")),
    "two nuls in a value": (400, get(b"X: a\x00\x00b")),
    "nul and what looks like a field": (400, get(b"X: a\x00\x00Y\x00b")),
    # 5.2: folded lines
    "folded value": (400, get(b"X: a\r\n b")),
    "folded with a tab": (400, get(b"X: a\r\n\tb")),
    "folded with nothing": (400, get(b"X: a\r\n ")),
    "folded twice": (400, get(b"X: a\r\n b\r\n c")),
    "folded length": (400, post(b"Content-Length: 3\r\n 6", body=b"abc")),
    "folded coding": (400, post(b"Transfer-Encoding:\r\n chunked",
                                body=CHUNK)),
    "folded host": (400, get(host=b"Host: x\r\n y\r\n")),
    "folded last": (400, get(b"X: a", b" b")),
    # 6: where the body ends
    "length hidden by a nul": (400, post(b"Content-Length: 5\x000",
                                         body=b"hello")),
    "coding hidden by a nul": (400, post(b"Transfer-Encoding: chunked\x00x",
                                         body=CHUNK)),
    "length and junk": (400, post(b"Content-Length: 5",
                                  b"Content-Length: x", body=b"hello")),
    "length of 20 digits": (400, post(b"Content-Length: "
                                      b"00000000000000000005",
                                      body=b"hello")),
    "no coding": (400, post(b"Transfer-Encoding:", body=CHUNK)),
    "chunked and a space": (400, post(b"Transfer-Encoding: chunked ",
                                      body=CHUNK)),
    "gzip, CHUNKED": (501, post(b"Transfer-Encoding: gzip,CHUNKED",
                                body=CHUNK)),
    "chunked, gzip, chunked": (400, post(
        b"Transfer-Encoding: chunked, gzip, chunked", body=CHUNK)),
    ", chunked": (501, post(b"Transfer-Encoding: , chunked", body=CHUNK)),
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
    "coding twice on a line": (400, post(
        b"Transfer-Encoding: chunked, chunked", body=CHUNK)),
    "gzip": (400, post(b"Transfer-Encoding: gzip", body=CHUNK)),
    "gzip, chunked": (501, post(b"Transfer-Encoding: gzip, chunked",
                                body=CHUNK)),
    "chunked, identity": (400, post(b"Transfer-Encoding: chunked, identity",
                                    body=CHUNK)),
    "identity": (400, post(b"Transfer-Encoding: identity", body=CHUNK)),
    "xchunked": (400, post(b"Transfer-Encoding: xchunked", body=CHUNK)),
    "chunked;q=1": (400, post(b"Transfer-Encoding: chunked;q=1", body=CHUNK)),
    "quoted chunked": (400, post(b"Transfer-Encoding: \"chunked\"",
                                 body=CHUNK)),
    "coding with a space": (400, post(b"Transfer-Encoding : chunked",
                                      body=CHUNK)),
    "coding behind a control": (400, post(b"Transfer-Encoding: \x0bchunked",
                                          body=CHUNK)),
    "coding in 1.0": (400, b"POST /v1/mix.npy HTTP/1.0\r\n"
                           b"Transfer-Encoding: chunked\r\n\r\n" + CHUNK),
    "coding of a get": (400, get(b"Transfer-Encoding: x")),
    # 9110 10.1.1
    "another expectation": (417, get(b"Expect: 200-ok")),
    "two expectations": (417, get(b"Expect: 100-continue",
                                  b"Expect: 100-continue")),
    "expectation of two": (417, get(b"Expect: 100-continue, x")),
    # 5.4
    "a hundred fields and one": (431, get(*(b"A%d: 1" % i
                                            for i in range(100)))),
}

# Refused by libmicrohttpd before we see it, with a page of its own, which
# send_filter.h keeps from the client.
REFUSED_BY_LIBRARY = {
    "0.9": (505, line(b"GET /livez HTTP/0.9")),
    "2.0": (505, line(b"GET /livez HTTP/2.0")),
    "no version": (400, b"GET /livez\r\n\r\n"),
    "no target": (400, line(b"GET HTTP/1.1")),
    "another protocol": (400, line(b"GET /livez FOO/1.1")),
    "protocol in other case": (400, line(b"GET /livez http/1.1")),
    "version of three digits": (400, line(b"GET /livez HTTP/1.10")),
    "space behind the version": (400, line(b"GET /livez HTTP/1.1 ")),
    "tab behind the version": (400, line(b"GET /livez HTTP/1.1\t")),
    "nul behind the version": (400, line(b"GET /livez HTTP/1.1\x00")),
    "no colon": (400, get(b"X-A")),
    "nul in a name": (400, get(b"X\x00A: b")),
    # 7.1: chunks
    "no number of a chunk": (400, chunked(b"zz\r\nhello\r\n0\r\n\r\n")),
    "chunk of 0x5": (400, chunked(b"0x5\r\nhello\r\n0\r\n\r\n")),
    "chunk of -5": (400, chunked(b"-5\r\nhello\r\n0\r\n\r\n")),
    "chunk and a space": (400, chunked(b"5 \r\nhello\r\n0\r\n\r\n")),
    "chunk without a number": (400, chunked(b";x\r\nhello\r\n0\r\n\r\n")),
    "chunk longer than it says": (400, chunked(b"4\r\nhello\r\n0\r\n\r\n")),
    "chunk past 64 bits": (413, chunked(b"10000000000000000\r\nhello")),
    "trailer without a colon": (400, chunked(CHUNK[2:-2], b"X\r\n\r\n")),
    "field of 70,000 bytes": (431, get(b"A: " + b"a" * 70000)),
    "target of 70,000 bytes": (414, line(b"GET /" + b"a" * 70000
                                         + b" HTTP/1.1")),
}

# The same, but version 0.9.75 makes the head of its page twice.
MISPRINTED_BY_LIBRARY = {
    "signed length": (400, post(b"Content-Length: +5", body=b"hello")),
    "negative length": (400, post(b"Content-Length: -5", body=b"hello")),
    "hexadecimal length": (400, post(b"Content-Length: 0x5", body=b"hello")),
    "list of lengths": (400, post(b"Content-Length: 5, 5", body=b"hello")),
    "length of words": (400, post(b"Content-Length: five", body=b"hello")),
    "length and a space": (400, post(b"Content-Length: 5 ", body=b"hello")),
    "no length": (400, post(b"Content-Length:", body=b"hello")),
    "length past 64 bits": (413, post(b"Content-Length: 99999999999999999999",
                                      body=b"hello")),
}

# The same, with no page at all: it just closes.
DROPPED_BY_LIBRARY = {
    "no space": line(b"GARBAGE"),
    "space before the method": line(b" GET /livez HTTP/1.1"),
    "nothing but spaces": line(b"   "),
    "tabs between": line(b"GET\t/livez\tHTTP/1.1"),
}

# What is fine, and, called residual, what libmicrohttpd makes fine without a
# trace that we could see.
SERVED = {
    "plain": get(),
    "expectation without a body, and more": get(b"Expect: 100-continue"),
    "1.0 without a host": b"GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n"
                          b"\r\n",
    "absolute form": line(b"GET http://x/livez HTTP/1.1"),
    "absolute form in capitals": line(b"GET HTTP://X/livez HTTP/1.1"),
    "absolute form with a port": line(b"GET http://[::1]:80/livez HTTP/1.1"),
    "absolute form of another host": line(b"GET http://y/livez HTTP/1.1"),
    "ipv6 host": get(host=b"Host: [::1]:80\r\n"),
    "host with a port": get(host=b"Host: localhost:8080\r\n"),
    "empty host": get(host=b"Host:\r\n"),
    "utf-8 in a value": get(b"X: caf\xc3\xa9"),
    "tab in a value": get(b"X: a\tb"),
    "spaces around a value": get(b"X: \t a \t "),
    "no space before a value": get(b"X:a"),
    "empty value": get(b"X:"),
    "value of spaces": get(b"X:   "),
    "space behind a host": get(host=b"Host: x \r\n"),
    "tab behind a host and port": get(host=b"Host: x:80\t\r\n"),
    "colons in a value": get(b"X: a:b: c:"),
    "the same field twice": get(b"X: a", b"X: a"),
    "cookies": get(b"Cookie: a=b; c=\"d;e\"; f", b"Cookie: g"),
    "99 fields": get(*(b"A%d: 1" % i for i in range(99))),
    "body of a get": get(b"Content-Length: 5") + b"hello",
    "length with zeros": get(b"Content-Length: 000000000000005") + b"hello",
    "an empty line before": b"\r\n" + get(),
    "empty lines before": b"\r\n\r\n" + get(),
    "residual: lines before that begin with a nul": b"\0a\r\n\0\n" + get(),
    "residual: a nul and a line feed": get(b"X: a\0\nY: b"),
    "residual: a colon and a line feed for an end": GET + HOST + b":\n",
    "residual: a nul and a line feed for an end": GET + HOST + b"\0\n",
}

# Chunked bodies, whose framing libmicrohttpd keeps to itself: whatever it
# makes of them, nothing behind them is answered. RFC 9112 7.1
CHUNKED = {
    "plain": chunked(CHUNK[2:]),
    "capitals": post(b"Transfer-Encoding: CHUNKED", body=CHUNK[2:]),
    "two chunks": chunked(b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"),
    "extension": chunked(b"5;a=\"b\"\r\nhello\r\n0\r\n\r\n"),
    "trailer": chunked(CHUNK[2:-2], b"X: a\r\n\r\n"),
    "zeros": chunked(b"0000000000000000000000005\r\nhello\r\n000\r\n\r\n"),
    "residual: bare line feeds": chunked(b"5\nhello\n0\n\n"),
    "residual: line feed in an extension": chunked(
        b"5;a\nhello\r\n0\r\n\r\n"),
    "residual: controls in an extension": chunked(
        b"5;\0\r\1\r\nhello\r\n0\r\n\r\n"),
    "residual: lengths in a trailer": chunked(
        CHUNK[2:-2], b"Content-Length: 99\r\nHost: y\r\n\r\n"),
    "residual: space before a trailer's colon": chunked(
        CHUNK[2:-2], b"X : a\r\n\r\n"),
    "residual: folded trailer": chunked(CHUNK[2:-2], b"X: a\r\n b\r\n\r\n"),
    "residual: a nul ends the trailer": chunked(
        CHUNK[2:-2], b"\0X: a\r\n\r\n"),
    "residual: no name ends the trailer": chunked(
        CHUNK[2:-2], b"X: a\r\n: b\r\n\r\n"),
    "residual: a chunk that lacks its last byte behind an extension": chunked(
        b"5;a\r\nhell\r\n0\r\n\r\n"),
}

# The statuses of all answers where a version gives others than the tables
# above say: none, where it closes without a word.
GOES_ON = [200, 404]
BY_VERSION = {
    "0.9.75": {},
    # Told to be strict. Of what it mends there is left: it takes white space
    # off a length, as it should, and the line feed behind a chunk's extension
    # for the chunk's first byte, as it should not.
    "1.0.1": {
        "method with a nul": [],
        "nul in the target": [],
        "nul and a query": [],
        "nul behind the version": [],
        "gzip, CHUNKED": [400],
        ", chunked": [400],
        "gzip, chunked": [400],
        "length and a space": GOES_ON,
        "empty lines before": [],
        "residual: lines before that begin with a nul": [],
        "residual: a nul and a line feed": [400],
        "residual: a colon and a line feed for an end": [400],
        "residual: a nul and a line feed for an end": [400],
        "extension": [400],
        "residual: bare line feeds": [400],
        "residual: line feed in an extension": [400],
        "residual: controls in an extension": [400],
        "residual: space before a trailer's colon": [400],
        "residual: folded trailer": [400],
        "residual: a nul ends the trailer": [400],
        "residual: no name ends the trailer": [400],
    },
}


def exchange(address, data):
    """All that comes back, and whether the connection was ended."""
    with socket.create_connection(address, timeout=harness.PATIENCE) as sock:
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
    """Of all answers but 100 Continue."""
    codes = re.findall(rb"HTTP/1\.[01] (\d+) ", answer)
    return [int(code) for code in codes if code != b"100"]


def problem(answer):
    """The problem that is all of the answer's body."""
    head, body = answer.split(b"\r\n\r\n", 1)
    length = int(re.search(rb"Content-Length: (\d+)", head)[1])
    assert b"\r\nContent-Type: application/problem+json" in head, head
    assert b"\r\nConnection: close" in head, head
    assert length == len(body), (length, body)
    return json.loads(body)
