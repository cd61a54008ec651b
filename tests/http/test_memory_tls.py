"""What TLS sessions hold stays within what each connection is counted with, whatever their clients send."""

import fcntl
import pathlib
import socket
import ssl
import struct
import tempfile
import termios
import unittest

import harness
from harness import PATIENCE
from process import SHADOW, resident
from tls_server import TlsServer, make_certificate

SESSIONS = 500
POOL, SESSION = 76 << 10, 48 << 10  # bytes that a connection is counted with, without TLS and of TLS
RECORD = 1 << 14
HANDSHAKE = 22
HEAD = b"GET /livez HTTP/1.1\r\nHost: x\r\n" + b"".join(b"A%d: %s\r\n" % (i, b"x" * 1000) for i in range(58))


def unfinished_hello(length):
    """A ClientHello that ends a byte early, in as many records as it takes."""
    hello = b"\x01" + length.to_bytes(3, "big") + b"\x03\x03" + bytes(32) + b"\x00\x00\x02\x13\x01\x01\x00"
    hello = hello.ljust(length + 3, b"x")
    pieces = (hello[at:at + RECORD] for at in range(0, len(hello), RECORD))
    return b"".join(struct.pack(">BHH", HANDSHAKE, 0x303, len(piece)) + piece for piece in pieces)


class Sessions(unittest.TestCase):
    def setUp(self):
        harness.allow_descriptors(self, SESSIONS + 200)
        folder = self.enterContext(tempfile.TemporaryDirectory())
        cert, key = make_certificate(pathlib.Path(folder), "some", ("rsa:2048",))
        self.server = TlsServer(cert, key, "--memory", "1G", "--idle", "600", "--head", "600", "--threads", "2")
        self.server.start()
        self.addCleanup(self.server.stop)
        for _ in range(20):
            self.server.get("/livez", fresh=True)
        self.quiet = resident(self.server.process)

    def connect(self):
        sock = self.enterContext(socket.create_connection(self.server.address, PATIENCE))
        sock.settimeout(PATIENCE)
        return sock

    def check(self, what, most):
        """Once the daemon has answered another, which came after all that they sent."""
        self.assertEqual(self.server.get("/livez", fresh=True).status, 200)
        grown = (resident(self.server.process, "VmHWM") - self.quiet) / SESSIONS
        print(f"\n  {SESSIONS} {what}: {grown / 1024:.0f} KiB each", flush=True)
        if not SHADOW:
            self.assertLess(grown, 1.1 * most)

    def begin(self):
        """A session with a head that fills the connection's memory, and a record that ends a byte early."""
        come, go = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = self.server.context.wrap_bio(come, go, server_hostname="127.0.0.1")
        sock = self.connect()
        while True:
            try:
                session.do_handshake()
                break
            except ssl.SSLWantReadError:
                sock.sendall(go.read())
                come.write(sock.recv(1 << 16))
        session.write(HEAD)
        session.write(b"x" * RECORD)
        sock.sendall(go.read()[:-1])
        return sock

    def test_unfinished_heads_and_records(self):
        kept = [self.begin() for _ in range(SESSIONS)]
        harness.until(lambda: all(self.has_come(sock) for sock in kept), "all has come")
        self.check("unfinished heads", POOL + SESSION)

    def has_come(self, sock):
        """Whether all that was sent has come to the daemon's socket."""
        return struct.unpack("I", fcntl.ioctl(sock, termios.TIOCOUTQ, bytes(4)))[0] == 0

    def test_unfinished_handshakes(self):
        """The longest that can be kept stays open, and a longer is cut off."""
        for length, stays in ((RECORD - 8, True), (1 << 20, False)):
            hello = unfinished_hello(length)
            for _ in range(SESSIONS):
                sock = self.connect()
                if stays:
                    sock.sendall(hello)
                else:
                    self.assertTrue(self.is_cut_off(sock, hello))
            self.check(f"unfinished handshakes of {length} bytes", SESSION)

    def is_cut_off(self, sock, hello):
        """Whether the daemon ends the connection instead of waiting for the rest."""
        try:
            sock.sendall(hello)
            while sock.recv(1 << 16):
                pass
        except TimeoutError:
            return False
        except (BrokenPipeError, ConnectionResetError):
            pass
        return True


if __name__ == "__main__":
    unittest.main()
