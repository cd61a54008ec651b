"""Arithmetic, types, labels, pairings, policies and plans, from scratch."""

import math
import random
import unittest
from fractions import Fraction

import numpy as np

import fmixref as ref


def lanes_of(values):
    """The eight-lane sum, one addition after the other."""
    lanes = [0.0] * 8
    for i, value in enumerate(values):
        lanes[i % 8] += value
    total = lanes[0]
    for lane in lanes[1:]:
        total += lane
    return total


def centred_of(values):
    mean = lanes_of(values) / len(values)
    rest = [value - mean for value in values]
    return rest, math.sqrt(lanes_of([v * v for v in rest]) / len(rest))


def bcplus_of(x1, x2, r):
    rest1, g1 = centred_of(x1)
    rest2, g2 = centred_of(x2)
    first, second = g2 * r, g1 * (1 - r)
    q = first / (first + second) if first + second else 0.5
    norm = math.sqrt(q * q + (1 - q) * (1 - q))
    return [(q * a + (1 - q) * b) / norm for a, b in zip(rest1, rest2)]


def patterns_of(name):
    """Every finite value of a 16-bit type that is not negative."""
    top = {"f16": 0x7c00, "bf16": 0x7f80}[name]
    bits = np.arange(top, dtype=np.uint16)
    return ref.to_float(bits.view(ref.TYPES[name]))


class Types(unittest.TestCase):
    def test_every_type_keeps_its_name(self):
        for name, code in ref.TYPES.items():
            self.assertEqual(ref.type_name(np.zeros(2, dtype=code)), name)

    def test_16_bit_types_keep_all_their_values(self):
        for name in ("f16", "bf16"):
            values = patterns_of(name)
            for sign in (1, -1):
                back = ref.to_float(ref.round_to(sign * values, name))
                self.assertTrue((back == sign * values).all())

    def test_16_bit_types_round_once_ties_to_even(self):
        for name in ("f16", "bf16"):
            values = patterns_of(name)
            middles = (values[:-1] + values[1:]) / 2
            even = np.arange(values.size) % 2 == 0
            lower = np.where(even[:-1], values[:-1], values[1:])
            for moved, expected in (
                    (middles, lower),
                    (np.nextafter(middles, 0.0), values[:-1]),
                    (np.nextafter(middles, np.inf), values[1:])):
                got = ref.to_float(ref.round_to(moved, name))
                self.assertTrue((got == expected).all())

    def test_16_bit_types_overflow_from_half_a_step_past_the_last(self):
        for name, last, step in (("f16", 65504.0, 32.0),
                                 ("bf16", 2.0**128 - 2.0**120, 2.0**120)):
            limit = last + step / 2
            got = ref.to_float(ref.round_to(np.array(
                [np.nextafter(limit, 0), limit, -limit, np.inf]), name))
            self.assertEqual(got.tolist(), [last, math.inf, -math.inf,
                                            math.inf])

    def test_float32_rounds_as_the_processor_does(self):
        bits = np.frombuffer(random.Random(4).randbytes(8 * 50000), "<u8")
        values = bits.view("<f8")
        values = values[~np.isnan(values)]
        values = np.concatenate([values, np.ldexp(values, -700)])
        with np.errstate(over="ignore", under="ignore"):
            expected = values.astype("<f4")
        self.assertEqual(ref.round_to(values, "f32").tobytes(),
                         expected.tobytes())

    def test_a_nan_is_the_canonical_one(self):
        nans = np.array([0x7ff0000000000001, 0xfff8000000000000],
                        dtype="<u8").view("<f8")
        for name, bits in (("f16", 0x7e00), ("bf16", 0x7fc0),
                           ("f32", 0x7fc00000), ("f64", 0x7ff8 << 48)):
            got = ref.round_to(nans, name)
            self.assertEqual(got.view(f"u{got.itemsize}").tolist(),
                             [bits] * 2)

    def test_integers_round_half_to_even_and_saturate(self):
        values = np.array([0.5, 1.5, -0.5, 2.5, 1e30, -1e30, np.inf])
        for name in ("u8", "i8", "i16", "i32", "i64"):
            limits = np.iinfo(ref.TYPES[name])
            self.assertEqual(ref.round_to(values, name).tolist(),
                             [0, 2, 0, 2, limits.max, limits.min, limits.max])
        ends = np.array([2.0**63, 2.0**63 - 1024, -2.0**63])
        self.assertEqual(ref.round_to(ends, "i64").tolist(),
                         [2**63 - 1, 2**63 - 1024, -2**63])


