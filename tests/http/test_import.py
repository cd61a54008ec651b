"""`fmixd import`: other people's files, good and bad, into data sets."""

import contextlib
import gzip
import os
import pty
import resource
import signal
import struct
import subprocess
import unittest

import numpy as np

import harness
from hosting import importing
from containers import write_safetensors
from imports import Importing
from small_pictures import JPEG, png

class Kinds(Importing):
    """What is read."""

    def test_npy_rows_and_labels_are_imported(self):
        x = self.source.normal(size=(9, 5, 4)).astype("<f4")
        y = self.source.integers(0, 4, 9)
        said = self.take("npy", self.file("x.npy", harness.write_npy(x)),
                         self.file("y.npy", harness.write_npy(y)), "--classes", 7)
        self.assertIn("9 rows, digest ", said)
        facts, rows, labels = self.served(9)
        self.assertEqual((facts["count"], facts["shape"], facts["dtype"]), (9, [5, 4], "f32"))
        self.assertEqual(rows.tobytes(), x.tobytes())
        self.assertEqual(labels.shape, (9, 7))
        self.assertEqual(labels.argmax(1).tolist(), y.tolist())

    def test_idx_is_read_plain_and_compressed_by_gzip(self):
        x = self.source.integers(0, 256, (6, 3, 4), dtype=np.uint8)
        y = self.source.integers(0, 3, 6).astype(np.uint8)
        images = struct.pack(">BBBBIII", 0, 0, 8, 3, 6, 3, 4) + x.tobytes()
        numbers = struct.pack(">BBBBI", 0, 0, 8, 1, 6) + y.tobytes()
        self.take("idx", self.file("x.gz", gzip.compress(images)), self.file("y", numbers))
        _, rows, labels = self.served(6)
        self.assertEqual(rows.tobytes(), x.tobytes())
        self.assertEqual(labels.argmax(1).tolist(), y.tolist())

    def test_idx_of_wider_types_is_big_endian(self):
        x = self.source.normal(size=(3, 2, 2)).astype(">f4")
        self.take("idx", self.file("x", struct.pack(">BBBBIII", 0, 0, 13, 3, 3, 2, 2) + x.tobytes()))
        facts, rows, _ = self.served(3)
        self.assertEqual((facts["dtype"], facts["heads"]), ("f32", []))
        self.assertEqual(rows.tolist(), x.tolist())

    def test_cifar_of_ten_classes_in_several_files(self):
        records = self.source.integers(0, 10, (7, 3073), dtype=np.uint8)
        self.take("cifar", self.file("a", records[:4].tobytes()), self.file("b", records[4:].tobytes()))
        facts, rows, labels = self.served(7)
        self.assertEqual((facts["shape"], facts["layout"]), ([3, 32, 32], "channels_first"))
        self.assertEqual(rows.reshape(7, -1).tolist(), records[:, 1:].tolist())
        self.assertEqual(labels.argmax(1).tolist(), records[:, 0].tolist())

    def test_cifar_of_a_hundred_has_two_heads(self):
        records = self.source.integers(0, 20, (3, 3074), dtype=np.uint8)
        self.take("cifar", self.file("a", records.tobytes()))
        facts, _, _ = self.served(3)
        self.assertEqual([(h["name"], h["classes"]) for h in facts["heads"]],
                         [("y.coarse", 20), ("y.fine", 100)])

    def test_safetensors_with_rows_of_labels(self):
        x = self.source.integers(0, 256, (4, 6), dtype=np.uint8)
        y = self.source.random((4, 3)).astype("<f4")
        self.take("safetensors", self.file("a", write_safetensors({"x": x, "y": y})))
        _, rows, labels = self.served(4)
        self.assertEqual((rows.tobytes(), labels.tobytes()), (x.tobytes(), y.tobytes()))

    def test_folders_are_classes_in_order_of_their_names(self):
        pictures = self.source.integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
        for name, picture in zip(("b/2.png", "a/9.png", "b/1.PNG", "a/10.png"), pictures):
            self.file(f"images/{name}", png(picture))
        self.file("images/b/notes.txt", b"no picture")
        self.file("images/.hidden/x.png", b"nor this")
        self.take("folder", self.folder / "images")
        facts, rows, labels = self.served(4)
        self.assertEqual((facts["shape"], facts["layout"]), ([8, 8, 3], "channels_last"))
        self.assertEqual(facts["heads"][0]["class_names"], ["a", "b"])
        self.assertEqual(rows.tolist(), pictures[[3, 1, 2, 0]].tolist())
        self.assertEqual(labels.argmax(1).tolist(), [0, 0, 1, 1])

    def test_jpeg_and_png_may_be_mixed_and_grey(self):
        self.file("images/x/1.jpg", JPEG)
        self.file("images/x/2.png", png(np.full((8, 8), 7, np.uint8)))
        self.take("folder", self.folder / "images")
        facts, rows, _ = self.served(2)
        self.assertEqual(facts["shape"], [8, 8])
        self.assertEqual((set(rows[0].ravel()), set(rows[1].ravel())), ({128}, {7}))

    def test_gzip_of_several_members_and_with_zeros_after_them_is_read(self):
        x = self.source.integers(0, 256, (600, 30, 4), dtype=np.uint8)
        images = struct.pack(">BBBBIII", 0, 0, 8, 3, *x.shape) + x.tobytes()
        members = b"".join(gzip.compress(images[at:at + 9000]) for at in range(0, len(images), 9000))
        for name, data in (("members", members), ("zeros", gzip.compress(images) + bytes(1000)),
                           ("both", members + bytes(1)), ("flat", gzip.compress(
                               struct.pack(">BBBBII", 0, 0, 8, 2, 1000, 3000) + bytes(3_000_000)))):
            importing(self.root / name, "--from", "idx", self.file("x.gz", data))
            rows = (self.root / name / "data.bin").read_bytes()
            self.assertEqual(rows, x.tobytes() if name != "flat" else bytes(3_000_000))

    def test_labels_of_every_type_and_shape_are_those_of_class_numbers(self):
        x = self.source.integers(0, 256, (4, 3), dtype=np.uint8)
        numbers = np.array([2, 0, 1, 2])
        hot = np.eye(3)[numbers]
        kinds = "|u1 |i1 <i2 <i4 <i8 <u2 <u4 <u8 <f2 <f4 <f8".split()
        for file in "npy", "safetensors":
            for kind in kinds:
                self.check_labels(file, x, numbers.astype(kind), "numbers")
                self.check_labels(file, x, numbers.astype(kind).reshape(4, 1), "numbers", "--classes", 3)
            for kind in (*kinds, "|b1"):
                self.check_labels(file, x, hot.astype(kind), "rows")
        self.check_labels("npy", x, numbers.reshape(4, 1) / 4, "rows", "--classes", 1)

    def check_labels(self, file, x, y, kind, *options):
        """The labels that are stored, in a set of their own."""
        name = f"{file}{len(list(self.root.iterdir()))}"
        paths = [self.file("x.npy", harness.write_npy(x)), self.file("y.npy", harness.write_npy(y))] \
            if file == "npy" else [self.file("a", write_safetensors({"x": x, "y": y}))]
        said = importing(self.root / name, "--from", file, *paths, *options)
        stored = (self.root / name / "labels.bin").read_bytes()
        right = y.reshape(-1).astype("<i4" if kind == "numbers" else "<f4").tobytes()
        self.assertEqual(stored, right, (file, y.dtype, y.shape))
        self.assertIn("y: 3 classes; rows per class: 0: 1, 1: 1, 2: 2" if kind == "numbers"
                      else f"y: rows of {y.shape[1]} weights, from ", said)

    def test_a_cifar_file_whose_length_fits_both_needs_the_option(self):
        either = self.file("a", bytes(3073 * 3074))
        self.assertIn("by their lengths, the files may be CIFAR-10 (one label and 3072 bytes per record) or "
                      "CIFAR-100 (two labels); select one by --cifar 10 or --cifar 100", self.refused("cifar", either))
        for version, rows in ((10, 3074), (100, 3073)):
            said = importing(self.root / f"of{version}", "--from", "cifar", either, "--cifar", version)
            self.assertIn(f"{rows} rows, digest", said)
        # another file leaves no doubt
        said = importing(self.root / "two", "--from", "cifar", either, self.file("b", bytes(3073)))
        self.assertIn("3075 rows, digest", said)
        self.assertIn("imported 2 files", said)

    def test_links_to_sources_are_followed(self):
        x = self.source.integers(0, 256, (2, 3), dtype=np.uint8)
        link = self.folder / "link.npy"
        link.symlink_to(self.file("x.npy", harness.write_npy(x)))
        self.take("npy", link)
        self.assertEqual(self.served(2)[1].tobytes(), x.tobytes())

    def test_a_terminal_sees_a_bar(self):
        path = self.file("x.npy", harness.write_npy(np.zeros((50, 3), np.uint8)))
        ours, theirs = pty.openpty()
        subprocess.run([harness.program(), "import", self.root / "set", "--from", "npy", path],
                       stderr=theirs, check=True, timeout=harness.PATIENCE)
        os.close(theirs)
        said = b""
        with contextlib.suppress(OSError):  # EIO: there is no more
            while piece := os.read(ours, 65536):
                said += piece
        os.close(ours)
        said = said.decode()
        self.assertIn("\r" + "#" * 40 + " 100 %", said)
        self.assertNotIn("import: 10 %", said)


