"""Rows that nothing changes are sent from where they lie in the file, and long answers from where they were
computed: the bytes are those of the rows, and a file that is altered meanwhile never makes an answer whole."""

import io
import os
import pathlib
import socket
import tempfile
import unittest

import harness
import hosting
import numpy as np
from containers import read_safetensors
from tls_server import TlsServer, make_certificate

ROWS, SHAPE = 600, (3, 96, 96)
ALL = f"/v1/datasets/large/batches/0.{{}}?n={ROWS}&method=none{{}}"
MASKS = "/v1/masks.raw?shape=96x96&n=8000&dtype=bits&seed=5"


def large():
    """16 MB of noise, with class numbers."""
    source = np.random.default_rng(23)
    return hosting.Hosted("large", source.integers(0, 256, (ROWS, *SHAPE), dtype=np.uint8),
                          {"y": source.integers(0, 5, ROWS)}, {"y": 5}, "channels_first")


class Reader:
    """A client that reads as it is told, through a small window."""

    def __init__(self, server, target):
        self.connection = socket.socket()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 14)
        self.connection.settimeout(harness.PATIENCE)
        self.connection.connect(server.address)
        self.ask(target)

    def ask(self, target):
        """Reads the head of the answer, too."""
        self.connection.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.connection.recv(1)
        self.length = int(head.lower().split(b"content-length:")[1].split()[0])
        self.status = int(head.split()[1])

    def read(self, most=None):
        """So many bytes of the body, or what comes of it."""
        parts, left = [], self.length if most is None else most
        while left:
            try:
                part = self.connection.recv(min(left, 30011))
            except ConnectionResetError:
                break
            if not part:
                break
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()


class LentRows(harness.ServerTest):
    """Of a set that no test alters."""

    @classmethod
    def setUpClass(cls):
        cls.root = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.set = large()
        hosting.write(cls.root, cls.set)
        cls.arguments = ("--data", cls.root, "--drain", "0")
        super().setUpClass()

    def test_every_format_has_the_rows_of_the_file(self):
        x = self.set.x
        self.assertEqual(self.get(ALL.format("raw", "&parts=mixed")).body, x.tobytes())
        self.assertEqual(np.load(io.BytesIO(self.get(ALL.format("npy", "")).body)).tobytes(), x.tobytes())
        parts = read_safetensors(self.get(ALL.format("safetensors", "")).body)[0]
        self.assertEqual(parts["mixed"].tobytes(), x.tobytes())
        self.assertEqual(parts["labels"].argmax(1).tolist(), self.set.labels["y"].tolist())
        self.assertEqual(parts["rows"].tolist(), list(range(ROWS)))
        zipped = np.load(io.BytesIO(self.get(ALL.format("npz", "&parts=mixed,rows")).body))
        self.assertEqual(zipped["mixed"].tobytes(), x.tobytes())

    def test_other_rows_are_what_they_were(self):
        x = self.set.x
        floats = np.load(io.BytesIO(self.get(ALL.format("npy", "&out_dtype=f32")).body))
        np.testing.assert_allclose(floats, x / 255, rtol=1e-6)
        last = np.load(io.BytesIO(self.get(ALL.format("npy", "&layout=channels_last")).body))
        self.assertEqual(last.tobytes(), x.transpose(0, 2, 3, 1).tobytes())
        shuffled = read_safetensors(self.get(ALL.format("safetensors", "&shuffle=1&seed=3")).body)[0]
        self.assertEqual(shuffled["mixed"].tobytes(), x[shuffled["rows"]].tobytes())
        second = self.get("/v1/datasets/large/batches/1.raw?n=250&method=none&parts=mixed").body
        self.assertEqual(second, x[250:500].tobytes())

    def test_ranges_and_heads(self):
        target = ALL.format("npy", "")
        whole = self.get(target)
        size = len(whole.body)
        for first, last in ((0, 0), (100, 200), (127, 128), (5000, 9 << 20), (size - 1, size - 1), (0, size - 1),
                            (size - 140000, size - 1)):
            part = self.get(target, 206, headers={"Range": f"bytes={first}-{last}"})
            self.assertEqual(part.body, whole.body[first:last + 1])
            self.assertEqual(part.headers["ETag"], whole.headers["ETag"])
        head = self.server.request("HEAD", target)
        self.assertEqual(int(head.headers["Content-Length"]), size)
        self.get(target, 304, headers={"If-None-Match": whole.headers["ETag"]})

    def test_slow_readers_and_answers_one_after_the_other(self):
        masks = b"".join(self.get(MASKS.replace("n=8000", "n=100") + f"&index={at}").body
                         for at in range(0, 8000, 100))
        wanted = {ALL.format("raw", "&parts=mixed"): self.set.x.tobytes(), MASKS: masks}
        with Reader(self.server, MASKS) as one, Reader(self.server, ALL.format("raw", "&parts=mixed")) as other:
            self.assertEqual(one.read(), masks)
            self.assertEqual(other.read(), self.set.x.tobytes())
            for reader in one, other:
                for target, body in wanted.items():
                    reader.ask(target)
                    self.assertEqual(reader.read(), body)

    def test_a_client_that_leaves_amid_the_rows(self):
        for most in (1, 200000, 1 << 22):
            with Reader(self.server, ALL.format("raw", "&parts=mixed")) as reader:
                reader.read(most)
        self.assertEqual(self.get("/livez").status, 200)