class Arithmetic(unittest.TestCase):
    def some(self, size, seed=1):
        source = random.Random(seed)
        return [source.gauss(3, 2) * 10**source.randint(-3, 3)
                for _ in range(size)]

    def test_sums_run_in_eight_lanes(self):
        for size in (1, 7, 8, 9, 100, 1001):
            values = self.some(size)
            self.assertEqual(ref.eight_lane_sum(np.array(values)),
                             lanes_of(values))

    def test_bcplus_is_its_formula_step_by_step(self):
        for size in (1, 3, 8, 150):
            x1, x2 = self.some(size), self.some(size, 2)
            for r in (0.0, 0.3, 1.0):
                got = ref.blend_bcplus(np.array(x1).reshape(1, -1),
                                       np.array(x2).reshape(1, -1), r, "f64")
                self.assertEqual(got.ravel().tolist(), bcplus_of(x1, x2, r))

    def test_bcplus_of_equal_spreads_weighs_by_r(self):
        self.assertEqual(ref.bcplus_share(2.0, 2.0, 0.25), 0.25)
        self.assertEqual(ref.bcplus_share(0.0, 0.0, 0.25), 0.5)
        self.assertEqual(ref.bcplus_share(1.0, 0.0, 0.0), 0.0)

    def test_interpolation_rounds_products_and_sum_alone(self):
        x1, x2 = self.some(500), self.some(500, 2)
        got = ref.interpolate(np.array([x1]), np.array([x2]), [0.3])
        self.assertEqual(got[0].tolist(), [0.3 * a + (1 - 0.3) * b
                                           for a, b in zip(x1, x2)])

    def test_constant_images_pass_mixup_within_one_rounding(self):
        for value in (0.1, 1e30, -7.3):
            x = np.full((1, 4), value, dtype=np.float32)
            for lam in (0.0, 0.1, 1 / 3, 1.0):
                mixed = ref.interpolate(x, x, [lam])
                self.assertLessEqual(abs(mixed - x).max(),
                                     np.spacing(abs(x)).max())

    def test_soft_weights_of_0_and_1_copy_bytes(self):
        x1 = np.array([0x7f800001, 0x7f800001, 0x3f800000], "<u4").view("<f4")
        x2 = np.array([0xffc12345, 0xffc12345, 0x7f800001], "<u4").view("<f4")
        got = ref.blend_soft(x1, x2, np.array([1.0, 0.0, 0.5]), "f32")
        self.assertEqual(got.view("<u4").tolist(),
                         [0x7f800001, 0xffc12345, 0x7fc00000])

    def test_an_average_rounds_half_to_even(self):
        x1, x2 = np.array([1, 2, 255], "u1"), np.array([2, 3, 254], "u1")
        self.assertEqual(ref.average(x1, x2, "u8").tolist(), [2, 2, 254])


class Preparation(unittest.TestCase):
    def test_bytes_become_floats_of_255ths(self):
        x = np.array([[0, 51, 255]], dtype=np.uint8)
        self.assertEqual(ref.prepare(x, "f64").tolist(), [[0.0, 0.2, 1.0]])
        self.assertIs(ref.prepare(x), x)
        self.assertIs(ref.prepare(x, "i32"), x)

    def test_mean_and_std_go_by_channel(self):
        x = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
        mean, std = [0.1, 0.2, 0.3], [1.0, 2.0, 3.0]
        first = ref.prepare(x, "f64", mean, std, "channels_first")
        last = ref.prepare(np.moveaxis(x, 1, 2), "f64", mean, std,
                           "channels_last")
        self.assertEqual(first[1, 2, 3], (23 / 255 - 0.3) / 3.0)
        self.assertTrue((np.moveaxis(last, 2, 1) == first).all())
        self.assertEqual(ref.prepare(x * 1.0, "f64", 1.0, 2.0)[0, 0, 3], 1.0)