class Interrupted(Importing):
    """A set has its name only once it is whole."""

    def test_a_full_disk_leaves_nothing(self):
        path = self.file("x.npy", harness.write_npy(np.zeros((400, 1000), np.uint8)))

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))
        done = subprocess.run([harness.program(), "import", self.root / "set", "--from", "npy", path],
                              stderr=subprocess.PIPE, text=True, preexec_fn=limit, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("File too large", done.stderr)
        self.assertEqual(list(self.root.iterdir()), [])

    def test_a_source_that_shrinks_or_changes_meanwhile_leaves_nothing(self):
        x = np.full((6_000_000, 3), 7, np.uint8)
        y = np.zeros(6_000_000, np.uint8)

        def cut_short(path):
            os.truncate(path, 5000)

        def write_over(path):
            with open(path, "r+b") as file:
                file.seek(-1, os.SEEK_END)
                file.write(b"\1")
        for alter, changed in ((cut_short, "x.npy"), (write_over, "x.npy"), (write_over, "y.npy"),
                               (cut_short, "a")):
            process = self.held_import("safetensors", self.file("a", write_safetensors({"x": x}))) \
                if changed == "a" else self.held_import("npy", self.file("x.npy", harness.write_npy(x)),
                                                        self.file("y.npy", harness.write_npy(y)))
            alter(self.folder / changed)
            said = self.let_go(process)
            self.assertEqual(process.returncode, 1, said)
            self.assertRegex(said, f"{changed}' was truncated or changed while it was read")
            self.assertEqual(list(self.root.iterdir()), [])

    def test_a_killed_import_is_not_served_and_the_next_import_replaces_it(self):
        records = self.file("a", bytes(3073 * 400))
        process = self.held_import("cifar", *[records] * 9)
        process.kill()
        process.wait()
        self.assertEqual([path.name for path in self.root.iterdir()], [".set.partial"])
        with harness.Server("--data", str(self.root), "--drain", "0") as server:
            self.assertEqual(server.get("/v1/datasets").json(), {"datasets": []})
        self.take("cifar", records)
        self.assertEqual([path.name for path in self.root.iterdir()], ["set"])

    def test_files_left_by_a_killed_import_are_removed(self):
        partial = self.root / ".set.partial"
        partial.mkdir()
        for name in ("data.bin", "labels.bin", "labels.coarse.bin", "manifest.json"):
            (partial / name).write_bytes(b"stale")
        x = self.source.integers(0, 256, (5, 3), dtype=np.uint8)
        self.take("npy", self.file("x.npy", harness.write_npy(x)))
        self.assertEqual([path.name for path in self.root.iterdir()], ["set"])
        self.assertEqual(sorted(path.name for path in (self.root / "set").iterdir()),
                         ["data.bin", "manifest.json", "pieces.bin"])
        self.assertEqual(self.served(5)[1].tobytes(), x.tobytes())

    def test_a_second_import_of_the_same_set_is_refused(self):
        x = np.full((6_000_000, 3), 7, np.uint8)
        first = self.held_import("npy", self.file("x.npy", harness.write_npy(x)))
        other = self.file("y.npy", harness.write_npy(x[:2]))
        said = importing(self.root / "set", "--from", "npy", other, status=1)
        self.assertIn("another process is already importing", said)
        said = self.let_go(first)
        self.assertEqual(first.returncode, 0, said)
        self.assertIn("6000000 rows, digest", said)
        self.assertEqual([path.name for path in self.root.iterdir()], ["set"])


if __name__ == "__main__":
    unittest.main()
