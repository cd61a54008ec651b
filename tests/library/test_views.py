"""Views by the library, against Pillow bit for bit, and against mpmath where they are decided."""

import pathlib
import random
import sys
import unittest

import mpmath
import numpy as np
from PIL import Image

import library

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "reference"))

import refstream  # noqa: E402

RESIZINGS = 2000
DRAWS = 2000
EDGES = 400
WORD = mpmath.mpf(2) ** 32
INCEPTION = ((0.08, 1), (3 / 4, 4 / 3))


def recipe(kind, size, area=(1, 1), ratio=(1, 1), shorter=0, flips=False):
    """A fmix_view_recipe."""
    return library.Recipe(kind, *size, flips, (library.ctypes.c_double * 2)(*area),
                          (library.ctypes.c_double * 2)(*ratio), shorter)


def window(view):
    """Top, left, height and width."""
    return view.rows.first, view.columns.first, view.rows.length, view.columns.length


def extent(sides, area, ratio, words, upright):
    """A side of a window, as a real number of many digits."""
    low, high = (mpmath.mpf(x) for x in area)
    share = low + (high - low) * words[0] / WORD
    low, high = (mpmath.mpf(x) for x in ratio)
    power = low * mpmath.power(high / low, words[1] / WORD)
    square = sides[0] * sides[1] * share
    return mpmath.sqrt(square / power if upright else square * power)


def nearest(number):
    """To the nearest whole number, ties to even."""
    return int(mpmath.nint(number))


