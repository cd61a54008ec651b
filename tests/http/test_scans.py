"""What a daemon makes of sets that were damaged, repaired or touched: a wrong byte is never served, a
good set is in the end, and whoever asks is told why not."""

import os
import pathlib
import signal
import tempfile
import time
import unittest

import harness
import hosting

PATIENCE = harness.PATIENCE
BATCH = "/v1/datasets/colour/batches/0.npy?n=23"


class Damaged(unittest.TestCase):
    """Of a set whose pieces are verified before their first use."""

    def setUp(self):
        self.root = self.enterContext(tempfile.TemporaryDirectory())
        for data in list(hosting.some_sets())[:2]:
            hosting.write(self.root, data)
        self.set = pathlib.Path(self.root, "colour")
        self.data = self.set / "data.bin"

    def start(self):
        server = harness.Server("--data", self.root, "--drain", "0")
        server.start()
        self.addCleanup(server.stop)
        return server

    def until(self, server, status, said=""):
        """Asks until the answer has this status and says this; the answer."""
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = server.get(BATCH)
            if answer.status == status and said.encode() in answer.body:
                return answer
            self.assertLess(time.monotonic(), deadline, answer)
            time.sleep(0.02)

    def reload(self, server):
        server.process.send_signal(signal.SIGHUP)

    def tick(self):
        """Waits for the file system's clock, whose ticks are how changes are told."""
        before = self.data.stat().st_ctime_ns
        other = pathlib.Path(self.root, "tick")
        while True:
            other.write_bytes(b"x")
            if other.stat().st_ctime_ns > before:
                return other.unlink()

    def alter(self, byte):
        """The first byte, in place, with the time of writing put back; what it was."""
        self.tick()
        before = self.data.stat()
        with open(self.data, "r+b") as file:
            old = file.read(1)[0]
            file.seek(0)
            file.write(bytes([byte]))
        os.utime(self.data, ns=(before.st_atime_ns, before.st_mtime_ns))
        self.assertEqual(self.data.stat().st_mtime_ns, before.st_mtime_ns)
        return old

    def assert_known(self, server, said):
        """It is there, but not served, and why is said."""
        refused = self.until(server, 503, said)
        self.assertGreater(int(refused.headers["Retry-After"]), 0)
        for target in ("/v1/datasets/colour", "/v1/datasets/colour/shards?n=23"):
            answer = server.get(target)
            self.assertEqual(answer.status, 503, answer.body)
            self.assertIn(said, answer.json()["detail"])
        listed = [entry["name"] for entry in server.get("/v1/datasets").json()["datasets"]]
        self.assertEqual(listed, ["signal"])
        self.assertEqual(server.get("/v1/datasets/nothing").status, 404)

    def test_one_that_is_damaged_before_a_scan_is_503_that_says_why(self):
        server = self.start()
        right = server.get(BATCH).body
        kept = self.data.read_bytes()
        self.data.write_bytes(kept[:-1])
        self.reload(server)
        self.assert_known(server, "data.bin has 4346 bytes; by manifest.json it must have 4347")
        self.data.write_bytes(kept)
        self.reload(server)
        self.assertEqual(self.until(server, 200).body, right)

    def test_one_that_is_damaged_at_start_is_503_that_says_why(self):
        (self.set / "labels.bin").unlink()
        self.assert_known(self.start(), "labels.bin cannot be read: No such file")

    def test_bytes_whose_time_of_writing_was_put_back_are_never_served(self):
        server = self.start()
        right = server.get(BATCH).body
        old = self.alter(right[-1] ^ 0xff)
        refused = server.get(BATCH)
        self.assertEqual(refused.status, 503, refused.body)
        self.assertIn("of data.bin (rows 0 to 22) are not what was imported", refused.json()["detail"])
        said = "batches that need them are refused"
        self.assertEqual(server.get(BATCH).status, 503)
        server.until_logged('"status":503')
        self.assertEqual(server.log_tail().count(said), 1)
        self.alter(old)
        self.assertEqual(server.get(BATCH).body, right)

    def test_a_touched_file_is_served_on(self):
        server = self.start()
        right = server.get(BATCH).body
        for touch in (lambda: self.data.chmod(0o640), self.data.touch,
                      lambda: os.link(self.data, self.set / "link")):
            self.tick()
            touch()
            self.assertEqual(server.get(BATCH).body, right)

    def test_a_manifest_whose_time_of_writing_was_put_back_is_read_again(self):
        server = self.start()
        path = self.set / "manifest.json"
        before = path.stat()
        text = path.read_text()
        self.tick()
        with open(path, "r+", encoding="utf-8") as file:
            file.write(text.replace('"count": 23', '"count": 24'))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        self.reload(server)
        # Two messages, which may be written one after the other.
        server.until_logged("data.bin has 4347 bytes")
        server.until_logged("the previous version is still served")


class WithoutPieces(Damaged):
    """Of a set that was written before there were pieces: it is read whole."""

    def setUp(self):
        super().setUp()
        hosting.forget_pieces(self.set)

    def test_bytes_whose_time_of_writing_was_put_back_are_never_served(self):
        server = self.start()
        right = server.get(BATCH).body
        old = self.alter(right[-1] ^ 0xff)
        self.assert_known_without_wrong_bytes(server, right)
        self.alter(old)
        self.reload(server)
        self.assertEqual(self.until(server, 200).body, right)

    def assert_known_without_wrong_bytes(self, server, right):
        deadline = time.monotonic() + PATIENCE
        while b"its digest is" not in (answer := server.get(BATCH)).body:
            self.assertEqual(answer.status, 503)
            self.assertNotEqual(answer.body, right)
            self.assertLess(time.monotonic(), deadline)
        self.assert_known(server, "its digest is")

    def test_a_mode_or_a_link_keeps_a_good_set_away_only_until_it_was_read(self):
        server = self.start()
        right = server.get(BATCH).body
        touches = (lambda: self.data.chmod(0o640), lambda: os.link(self.data, self.set / "link"),
                   lambda: (self.set / "link").unlink())
        for touch in touches:
            self.tick()
            touch()
            answer = server.get(BATCH)
            if answer.status != 200:
                self.assertEqual((answer.status, answer.headers["Retry-After"]), (503, "1"))
            self.assertEqual(self.until(server, 200).body, right)

    # Not at once: see test_a_mode_or_a_link_keeps_a_good_set_away_only_until_it_was_read.
    test_a_touched_file_is_served_on = None


if __name__ == "__main__":
    unittest.main()
