"""Requests as bytes, and a reader of answers that takes nothing on trust."""

import re
import socket
import struct

SECONDS = 90
MOST = 2 << 20  # bytes of an answer that are read; of more the connection is left
STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) [ -~]*\Z")
FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([ -~\t\x80-\xff]*?)[ \t]*\Z")
SINGLE = {"content-length", "content-type", "etag", "content-range", "date", "location", "retry-after",
          "x-fmix-shape", "x-fmix-dtype", "x-fmix-stream", "allow", "cache-control", "connection"}


class Malformed(Exception):
    """No answer by RFC 9112."""


class Lost(Exception):
    """The connection ended before the answer did."""


class Reply:
    """One answer; cut: its body was left unread."""

    def __init__(self, head):
        line, *fields = head.split(b"\r\n")
        found = STATUS.match(line)
        if not found:
            raise Malformed(f"status line {line[:200]!r}")
        self.status, self.headers, self.body, self.cut = int(found[1]), {}, b"", False
        for field in fields:
            pair = FIELD.match(field)
            if not pair:
                raise Malformed(f"header {field[:200]!r}")
            name = pair[1].decode().lower()
            if name in self.headers and name in SINGLE:
                raise Malformed(f"two of {name}: {head[:1000]!r}")
            self.headers[name] = pair[2].decode("latin-1")
        length = self.headers.get("content-length")
        if length is not None and not re.fullmatch(r"\d+", length):
            raise Malformed(f"content-length {length!r}")
        self.length = None if length is None else int(length)

    @property
    def closes(self):
        """Whether the connection ends with it."""
        return self.headers.get("connection", "").lower() == "close"


def request_bytes(method, target, headers=(), data=None, chunked=False, rng=None):
    """A request as it is sent."""
    lines = [f"{method} {target} HTTP/1.1", "Host: x"] + [f"{name}: {text}" for name, text in headers]
    if data is not None:
        lines.append("Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(data)}")
    head = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
    if data is None:
        return head
    return head + (in_chunks(data, rng) if chunked else data)


def in_chunks(data, rng):
    """Of sizes at random."""
    out, at = b"", 0
    while at < len(data):
        size = rng.randint(1, 700)
        piece = data[at:at + size]
        out += b"%x\r\n" % len(piece) + piece + b"\r\n"
        at += size
    return out + b"0\r\n\r\n"


class Connection:
    """Over loopback; what was read past an answer is kept for the next."""

    def __init__(self, address):
        self.socket = socket.create_connection(address, SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.pending = bytearray()

    def send(self, data):
        """All of it."""
        try:
            self.socket.sendall(data)
        except TimeoutError:
            raise
        except OSError:
            pass  # an answer that came before may say why

    def _more(self):
        try:
            data = self.socket.recv(1 << 18)
        except TimeoutError:
            raise
        except OSError as lost:
            raise Lost(f"{lost}") from lost
        if not data:
            raise Lost(f"ended after {bytes(self.pending[:300])!r}")
        self.pending += data

    def _head(self):
        while (end := self.pending.find(b"\r\n\r\n")) < 0:
            if len(self.pending) > 64 << 10:
                raise Malformed(f"a head of {len(self.pending)} bytes: {bytes(self.pending[:300])!r}")
            self._more()
        reply = Reply(bytes(self.pending[:end]))
        del self.pending[:end + 4]
        return reply

    def read(self, head_only=False):
        """The next answer, those before it of 1xx left out."""
        reply = self._head()
        while reply.status < 200:
            reply = self._head()
        if head_only or reply.status in (204, 304):
            return reply
        if reply.length is None:
            self._read_on(reply)
            return reply
        reply.cut = reply.length > MOST
        wanted = min(reply.length, 100_000) if reply.cut else reply.length
        while len(self.pending) < wanted:
            self._more()
        reply.body = bytes(self.pending[:wanted])
        del self.pending[:wanted]
        return reply

    def _line(self):
        while (end := self.pending.find(b"\r\n")) < 0:
            self._more()
        line = bytes(self.pending[:end])
        del self.pending[:end + 2]
        return line

    def _read_on(self, reply):
        """A body in chunks, or up to the connection's end."""
        if reply.headers.get("transfer-encoding", "").lower() != "chunked":
            raise Malformed(f"neither a length nor chunks: {reply.status} {reply.headers}")
        body = b""
        while size := int(self._line().split(b";")[0], 16):
            while len(self.pending) < size + 2:
                self._more()
            if self.pending[size:size + 2] != b"\r\n":
                raise Malformed("a chunk that does not end")
            body += self.pending[:size]
            del self.pending[:size + 2]
            if len(body) > MOST:
                reply.cut = True
                break
        else:
            while self._line():
                pass
        reply.body = body

    def rest(self, seconds):
        """Everything up to the end; None: it did not end in time."""
        self.socket.shutdown(socket.SHUT_WR)
        self.socket.settimeout(seconds)
        try:
            while len(self.pending) < MOST:
                self._more()
        except TimeoutError:
            return None
        except Lost:
            pass
        return bytes(self.pending)

    def close(self, reset=False):
        """Politely or with an RST."""
        if reset:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()
