"""Resizing and pixels, against Pillow bit for bit."""

import io
import random
import struct
import unittest
import zlib

import numpy as np

import fmixref as ref

try:
    from PIL import Image
    NAMES = {"bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC,
             "nearest": Image.NEAREST}
    MISSING = None
except ImportError as error:
    MISSING = f"Pillow is not here: {error}"

PICTURES = 2000


def a_picture(source, sides, channels):
    """Noise, ramps, or edges of black and white, at which cubic weights pass the limits."""
    noise = np.frombuffer(source.randbytes(sides[0] * sides[1] * channels), np.uint8)
    kind = source.randrange(3)
    if kind == 1:
        noise = np.where(noise < 128, 0, 255).astype(np.uint8)
    if kind == 2:
        noise = np.arange(len(noise)).astype(np.uint8)
    return noise.reshape(*sides, channels) if channels > 1 else noise.reshape(sides)


def a_side(source):
    return source.choice((source.randint(1, 6), source.randint(1, 40),
                          source.randint(1, 120)))


def some_resizes(count):
    """Picture, window (top, left, height, width) and size."""
    source = random.Random(1)
    for _ in range(count):
        sides = a_side(source), a_side(source)
        window = [source.randint(1, side) for side in sides]
        start = [source.randint(0, side - wanted)
                 for side, wanted in zip(sides, window)]
        size = a_side(source), a_side(source)
        if source.random() < 0.1:
            size = window[0], size[1]
        if source.random() < 0.1:
            size = size[0], window[1]
        yield a_picture(source, sides, source.choice((1, 3))), (*start, *window), size


def cut(picture, window):
    top, left, height, width = window
    return picture[top:top + height, left:left + width]


@unittest.skipIf(MISSING, MISSING)
class Pillow(unittest.TestCase):
    def resized(self, picture, window, size, name):
        top, left, height, width = window
        image = Image.fromarray(picture).crop((left, top, left + width, top + height))
        return np.asarray(image.resize(size[::-1], NAMES[name]))

    def test_windows_of_pictures_are_resized_as_by_pillow(self):
        source = random.Random(3)
        for picture, window, size in some_resizes(PICTURES):
            name = source.choice(("bilinear", "bicubic"))
            made = ref.resized(cut(picture, window), size, name)
            wanted = self.resized(picture, window, size, name)
            if not np.array_equal(made, wanted):
                self.fail(f"{name} {picture.shape} {window} to {size}")

    def test_large_pictures_shrink_to_a_view_as_by_pillow(self):
        source = random.Random(4)
        for sides, size in (((700, 1100), (224, 224)), ((3, 5000), (9, 31)),
                            ((5000, 3), (1, 7)), ((224, 224), (448, 300))):
            picture = a_picture(source, sides, 3)
            for name in ("bilinear", "bicubic"):
                self.assertTrue(np.array_equal(
                    ref.resized(picture, size, name),
                    self.resized(picture, (0, 0, *sides), size, name)))

    def test_nearest_is_pillows_except_half_way_between_elements(self):
        differing = 0
        for picture, window, size in some_resizes(500):
            made = ref.resized(cut(picture, window), size, "nearest")
            wanted = self.resized(picture, window, size, "nearest")
            clear = [[(2 * i + 1) * n % (2 * m) != 0 or n == m for i in range(m)]
                     for n, m in zip(window[2:], size)]
            both = np.ix_(*map(np.flatnonzero, clear))
            self.assertTrue(np.array_equal(made[both], wanted[both]))
            differing += not np.array_equal(made, wanted)
        self.assertLess(differing, 250)


