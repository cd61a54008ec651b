"""Soft masks, grey images, the official spectrum and boxes, from scratch."""

import math
import unittest
from fractions import Fraction

import mpmath
import numpy as np

import fmixref as ref
from test_fmixref import (SMALL, TIED_INDEX, defined, defined_normal,
                          defined_order, random_rows, text)

HALF = 2**31
OFFICIAL = [shape for shape in SMALL if shape[0] > 1] + [
    (5, 5), (3, 7), (7, 2), (4, 2, 3), (2, 5, 3), (3, 3, 5), (4, 1, 3)]
DELTAS = (0.0, 3.0, 10.0)


def official_bins(shape):
    """The free bins and their phi, in the order of their words."""
    least = [min(side, side // 2 + 1 + side % 2) for side in shape]
    if len(shape) == 1:
        return [((), mpmath.mpf(0))]
    axes = [shape[1]] if len(shape) == 2 else [shape[2], shape[1]]
    counts = [least[1]] if len(shape) == 2 else [shape[2], least[1]]
    return [(bins, sum((signed(b, side)**2 for b, side in zip(bins, axes)),
                       mpmath.mpf(0))) for bins in np.ndindex(*counts)]


def signed(b, side):
    return mpmath.mpf(b if 2 * b <= side else b - side) / side


def official_terms(seed, index, shape, delta):
    """Each bin with its g, its two weights and its normal."""
    free = official_bins(shape)
    words = ref.words(seed, ref.SPECTRUM, index, 4 * len(free)).tolist()
    half = shape[:-1] + (shape[-1] // 2 + 1,)
    for j, ((bins, phi), c) in enumerate((f, c) for f in free
                                         for c in (0, 1)):
        place = bins + (c,)
        if any(place) and all(b < h for b, h in zip(place, half)):
            rho = [max(mpmath.sqrt(phi + (mpmath.mpf(r) / shape[0])**2),
                       mpmath.mpf(1) / max(shape))**-mpmath.mpf(delta)
                   for r in (0, 1)]
            yield (place, 2 if c and shape[-1] > 2 else 1, rho,
                   defined_normal(*words[2 * j:2 * j + 2]))


def defined_official(seed, index, shape, delta):
    """G and the sum of the weights, literally as defined, with 500 bits."""
    values, total = [mpmath.mpf(0)] * math.prod(shape), mpmath.mpf(0)
    with mpmath.workprec(500):
        for bins, g, rho, normal in official_terms(seed, index, shape, delta):
            held = mpmath.mpc(rho[0] * normal.real, rho[1] * normal.imag)
            total += g * max(rho)
            for n, place in enumerate(np.ndindex(*shape)):
                turns = sum((mpmath.mpf(b * p) / side for b, p, side
                             in zip(bins, place, shape)), mpmath.mpf(0))
                values[n] += (g * held * mpmath.expjpi(2 * turns)).real
    return values, total


def official_order(values, total):
    if not total:
        return list(range(len(values)))
    return defined_order(values, total)


def transitions(masks, *step):
    """How often a mask changes, on the mean, along a circular step."""
    moved = np.roll(masks, step, axis=(1, 2))
    return (masks != moved).sum() / len(masks)


class Official(unittest.TestCase):
    def test_small_masks_of_every_size_are_those_of_the_definition(self):
        for seed, index in random_rows(2, 6):
            for shape in OFFICIAL:
                for delta in DELTAS:
                    with self.subTest(shape=shape, delta=delta, seed=seed):
                        self.check_sizes(seed, index, shape, delta)

    def check_sizes(self, seed, index, shape, delta):
        order = official_order(*defined_official(seed, index, shape, delta))
        field = ref.Field(seed, index, shape, delta, "pixel", "official")
        for count in range(len(order) + 1):
            chosen, _ = ref.largest(field, count)
            self.assertEqual(set(np.flatnonzero(chosen)), set(order[:count]))

    def test_float64_stays_within_a_quarter_of_its_bounds(self):
        for shape, delta in (((127,), 3.0), ((37, 41), 0.0), ((41, 16), 10.0),
                             ((7, 5, 11), 3.0), ((4, 90, 3), 10.0)):
            field = ref.Field(2, 4, shape, delta, "pixel", "official")
            total = field.geometry.amplitude.sum()
            values, bound = field.approximate()
            for pixel in range(0, field.size, 1 + field.size // 50):
                exact = math.ldexp(field.exact(pixel), -384) * total
                self.assertLessEqual(abs(values[pixel] - exact), bound / 4)

    def test_32_by_32_masks_have_the_printed_transitions(self):
        masks = ref.make_masks(ref.Recipe(spectrum="official", lam=0.5),
                               (32, 32), 0, 3000).masks
        across = masks != np.roll(masks, 1, axis=2)
        self.assertLessEqual(across.sum(axis=2).max(), 2)
        for step, mean, slack in (((1, 0), 42.4, 1.5), ((0, 1), 62.1, 0.6),
                                  ((1, 1), 92.5, 2.5), ((1, -1), 53.9, 1.5)):
            self.assertLess(abs(transitions(masks, *step) - mean), slack)

    def test_transitions_are_those_of_the_authors_released_lines(self):
        count, side = 4000, 32
        ours = ref.make_masks(ref.Recipe(spectrum="official", lam=0.5),
                              (side, side), 0, count).masks
        theirs = released_masks(count, side)
        for step, slack in (((1, 0), 1.2), ((0, 1), 0.5), ((1, 1), 1.6),
                            ((1, -1), 1.0)):
            self.assertLess(abs(transitions(ours, *step)
                                - transitions(theirs, *step)), slack)

    def test_lines_have_one_run_whatever_delta(self):
        masks = [ref.make_masks(ref.Recipe(spectrum="official", delta=delta),
                                (33,), 0, 50).masks for delta in DELTAS]
        self.assertTrue((masks[0] == masks[1]).all())
        self.assertTrue((masks[0] == masks[2]).all())
        changes = (masks[0] != np.roll(masks[0], 1, axis=1)).sum(axis=1)
        self.assertLessEqual(changes.max(), 2)

    def test_a_constant_image_is_ranked_by_place(self):
        mask = ref.fmix_mask(0, 0, (8, 1), HALF, 3.0, spectrum="official")
        self.assertEqual(text(mask), "11110000")
        grey = ref.fmix_grey(0, 0, (8, 1), 3.0, spectrum="official")
        self.assertFalse(grey.levels.any())

    def test_what_the_released_code_refuses_is_refused(self):
        for shape, frequency in (((1, 5), "pixel"), ((1,), "pixel"),
                                 ((4, 5), "extent")):
            with self.assertRaises(ValueError):
                ref.Field(0, 0, shape, 3.0, frequency, "official")


def released_masks(count, side):
    """Masks of lambda 1/2 by the lines of ecs-vlc/FMix, slip included."""
    source = np.random.default_rng(1)
    down = np.fft.fftfreq(side)[:, None]
    across = np.fft.fftfreq(side)[:side // 2 + 1]
    scale = np.maximum(np.sqrt(across**2 + down**2), 1 / side)**-3.0
    drawn = source.standard_normal((count, 2, side // 2 + 1, 2))
    slipped = drawn * scale[None, :2, :, None]
    spectrum = slipped[:, 0] + 1j * slipped[:, 1]
    image = np.fft.irfftn(spectrum, (side, side), axes=(1, 2))
    middle = np.median(image.reshape(count, -1), axis=1)
    return image > middle[:, None, None]


def soft_weights(order, count, half):
    """Every place's weight as a fraction."""
    weights = {}
    for rank, pixel in enumerate(order):
        i = rank - (count - half)
        inside = Fraction(2 * half - 1 - i, 2 * half - 1)
        weights[pixel] = min(max(inside, Fraction(0)), Fraction(1))
    return [weights[pixel] for pixel in range(len(order))]


class Soft(unittest.TestCase):
    def test_small_masks_fall_evenly_over_the_band(self):
        for shape in ((7,), (4, 6), (3, 5), (2, 3, 4), (1, 6)):
            order = defined_order(*defined(4, 9, shape, 3.0, "pixel"))
            for lam in (1, 2**29, HALF, 3 * 2**30 + 5, 2**32 - 1):
                for soft in (0.1, 0.25, 0.5):
                    with self.subTest(shape=shape, lam=lam, soft=soft):
                        self.check(order, shape, lam, soft)

    def check(self, order, shape, lam, soft):
        mask = ref.fmix_mask(4, 9, shape, lam, 3.0, soft=soft)
        count, size = ref.ones_of(lam, len(order)), len(order)
        half = min(math.floor(Fraction(round(soft * 2**32), 2**32) * size
                              + Fraction(1, 2)), count, size - count)
        self.assertEqual(mask.ones, count)
        got = [Fraction(n, mask.base) for n in mask.bits.ravel().tolist()]
        if half >= 2:
            self.assertEqual(got, soft_weights(order, count, half))
            self.assertEqual(sum(got), count)
        else:
            self.assertEqual(got, soft_weights(order, count, 1))

    def test_official_masks_soften_alike(self):
        order = defined_order(*defined_official(4, 9, (4, 6), 3.0))
        mask = ref.fmix_mask(4, 9, (4, 6), HALF, 3.0, spectrum="official",
                             soft=0.25)
        self.assertEqual([Fraction(n, mask.base)
                          for n in mask.bits.ravel().tolist()],
                         soft_weights(order, 12, 6))

    def test_equal_values_in_a_band_go_by_place(self):
        order = defined_order(*defined(0, TIED_INDEX, (4,), 3.0, "pixel"))
        mask = ref.fmix_mask(0, TIED_INDEX, (4,), HALF, 3.0, soft=0.5)
        self.assertGreater(mask.exactly_settled, 0)
        self.assertEqual([Fraction(n, 3) for n in mask.bits.tolist()],
                         soft_weights(order, 2, 2))

    def test_bands_that_float64_cannot_order_are_ordered(self):
        field = ref.Field(1, 2, (4, 256), 10.0)
        mask = ref.fmix_mask(1, 2, (4, 256), 2**30 + 2**23, 10.0, soft=0.02)
        self.assertGreater(mask.contested, 0)
        exact = [field.exact(pixel) for pixel in range(field.size)]
        order = sorted(range(field.size), key=lambda p: (-exact[p], p))
        half = ref.soft_half(2**30 + 2**23, 1024, 0.02)
        self.assertEqual([Fraction(n, mask.base)
                          for n in mask.bits.ravel().tolist()],
                         soft_weights(order, mask.ones, half))

    def test_weights_round_once_to_every_type(self):
        spacing = {"f16": np.float16, "f32": np.float32}
        for base in (3, 7, 1023, 2049, 65535, 99991):
            for n in {0, 1, 2, base // 2, base // 3, base - 1, base}:
                value = Fraction(n, base)
                self.assertEqual(ref.round_fraction(value, "f64"), n / base)
                for name, kind in spacing.items():
                    got = kind(ref.round_fraction(value, name))
                    self.check_nearest(value, got, kind)

    def check_nearest(self, value, got, kind):
        for other in (np.nextafter(got, kind(-1)), np.nextafter(got, kind(2))):
            near = abs(Fraction(float(got)) - value)
            self.assertLessEqual(near, abs(Fraction(float(other)) - value))

    def test_dtypes_hold_the_same_mask(self):
        recipe = ref.Recipe(soft=0.3, lam=0.5)
        made = {name: ref.make_masks(recipe, (9, 7), 3, 2, name).masks
                for name in ("f16", "f32", "f64")}
        self.assertEqual(made["f16"].dtype, np.float16)
        for name in ("f16", "f32"):
            self.assertTrue(np.allclose(made[name], made["f64"], atol=1e-3))
        self.assertTrue(np.allclose(made["f64"].sum(axis=(1, 2)), 32))
        for name in ("u8", "bits"):
            with self.assertRaises(ValueError):
                ref.make_masks(recipe, (9, 7), 3, 2, name)


class Grey(unittest.TestCase):
    def test_small_images_are_those_of_the_definition(self):
        for seed, index in random_rows(3, 7):
            for shape in ((2,), (5,), (8,), (4, 6), (3, 5), (2, 3, 4)):
                for frequency in ("pixel", "extent"):
                    self.check(defined(seed, index, shape, 2.5, frequency),
                               ref.fmix_grey(seed, index, shape, 2.5,
                                             frequency))
            for shape in ((5,), (4, 6), (2, 3, 4)):
                self.check(defined_official(seed, index, shape, 3.0),
                           ref.fmix_grey(seed, index, shape, 3.0,
                                         spectrum="official"))

    def check(self, definition, grey):
        values, total = definition
        with mpmath.workprec(500):
            spread = max(values) - min(values)
            self.assertGreater(spread, mpmath.ldexp(total, -256))
            expected = [int(mpmath.nint(255 * (value - min(values)) / spread))
                        for value in values]
        self.assertEqual(grey.levels.ravel().tolist(), expected)

    def test_the_printed_tie_is_a_constant_image(self):
        grey = ref.fmix_grey(0, TIED_INDEX, (2,), 3.0)
        self.assertEqual(grey.levels.tolist(), [0, 0])
        self.assertEqual(grey.contested, 2)

    def test_a_quotient_at_a_half_goes_to_even(self):
        # The only wave is exactly 0 at two places of four.
        grey = ref.fmix_grey(0, TIED_INDEX, (4,), 3.0, spectrum="official")
        self.assertEqual(sorted(grey.levels.tolist()), [0, 128, 128, 255])
        self.assertGreaterEqual(grey.contested, 2)

    def test_what_float64_leaves_open_is_settled(self):
        field = ref.Field(5, 1, (12, 12), 3.0)
        values, _ = field.approximate()
        sure, contested = ref.grey_levels(field)
        self.assertEqual(contested, 0)
        lows, highs = [int(values.argmin())], [int(values.argmax())]
        exact = ref.grey_exact(field, range(field.size), lows, highs)
        self.assertEqual(sure.tolist(), exact)

    def test_the_bound_holds_with_room(self):
        field = ref.Field(3, 8, (16, 64), 10.0)
        quotients, error = ref.grey_float(*field.approximate())
        exact = [field.exact(pixel) for pixel in range(field.size)]
        for pixel in range(0, field.size, 37):
            true = Fraction(255 * (exact[pixel] - min(exact)),
                            max(exact) - min(exact))
            self.assertLessEqual(abs(float(true) - quotients[pixel]),
                                 error / 4)

    def test_near_a_half_counts_as_the_half(self):
        tiny, error = Fraction(1, 2**257), Fraction(1, 2**300)
        for below in (0, 1, 126, 127):
            half = below + Fraction(1, 2)
            even = below + below % 2
            for quotient in (half, half - tiny, half + tiny):
                self.assertEqual(ref.level(quotient, error), even)
            self.assertEqual(ref.level(half + 4 * tiny, error), below + 1)
            self.assertEqual(ref.level(half - 4 * tiny, error), below)
            self.assertIsNone(ref.level(half + 2 * tiny, error))

    def test_floats_are_the_levels_over_255(self):
        recipe = ref.Recipe(seed=2, delta=2.0)
        levels = ref.make_greys(recipe, (6, 5), 4, 2).masks
        floats = ref.make_greys(recipe, (6, 5), 4, 2, "f32").masks
        self.assertEqual(floats.dtype, np.float32)
        self.assertTrue((floats == np.float32(levels / 255.0)).all())
        self.assertEqual((levels.min(), levels.max()), (0, 255))


class Boxes(unittest.TestCase):
    def test_an_inside_box_is_whole_and_reaches_both_ends(self):
        starts = set()
        for index in range(300):
            mask = ref.cutmix_mask(3, index, (9, 8), HALF, "inside").bits
            rows, columns = np.nonzero(mask == 0)
            self.assertEqual(rows.size, 6 * 5)
            self.assertEqual(np.ptp(rows) + 1, 6)
            self.assertEqual(np.ptp(columns) + 1, 5)
            starts.add((int(rows.min()), int(columns.min())))
        self.assertEqual(starts, {(i, j) for i in range(4)
                                  for j in range(4)})

    def test_a_box_of_everything_leaves_nothing(self):
        for box in ("inside",):
            self.assertFalse(ref.cutmix_mask(0, 0, (4, 4), 0, box).bits.any())
        for lam in (2**32, 2**32 - 1):
            self.assertTrue(
                ref.cutmix_mask(0, 0, (4, 4), lam, "inside").bits.all())


if __name__ == "__main__":
    unittest.main()
