"""A lean HTTP client: raw requests, pipelined over one kept connection, answers read by their length."""

import re
import socket
import struct
from typing import NamedTuple

SECONDS = 120
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.I)
ETAG = re.compile(rb"\r\netag: *([^\r]*)\r\n", re.I)
RETRY = re.compile(rb"\r\nretry-after: *([1-9]\d*)\r\n", re.I)
CLOSE = re.compile(rb"\r\nconnection: *close\r\n", re.I)


class Reply(NamedTuple):
    """One answer."""

    status: int
    head: bytes
    length: int
    body: bytes

    @property
    def closes(self):
        """Whether the connection ends with it."""
        return CLOSE.search(self.head) is not None


class Connection:
    """A connection from an address of its own."""

    def __init__(self, address, source="127.0.0.1"):
        self.socket = socket.create_connection(address, SECONDS, (source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.send = self.socket.sendall
        self.pending = b""

    def more(self):
        """Reads on; an end is an error."""
        data = self.socket.recv(1 << 18)
        if not data:
            raise ConnectionError(f"it ended after {self.pending[:200]!r}")
        self.pending += data

    def read(self, head_only=False):
        """The next answer."""
        while (end := self.pending.find(b"\r\n\r\n")) < 0:
            self.more()
        head, start = self.pending[:end + 2], end + 4
        status, found = int(head[9:12]), LENGTH.search(head)
        length = int(found[1]) if found else 0
        if status == 304 or head_only:
            self.pending = self.pending[start:]
            return Reply(status, head, length, b"")
        while len(self.pending) < start + length:
            self.more()
        body = self.pending[start:start + length]
        self.pending = self.pending[start + length:]
        return Reply(status, head, length, body)

    def ended(self):
        """Whether nothing follows but the end."""
        try:
            return not self.pending and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def close(self):
        """Politely."""
        self.socket.close()

    def reset(self):
        """With an RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()
