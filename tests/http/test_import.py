"""`fmixd import`: other people's files, good and bad, into data sets."""

import contextlib
import gzip
import os
import pathlib
import pty
import resource
import signal
import struct
import subprocess
import tempfile
import unittest
import zlib

import numpy as np

import harness
from hosting import importing
from test_containers import write_safetensors

# A JPEG of 8x8 grey pixels of 128.
JPEG = bytes.fromhex(
    "ffd8ffe000104a46494600010100000100010000ffdb0043000302020302020303030304030304050805050404050a"
    "070706080c0a0c0c0b0a0b0b0d0e12100d0e110e0b0b1016101113141515150c0f171816141812141514ffc0000b08"
    "0008000801011100ffc4001f0000010501010101010100000000000000000102030405060708090a0bffc400b51000"
    "02010303020403050504040000017d01020300041105122131410613516107227114328191a1082342b1c11552d1f0"
    "2433627282090a161718191a25262728292a3435363738393a434445464748494a535455565758595a636465666768"
    "696a737475767778797a838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3"
    "c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9faffda0008010100003f002b"
    "ffd9")


def png(pixels):
    """A PNG of u8 [h, w] or [h, w, 3]."""
    height, width = pixels.shape[:2]
    colour = 0 if pixels.ndim == 2 else 2

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    return (b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


class Importing(unittest.TestCase):
    """Files of our own, in a folder that goes with the test."""

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.root = self.folder / "sets"
        self.root.mkdir()
        self.source = np.random.default_rng(1)

    def file(self, name, data):
        """A file of these bytes."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def take(self, *arguments):
        """Imports as `set`, in plain lines."""
        return importing(self.root / "set", "--from", *arguments)

    def refused(self, *arguments, status=1):
        """What is said where nothing is written."""
        said = importing(self.root / "set", "--from", *arguments, status=status)
        self.assertEqual(list(self.root.iterdir()), [], said)
        return said

    def served(self, rows):
        """The set as the daemon tells of it, its rows unmixed, and its labels' classes."""
        with harness.Server("--data", str(self.root), "--drain", "0") as server:
            facts = server.get("/v1/datasets/set").json()
            made = {}
            for part in ("mixed", "labels"):
                answer = server.get(
                    f"/v1/datasets/set/batches/0.npy?n={rows}&method=none&parts={part}")
                if answer.status == 200:
                    made[part] = answer.npy()
        return facts, made["mixed"], made.get("labels")


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


class Bad(Importing):
    """What is refused, with a reason; nothing of it is left on the disk."""

    def npy(self, name, array):
        """An npy file."""
        return self.file(name, harness.write_npy(array))

    def test_labels_that_do_not_fit_are_refused(self):
        x = self.npy("x.npy", np.zeros((4, 3), np.uint8))
        for y, reason in ((np.zeros(3, int), "there are 3 labels in y for 4 rows"),
                          (np.array([0, 1, -1, 0]),
                           "row 2 of y is -1; class numbers are whole numbers from 0 to 1048575"),
                          (np.array([0, 1, 1.5, 0]), "row 2 of y is 1.5; class numbers are whole numbers from 0"),
                          (np.array([0, np.nan, 1, 0]), "row 1 of y is nan; class numbers"),
                          (np.array([0, 1, 2, 2**63], np.uint64), "row 3 of y is 9223372036854775808;"),
                          (np.array([[0, 1], [2, 0], [0, 0], [1, 1]]), "row 1 of y holds 2, but integers in 2 "
                           "columns must be 0 or 1, one column per class"),
                          (np.zeros((4, 1), "f4"), "class numbers, or rows of one class"),
                          (np.zeros((4, 1), bool), "class numbers, or rows of one class"),
                          (np.zeros(4, bool), "class numbers 0 and 1, or rows of one class"),
                          (np.zeros((4, 2, 2), int), "y has shape 4x2x2 and type i64; labels are integer class")):
            said = self.refused("npy", x, self.npy("y.npy", y))
            self.assertIn(reason, said)
            self.assertNotIn("100 %", said)  # no row is copied before
        self.assertIn("row 1 of y is 5; class numbers are whole numbers from 0 to 4", self.refused(
            "npy", x, self.npy("y.npy", np.array([0, 5, 0, 0])), "--classes", 5))

    def test_truncated_files_and_files_of_other_formats_are_refused(self):
        whole = harness.write_npy(np.zeros((4, 3), np.uint8))
        idx = struct.pack(">BBBBII", 0, 0, 8, 2, 4, 3) + bytes(12)
        cases = [("npy", whole[:-1], "needs 12 bytes"), ("npy", b"", "is not an npy file"),
                 ("npy", whole[:20], "npy header"), ("idx", idx[:-1], "needs 12 bytes"),
                 ("idx", idx + b"x", "needs 12 bytes"), ("idx", b"\0\0\x07\1" + bytes(9), "is not an idx file"),
                 ("idx", b"\0\0\x08\x09" + bytes(99), "1 to 5 are supported"), ("idx", b"", "is not an idx file"),
                 ("idx", gzip.compress(idx)[:-5], "gzip"), ("idx", b"\x1f\x8b" + bytes(40), "gzip"),
                 ("idx", gzip.compress(idx)[:-4] + b"\xff\xff\xff\x7f", "gzip"),
                 ("cifar", bytes(3072), "not a whole number of CIFAR-10 or CIFAR-100 records"),
                 ("cifar", b"", "not a whole number of"),
                 ("safetensors", whole, "safetensors"),
                 ("safetensors", write_safetensors({"y": np.zeros(3, "<f4")}), "no array named x"),
                 ("safetensors", write_safetensors({"x": np.zeros((3, 2), "<f4"), "z": np.zeros(3)}),
                  "an array named z"),
                 ("safetensors", write_safetensors({"x": np.zeros((3, 2), "<f4"),
                                                    "y.a.b": np.zeros((3, 2))}), "not y.a.b")]
        for kind, data, reason in cases:
            self.assertIn(reason, self.refused(kind, self.file("bad", data)), (kind, data[:20]))
        self.assertIn("cannot be read", self.refused("npy", self.folder / "nothing"))
        self.assertIn("cannot be read", self.refused("npy", self.folder))

    def test_bad_images_are_refused(self):
        self.assertIn("a directory for each class", self.refused("folder", self.root))
        self.file("images/a/1.png", png(np.zeros((4, 4), np.uint8)))
        for name, data, reason in (("2.png", png(np.zeros((4, 4), np.uint8))[:-20], "the file is truncated"),
                                   ("2.jpg", JPEG[:-30], "the file is truncated"),
                                   ("2.jpg", b"GIF89a", "neither PNG nor JPEG")):
            path = self.file(f"images/a/{name}", data)
            self.assertIn(reason, self.refused("folder", self.folder / "images"))
            path.unlink()
        huge = bytearray(png(np.zeros((4, 4), np.uint8)))
        huge[16:24] = struct.pack(">II", 60000, 60000)
        huge[29:33] = struct.pack(">I", zlib.crc32(huge[12:29]))
        self.file("images/a/0.png", huge)
        self.assertIn("the image has 60000 x 60000 pixels; the limits are 67108864 pixels",
                      self.refused("folder", self.folder / "images"))

    def test_control_characters_of_names_are_escaped(self):
        """Nor does a name make a line of its own."""
        name = "red\x1b[31m\nfmixd: import: all is well \udcff"
        self.file(f"images/a/{name}.png", b"none")
        said = self.refused("folder", self.folder / "images")
        self.assertIn(r"a/red\x1b[31m\x0afmixd: import: all is well \xff.png': ", said)
        self.assertEqual([line[:16] for line in said.splitlines() if "all is well" in line], ["fmixd: import: '"])
        self.assertNotIn("\x1b", said)
        self.assertIn(r"'no\x1bfile'", self.refused("npy", "no\x1bfile"))

    def test_a_layout_that_does_not_fit_is_refused(self):
        x = self.npy("x.npy", np.zeros((2, 3, 4, 5), np.uint8))
        self.assertIn("--layout is required", self.refused("npy", x))
        self.assertIn("spatial dimensions", self.refused(
            "npy", self.npy("x.npy", np.zeros((2, 3), np.uint8)), "--layout", "channels_last"))
        self.assertIn("the first for the rows, but has 1",
                      self.refused("npy", self.npy("x.npy", np.zeros(3, np.uint8))))

    def test_a_wrong_command_line_ends_with_2(self):
        for arguments in ([], ["set"], ["set", "--from"], ["set", "--from", "csv", "x"],
                          ["set", "--from", "npy"], ["set", "--from", "npy", "a", "b", "c"],
                          ["set", "--what", "x"], ["set", "--from", "npy", "x", "--classes", "0"],
                          ["set", "--from", "npy", "x", "--layout", "up"],
                          ["set", "--from", "folder", "x", "--channels", "2"],
                          ["set", "--from", "cifar", "x", "--cifar", "20"]):
            self.assertIn("Usage: fmixd import", importing(*arguments, status=2))

    def test_help_goes_to_stdout_and_an_error_to_stderr(self):
        for arguments, status, words in ((["--help"], 0, "Examples:"), (["set"], 2, "--from is missing")):
            done = subprocess.run([harness.program(), "import", *arguments], capture_output=True, text=True,
                                  check=False, timeout=harness.PATIENCE)
            told, silent = (done.stdout, done.stderr) if status == 0 else (done.stderr, done.stdout)
            self.assertEqual((done.returncode, silent), (status, ""))
            self.assertIn(words, told)
            self.assertIn("Usage: fmixd import SET --from KIND", told)

    def test_options_that_do_not_apply_to_a_kind_are_refused(self):
        options = {"--layout": "none", "--classes": 3, "--channels": 1, "--cifar": 10, "--skip-bad": None,
                   "--allow-empty": None}
        taken = {"npy": "--layout --classes", "idx": "--layout --classes", "safetensors": "--layout --classes",
                 "cifar": "--cifar --skip-bad", "folder": "--channels --skip-bad --allow-empty"}
        for kind, own in taken.items():
            for name, value in options.items():
                arguments = [name] if value is None else [name, value]
                means = name in own.split()
                said = importing(self.root / "set", "--from", kind, self.folder / "nothing", *arguments,
                                 status=1 if means else 2)
                self.assertEqual(f"{name} does not apply to --from {kind}" in said, not means, said)
        x, rows = self.npy("x.npy", np.zeros((4, 3), "u1")), self.npy("y.npy", np.zeros((4, 3), "f4"))
        self.assertIn("--classes applies to labels, but there are no labels", self.refused("npy", x, "--classes", 3))
        self.assertIn("--classes is 5, but the labels y are rows of 3",
                      self.refused("npy", x, rows, "--classes", 5))

    def test_names_are_letters_and_digits(self):
        x = self.npy("x.npy", np.zeros((2, 3), np.uint8))
        for name in (".hidden", "a b", "a.b", "ä", "x" * 65):
            said = importing(self.root / name, "--from", "npy", x, status=1)
            self.assertIn("is not a valid name of a data set", said)

    def test_the_directories_above_a_set_are_made(self):
        x = self.npy("x.npy", np.zeros((2, 3), np.uint8))
        importing(self.root / "a/b/c", "--from", "npy", x)
        self.assertTrue((self.root / "a/b/c/manifest.json").exists())

    def test_a_directory_that_cannot_be_made_is_named(self):
        x = self.npy("x.npy", np.zeros((2, 3), np.uint8))
        (self.root / "dangling").symlink_to("nothing")
        said = importing(self.root / "dangling/b/set", "--from", "npy", x, status=1)
        self.assertIn(f"{self.root}/dangling/b: No such file or directory", said)

    def test_an_existing_set_is_not_overwritten(self):
        x = self.npy("x.npy", np.zeros((2, 3), np.uint8))
        self.take("npy", x)
        before = (self.root / "set" / "manifest.json").read_text()
        said = importing(self.root / "set", "--from", "npy", x, status=1)
        self.assertIn("already exists", said)
        self.assertEqual((self.root / "set" / "manifest.json").read_text(), before)


    def test_cifar_labels_and_lengths_are_checked_before_a_row_is_copied(self):
        good, wrong = self.file("good", bytes(3073 * 2)), bytearray(3073 * 3)
        wrong[3073 * 2] = 10
        bad = [self.file("label", wrong), self.file("short", bytes(3072)), self.folder / "missing"]
        said = self.refused("cifar", good, *bad)
        for words in ("label': record 2: label y is 10; the maximum is 9", "short': the file has 3072 bytes",
                      "missing': No such file", "--skip-bad imports the others",
                      "3 files could not be read, named above"):
            self.assertIn(words, said)
        said = self.take("cifar", good, *bad, "--skip-bad")
        self.assertIn("2 rows, digest", said)
        self.assertIn("imported 1 file", said)

    def test_bytes_after_gzip_data_are_refused(self):
        idx = gzip.compress(struct.pack(">BBBBII", 0, 0, 8, 2, 4, 3) + bytes(12))
        self.assertIn("has 5 bytes after the gzip data that are not gzip", self.refused(
            "idx", self.file("x.gz", idx + b"\0\0abc")))
        self.assertIn("member 2 of the gzip data is corrupt or truncated", self.refused(
            "idx", self.file("x.gz", idx + idx[:-9])))


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

    def held(self, *arguments):
        """An import that has begun to write, and stands still: for the first line that it says there is no
        room until let_go reads it."""
        reads, writes = os.pipe()
        os.set_blocking(writes, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writes, bytes(4096))
        os.set_blocking(writes, True)
        process = subprocess.Popen([harness.program(), "import", self.root / "set", "--from", *arguments],
                                   stderr=writes)
        os.close(writes)
        process.said = open(reads, "rb")
        self.addCleanup(process.said.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.until_it_writes(process)
        return process

    def let_go(self, process):
        """To its end; what it said."""
        said = process.said.read().lstrip(b"\0").decode()
        process.wait(harness.PATIENCE)
        return said

    def until_it_writes(self, process):
        """The first file is there: and so is the process."""
        def writes():
            self.assertIsNone(process.poll())
            return list(self.root.glob(".set.partial/data.bin"))
        harness.until(writes)

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
            process = self.held("safetensors", self.file("a", write_safetensors({"x": x}))) \
                if changed == "a" else self.held("npy", self.file("x.npy", harness.write_npy(x)),
                                                 self.file("y.npy", harness.write_npy(y)))
            alter(self.folder / changed)
            said = self.let_go(process)
            self.assertEqual(process.returncode, 1, said)
            self.assertRegex(said, f"{changed}' was truncated or changed while it was read")
            self.assertEqual(list(self.root.iterdir()), [])

    def test_a_killed_import_is_not_served_and_the_next_import_replaces_it(self):
        records = self.file("a", bytes(3073 * 400))
        process = self.held("cifar", *[records] * 9)
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
        first = self.held("npy", self.file("x.npy", harness.write_npy(x)))
        other = self.file("y.npy", harness.write_npy(x[:2]))
        said = importing(self.root / "set", "--from", "npy", other, status=1)
        self.assertIn("another process is already importing", said)
        said = self.let_go(first)
        self.assertEqual(first.returncode, 0, said)
        self.assertIn("6000000 rows, digest", said)
        self.assertEqual([path.name for path in self.root.iterdir()], ["set"])


if __name__ == "__main__":
    unittest.main()