class Labels(unittest.TestCase):
    def test_class_numbers_become_rows(self):
        y = np.array([0, 2])
        got = ref.mix_labels(y, y[::-1], [0.25, 1.0], 3)
        self.assertEqual(got.dtype, np.float32)
        self.assertEqual(got.tolist(), [[0.25, 0, 0.75], [0, 0, 1]])

    def test_smoothing_comes_before_mixing(self):
        y = np.array([1])
        got = ref.label_rows(y, 4, 0.1)
        self.assertEqual(got.tolist(), [[0.1 / 4, 0.9 + 0.1 / 4] +
                                        [0.1 / 4] * 2])

    def test_wrong_classes_are_refused(self):
        for y, classes in ((np.array([3]), 3), (np.array([-1]), 3),
                           (np.array([1]), None), (np.array([1.0]), 3)):
            with self.assertRaises(ValueError):
                ref.label_rows(y, classes)

    def labels(self, y, **recipe):
        x = np.zeros((4, 8, 8), dtype=np.float32)
        made = ref.mix(ref.Recipe(seed=3, **recipe), x, 2, y=y, classes=5)
        return made, made.labels

    def test_the_weight_is_that_of_the_row_itself(self):
        y = np.array([0, 1, 2, 3])
        for correct in (True, False):
            made, labels = self.labels(y, method="cutmix", correct=correct)
            weights = made.lam_eff if correct else made.lam
            self.assertNotEqual(made.lam, made.lam_eff)
            for i, partner in enumerate(made.pairing):
                expected = np.zeros(5)
                expected[i] += weights[i]
                expected[partner] += 1 - weights[i]
                self.assertEqual(labels[i].tolist(),
                                 np.float32(expected).tolist())

    def test_averages_and_unmixed_rows_keep_their_own(self):
        y = np.array([0, 1, 2, 3])
        for method in ("samplepairing", "none"):
            for correct in (True, False):
                made, labels = self.labels(y, method=method, correct=correct)
                self.assertEqual(made.lam_eff, [1.0] * 4)
                self.assertEqual(labels.argmax(axis=1).tolist(), y.tolist())

    def test_several_heads_are_mixed_each_by_itself(self):
        x = np.zeros((2, 4, 4), dtype=np.uint8)
        y = {"root": np.array([0, 1]), "vowel": np.array([[0.5, 0.5],
                                                          [1.0, 0.0]])}
        recipe = ref.Recipe()
        both = ref.mix(recipe, x, 0, y=y, classes={"root": 3}).labels
        for head, classes in (("root", 3), ("vowel", None)):
            alone = ref.mix(recipe, x, 0, y=y[head], classes=classes).labels
            self.assertEqual(both[head].tolist(), alone.tolist())