def drawn(sides, area, ratio, words):
    """The window of STREAM §9 for the 40 words."""
    height, width = sides
    for k in range(0, 40, 4):
        w = nearest(extent(sides, area, ratio, words[k:], False))
        h = nearest(extent(sides, area, ratio, words[k:], True))
        if 1 <= w <= width and 1 <= h <= height:
            return (words[k + 2] * (height - h + 1) >> 32, words[k + 3] * (width - w + 1) >> 32, h, w)
    h, w = height, width
    if mpmath.mpf(width) / height < ratio[0]:
        h = min(max(nearest(mpmath.mpf(width) / ratio[0]), 1), height)
    elif mpmath.mpf(width) / height > ratio[1]:
        w = min(max(nearest(mpmath.mpf(height) * ratio[1]), 1), width)
    return ((height - h) // 2, (width - w) // 2, h, w)


def words_of(seed, index, neighbour):
    """The 40 words of a row's window, or of its neighbour's."""
    return [int(word) for word in
            refstream.words(seed, 8, index, 40, first_block=16 if neighbour else 0)]


@unittest.skipIf(library.is_sanitized(), "the library has a sanitizer, and Python has not")
class Views(unittest.TestCase):
    """Draws and pixels."""

    def setUp(self):
        self.fmix = library.Library()
        self.addCleanup(self.fmix.close)
        self.random = random.Random(8)
        self.enterContext(mpmath.workdps(80))

    def side(self, most=300):
        """One pixel or a few, more often than drawing evenly would."""
        few = self.random.choice([1, 2, 3, 20, 60, most])
        return self.random.randint(1, few)

    def pixels(self, channels):
        """Noise, or black and white alone."""
        numbers = np.random.default_rng(self.random.getrandbits(32))
        shape = (self.side(), self.side()) + ((channels,) if channels > 1 else ())
        noise = numbers.integers(0, 256, shape, dtype=np.uint8)
        return noise if self.random.random() < 0.7 else (noise >> 7) * np.uint8(255)

    def any_view(self, pixels):
        """A window of any place and size, to any size, or to the same height or width."""
        (height, width), rand = pixels.shape[:2], self.random.randint
        h, w = rand(1, height), rand(1, width)
        rows, columns = self.random.choice([h, self.side(), self.side()]), self.side()
        columns = self.random.choice([w, columns, columns])
        return library.View(library.Side(rand(0, height - h), h, rows, 0, rows),
                            library.Side(rand(0, width - w), w, columns, 0, columns), rand(0, 1))

    def test_pixels_are_those_of_pillow(self):
        for _ in range(RESIZINGS):
            channels = self.random.choice([1, 3, 3, 4])
            pixels = self.pixels(channels)
            view = self.any_view(pixels)
            kind = self.random.choice([library.BILINEAR, library.BICUBIC])
            top, left, height, width = window(view)
            picture = Image.fromarray(pixels, {1: "L", 3: "RGB", 4: "CMYK"}[channels])
            picture = picture.crop((left, top, left + width, top + height))
            wanted = np.asarray(picture.resize((view.columns.size, view.rows.size),
                                               (Image.BILINEAR, Image.BICUBIC)[kind]))
            wanted = wanted[:, ::-1] if view.flip else wanted
            np.testing.assert_array_equal(self.fmix.resize(view, kind, pixels), wanted,
                                          f"{pixels.shape} {window(view)} {kind}")

    def test_extreme_sides_are_those_of_pillow(self):
        cases = [((1, 3000), (7, 1)), ((3000, 1), (1, 9)), ((1, 1), (300, 200)), ((2, 2999), (2, 3001)),
                 ((1500, 2), (1, 700)), ((3, 20000), (3, 2)), ((700, 900), (1, 1)), ((1, 2), (1, 60000))]
        for sides, size in cases:
            numbers = np.random.default_rng(sides[1])
            pixels = numbers.integers(0, 256, (*sides, 3), dtype=np.uint8)
            view = library.View(library.Side(0, sides[0], size[0], 0, size[0]),
                                library.Side(0, sides[1], size[1], 0, size[1]), False)
            for kind, pillow in enumerate((Image.BILINEAR, Image.BICUBIC)):
                wanted = np.asarray(Image.fromarray(pixels).resize(size[::-1], pillow))
                np.testing.assert_array_equal(self.fmix.resize(view, kind, pixels), wanted,
                                              f"{sides} {size} {kind}")

    def test_nearest_is_the_formula(self):
        for _ in range(300):
            pixels = self.pixels(3)
            view = self.any_view(pixels)
            rows = [(2 * i + 1) * view.rows.length // (2 * view.rows.size) + view.rows.first
                    for i in range(view.rows.size)]
            columns = [(2 * i + 1) * view.columns.length // (2 * view.columns.size)
                       + view.columns.first for i in range(view.columns.size)]
            wanted = pixels[rows][:, columns[::-1] if view.flip else columns]
            np.testing.assert_array_equal(self.fmix.resize(view, library.NEAREST, pixels), wanted)

    def test_centers_are_the_middle_of_pillows_picture(self):
        for _ in range(300):
            pixels = self.pixels(3)
            height, width = pixels.shape[:2]
            shorter, size = self.random.randint(1, 60), (self.side(60), self.side(60))
            sides = [shorter * side // min(height, width) for side in (height, width)]
            if max(sides) > 4000:
                continue
            picture = np.asarray(Image.fromarray(pixels).resize(sides[::-1], Image.BILINEAR))
            missing = [max(want - have, 0) for want, have in zip(size, sides)]
            picture = np.pad(picture, [(d // 2, d - d // 2) for d in missing] + [(0, 0)])
            top, left = (round((have - want) / 2) for have, want in zip(picture.shape, size))
            view = self.fmix.draw(recipe(library.CENTER, size, shorter=shorter), 0, 0, (height, width))
            np.testing.assert_array_equal(self.fmix.resize(view, library.BILINEAR, pixels),
                                          picture[top:top + size[0], left:left + size[1]])

    def test_windows_are_those_of_many_digits(self):
        for index in range(DRAWS):
            sides = self.side(5000), self.side(5000)
            area = sorted(self.random.uniform(1e-3, 1) for _ in range(2))
            ratio = sorted(self.random.choice([0.5, 1, 3, self.random.uniform(0.1, 9)]) for _ in range(2))
            if index % 2:
                area, ratio = INCEPTION
            neighbour = index % 5 == 0
            view = self.fmix.draw(recipe(library.RANDOM, (8, 8), area, ratio), 3, index, sides, neighbour)
            wanted = drawn(sides, area, ratio, words_of(3, index, neighbour))
            self.assertEqual(window(view), wanted, (sides, area, ratio, index))

    def test_windows_beside_half_a_pixel_are_decided(self):
        """Areas next to those of which a width or height is half a pixel, up and down. Of pictures
        whose sides are powers of two, it is half a pixel exactly where the ratio is 1."""
        ties = 0
        for index in range(EDGES):
            sides = [self.random.choice([64, 128, 1024, self.random.randint(50, 3000)]) for _ in range(2)]
            upright, half = index % 2 == 0, self.random.randint(10, 20) + 0.5
            ratio = [(1, 1), (0.5, 2), (0.75, 1.5)][index % 3]
            words = words_of(4, index, False)
            share = half ** 2 / extent(sides, (1, 1), ratio, words, upright) ** 2
            for step in range(-2, 3):
                area = float(share) + step * float(np.spacing(float(share)))
                number = extent(sides, (area, area), ratio, words, upright)
                ties += number == half
                view = self.fmix.draw(recipe(library.RANDOM, (8, 8), (area, area), ratio), 4, index, sides)
                self.assertEqual(window(view), drawn(sides, (area, area), ratio, words),
                                 (sides, area, ratio, index))
        self.assertGreater(ties, 20)


if __name__ == "__main__":
    unittest.main()
