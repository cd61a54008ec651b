"""`fmixd import --from folder`: whatever lies about in a folder of pictures."""

import contextlib
import os
import pathlib
import pty
import subprocess
import unittest

import numpy as np

import harness
import pictures
from hosting import importing
from imports import Importing
from small_pictures import png

GREY, COLOUR = np.full((4, 4), 7, np.uint8), np.full((4, 4, 3), (255, 0, 0), np.uint8)


class Folders(Importing):
    """Whatever lies about in a folder of pictures is taken, or named, or counted."""

    def images(self, *names, data=png(GREY)):
        """Files of the same bytes below images/."""
        for name in names:
            self.file(f"images/{name}", data)

    def stored(self):
        """The set's pixels and class numbers."""
        return (np.fromfile(self.root / "set" / "data.bin", np.uint8),
                np.fromfile(self.root / "set" / "labels.bin", "<i4").tolist())

    def test_one_grey_picture_makes_no_colour_set_grey(self):
        self.images("a/1.png")
        self.images("a/2.png", "b/3.png", data=png(COLOUR))
        said = self.take("folder", self.folder / "images")
        self.assertIn("images of 4 x 4 pixels: 2 colour, 1 grey; rows are RGB", said)
        self.assertIn("converted 1 file: grey to RGB (first: '", said)
        self.assertIn("rows have shape 4x4x3, type u8 and layout channels_last", said)
        self.assertIn("y: 2 classes; rows per class: 'a': 2, 'b': 1", said)
        self.assertIn("imported 3 files", said)
        self.assertEqual(self.stored()[0].reshape(3, -1, 3)[:, 0].tolist(), [[7, 7, 7], [255, 0, 0], [255, 0, 0]])

    def test_channels_are_those_that_are_asked_for(self):
        self.images("a/1.png")
        self.images("a/2.png", data=png(COLOUR))
        said = self.take("folder", self.folder / "images", "--channels", 1)
        self.assertIn("rows are grey (--channels)", said)
        self.assertIn("converted 1 file: colour to grey", said)
        self.assertIn("rows have shape 4x4, type u8 and layout none", said)
        self.assertEqual(self.stored()[0].tolist(), [7] * 16 + [76] * 16)
        importing(self.root / "grey", "--from", "folder", self.folder / "images", "--channels", 3)
        self.assertEqual(len((self.root / "grey" / "data.bin").read_bytes()), 96)

    def test_folders_are_walked_to_the_bottom_in_the_order_of_torchvision(self):
        names = ["c/z.png", "c/a/y.png", "c/a-b/x.png", "c/a/b/w.png", "d/images/1.JPEG", "d/2.png", "e/x/y/z/1.jpg"]
        for number, name in enumerate(names):
            self.file(f"images/{name}", png(np.full((1, 1), number, np.uint8)))
        self.take("folder", self.folder / "images")
        walked = [names.index(str((pathlib.Path(root) / file).relative_to(self.folder / "images")))
                  for name in "cde" for root, _, files in sorted(os.walk(self.folder / "images" / name))
                  for file in sorted(files)]
        pixels, classes = self.stored()
        self.assertEqual((pixels.tolist(), classes), (walked, [0, 0, 0, 0, 1, 1, 2]))

    def test_other_files_are_skipped_counted_and_reported(self):
        self.images("a/1.png", ".hidden/1.png", "b.png/2.png")
        self.images("labels.csv", ".DS_Store", "a/.DS_Store", "a/2.webp", "a/3.webp", "a/notes", data=b"?")
        os.mkfifo(self.folder / "images" / "a" / "pipe.png")
        said = self.take("folder", self.folder / "images")
        for words in ("skipped 3 files: hidden (the name begins with a dot) (first: '",
                      "skipped 1 file: not in the directory of a class (first: '", "labels.csv'",
                      "skipped 2 files: extension .webp is not PNG or JPEG (first: '",
                      "skipped 1 file: no extension (first: '",
                      "skipped 1 file: neither a regular file nor a directory (first: '",
                      "y: 2 classes; rows per class: 'a': 1, 'b.png': 1"):
            self.assertIn(words, said)

    def test_links_are_followed_and_those_in_circles_or_to_nothing_are_named(self):
        self.images("a/1.png")
        self.file("elsewhere/deep/2.png", png(GREY))
        images = self.folder / "images"
        (images / "b").symlink_to(self.folder / "elsewhere")
        (images / "a" / "3.png").symlink_to(images / "a" / "1.png")
        (self.folder / "link").symlink_to(images)
        said = self.take("folder", self.folder / "link")
        self.assertIn("y: 2 classes; rows per class: 'a': 2, 'b': 1", said)
        (images / "a" / "up").symlink_to(images)
        (images / "a" / "gone.png").symlink_to("nowhere")
        said = importing(self.root / "other", "--from", "folder", images, status=1)
        self.assertIn("up': the link leads to a directory that contains the link", said)
        self.assertIn("gone.png': No such file", said)
        self.assertIn("2 files could not be read, named above", said)
        self.assertFalse((self.root / "other").exists())

    def test_classes_without_a_picture_are_errors_unless_allowed(self):
        self.images("a/1.png")
        self.images("b/1.webp", data=b"?")
        (self.folder / "images" / "c").mkdir()
        said = self.refused("folder", self.folder / "images")
        self.assertIn("the class 'b' has no PNG or JPEG file", said)
        self.assertIn("the class 'c' has no PNG or JPEG file", said)
        self.assertIn("2 of 3 classes are empty; --allow-empty imports them without rows", said)
        self.assertIn("extension .webp is not PNG or JPEG (first: '", said)
        said = self.take("folder", self.folder / "images", "--allow-empty")
        self.assertIn("y: 3 classes; rows per class: 'a': 1, 'b': 0, 'c': 0", said)

    def test_all_bad_files_are_named_and_skip_bad_goes_on_without_them(self):
        self.images("a/1.png", "a/2.png", "b/1.png")
        self.images("a/0.png", data=b"no picture")
        self.images("a/3.png", data=png(GREY)[:-20])
        self.images("b/3.png", data=b"")
        said = self.refused("folder", self.folder / "images")
        bad = ("a/0.png': the file is neither PNG nor JPEG", "a/3.png': the file is truncated",
               "b/3.png': the file is empty")
        for words in (*bad, "--skip-bad imports the others", "3 files could not be read, named above"):
            self.assertIn(words, said)
        said = self.take("folder", self.folder / "images", "--skip-bad")
        for words in (*bad, "3 rows, digest", "imported 3 files", "'a': 2, 'b': 1"):
            self.assertIn(words, said)
        self.assertEqual(self.stored()[1], [0, 0, 1])

    def test_of_very_many_bad_files_the_first_are_named(self):
        self.images("a/good.png")
        self.images(*(f"a/{number}.png" for number in range(90)), data=b"?")
        said = self.refused("folder", self.folder / "images")
        self.assertEqual(said.count("the file is neither PNG nor JPEG"), 20)
        self.assertIn("90 files could not be read; the first 20 are named above", said)

    def test_a_class_of_bad_files_alone_is_empty_once_they_are_skipped(self):
        self.images("a/1.png")
        self.images("b/1.png", data=png(GREY)[:-20])
        said = self.refused("folder", self.folder / "images", "--skip-bad")
        self.assertIn("the class 'b' has no PNG or JPEG file that can be read", said)

    def test_control_characters_of_names_are_escaped(self):
        self.images("a/1.png")
        self.images("a/\x1b[2J\n.png", data=b"?")
        said = self.refused("folder", self.folder / "images")
        self.assertIn(r"a/\x1b[2J\x0a.png': the file is neither", said)
        self.assertNotIn("\x1b", said)
        os.mkdir(os.fsencode(self.folder / "images") + b"/\xff")
        self.assertIn(r"images/\xff' is not UTF-8", self.refused("folder", self.folder / "images"))

    def test_on_a_terminal_a_file_is_named_on_a_line_of_its_own(self):
        odd = dict(pictures.odd_jpegs())["JFIF 2.01"]
        self.images(*(f"a/{number:03}.jpg" for number in range(120)), data=pictures.cjpeg(pictures.photo(37, 53)))
        self.images("a/050.jpg", data=odd)
        ours, theirs = pty.openpty()
        process = subprocess.Popen([harness.program(), "import", self.root / "set", "--from", "folder",
                                    self.folder / "images"], stderr=theirs)
        os.close(theirs)
        said = b""
        with contextlib.suppress(OSError):  # EIO: nobody writes there any more
            while piece := os.read(ours, 65536):
                said += piece
        os.close(ours)
        self.assertEqual(process.wait(harness.PATIENCE), 0)
        said = said.decode()
        self.assertRegex(said, r"4\d %(, .*)?\r\nfmixd: import: '.*a/050.jpg': imported with a warning: "
                               "libjpeg-turbo warning: ")
        self.assertRegex(said, "\r" + "#" * 40 + " 100 %(, .*)?\r\n")
        self.assertIn("1 file imported with a warning, named above", said)

    def test_many_classes_are_summed_up_by_the_fewest_and_the_most_rows(self):
        self.images(*(f"{number:02}/{i}.png" for number in range(40) for i in range(1 + (number == 7))))
        said = self.take("folder", self.folder / "images")
        self.assertIn("y: 40 classes; rows per class: from 1 (class '00') to 2 (class '07'); "
                      "classes without rows: 0", said)


if __name__ == "__main__":
    unittest.main()