class Altered(harness.ServerTest):
    """Amid an answer."""

    def setUp(self):
        self.root = self.enterContext(tempfile.TemporaryDirectory())
        self.set = large()
        hosting.write(self.root, self.set)
        self.path = pathlib.Path(self.root, "large", "data.bin")
        self.server = harness.Server("--data", self.root, "--drain", "0")
        self.server.start()
        self.addCleanup(self.server.stop)

    @classmethod
    def setUpClass(cls):
        """Each test has a server of its own."""

    def cut(self, alter):
        """What came of an answer amid which the file was altered."""
        with Reader(self.server, ALL.format("raw", "&parts=mixed")) as reader:
            self.assertEqual(reader.status, 200)
            self.assertEqual(reader.length, self.set.x.nbytes)
            first = reader.read(1000)
            hosting.await_tick(self.root)
            alter()
            rest = reader.read(reader.length - 1000)
        self.assertLess(len(first + rest), self.set.x.nbytes)
        self.server.until_logged('"reason":"internal","status":500')
        self.server.until_metric('fmixd_refused_total{reason="internal"}', 1)

    def write(self, at, byte):
        """In place."""
        with open(self.path, "r+b") as file:
            file.seek(at)
            file.write(bytes([byte]))

    def test_a_byte(self):
        last = self.set.x.nbytes - 200000
        self.cut(lambda: self.write(last, self.set.x.reshape(-1)[last] ^ 1))
        self.get(ALL.format("raw", "&parts=mixed"), 503)
        self.write(last, self.set.x.reshape(-1)[last])

    def test_its_times(self):
        self.cut(lambda: os.utime(self.path))
        self.assertEqual(self.get(ALL.format("raw", "&parts=mixed")).body, self.set.x.tobytes())

    def test_its_length(self):
        self.cut(lambda: os.truncate(self.path, 1 << 20))
        self.assertEqual(self.get("/livez").status, 200)
        self.get(ALL.format("raw", "&parts=mixed"), 503)


class Encrypted(unittest.TestCase):
    """By TLS, whose library reads what is sent by itself."""

    def test_rows_and_masks(self):
        with tempfile.TemporaryDirectory() as root, tempfile.TemporaryDirectory() as keys:
            data = large()
            hosting.write(root, data)
            pair = make_certificate(pathlib.Path(keys), "x", ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
            with harness.Server("--drain", "0") as plain:
                masks = plain.get(MASKS).body
            self.assertEqual(len(masks), 8000 * 1152)
            with TlsServer(*pair, "--data", root) as server:
                for target, wanted in (ALL.format("raw", "&parts=mixed"), data.x.tobytes()), (MASKS, masks):
                    for _ in range(2):
                        self.assertTrue(server.get(target).body == wanted, target)


if __name__ == "__main__":
    unittest.main()
