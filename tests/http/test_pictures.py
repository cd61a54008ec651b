"""Pictures that `fmixd import` reads, pixel for pixel as Pillow converts them to RGB and to L.

Where Pillow clips (grey of 16 bits) the rule is the one of the contract: the high byte.
"""

import io
import pathlib
import tempfile
import unittest
import warnings

import numpy as np
from PIL import Image

import pictures
from hosting import importing


def judged(data, mode):
    """What Pillow makes of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        picture = Image.open(io.BytesIO(data))
        if picture.mode.startswith("I"):
            samples = np.asarray(picture, np.int64)
            picture = Image.fromarray((samples >> 8).astype(np.uint8))
        return np.asarray(picture.convert(mode))


class Read(unittest.TestCase):
    """One file a set."""

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def taken(self, data, channels, status=0):
        """The pixels in the set, and what was said."""
        root = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        (root / "from" / "a").mkdir(parents=True)
        (root / "from" / "a" / "1.png").write_bytes(data)
        said = importing(root / "set", "--from", "folder", root / "from", "--channels", channels,
                         status=status)
        stored = root / "set" / "data.bin"
        return np.fromfile(stored, np.uint8) if stored.exists() else None, said

    def compare(self, name, data):
        """Both conversions; what was said."""
        for mode, channels in (("RGB", 3), ("L", 1)):
            with self.subTest(name, mode=mode):
                right = judged(data, mode)
                pixels, said = self.taken(data, channels)
                self.assertIn("{1} x {0}".format(*right.shape), said)
                self.assertEqual(pixels.tolist(), right.reshape(-1).tolist())
        return said

    def test_pixels_of_png_are_the_samples(self):
        table = list(pictures.pngs())
        self.assertGreaterEqual(len(table), 50)
        for name, data in table:
            self.assertNotIn("warning", self.compare(name, data), name)

    def test_pixels_of_jpeg_are_pillows(self):
        table = list(pictures.jpegs())
        self.assertGreaterEqual(len(table), 40)
        for name, data in table:
            self.assertNotIn("warning", self.compare(name, data), name)

    def test_odd_jpegs_are_read_with_a_warning_that_names_them(self):
        for name, data in pictures.odd_jpegs():
            self.assertRegex(self.compare(name, data),
                             "'.*/a/1.png': imported with a warning: libjpeg-turbo warning: ", name)

    def test_a_jpeg_cut_near_its_end_is_read_where_pillow_reads_it(self):
        colour, grey = pictures.photo(40, 40), pictures.photo(40, 40, 1)
        for name, data in (("4:2:0", pictures.cjpeg(colour, "-sample", "2x2")),
                           ("grey", pictures.cjpeg(grey)), ("restarts", pictures.cjpeg(colour, "-restart", "1B")),
                           ("black", pictures.cjpeg(np.zeros((40, 40), np.uint8))),
                           ("progressive", pictures.cjpeg(grey, "-progressive"))):
            for missing in (1, 2, 3, 4, 5, 9):
                with self.subTest(name, missing=missing):
                    try:
                        right = judged(data[:-missing], "L").reshape(-1).tolist()
                    except OSError as error:
                        self.assertIn("truncated", str(error))
                        right = None
                    pixels, said = self.taken(data[:-missing], 1, status=int(right is None))
                    self.assertEqual(right, None if pixels is None else pixels.tolist(), said)

    def test_samples_of_16_bits_keep_their_high_byte(self):
        ramp = np.array([0, 255, 256, 511, 65535, 51400]).reshape(1, 6, 1)
        pixels, said = self.taken(pictures.png(ramp, 16, 0), 1)
        self.assertEqual(pixels.tolist(), [0, 0, 1, 1, 255, 200])
        self.assertIn("1 file: samples of 16 bits to their high byte", said)

    def test_truncated_files_are_refused_as_truncated(self):
        for name, data in (("png", pictures.png(np.zeros((9, 9, 3), int), 8, 2)),
                           ("baseline", pictures.cjpeg(pictures.photo(30, 30))),
                           ("progressive", pictures.cjpeg(pictures.photo(30, 30), "-progressive")),
                           ("arithmetic", pictures.cjpeg(pictures.photo(30, 30), "-arithmetic"))):
            for length in (30, len(data) // 2, len(data) - 25):
                pixels, said = self.taken(data[:length], 3, status=1)
                self.assertIsNone(pixels)
                self.assertIn(f"the file is truncated after {length} bytes", said, name)

    def test_damaged_files_are_refused_in_the_words_of_the_library(self):
        png = bytearray(pictures.png(np.zeros((9, 9, 3), int), 8, 2))
        png[-13] ^= 1  # of the sum of IDAT
        jpeg = pictures.cjpeg(pictures.photo(30, 30))
        for data, words in ((png, "libpng: IDAT: CRC error"),
                            (pictures.without(jpeg, 0xdb),
                             "libjpeg-turbo: Quantization table 0x00 was not defined"),
                            (pictures.without(jpeg, 0xc0), "libjpeg-turbo: "),
                            (b"GIF89a", "the file is neither PNG nor JPEG")):
            self.assertIn(words, self.taken(bytes(data), 3, status=1)[1])


if __name__ == "__main__":
    unittest.main()
