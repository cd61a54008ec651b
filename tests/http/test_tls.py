"""TLS: the same answers, encrypted; certificates that are renewed; what is cut off stays TLS."""

import contextlib
import json
import pathlib
import re
import select
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
import warnings

import harness
from harness import NEVER, PATIENCE, until
from tls_server import TlsServer, make_certificate

MASK = "/v1/masks.npy?shape=8x8"


def loose(version, cipher="ALL", side=ssl.PROTOCOL_TLS_CLIENT):
    """One that would speak it, whatever it is worth."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context = ssl.SSLContext(side)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers(f"{cipher}:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
    return context


def shake_hands(client, server):
    """The version that two contexts agree on, without a socket."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [client.wrap_bio(back, there), server.wrap_bio(there, back, server_side=True)]
    for side in sides * 3:
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            pass
    return sides[0].version()


def receive(sock):
    """All that comes, to the end of the connection, which need not be a proper one."""
    got = bytearray()
    try:
        while piece := sock.recv(65536):
            got += piece
    except ssl.SSLEOFError:
        pass
    return bytes(got)


def bodies(sock, count):
    """Bodies of so many answers, whose lengths are all given."""
    stream, found = sock.makefile("rb"), []
    for _ in range(count):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += stream.readline()
        found.append(stream.read(int(re.search(rb"Content-Length: (\d+)", head)[1])))
    return found