class Nearest(unittest.TestCase):
    def test_each_output_takes_the_element_in_which_its_centre_lies(self):
        for n in (1, 2, 3, 7, 100, 2**20):
            for m in (1, 2, 3, 10, 64):
                places = ref.nearest_places(n, m)
                for i, place in enumerate(places):
                    self.assertTrue(place * 2 * m <= (2 * i + 1) * n
                                    < (place + 1) * 2 * m)

    def test_the_printed_row(self):
        row = np.array([[0, 255, 10, 200, 30, 128, 64]], np.uint8)
        for size, name, expected in (
                (3, "bilinear", [111, 114, 84]), (3, "bicubic", [113, 110, 86]),
                (3, "nearest", [255, 200, 128]),
                (10, "bicubic", [0, 152, 219, 13, 143, 156, 29, 109, 104, 60])):
            for turned in (False, True):
                made = (ref.resized(row.T, (size, 1), name).T if turned
                        else ref.resized(row, (1, size), name))
                self.assertEqual(made.tolist(), [expected])

    def test_columns_come_first(self):
        picture = a_picture(random.Random(8), (9, 11), 1)
        made = ref.resized(picture, (5, 4), "bicubic").tolist()
        for first, equal in (((9, 4), True), ((5, 11), False)):
            half = ref.resized(picture, first, "bicubic")
            self.assertEqual(ref.resized(half, (5, 4), "bicubic").tolist() == made,
                             equal)


def png(depth, colours, rows, width, palette=b""):
    """A PNG of packed rows."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(
            ">I", zlib.crc32(name + data))
    header = struct.pack(">IIBBBBB", width, len(rows), depth, colours, 0, 0, 0)
    packed = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
            + (chunk(b"PLTE", palette) if palette else b"")
            + chunk(b"IDAT", packed) + chunk(b"IEND", b""))


@unittest.skipIf(MISSING, MISSING)
class Pixels(unittest.TestCase):
    def setUp(self):
        self.noise = np.random.default_rng(6)

    def opened(self, made, mode):
        return np.asarray(Image.open(io.BytesIO(made)).convert(mode))

    def test_grey_and_rgb(self):
        rgb = self.noise.integers(0, 256, (200, 300, 3), np.uint8)
        image = Image.fromarray(rgb)
        self.assertTrue(np.array_equal(ref.grey_of(rgb), image.convert("L")))
        grey = image.convert("L")
        self.assertTrue(np.array_equal(ref.rgb_of(np.asarray(grey)),
                                       grey.convert("RGB")))

    def test_inks(self):
        """Pillow's CMYK is the inverse of what a JPEG stores."""
        stored = self.noise.integers(0, 256, (300, 300, 4), np.uint8)
        stored[:256, :256, 0] = np.arange(256)
        stored[:256, :256, 3] = np.arange(256)[:, np.newaxis]
        image = Image.fromarray(255 - stored, "CMYK")
        made = ref.rgb_of_inks(stored)
        self.assertTrue(np.array_equal(made, image.convert("RGB")))
        self.assertTrue(np.array_equal(ref.grey_of(made), image.convert("L")))

    def test_bits(self):
        row = bytes([0b00011011, 0b11100100])
        for depth in (1, 2, 4):
            each = 8 // depth
            levels = np.array([byte >> (8 - depth * (i + 1)) & (2**depth - 1)
                               for byte in row for i in range(each)])
            made = self.opened(png(depth, 0, [row], len(levels)), "L")
            self.assertEqual(ref.grey_of_bits(levels, depth).tolist(), made[0].tolist())

    def test_sixteen_bits_and_alpha(self):
        samples = self.noise.integers(0, 65536, (3, 5, 4), np.uint16)
        rows = [row.astype(">u2").tobytes() for row in samples]
        made = self.opened(png(16, 6, rows, 5), "RGBA")
        self.assertTrue(np.array_equal(ref.grey_of_bits(samples, 16), made))

    def test_palettes(self):
        palette = self.noise.integers(0, 256, (7, 3), np.uint8)
        places = self.noise.integers(0, 7, (4, 9), np.uint8)
        made = png(8, 3, [bytes(row) for row in places], 9, palette.tobytes())
        rgb = ref.looked_up(places, palette)
        self.assertTrue(np.array_equal(rgb, self.opened(made, "RGB")))
        self.assertTrue(np.array_equal(ref.grey_of(rgb), self.opened(made, "L")))
        self.assertEqual(ref.looked_up(np.array([7, 255]), palette).tolist(), [[0] * 3] * 2)


if __name__ == "__main__":
    unittest.main()