class Batches(unittest.TestCase):
    def bytes_of(self, name, shape=(3, 5, 6)):
        size = math.prod(shape) * np.dtype(ref.TYPES[name]).itemsize
        data = random.Random(name).randbytes(size)
        if name == "bool":
            data = bytes(byte % 2 for byte in data)
        return np.frombuffer(data, ref.TYPES[name]).reshape(shape)

    def test_mask_methods_move_any_bytes(self):
        for name in ref.TYPES:
            for method in ("fmix", "cutmix", "none"):
                x = self.bytes_of(name)
                made = ref.mix(ref.Recipe(method=method), x, 0)
                masks = made.masks if method != "none" else np.ones(x.shape)
                own = x.view(f"u{x.itemsize}")
                expected = np.where(masks == 1, own, own[made.pairing])
                self.assertEqual(made.mixed.dtype, x.dtype)
                self.assertEqual(made.mixed.tobytes(), expected.tobytes())

    def test_token_ids_are_not_interpolated(self):
        for name in ("bool", "i8", "i16", "i32", "i64"):
            x = self.bytes_of(name)
            for recipe in (ref.Recipe(method="mixup"), ref.Recipe(soft=0.1),
                           ref.Recipe(method="fmix,samplepairing")):
                with self.assertRaises(ValueError):
                    ref.mix(recipe, x, 0)
                made = ref.mix(recipe, x, 0, out_dtype="f32")
                self.assertEqual(made.mixed.dtype, np.float32)

    def test_bcplus_refuses_integers(self):
        for name in ("u8", "i32", "bool"):
            with self.assertRaises(ValueError):
                ref.mix(ref.Recipe(method="bcplus"), self.bytes_of(name), 0)

    def test_a_partner_batch_pairs_nobody(self):
        x, other = self.bytes_of("u8"), self.bytes_of("u8")[::-1]
        made = ref.mix(ref.Recipe(lam=0.0), x, 0, x2=other)
        self.assertEqual(made.mixed.tolist(), other.tolist())
        self.assertEqual(made.pairing, [0, 1, 2])

    def test_methods_that_only_weigh_follow_their_plan(self):
        x = np.random.default_rng(0).standard_normal((4, 5, 6))
        for method in ref.METHODS:
            if method == "bcplus":
                continue
            recipe = ref.Recipe(seed=8, method=method, soft=0.2)
            plan = ref.make_plan(recipe, (5, 6), 3, 4, dtype="f64")
            expected = (plan.masks * x + (1 - plan.masks) * x[plan.pairing])
            mixed = ref.mix(recipe, x, 3).mixed
            self.assertTrue(np.allclose(mixed, expected, atol=1e-14))
            self.assertEqual(plan.method, [ref.METHODS.index(method)] * 4)


class Pairings(unittest.TestCase):
    def test_nobody_meets_itself_in_a_derangement(self):
        for count in (2, 3, 10, 101):
            partners = ref.derangement(4, 9, count)
            place, seen = 0, set()
            while place not in seen:
                seen.add(place)
                place = partners[place]
            self.assertEqual(len(seen), count)
        self.assertEqual(ref.derangement(4, 9, 1), [0])

    def test_every_cycle_is_drawn(self):
        drawn = {tuple(ref.derangement(0, step, 4)) for step in range(300)}
        self.assertEqual(len(drawn), 6)

    def test_the_others_are_arithmetic(self):
        for count in (1, 2, 5):
            rows = range(count)
            for name, expected in (
                    ("flip", [count - 1 - i for i in rows]),
                    ("roll", [(i - 1) % count for i in rows]),
                    ("none", list(rows)),
                    ("permutation", ref.permutation(3, 7, count))):
                self.assertEqual(ref.pair(name, 3, 7, count), expected)


class Policies(unittest.TestCase):
    def test_alternating_goes_by_the_batch_number(self):
        recipe = ref.Recipe(method="fmix,mixup,none")
        self.assertEqual([recipe.method_of(step) for step in (0, 1, 2, 7)],
                         ["fmix", "mixup", "none", "mixup"])

    def test_random_policies_follow_their_weights(self):
        weights = (3, 0, 1)
        recipe = ref.Recipe(method="fmix,mixup,none", policy="random",
                            weights=weights)
        drawn = [recipe.method_of(step) for step in range(800)]
        self.assertEqual(set(drawn), {"fmix", "none"})
        self.assertLess(abs(drawn.count("fmix") - 600), 60)
        for step in range(50):
            word = int(ref.words(0, 7, step, 1)[0])
            share = Fraction(word, 2**32)
            self.assertEqual(drawn[step],
                             "fmix" if share < Fraction(3, 4) else "none")

    def test_weights_that_mean_nothing_are_refused(self):
        for weights in ((0, 0), (1,), (2, -1)):
            with self.assertRaises(ValueError):
                ref.method_index("random", 0, 0, 2, weights)


