"""Choices of a row and partners, by a second reading of the contract and by facts."""

import dataclasses
import math
import random
import unittest
from fractions import Fraction

import numpy as np

import fmixref as ref


def text(numbers):
    return "".join(str(int(number)) for number in numbers)


class PrintedChecks(unittest.TestCase):
    def test_the_first_words_of_the_new_domains(self):
        for domain, expected in ((8, [3779658516, 1806583703]),
                                 (9, [3222680216, 1219193272]),
                                 (10, [1908639587]), (11, [217067717])):
            self.assertEqual(ref.words(0, domain, 0, len(expected)).tolist(),
                             expected)
        self.assertEqual((ref.CHOICE, ref.PARTNER, ref.BUCKET), (9, 10, 11))

    def test_prob_and_switch(self):
        self.assertEqual(text(ref.is_mixed(0, t, 0.5) for t in range(8)),
                         "00001100")
        self.assertEqual(text(ref.switched_method(0, t, 3, (1, 2, 1))
                              for t in range(8)), "11211220")

    def test_partners_by_class_and_neighbourhood(self):
        classes = [0, 0, 1, 1, 2, 0, 1, 2]
        for kind, expected in (("other_class", "43000255"),
                               ("same_class", "50367024")):
            self.assertEqual(text(ref.class_partners(kind, 0, range(8),
                                                     classes)), expected)
        self.assertEqual(text(ref.draw_partner(0, t, 5) for t in range(8)),
                         "21002034")


class Probability(unittest.TestCase):
    def test_the_share_of_mixed_rows_is_prob_within_four_standard_errors(self):
        count = 1500
        for prob in (0.0, 0.1, 0.5, 0.9, 1.0):
            mixed = sum(ref.is_mixed(3, t, prob) for t in range(count))
            error = math.sqrt(prob * (1 - prob) / count)
            self.assertLessEqual(abs(mixed / count - prob), 4 * error)

    def test_a_larger_prob_mixes_the_same_rows_and_more(self):
        rows = [{t for t in range(500) if ref.is_mixed(1, t, prob)}
                for prob in (0.2, 0.4, 0.8)]
        self.assertTrue(rows[0] < rows[1] < rows[2])

    def test_a_word_that_is_prob_does_not_mix(self):
        word = int(ref.words(0, 9, 0, 1)[0])
        for above, mixed in ((0, False), (1, True)):
            self.assertEqual(ref.is_mixed(0, 0, (word + above) / 2**32), mixed)

    def test_prob_is_rounded_to_words_ties_to_even(self):
        for prob, expected in ((2.0**-33, 0), (3 * 2.0**-33, 2), (0.1, 429496730),
                               (1 - 2.0**-34, 2**32), (1.0, 2**32)):
            self.assertEqual(ref.probability_of(prob), expected)
        for prob in (-0.1, 1.1, math.nan):
            with self.assertRaises(ValueError):
                ref.probability_of(prob)

    def test_unmixed_rows_are_themselves(self):
        x = np.arange(8 * 30.0).reshape(8, 5, 6)
        y = np.arange(8)
        for method in ref.METHODS:
            recipe = ref.Recipe(method=method, prob=0.5)
            made = ref.mix(recipe, x, 0, y=y, classes=8)
            all_mixed = ref.mix(dataclasses.replace(recipe, prob=1.0), x, 0,
                                y=y, classes=8)
            self.assertEqual(made.pairing, all_mixed.pairing)
            for i, mixed in enumerate("00001100"):
                wanted = all_mixed if mixed == "1" else None
                if wanted:
                    self.assertEqual(made.mixed[i].tolist(),
                                     wanted.mixed[i].tolist())
                    self.assertEqual(made.lam[i], wanted.lam[i])
                    continue
                self.assertEqual(made.mixed[i].tolist(), x[i].tolist())
                self.assertTrue((made.masks[i] == 1).all())
                self.assertEqual((made.lam[i], made.lam_eff[i]), (1.0, 1.0))
                self.assertEqual(made.method[i], ref.METHODS.index("none"))
                self.assertEqual(made.labels[i].argmax(), i)

    def test_a_mixed_row_of_the_method_none_reports_its_draw(self):
        plan = ref.make_plan(ref.Recipe(method="none", prob=0.5), (4,), 0, 8)
        self.assertEqual(text(lam < 1 for lam in plan.lam), "00001100")
        self.assertEqual(plan.lam_eff, [1.0] * 8)


