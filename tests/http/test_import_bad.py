"""What cannot be imported is refused with a reason, and leaves nothing behind."""

import gzip
import struct
import subprocess
import unittest
import zlib

import numpy as np

import harness
from containers import write_safetensors
from hosting import importing
from imports import Importing
from small_pictures import JPEG, png


class Bad(Importing):
    """What is refused, with a reason; nothing of it is left on the disk."""

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


if __name__ == "__main__":
    unittest.main()