class Addresses(unittest.TestCase):
    def test_the_printed_shuffle_and_window_come_out(self):
        self.assertEqual([ref.shuffled_sample(0, 0, 10, place)
                          for place in range(10)],
                         [0, 7, 4, 1, 2, 9, 5, 6, 8, 3])
        self.assertEqual(ref.light_augmentation(0, 0, 2, 4), ([0, 8], False))

    def test_a_shuffle_is_a_permutation(self):
        for samples in (1, 2, 17, 300):
            for epoch in (0, 2**33):
                order = [ref.shuffled_sample(5, epoch, samples, place)
                         for place in range(samples)]
                self.assertEqual(sorted(order), list(range(samples)))

    def test_an_epoch_is_cut_into_batches_and_ranks(self):
        places = []
        for step in range(4):
            batch, indices, number = ref.epoch_batch(10, 3, 2, step)
            places += batch
            self.assertEqual(number, 8 + step)
            self.assertEqual(indices, [20 + place for place in batch])
            ranks = [list(ref.rank_rows(len(batch), rank, 4))
                     for rank in range(4)]
            self.assertEqual(sum(ranks, []), list(range(len(batch))))
        self.assertEqual(places, list(range(10)))
        self.assertEqual(ref.epoch_batch(10, 99, 0, 0)[0], list(range(10)))

    def test_an_index_is_step_times_n_unless_given(self):
        self.assertEqual(ref.first_index(3, 5), 15)
        self.assertEqual(ref.first_index(3, 5, 4), 4)
        with self.assertRaises(OverflowError):
            ref.first_index(2**63, 3)
        with self.assertRaises(OverflowError):
            ref.first_index(2**64, 1, 0)


class Plans(unittest.TestCase):
    def test_a_plan_holds_the_masks_of_its_rows(self):
        recipe = ref.Recipe(seed=2, pairing="derangement")
        plan = ref.make_plan(recipe, (6, 5), 4, 3)
        made = ref.make_masks(recipe, (6, 5), 12, 3, "f32")
        self.assertEqual(plan.masks.tobytes(), made.masks.tobytes())
        self.assertEqual((plan.lam, plan.lam_eff), (made.lam, made.lam_eff))
        self.assertEqual(plan.pairing, ref.derangement(2, 4, 3))

    def test_weights_stand_everywhere_and_bits_are_ones(self):
        for method, weight in (("mixup", 0.1), ("bc", 0.1), ("bcplus", 0.1),
                               ("samplepairing", 0.5), ("none", 1.0)):
            recipe = ref.Recipe(method=method, lam=0.1)
            lam = round(0.1 * 2**32) / 2**32
            weight = lam if weight == 0.1 else weight
            for name in ("f16", "f32", "f64"):
                masks = ref.make_plan(recipe, (3,), 0, 2, dtype=name).masks
                expected = ref.round_to(np.float64(weight), name)
                self.assertTrue((masks == expected).all())
                self.assertEqual(ref.type_name(masks), name)
            packed = ref.make_plan(recipe, (3,), 0, 2, dtype="bits").masks
            self.assertEqual(packed.tolist(), [[0b11100000]] * 2)

    def test_many_plans_are_each_of_one_step(self):
        recipe = ref.Recipe(method="fmix,mixup")
        for index in (None, 7):
            many = ref.make_plans(recipe, (4, 4), 5, 3, 2, index)
            for i, plan in enumerate(many):
                own = None if index is None else index + 2 * i
                alone = ref.make_plan(recipe, (4, 4), 5 + i, 2, own)
                self.assertEqual(plan.masks.tobytes(), alone.masks.tobytes())
                self.assertEqual(plan.name, ("mixup", "fmix")[i % 2])

    def test_a_lambda_of_the_callers_stands_alone(self):
        with self.assertRaises(ValueError):
            ref.Recipe(lam=0.5, reformulate=True)


if __name__ == "__main__":
    unittest.main()