class Switching(unittest.TestCase):
    RECIPE = ref.Recipe(seed=4, method="mixup,cutmix,none", switch="sample",
                        weights=(3, 0, 1))

    def test_rows_follow_the_weights(self):
        plan = ref.make_plan(self.RECIPE, (1,), 0, 800)
        self.assertEqual(set(plan.names), {"mixup", "none"})
        for t, name in enumerate(plan.names):
            share = Fraction(int(ref.words(4, 9, t, 2)[1]), 2**32)
            self.assertEqual(name, "mixup" if share < Fraction(3, 4) else "none")

    def test_the_policy_and_the_batch_have_no_say(self):
        plans = [ref.make_plan(dataclasses.replace(self.RECIPE, policy=policy),
                               (1,), step, 20, 5).names
                 for policy in ("alternate", "random") for step in (0, 1, 2)]
        self.assertTrue(all(plan == plans[0] for plan in plans))

    def test_each_method_has_its_own_alpha(self):
        recipe = ref.Recipe(method="mixup,cutmix", alpha=(0.8, 1.0),
                            switch="sample")
        plan = ref.make_plan(recipe, (9, 9), 2, 16)
        self.assertEqual(set(plan.names), {"mixup", "cutmix"})
        for i, name in enumerate(plan.names):
            alpha = 0.8 if name == "mixup" else 1.0
            self.assertEqual(plan.lam[i] * 2**32,
                             ref.draw_lambda(0, 32 + i, alpha))

    def test_an_alpha_goes_by_place_and_not_by_name(self):
        recipe = ref.Recipe(method="mixup,mixup", alpha=(0.2, 2.0))
        for step, alpha in ((0, 0.2), (1, 2.0)):
            plan = ref.make_plan(recipe, (2,), step, 1)
            self.assertEqual(plan.lam[0] * 2**32,
                             ref.draw_lambda(0, step, alpha))
        with self.assertRaises(ValueError):
            ref.Recipe(method="mixup,bc", alpha=(1.0,))


class SharedDraws(unittest.TestCase):
    RECIPE = ref.Recipe(seed=2, method="mixup,cutmix,fmix", switch="sample",
                        prob=0.6, pairing="flip", scope="pair")

    def test_pairs_share_the_draw_of_the_smaller_row(self):
        for count in (1, 2, 5, 8):
            plan = ref.make_plan(self.RECIPE, (6, 5), 3, count)
            alone = ref.make_plan(dataclasses.replace(
                self.RECIPE, scope="sample"), (6, 5), 3, count)
            for i, partner in enumerate(plan.pairing):
                first = min(i, partner)
                self.assertEqual(partner, count - 1 - i)
                for part in ("names", "lam", "lam_eff"):
                    self.assertEqual(getattr(plan, part)[i],
                                     getattr(alone, part)[first])
                self.assertEqual(plan.masks[i].tobytes(),
                                 alone.masks[first].tobytes())

    def test_a_batch_shares_prob_and_switch_too(self):
        recipe = dataclasses.replace(self.RECIPE, scope="batch", pairing="roll")
        plans = [ref.make_plan(recipe, (6, 5), step, 4) for step in range(20)]
        self.assertTrue(all(plan.name for plan in plans))
        self.assertEqual({plan.name for plan in plans},
                         {"mixup", "cutmix", "fmix", "none"})

    def test_pairs_need_the_pairing_flip(self):
        with self.assertRaises(ValueError):
            ref.Recipe(scope="pair")


class ClassPartners(unittest.TestCase):
    def batches(self):
        source = random.Random(5)
        for _ in range(150):
            count = source.randint(1, 30)
            first = source.randrange(2**40)
            yield (range(first, first + count),
                   [source.randrange(4) for _ in range(count)])

    def test_other_class_never_meets_its_own(self):
        for indices, classes in self.batches():
            for i, partner in enumerate(ref.class_partners(
                    "other_class", 8, indices, classes)):
                if len(set(classes)) == 1:
                    self.assertEqual(partner, i)
                else:
                    self.assertNotEqual(classes[partner], classes[i])

    def test_same_class_meets_its_own_but_never_itself(self):
        for indices, classes in self.batches():
            for i, partner in enumerate(ref.class_partners(
                    "same_class", 8, indices, classes)):
                self.assertEqual(classes[partner], classes[i])
                self.assertEqual(partner == i, classes.count(classes[i]) == 1)

    def test_candidates_are_equally_likely(self):
        classes = [0, 1, 1, 1, 1]
        drawn = [ref.class_partners("other_class", 0, range(t, t + 5),
                                    classes)[0] for t in range(1200)]
        for partner in range(1, 5):
            self.assertLess(abs(drawn.count(partner) - 300), 60)

    def test_a_shared_draw_is_not_that_of_partners(self):
        y = np.arange(12) % 3
        x = np.zeros((12, 4))
        made = [ref.mix(ref.Recipe(pairing="other_class", scope=scope), x, 5,
                        y=y, classes=3).pairing for scope in ("sample", "batch")]
        self.assertEqual(*made)
        self.assertEqual(made[0], ref.class_partners(
            "other_class", 0, range(60, 72), y.tolist()))

    def test_the_first_head_of_class_numbers_decides(self):
        x = np.zeros((6, 4))
        heads = {"y.soft": np.ones((6, 2)), "y.value": np.arange(6.0),
                 "y.b": np.array([0, 1, 0, 1, 0, 1]), "y.a": np.zeros(6, int)}
        made = ref.mix(ref.Recipe(pairing="same_class"), x, 0, y=heads,
                       classes={"y.a": 1, "y.b": 2})
        self.assertTrue(all((i - p) % 2 == 0
                            for i, p in enumerate(made.pairing)))
        with self.assertRaises(ValueError):
            ref.mix(ref.Recipe(pairing="same_class"), x, 0, y=np.ones((6, 2)))

    def test_given_partners_have_no_pairing_by_class(self):
        x = np.zeros((2, 4))
        with self.assertRaises(ValueError):
            ref.mix(ref.Recipe(pairing="other_class"), x, 0, x2=x,
                    y=np.array([0, 1]), y2=np.array([0, 1]), classes=2)


if __name__ == "__main__":
    unittest.main()
