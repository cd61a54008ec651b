"""Views of pictures: the printed checks, ties, and torchvision's law by plain float64."""

import collections
import dataclasses
import math
import random
import types
import unittest
from fractions import Fraction

import mpmath
import numpy as np

import fmixref as ref

USUAL = ref.View((224, 224))


def inception_crop(sides, area, ratio, uniforms):
    """Torchvision's RandomResizedCrop.get_params in float64, of tens of four uniform numbers.

    But a window has a pixel at least. Also the number of the draw that gave
    it, None if none did, and how near a root came to a half: what float64
    may round otherwise.
    """
    height, width = sides
    margin = 1.0
    for k, (share, power, down, right) in enumerate(uniforms):
        target = height * width * (area[0] + (area[1] - area[0]) * share)
        aspect = math.exp(math.log(ratio[0]) + power
                          * (math.log(ratio[1]) - math.log(ratio[0])))
        roots = math.sqrt(target * aspect), math.sqrt(target / aspect)
        margin = min(margin, *(abs(root % 1 - 0.5) for root in roots))
        w, h = (int(round(root)) for root in roots)
        if 0 < w <= width and 0 < h <= height:
            return (int(down * (height - h + 1)),
                    int(right * (width - w + 1)), h, w), k, margin
    w, h = width, height
    if width / height < ratio[0]:
        h = max(int(round(w / ratio[0])), 1)
    elif width / height > ratio[1]:
        w = max(int(round(h * ratio[1])), 1)
    return ((height - h) // 2, (width - w) // 2, h, w), None, margin


def some_recipes(count):
    source = random.Random(9)
    for t in range(count):
        sides = source.choice(((480, 640), (375, 500), (20, 400), (400, 20),
                               (source.randint(1, 9), source.randint(1, 9)),
                               (source.randint(1, 3000), source.randint(1, 3000))))
        low, high = sorted(source.uniform(0.01, 1) for _ in range(2))
        area = source.choice(((0.08, 1.0), (0.35, 1.0), (low, high)))
        narrow = source.uniform(0.2, 1)
        ratio = source.choice(((3 / 4, 4 / 3), (0.5, 2.0), (1.0, 1.0), (2.0, 3.0),
                               (narrow, narrow + source.uniform(0, 2))))
        yield source.randrange(2**64), t, sides, area, ratio


class PrintedChecks(unittest.TestCase):
    def test_random_windows(self):
        usual = (0.08, 1.0), (3 / 4, 4 / 3)
        for t, neighbour, sides, (area, ratio), expected in (
                (0, False, (480, 640), usual, (86, 58, 292, 288)),
                (1, False, (480, 640), usual, (279, 393, 175, 201)),
                (0, True, (480, 640), usual, (80, 310, 275, 257)),
                (0, False, (400, 20), usual, (186, 0, 27, 20)),
                (0, False, (15, 100), ((1, 1), (0.5, 1.1)), (0, 41, 15, 17)),
                (0, False, (5, 5), ((0.25, 0.25), (1, 1)), (0, 1, 2, 2))):
            view = ref.View((1, 1), area=area, ratio=ratio)
            self.assertEqual(ref.random_window(0, t, sides, view, neighbour),
                             expected)

    def test_center(self):
        self.assertEqual(ref.center_sides((375, 500), (224, 224)), (256, 341))
        self.assertEqual([ref.center_place(side, 224) for side in (256, 341)],
                         [(0, 0, 16), (0, 0, 58)])
        self.assertEqual(ref.center_sides((30, 50), (40, 31), 20), (20, 33))
        self.assertEqual(ref.center_place(20, 40), (10, 10, 0))
        self.assertEqual(ref.center_place(33, 31), (0, 0, 1))


class RandomWindows(unittest.TestCase):
    def test_a_window_is_the_same_function_of_its_words_as_torchvisions(self):
        numbers = collections.Counter()
        for seed, t, sides, area, ratio in some_recipes(2000):
            drawn = ref.words(seed, 8, t, 40).reshape(10, 4) / 2**32
            wanted, number, margin = inception_crop(sides, area, ratio,
                                                    drawn.tolist())
            if margin < 1e-9:
                continue
            numbers[number] += 1
            view = ref.View((1, 1), area=area, ratio=ratio)
            self.assertEqual(ref.random_window(seed, t, sides, view), wanted)
        self.assertGreater(sum(numbers.values()), 1800)
        for number in (0, 1, 2, 9, None):
            self.assertGreater(numbers[number], 0)

    def test_areas_are_uniform_and_ratios_uniform_in_their_logarithm(self):
        windows = [ref.random_window(1, t, (2000, 2000), USUAL)
                   for t in range(1500)]
        areas = sorted(h * w / 4e6 for _, _, h, w in windows)
        ratios = sorted(math.log(w / h) for _, _, h, w in windows)
        # A large area is refused if its ratio makes it too long.
        small = [area for area in areas if area < 0.7]
        self.assert_uniform(small, 0.08, 0.7)
        small = sorted(math.log(w / h) for _, _, h, w in windows
                       if h * w < 0.7 * 4e6)
        self.assert_uniform(small, math.log(3 / 4), math.log(4 / 3))
        self.assertLess(ratios[-1], math.log(4 / 3) + 1e-2)

    def assert_uniform(self, found, low, high):
        """By the statistic of Kolmogorov and Smirnov, at about 10^-6."""
        far = max(abs((value - low) / (high - low) - i / len(found))
                  for i, value in enumerate(found))
        self.assertLess(far, 2.7 / math.sqrt(len(found)))

    def test_a_neighbour_draws_by_words_of_its_own(self):
        for t in range(50):
            words = ref.words(3, 8, t, 104).tolist()
            flips = ref.words(3, 6, t, 19).tolist()
            for neighbour, first, flip in ((False, 0, 2), (True, 64, 18)):
                wanted, _, _ = inception_crop(
                    (480, 640), USUAL.area, USUAL.ratio,
                    np.reshape(words[first:first + 40], (10, 4)) / 2**32)
                self.assertEqual(
                    ref.random_window(3, t, (480, 640), USUAL, neighbour), wanted)
                self.assertEqual(ref.is_flipped(3, t, neighbour),
                                 flips[flip] < 2**31)


class Decisions(unittest.TestCase):
    def test_halves_go_to_the_even_number_and_nothing_else_does(self):
        for ratio, power, r in (((1.0, 1.0), 12345, 1), ((0.25, 4.0), 0, Fraction(1, 4)),
                                ((0.25, 4.0), 2**31, 1), ((0.25, 4.0), 2**30, Fraction(1, 2)),
                                ((2**-8, 2**8), 5 * 2**28, Fraction(1, 8)),
                                ((81 / 1024, 625 / 1024), 3 * 2**30, Fraction(375, 1024)),
                                ((81 / 1024, 625 / 1024), 2**30, Fraction(135, 1024))):
            self.assertEqual(ref.rational_ratio(ratio, power), r)
            for sign in (1, -1):
                for below in (0, 1, 2, 3, 1001, 2**20):
                    square = (below + Fraction(1, 2))**2 / Fraction(r)**sign
                    for off, expected in ((0, below + below % 2),
                                          (Fraction(1, 2**90), below + 1),
                                          (-Fraction(1, 2**90), below)):
                        self.assertEqual(
                            ref.rounded_root(square + off, ratio, power, sign),
                            expected)

    def test_irrational_ratios_have_no_root(self):
        for ratio, power in (((3 / 4, 4 / 3), 1), ((0.25, 4.0), 1), ((1.0, 2.0), 2**31),
                             ((1.0, 16.0), 2**29), ((1.0, 1 + 2**-52), 2**31)):
            self.assertIsNone(ref.rational_ratio(ratio, power))

    def test_roots_are_those_of_four_hundred_bits_however_near_to_a_half(self):
        source = random.Random(2)
        with mpmath.workprec(400):
            for _ in range(400):
                ratio = tuple(sorted(source.uniform(0.3, 3) for _ in range(2)))
                power, sign = source.randrange(1, 2**32, 2), source.choice((1, -1))
                low, high = map(mpmath.mpf, ratio)
                r = low * (high / low)**(mpmath.mpf(power) / 2**32)
                below = source.randrange(2000)
                half = (below + mpmath.mpf(0.5))**2 / r**sign
                bits = source.choice((20, 50, 100, 150))
                near = int(mpmath.floor(half * 2**bits)) + source.choice((0, 1))
                area = Fraction(near, 2**bits)
                wanted = int(mpmath.nint(mpmath.sqrt(
                    mpmath.mpf(near) / 2**bits * r**sign)))
                self.assertEqual(ref.rounded_root(area, ratio, power, sign), wanted)
                self.assertIn(wanted, (below, below + 1))


class Fallbacks(unittest.TestCase):
    def test_sides_are_rounded_to_even_and_stay_in_the_picture(self):
        for sides, ratio, expected in (
                ((2, 5), (0.8, 1.25), (2, 2)), ((6, 35), (1.25, 1.25), (6, 8)),
                ((9, 5), (2.0, 2.0), (2, 5)), ((11, 7), (2.0, 2.0), (4, 7)),
                ((1, 9), (0.001, 0.4), (1, 1)), ((9, 1), (3.0, 5.0), (1, 1)),
                ((50, 60), (0.5, 2.0), (50, 60)), ((50, 60), (1.2, 2.0), (50, 60)),
                ((50, 60), (0.5, 1.2), (50, 60)), ((3, 4), (0.1, 4 / 3), (3, 4))):
            self.assertEqual(ref.fallback_sides(sides, ratio), expected)


class Views(unittest.TestCase):
    def test_the_window_is_cut_before_it_is_resized(self):
        source = np.random.default_rng(0)
        picture = source.integers(0, 256, (40, 50, 3), np.uint8)
        view = ref.View((16, 12), filter="bicubic")
        for t in range(20):
            top, left, height, width = ref.random_window(7, t, (40, 50), view)
            inside = np.zeros((40, 50), bool)
            inside[top:top + height, left:left + width] = True
            changed = np.where(inside[..., np.newaxis], picture,
                               255 - picture)
            self.assertTrue((ref.viewed(picture, view, 7, t)
                             == ref.viewed(changed, view, 7, t)).all())

    def test_a_flip_reverses_the_columns_of_the_view(self):
        picture = np.arange(30, dtype=np.uint8).reshape(5, 6)
        for kind in ("random", "center", "stretch"):
            for t in range(8):
                plain = ref.viewed(picture, ref.View((4, 7), kind), 0, t)
                made = ref.viewed(picture, ref.View((4, 7), kind, flip=True), 0, t)
                flipped = int(ref.words(0, 6, t, 3)[2]) < 2**31
                self.assertEqual(made.tolist(),
                                 (plain[:, ::-1] if flipped else plain).tolist())

    def test_zeros_stand_before_and_behind_where_the_picture_is_too_small(self):
        picture = np.full((2, 3), 9, np.uint8)
        made = ref.viewed(picture, ref.View((5, 2), "center", short=2))
        self.assertEqual(made.tolist(), [[0, 0], [9, 9], [9, 9], [0, 0], [0, 0]])
        made = ref.viewed(picture[..., np.newaxis],
                          ref.View((2, 6), "center", short=2))
        self.assertEqual(made[..., 0].tolist(), [[0, 9, 9, 9, 0, 0]] * 2)

    def test_every_view_has_the_size_that_was_asked_for(self):
        source = random.Random(5)
        for t in range(60):
            sides = source.randint(1, 40), source.randint(1, 40)
            size = source.randint(1, 30), source.randint(1, 30)
            picture = np.zeros((*sides, 3), np.uint8)
            for kind in ("random", "center", "stretch"):
                for name in ("bilinear", "bicubic", "nearest"):
                    view = ref.View(size, kind, filter=name)
                    self.assertEqual(ref.viewed(picture, view, 1, t).shape,
                                     (*size, 3))


class HostedPictures(unittest.TestCase):
    def data(self):
        """Pictures whose dense target is their first channel."""
        source = np.random.default_rng(3)
        x = [source.integers(0, 256, (*source.integers(3, 30, 2), 3), np.uint8)
             for _ in range(9)]
        return types.SimpleNamespace(
            x=x, layout="channels_last", labels={"y": np.arange(9)},
            classes={"y": 9}, dense={"dense": [row[..., 0] for row in x]},
            neighbours=np.arange(9)[:, np.newaxis] ^ 1)

    def batch(self, recipe, view, size=4, step=1, **how):
        data = self.data()
        data.neighbours[8] = 0
        return data, ref.hosted_batch(data, recipe, size, step, epoch=2,
                                      shuffle=True, flip=True, view=view, **how)

    def test_each_row_is_viewed_by_its_own_t_whatever_t_is_shared(self):
        view = ref.View((8, 7), filter="bicubic")
        for scope in ("sample", "batch"):
            data, made = self.batch(ref.Recipe(method="none", seed=5, scope=scope),
                                    view)
            for i, sample in enumerate(made["rows"]):
                wanted = ref.viewed(data.x[sample], dataclasses.replace(
                    view, flip=True), 5, 2 * 9 + 4 + i)
                self.assertEqual(made["mixed"][i].tolist(), wanted.tolist())

    def test_a_neighbour_is_viewed_by_words_of_its_own(self):
        view = ref.View((8, 7))
        recipe = ref.Recipe(method="mixup", lam=0.0, pairing="neighbour")
        data, made = self.batch(recipe, view, layout="channels_first")
        for i, partner in enumerate(made["pairing"]):
            wanted = ref.viewed(data.x[partner], dataclasses.replace(
                view, flip=True), 0, 2 * 9 + 4 + i, True)
            self.assertEqual(np.moveaxis(made["mixed"][i], 0, -1).tolist(),
                             wanted.tolist())

    def test_a_dense_target_is_viewed_by_nearest(self):
        for kind in ("random", "center", "stretch"):
            view = ref.View((9, 6), kind, filter="nearest", short=7)
            made = self.batch(ref.Recipe(method="cutmix"), view)[1]
            self.assertEqual(made["dense"].tolist(), made["mixed"][..., 0].tolist())
            smooth = dataclasses.replace(view, filter="bicubic")
            other = self.batch(ref.Recipe(method="cutmix"), smooth)[1]
            self.assertEqual(made["dense"].tolist(), other["dense"].tolist())
            self.assertNotEqual(made["mixed"].tolist(), other["mixed"].tolist())


if __name__ == "__main__":
    unittest.main()