class WithCertificates(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        curve = ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")
        cls.cert, cls.key = make_certificate(cls.folder, "one", curve)
        cls.other, cls.other_key = make_certificate(cls.folder, "two", ("rsa:2048",))

    def start(self, *options, cert=None, key=None):
        server = TlsServer(cert or self.cert, key or self.key, *options)
        server.start()
        self.addCleanup(server.stop)
        return server

    def plain(self):
        server = harness.Server("--drain", "0")
        server.start()
        self.addCleanup(server.stop)
        return server


class Handshakes(WithCertificates):
    def test_the_first_line_says_https(self):
        process = subprocess.Popen(
            [harness.program(), "--listen", "127.0.0.1:0", "--tls-cert", self.cert, "--tls-key",
             self.key], stdout=subprocess.PIPE, text=True)
        try:
            self.assertRegex(process.stdout.readline(), r"^listening on https://127.0.0.1:\d+$")
        finally:
            process.kill()
            process.wait()
            process.stdout.close()

    def test_1_2_and_1_3_are_spoken_with_forward_secrecy_and_nothing_older(self):
        for cert, key in ((self.cert, self.key), (self.other, self.other_key)):
            server = self.start(cert=cert, key=key)
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                context = ssl.create_default_context(cafile=str(cert))
                context.minimum_version = context.maximum_version = version
                with server.open(context) as sock:
                    self.assertEqual(sock.version(), version.name.replace("_", "."))
                    self.assertRegex(sock.cipher()[0], "GCM|CHACHA20|POLY1305")
            for client in (loose(ssl.TLSVersion.TLSv1_1), loose(ssl.TLSVersion.TLSv1),
                           *(loose(ssl.TLSVersion.TLSv1_2, cipher) for cipher in
                             ("AES128-GCM-SHA256", "AES256-SHA", "ECDHE-ECDSA-AES256-SHA",
                              "ECDHE-RSA-AES256-SHA"))):
                with self.assertRaises((ssl.SSLError, ConnectionResetError)):
                    server.open(client)
            self.assertEqual(server.get("/livez").status, 200)

    def test_what_is_refused_is_what_those_clients_could_do(self):
        for version, cipher in ((ssl.TLSVersion.TLSv1_1, "ALL"), (ssl.TLSVersion.TLSv1, "ALL"),
                                (ssl.TLSVersion.TLSv1_2, "AES128-GCM-SHA256")):
            client = loose(version, cipher)
            server = loose(version, cipher, ssl.PROTOCOL_TLS_SERVER)
            server.load_cert_chain(self.other, self.other_key)
            self.assertEqual(shake_hands(client, server), version.name.replace("_", "."))

    def test_curl_believes_the_certificate_it_is_given_and_no_other(self):
        server = self.start()
        url = "https://{}:{}/livez".format(*server.address)
        for options, said in ((["--cacert", self.cert], b"alive\n"), (["-k"], b"alive\n"),
                              ([], b""), (["--cacert", self.other], b"")):
            done = subprocess.run(["curl", "-s", *options, url], capture_output=True)
            self.assertEqual((done.returncode == 0, done.stdout), (said != b"", said))

    def test_who_speaks_plainly_or_nonsense_disturbs_nobody(self):
        server = self.start()
        for nonsense in (b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01", b"", bytes(99),
                         b"\x16\x03\x01\x00\x05hello", b"\x80" * 20000):
            for _ in range(20):
                with socket.create_connection(server.address, timeout=PATIENCE) as sock:
                    sock.sendall(nonsense)
        with socket.create_connection(server.address, timeout=PATIENCE) as sock:
            sock.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            try:
                answer = sock.recv(65536)
            except ConnectionResetError:
                answer = b""
            self.assertNotIn(b"HTTP", answer)
        self.assertEqual(server.get("/livez").status, 200)

    def test_handshakes_that_stall_are_cut_off_and_hold_up_nobody(self):
        for seconds in (NEVER, "1"):
            server = self.start("--idle", seconds)
            stalled = [self.enterContext(socket.create_connection(server.address, PATIENCE))
                       for _ in range(200)]
            for sock in stalled[::2]:
                with contextlib.suppress(ConnectionError):  # the daemon may have given up already
                    sock.sendall(b"\x16\x03\x01\x02\x00\x01")
            if seconds == NEVER:  # it is answered while all of them stall
                self.assertEqual(server.get("/livez", fresh=True).status, 200)
                self.assertEqual(select.select(stalled, [], [], 0)[0], [])
                continue
            for sock in stalled:
                with contextlib.suppress(ConnectionResetError):
                    while sock.recv(100):
                        pass


class Answers(WithCertificates):
    def test_they_are_those_of_a_plain_daemon(self):
        server, plain = self.start(), self.plain()
        x = (harness.ROOT / "tests/data/garments.npy").read_bytes()
        for target in (MASK, "/v1/masks.png?shape=64x64&n=9", "/v1/masks.npz?shape=32&n=4000",
                       "/v1/plans.json?shape=5&n=3"):
            self.assertEqual(server.get(target).body, plain.get(target).body)
        target = "/v1/mix.npz?layout=none"
        self.assertEqual(server.post(target, x).body, plain.post(target, x).body)

    def test_large_uploads_and_answers_come_whole(self):
        server, plain = self.start(), self.plain()
        x = bytes(range(256)) * 75000
        target = "/v1/mix.raw?x_shape=19200x1000&x_dtype=u8&layout=none&method=cutmix"
        wanted = plain.post(target, x, "application/octet-stream").body
        for _ in range(3):
            self.assertEqual(server.post(target, x, "application/octet-stream").body, wanted)
        target = "/v1/masks.raw?shape=64x64&n=5000&dtype=f32"
        self.assertEqual(server.get(target).body, plain.get(target).body)

    def test_many_requests_of_a_connection_however_they_lie_in_records(self):
        server = self.start()
        large = "/v1/masks.raw?shape=128x128&n=64&dtype=u8"
        wanted = [server.get(target).body for target in (large, "/livez", MASK)]
        heads = b"".join(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
                         for target in (large, "/livez", MASK))
        for size in (len(heads), 50, 7):
            with self.subTest(size), server.open() as sock:
                for _ in range(5):
                    for at in range(0, len(heads), size):
                        sock.sendall(heads[at:at + size])
                    self.assertEqual(bodies(sock, 3), wanted)

    def test_a_body_comes_in_the_record_of_its_head_or_byte_by_byte(self):
        server = self.start()
        x = bytes(range(32))
        wanted = server.post("/v1/mix.raw?x_shape=4x8&x_dtype=u8", x,
                             "application/octet-stream").body
        head = (b"POST /v1/mix.raw?x_shape=4x8&x_dtype=u8 HTTP/1.1\r\nHost: x\r\n"
                b"Content-Type: application/octet-stream\r\nContent-Length: 32\r\n\r\n")
        message = head + x + b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
        with server.open() as sock:
            for size in (1000, 1, len(head), len(head) - 1):
                for at in range(0, len(message), size):
                    sock.sendall(message[at:at + size])
                self.assertEqual(bodies(sock, 2), [wanted, b"alive\n"])

    def test_a_body_larger_than_the_buffer_in_one_write_and_then_silence(self):
        """What a record holds beyond what is read at once must not wait for more to come."""
        server = self.start()
        for size in (16384, 40000, 65536, 65537, 100000, 500000):
            x = bytes(size)
            target = f"/v1/mix.raw?x_shape=1x{size}&x_dtype=u8&layout=none&method=none"
            with self.subTest(size), server.open() as sock:
                sock.sendall(f"POST {target} HTTP/1.1\r\nHost: x\r\nContent-Type: application/"
                             f"octet-stream\r\nContent-Length: {size}\r\n\r\n".encode() + x)
                self.assertEqual(bodies(sock, 1), [x])

    def test_many_clients_at_once(self):
        server = self.start("--log", "off")
        target = "/v1/masks.npy?shape=32x32&n=200"
        wanted, answers = server.get(target).body, []

        def ask():
            for _ in range(3):
                connection = server.connect()
                for _ in range(5):
                    answers.append(harness.exchange(connection, "GET", target).body == wanted)
                connection.close()

        threads = [threading.Thread(target=ask) for _ in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(answers, 32 * 3 * 5 * [True])


class CutOff(WithCertificates):
    def test_a_body_announced_too_large_is_told_so(self):
        server = self.start("--body", "1000")
        with server.open() as sock:
            sock.sendall(b"POST /v1/mix HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n")
            sock.sendall(bytes(100000))
            self.assertTrue(receive(sock).startswith(b"HTTP/1.1 413 "))

    def test_a_body_too_large_amid_itself_is_told_so_in_the_session(self):
        server = self.start("--body", "100000")
        with server.open() as sock:
            sock.sendall(b"POST /v1/mix HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(30):
                sock.sendall(b"2710\r\n" + bytes(10000) + b"\r\n")
            answer = receive(sock)
            self.assertTrue(answer.startswith(b"HTTP/1.1 413 "), answer)
            self.assertTrue(answer.endswith(b"}\n"), answer)
        self.assertEqual(server.get("/livez").status, 200)

    def test_who_is_late_is_cut_off_without_a_plain_byte(self):
        for phase, begun in (("--head", b"GET /livez HTTP/1.1\r\nHost:"),
                             ("--upload", b"POST /v1/mix HTTP/1.1\r\nHost: x\r\n"
                                          b"Content-Length: 9\r\n\r\nabc")):
            server = self.start(phase, "1")
            with self.subTest(begun), server.open() as sock:
                sock.sendall(begun)
                self.assertEqual(receive(sock), b"")
                server.until_logged('"status":408')

    def test_clients_that_vanish_are_forgotten(self):
        server = self.start()
        for begun in (b"GET", b"POST /v1/mix HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc",
                      b"GET /v1/masks.npy?shape=512x512&n=20000 HTTP/1.1\r\nHost: x\r\n\r\n"):
            for _ in range(10):
                with server.open() as sock:
                    sock.sendall(begun)
                    if begun.startswith(b"GET /"):
                        sock.recv(1000)
        server.until_metric("fmixd_requests_in_flight", 1)
        server.until_metric("fmixd_queue_jobs", 0)

    def test_sigterm_lets_an_answer_finish(self):
        server = self.start()
        with server.open() as sock:
            sock.sendall(b"GET /v1/masks.raw?shape=64x64&n=5000 HTTP/1.1\r\nHost: x\r\n\r\n")
            got = sock.recv(1000)
            server.process.send_signal(signal.SIGTERM)
            until(lambda: harness.refuses(server.address))
            got += receive(sock)
        self.assertEqual(len(got.split(b"\r\n\r\n", 1)[1]), 5000 * 64 * 64 * 4)
        self.assertEqual(server.process.wait(PATIENCE), 0)


class Certificates(WithCertificates):
    def shown(self, server):
        """The certificate a new connection sees."""
        with server.open(loose(ssl.TLSVersion.TLSv1_3)) as sock:
            return ssl.DER_cert_to_PEM_cert(sock.getpeercert(True))

    def test_a_reload_shows_the_new_one_and_cuts_off_nobody(self):
        cert, key = self.folder / "now.pem", self.folder / "now.key"
        cert.write_bytes(self.cert.read_bytes())
        key.touch(0o600)
        key.write_bytes(self.key.read_bytes())
        server = self.start(cert=cert, key=key)
        kept = server.connect()
        self.addCleanup(kept.close)
        self.assertEqual(harness.exchange(kept, "GET", "/livez").status, 200)
        first = kept.sock
        for other, other_key in ((self.other, self.other_key), (self.cert, self.key)):
            cert.write_bytes(other.read_bytes())
            key.write_bytes(other_key.read_bytes())
            server.process.send_signal(signal.SIGHUP)
            until(lambda: self.shown(server) == other.read_text(encoding="ascii"))
            self.assertEqual(harness.exchange(kept, "GET", MASK).status, 200)
        self.assertIs(kept.sock, first)
        key.write_bytes(self.other_key.read_bytes())
        server.process.send_signal(signal.SIGHUP)
        said = server.until_logged("the previous certificate stays in force")
        self.assertIn("is not the key of the certificate", said)
        self.assertEqual(self.shown(server), self.cert.read_text(encoding="ascii"))

    def test_a_wrong_one_is_refused_at_start_by_setting(self):
        locked, nothing = self.folder / "locked.key", self.folder / "nothing"
        subprocess.run(["openssl", "pkcs8", "-topk8", "-in", self.key, "-out", locked, "-passout",
                        "pass:x"], check=True)
        nothing.write_bytes(b"")
        for cert, key, said in (
                (self.cert, "", "tls_cert is set and tls_key is not"),
                ("", self.key, "tls_key is set and tls_cert is not"),
                (self.cert, self.other_key, f"tls_key: '{self.other_key}' is not the key of"),
                (self.key, self.key, f"tls_cert: '{self.key}' is not a PEM certificate"),
                (nothing, self.key, f"tls_cert: '{nothing}' is not a PEM certificate"),
                (self.cert, self.cert, f"tls_key: '{self.cert}' is not an unencrypted PEM key"),
                (self.cert, locked, f"tls_key: '{locked}' is not an unencrypted PEM key"),
                (self.cert, "/nowhere", "tls_key: '/nowhere' cannot be read: No such file"),
                ("/nowhere", self.key, "tls_cert: '/nowhere' cannot be read: No such file")):
            done = subprocess.run([harness.program(), "--listen", "127.0.0.1:0", "--tls-cert", cert,
                                   "--tls-key", key], capture_output=True, text=True, timeout=PATIENCE)
            with self.subTest(said):
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn(said, done.stderr)

    def test_a_key_that_others_may_read_is_a_warning(self):
        open_key = self.folder / "open.key"
        open_key.write_bytes(self.key.read_bytes())
        open_key.chmod(0o644)
        self.start(key=open_key).until_logged(f"warning: tls_key: others may read '{open_key}'")
        server = self.start()
        server.get("/livez")
        # The log keeps its order: a warning would be in front of the line of the first request.
        line, = server.until_lines(1)
        self.assertEqual(json.loads(line)["target"], "/livez")


class Healthcheck(WithCertificates):
    def check(self, address, *options):
        """Its exit status."""
        return subprocess.run([harness.program(), "healthcheck", "--listen",
                               "{}:{}".format(*address), *options], capture_output=True,
                              timeout=PATIENCE, check=False).returncode

    def test_it_asks_by_tls_where_that_is_set(self):
        secure = ("--tls-cert", str(self.cert), "--tls-key", str(self.key))
        server, plain = self.start(), self.plain()
        # It has two seconds, in which a busy machine need not come to it.
        until(lambda: self.check(server.address, *secure) == 0)
        until(lambda: self.check(plain.address) == 0)
        for address, options in ((server.address, ()), (plain.address, secure)):
            self.assertEqual(self.check(address, *options), 1)

    def test_two_seconds_are_all_it_gets(self):
        """Never less; that it ends is what is waited for."""
        start = time.monotonic()
        with socket.create_server(("127.0.0.1", 0)) as silent:
            self.assertEqual(self.check(silent.getsockname(), "--tls-cert", str(self.cert)), 1)
        self.assertGreater(time.monotonic() - start, 1.9)


if __name__ == "__main__":
    unittest.main()
