"""The reference keeps the printed values and agrees with the definitions."""

import functools
import math
import random
import unittest

import mpmath
import numpy as np

import fmixref as ref

HALF = 2**31
TIED_INDEX = 1166203367


def text(mask):
    return "".join(map(str, mask.bits.reshape(-1)))


def random_rows(count, seed):
    source = random.Random(seed)
    return [(source.getrandbits(64), source.getrandbits(64))
            for _ in range(count)]


class Words(unittest.TestCase):
    def check_philox(self, counter, key, answer):
        words = ref.philox4x32(counter, key).tolist()
        self.assertEqual(" ".join(f"{word:08x}" for word in words), answer)

    def test_philox_gives_the_known_answers_of_random123(self):
        self.check_philox((0, 0, 0, 0), (0, 0),
                          "6627e8d5 e169c58d bc57ac4c 9b00dbd8")
        self.check_philox((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2,
                          "408f276d 41c83b0e a20bc7c6 6d5451fd")
        self.check_philox((0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
                          (0xA4093822, 0x299F31D0),
                          "d16cfe09 94fdcceb 5001e420 24126ea1")

    def test_seed_0_has_the_printed_key_and_words(self):
        self.assertEqual(ref.stream_key(0, 1), (2221398954, 3382510279))
        self.assertEqual(ref.words(0, 1, 0, 4).tolist(),
                         [3477432570, 1082735229, 3588327856, 3167318664])

    def test_both_halves_of_an_index_count(self):
        firsts = {tuple(ref.words(0, 1, index, 4).tolist())
                  for index in (0, 1, 2**32, 2**32 + 1, 2**64 - 1)}
        self.assertEqual(len(firsts), 5)

    def test_a_stream_read_word_by_word_is_the_same(self):
        stream = ref.word_stream(7, 4, 9)
        self.assertEqual([next(stream) for _ in range(700)],
                         ref.words(7, 4, 9, 700).tolist())


class Lambda(unittest.TestCase):
    ALPHAS = (0.01, 0.05, 0.2, 0.5, 1.0, 3.7, 20.0, 1000.0)
    EXTREMES = (0, 1, 2**29, 2**30 - 1, 2**30 + 1, HALF, 3 * 2**30 - 1,
                2**32 - 2, 2**32 - 1)

    def test_seed_0_draws_the_printed_values(self):
        self.assertEqual(ref.draw_lambda(0, 0, 1.0), 2133785041)
        self.assertEqual(ref.draw_lambda(0, 0, 1.0, reformulate=True),
                         2161182255)

    def pairs(self, count):
        source = random.Random(2)
        drawn = [(source.getrandbits(32), source.getrandbits(32))
                 for _ in range(count)]
        return drawn + [(w0, w1) for w0 in self.EXTREMES[:-1]
                        for w1 in self.EXTREMES]

    def test_float64_stays_within_an_eighth_of_its_bound(self):
        for alpha in self.ALPHAS:
            for w0, w1 in self.pairs(200):
                with self.subTest(alpha=alpha, w0=w0, w1=w1):
                    value, bound = ref.beta_float(w0, w1, alpha)
                    exact, _ = ref.beta_exact(w0, w1, alpha, 300)
                    self.assertLessEqual(abs(exact - value), bound / 8)

    def test_what_float64_cannot_settle_is_settled(self):
        unsettled = 0
        for w0, w1 in self.pairs(60000):
            lowest, highest = ref.rounded_ends(
                *ref.beta_float(w0, w1, 1.0), 53)
            if lowest != highest:
                unsettled += 1
                exact, _ = ref.beta_exact(w0, w1, 1.0, 1000)
                with mpmath.workprec(1000):
                    nearest = int(mpmath.nint(exact))
                self.assertEqual(ref.beta(w0, w1, 1.0), nearest)
        self.assertGreater(unsettled, 0)

    def test_a_cosine_of_zero_gives_exactly_a_half(self):
        self.assertEqual(ref.beta(5, 2**30, 0.01), HALF)
        self.assertEqual(ref.beta(2**32 - 1, 77, 0.01), HALF)

    def test_a_callers_lambda_rounds_ties_to_even(self):
        rounded = [ref.round_lambda(halves * 2.0**-33)
                   for halves in (0, 1, 2, 3, 5, 2**33 - 1, 2**33)]
        self.assertEqual(rounded, [0, 0, 1, 2, 2, 2**32, 2**32])


@functools.lru_cache(maxsize=None)
def defined(seed, index, shape, delta, frequency):
    """G and the sum of the weights, literally as defined, with 500 bits."""
    half = shape[:-1] + (shape[-1] // 2 + 1,)
    words = ref.words(seed, ref.SPECTRUM, index, 2 * math.prod(half)).tolist()
    values, total = [mpmath.mpf(0)] * math.prod(shape), mpmath.mpf(0)
    with mpmath.workprec(500):
        for j, bins in enumerate(np.ndindex(*half)):
            if not any(bins):
                continue
            weight = defined_weight(bins, shape, delta, frequency)
            normal = defined_normal(*words[2 * j:2 * j + 2])
            total += weight
            for n, place in enumerate(np.ndindex(*shape)):
                turns = sum((mpmath.mpf(b * p) / side for b, p, side
                             in zip(bins, place, shape)), mpmath.mpf(0))
                values[n] += (weight * normal * mpmath.expjpi(2 * turns)).real
    return values, total


def defined_weight(bins, shape, delta, frequency):
    signed = [b if 2 * b <= side else b - side
              for b, side in zip(bins, shape)]
    if frequency == "pixel":
        signed = [mpmath.mpf(b) / side for b, side in zip(signed, shape)]
    mirrored = bins[-1] == 0 or 2 * bins[-1] == shape[-1]
    f = mpmath.sqrt(sum(mpmath.mpf(k)**2 for k in signed))
    return (1 if mirrored else mpmath.sqrt(2)) * f**(-mpmath.mpf(delta))


def defined_normal(w0, w1):
    u, v = mpmath.mpf(w0 + 1) / 2**32, mpmath.mpf(w1) / 2**32
    return mpmath.sqrt(-2 * mpmath.log(u)) * mpmath.expjpi(2 * v)


def defined_order(values, total):
    """Flat indices from the largest on, with the rule for ties."""
    def compare(a, b):
        with mpmath.workprec(500):
            difference = values[b] - values[a]
            if abs(difference) < mpmath.ldexp(total, -256):
                return a - b
            return int(mpmath.sign(difference))
    return sorted(range(len(values)), key=functools.cmp_to_key(compare))


SMALL = [(side,) for side in range(2, 10)] + [
    (2, 2), (3, 5), (4, 1), (1, 6), (4, 6), (5, 3), (1, 2), (2, 1),
    (2, 3, 4), (3, 1, 2), (2, 2, 2), (1, 1, 5), (3, 2, 1)]


class FMix(unittest.TestCase):
    def test_the_printed_masks_come_out(self):
        self.assertEqual(text(ref.fmix_mask(0, 0, (3, 5), HALF, 3.0)),
                         "001100111001110")
        self.assertEqual(
            text(ref.fmix_mask(0, 0, (2, 3, 4), HALF, 3.0, "extent")),
            "000001100111001001101111")

    def test_the_printed_tie_goes_to_the_smaller_index(self):
        for shape in ((2,), (1, 2), (2, 1), (1, 1, 2)):
            mask = ref.fmix_mask(0, TIED_INDEX, shape, HALF, 3.0)
            self.assertEqual(text(mask), "10")
            self.assertEqual(mask.exactly_settled, 1)

    def test_a_tie_among_others_goes_to_the_smaller_index(self):
        field = ref.Field(0, TIED_INDEX, (4,), 3.0)
        order = defined_order(*defined(0, TIED_INDEX, (4,), 3.0, "pixel"))
        self.assertEqual(order.index(2), order.index(0) + 1)
        for count in range(1, 4):
            chosen, _ = ref.largest(field, count)
            self.assertEqual(set(np.flatnonzero(chosen)), set(order[:count]))

    def test_small_masks_of_every_size_are_those_of_the_definition(self):
        for seed, index in random_rows(2, 5):
            for shape in SMALL:
                for delta in (0.0, 2.5, 3.0, 10.0):
                    for frequency in ("pixel", "extent"):
                        with self.subTest(shape=shape, delta=delta, seed=seed,
                                          index=index, frequency=frequency):
                            self.check_all_sizes(seed, index, shape, delta,
                                                 frequency)

    def check_all_sizes(self, *recipe):
        order = defined_order(*defined(*recipe))
        field = ref.Field(*recipe)
        for count in range(1, len(order)):
            chosen, _ = ref.largest(field, count)
            self.assertEqual(set(np.flatnonzero(chosen)), set(order[:count]))

    def test_exact_values_are_those_of_the_definition(self):
        for shape in SMALL:
            values, total = defined(3, 1, shape, 2.5, "pixel")
            field = ref.Field(3, 1, shape, 2.5)
            for pixel, value in enumerate(values):
                with mpmath.workprec(500):
                    scaled = mpmath.ldexp(value / total, 384)
                    error = abs(field.exact(pixel, 384) - scaled)
                self.assertLessEqual(error, field.exact_bound())

    def test_more_bits_continue_the_same_exact_value(self):
        field = ref.Field(3, 1, (6, 5), 2.5)
        finer = field.exact(7, 768) >> 384
        self.assertLessEqual(abs(finer - field.exact(7, 384)),
                             field.exact_bound() + 1)

    def test_float64_stays_within_a_quarter_of_its_bounds(self):
        for shape, delta in (((127,), 3.0), ((1021,), 1.0), ((509,), 10.0),
                             ((37, 41), 0.0), ((16, 64), 10.0),
                             ((7, 5, 11), 3.0), ((2, 256), 10.0)):
            with self.subTest(shape=shape, delta=delta):
                self.check_bounds(ref.Field(11, 4, shape, delta))

    def check_bounds(self, field):
        total = field.geometry.amplitude.sum()
        values, bound = field.approximate()
        pivot = field.size // 3
        for pixel in range(0, field.size, 1 + field.size // 64):
            exact = math.ldexp(field.exact(pixel), -384) * total
            self.assertLessEqual(abs(values[pixel] - exact), bound / 4)
            apart = field.exact(pixel) - field.exact(pivot)
            difference, margin = field.difference(pixel, pivot)
            self.assertLessEqual(
                abs(difference - math.ldexp(apart, -384) * total), margin / 4)

    def test_the_fft_stays_within_an_eighth_of_its_hypothesis(self):
        for shape in ((64,), (127,), (1000,), (1021,), (2003,), (4096,),
                      (37, 41), (64, 30), (7, 11, 13), (3, 1, 509)):
            for delta in (0.0, 3.0):
                with self.subTest(shape=shape, delta=delta):
                    self.check_transform(ref.Field(8, 8, shape, delta))

    def check_transform(self, field):
        values, _ = field.approximate()
        norm = np.abs(field.spectrum).sum()
        allowed = ref.TRANSFORM_BOUND * math.log2(field.size) * norm / 8
        for pixel in range(0, field.size, 1 + field.size // 200):
            turns = field.geometry.phase(pixel) / np.longdouble(
                field.geometry.lcm)
            angle = 8 * np.arctan(np.longdouble(1)) * turns
            direct = (field.spectrum.real * np.cos(angle)
                      - field.spectrum.imag * np.sin(angle)).sum()
            self.assertLessEqual(abs(values[pixel] - direct), allowed)

    def test_rows_that_nearly_agree_are_told_apart_without_guessing(self):
        shape, lam = (4, 256), 2**30 + 2**23
        mask = ref.fmix_mask(1, 2, shape, lam, 10.0)
        self.assertGreaterEqual(mask.contested, 4)
        field = ref.Field(1, 2, shape, 10.0)
        exact = np.array([field.exact(pixel) for pixel in range(field.size)])
        first = np.argsort(-exact, kind="stable")[:mask.ones]
        self.assertEqual(set(np.flatnonzero(mask.bits)), set(first))

    def test_the_number_of_ones_rounds_in_integers(self):
        self.assertEqual(ref.ones_of(HALF, 3), 2)
        self.assertEqual(ref.ones_of(HALF - 1, 3), 1)
        self.assertEqual(ref.ones_of(2**32, 50021), 50021)
        for lam in (0, 1, 2**30, 2**32 - 2**20, 2**32):
            mask = ref.fmix_mask(0, 0, (9, 11), lam, 3.0)
            self.assertEqual(mask.ones, ref.ones_of(lam, 99))

    def test_a_single_element_compares_nothing(self):
        for shape in ((1,), (1, 1), (1, 1, 1)):
            self.assertEqual(text(ref.fmix_mask(0, 0, shape, HALF, 3.0)), "1")
            self.assertEqual(text(ref.fmix_mask(0, 0, shape, 1, 3.0)), "0")


class CutMix(unittest.TestCase):
    def test_the_printed_picture_comes_out(self):
        mask = ref.cutmix_mask(0, 0, (5, 6), HALF).bits
        rows = ["".join(map(str, row)) for row in mask]
        self.assertEqual(" ".join(rows), "111111 001111 001111 001111 111111")

    def test_the_cut_is_the_largest_that_fits(self):
        for side in (1, 2, 7, 224):
            for dimensions in (1, 2, 3):
                for lam in (0, 1, 12345, HALF, 2**32 - 1, 2**32):
                    area = side**dimensions * (2**32 - lam)
                    cut = ref.cut_side(side, dimensions, lam)
                    self.assertLessEqual(cut**dimensions * 2**32, area)
                    self.assertGreater((cut + 1)**dimensions * 2**32, area)

    def test_an_empty_side_means_no_box(self):
        self.assertEqual(text(ref.cutmix_mask(0, 0, (1, 9), HALF)), "1" * 9)
        self.assertEqual(text(ref.cutmix_mask(0, 0, (9,), 2**32)), "1" * 9)


class Rows(unittest.TestCase):
    def test_the_printed_permutation_comes_out(self):
        self.assertEqual(ref.permutation(1, 0, 8), [3, 0, 4, 2, 7, 5, 6, 1])

    def test_a_pairing_is_a_permutation(self):
        for count in (1, 2, 3, 100, 1000):
            partners = ref.permutation(9, 2**64 - 1, count)
            self.assertEqual(sorted(partners), list(range(count)))

    def test_an_index_past_64_bits_is_refused(self):
        self.assertEqual(ref.row_indices(2**64 - 1, 1), [2**64 - 1])
        with self.assertRaises(OverflowError):
            ref.row_indices(2**64 - 1, 2)

    def test_rows_of_one_request_are_rows_of_many(self):
        recipe = ref.Recipe(seed=5)
        together = ref.make_masks(recipe, (6, 7), 40, 3)
        alone = [ref.make_masks(recipe, (6, 7), 40 + i, 1) for i in range(3)]
        self.assertEqual(together.masks.tobytes(),
                         b"".join(one.masks.tobytes() for one in alone))

    def test_a_batch_scope_repeats_its_first_row(self):
        made = ref.make_masks(ref.Recipe(scope="batch"), (6, 7), 40, 3)
        self.assertEqual(made.lam, [made.lam[0]] * 3)
        self.assertTrue((made.masks == made.masks[0]).all())

    def test_masks_are_packed_one_by_one(self):
        masks = np.array([[[1, 0, 1]], [[0, 1, 1]]], dtype=np.uint8)
        self.assertEqual(ref.pack(masks).tolist(), [[0b10100000],
                                                    [0b01100000]])


class Mixing(unittest.TestCase):
    def batch(self, shape):
        source = np.random.default_rng(3)
        size = math.prod(shape)
        return np.frombuffer(source.bytes(4 * size), "<f4").reshape(shape)

    def test_hard_masks_choose_the_bytes_of_a_row_or_its_partner(self):
        x = self.batch((4, 3, 5, 6))
        made = ref.mix(ref.Recipe(seed=1), x, 2, "channels_first")
        masks = ref.make_masks(ref.Recipe(seed=1), (5, 6), 8, 4).masks
        mixed, own = made.mixed.view("<u4"), x.view("<u4")
        for row, partner in enumerate(ref.permutation(1, 2, 4)):
            for channel in range(3):
                inside = masks[row] == 1
                self.assertTrue((mixed[row, channel][inside]
                                 == own[row, channel][inside]).all())
                self.assertTrue((mixed[row, channel][~inside]
                                 == own[partner, channel][~inside]).all())

    def test_a_layout_only_moves_the_channels(self):
        x = self.batch((3, 2, 5, 6))
        first = ref.mix(ref.Recipe(), x, 1, "channels_first").mixed
        last = ref.mix(ref.Recipe(), np.moveaxis(x, 1, -1).copy(), 1,
                       "channels_last").mixed
        self.assertEqual(np.moveaxis(last, -1, 1).tobytes(), first.tobytes())

    def test_bytes_interpolate_half_to_even(self):
        x1 = np.array([[1, 2, 255, 0]], dtype=np.uint8)
        x2 = np.array([[2, 3, 255, 255]], dtype=np.uint8)
        self.assertEqual(ref.interpolate(x1, x2, [0.5]).tolist(),
                         [[2, 2, 255, 128]])

    def test_floats_interpolate_in_double_and_round_once(self):
        x1 = np.array([[1.0, 2.0**-149]], dtype=np.float32)
        x2 = np.array([[1.0 + 2.0**-23, 2.0**-149]], dtype=np.float32)
        mixed = ref.interpolate(x1, x2, [0.25])
        self.assertEqual(mixed.tolist(), [[1.0 + 2.0**-23, 2.0**-149]])


if __name__ == "__main__":
    unittest.main()
