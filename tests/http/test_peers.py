"""Mistakes that other implementations make, each as a promise.

Every test also makes the mistake on the same data, to see that it would show.
"""

import math
import unittest
from collections import Counter
from urllib.parse import urlencode

import numpy as np

import harness
from test_properties import Masks, beta_cdf, transitions

KOLMOGOROV_1_PERCENT = 1.6276
ONE = 2**32


def cut_side(side, cut):
    """The largest whole r with r^2 <= side^2 * cut, cut in units of 2^-32."""
    return math.isqrt(side * side * cut // ONE)


def boxes(masks):
    """First and last+1 row and column of each mask's zeros."""
    for mask in masks:
        rows, columns = np.where(mask == 0)
        yield rows.min(), rows.max() + 1, columns.min(), columns.max() + 1


def distance(values, distribution):
    """Kolmogorov's, times the root of how many there are."""
    steps = np.arange(1, len(values) + 1) / len(values)
    return np.abs(steps - distribution(np.sort(values))).max() \
        * math.sqrt(len(values))


class Mixing(harness.ServerTest):
    def mix(self, x, **query):
        return self.post("/v1/mix.npy?" + urlencode(query),
                         harness.write_npy(x)).npy()

    def plan(self, **query):
        plan = self.get("/v1/plans.json?" + urlencode(query)).json()
        return {name: np.array(value) for name, value in plan.items()}


class Lambda(Masks):
    def test_lambda_eff_is_the_mean_of_the_mask(self):
        """Mistake: the label has the lambda that was drawn."""
        for method in "fmix", "cutmix":
            rows = self.rows((13, 9), 300, method=method, seed=1)
            means = np.array(rows["masks"]).reshape(300, -1).mean(axis=1)
            np.testing.assert_array_equal(rows["lambda_eff"], means)
            drawn = np.array(rows["lambda"])
            self.assertGreater((drawn != means).mean(), 0.9)
            if method == "cutmix":  # a box cut off by a side leaves more
                self.assertGreater((means - drawn).max(), 0.2)

    def draw(self, count=20000, **query):
        return np.array(self.rows((1,), count, method="cutmix", seed=8,
                                  **query)["lambda"])

    def test_alpha_is_the_shape_of_a_symmetric_beta(self):
        """Mistakes: alpha as a rate (1/alpha), or Beta(alpha, 1)."""
        for alpha in 0.25, 5.0:
            values = np.clip(self.draw(alpha=alpha), 1e-12, 1 - 1e-12)
            right = lambda x: beta_cdf(alpha, x)
            self.assertLess(distance(values, right), KOLMOGOROV_1_PERCENT)
            for wrong in (lambda x: beta_cdf(1 / alpha, x),
                          lambda x: x**alpha):
                self.assertGreater(distance(values, wrong), 10)

    def test_reformulated_lambda_leans_to_the_row_itself(self):
        """Mistake: Beta(alpha, alpha) all the same. Beta(alpha+1, alpha) has
        density 2x times that, so for alpha 1 its distribution is x^2."""
        values = self.draw(alpha=1, reformulate=1)
        self.assertLess(distance(values, lambda x: x * x),
                        KOLMOGOROV_1_PERCENT)
        self.assertGreater(distance(values, lambda x: x), 10)
        values = self.draw(alpha=0.5, reformulate=1)
        error = values.std() / math.sqrt(len(values))
        self.assertLess(abs(values.mean() - 1.5 / 2), 4 * error)


class CutMix(Masks):
    def test_boxes_have_odd_sides_as_often_as_even_ones(self):
        """Mistake: 2 * (r // 2), which has no odd side."""
        for side in 32, 33:
            rows = self.rows((side, side), 400, method="cutmix",
                             box="inside", seed=3)
            cuts = [cut_side(side, ONE - round(lam * ONE))
                    for lam in rows["lambda"]]
            areas = side * side - np.array(rows["ones"])
            np.testing.assert_array_equal(areas, np.square(cuts))
            odd = sum(cut % 2 for cut in cuts)
            self.assertGreater(min(odd, 400 - odd), 150)

    def test_the_last_origin_is_drawn(self):
        """Mistake: an origin below N - r, or a centre below N - 1."""
        query = {"method": "cutmix", "lambda": 0.75}  # a box of 4 by 4 in 8
        masks = self.ask((8, 8), 2000, box="inside", **query)
        origins = Counter(top for top, *_ in boxes(masks))
        self.assertEqual(sorted(origins), [0, 1, 2, 3, 4])
        self.assertGreater(min(origins.values()), 300)  # 2000 / 5 less 5 sd
        masks = self.ask((8, 8), 2000, **query)
        bounds = Counter((top, bottom) for top, bottom, *_ in boxes(masks))
        expected = {(max(c - 2, 0), min(c + 2, 8)) for c in range(8)}
        self.assertEqual(set(bounds), expected)
        self.assertGreater(bounds[5, 8], 150)  # the last centre: 250 less 7 sd


class Spectrum(Masks):
    HALF = {"lambda": 0.5}

    def diagonals(self, masks):
        return [(masks != np.roll(masks, shift, (1, 2))).sum(axis=(1, 2))
                for shift in ((1, 1), (1, -1))]

    def test_the_paper_s_spectrum_likes_no_direction(self):
        """Mistake: the released code's, of two bins along the last side."""
        for spectrum, alike in ("paper", True), ("official", False):
            masks = self.ask((32, 32), seed=4, spectrum=spectrum, **self.HALF)
            axes = [transitions(masks, axis).mean() for axis in (0, 1)]
            slants = [counts.mean() for counts in self.diagonals(masks)]
            per_row = (masks != np.roll(masks, 1, 2)).sum(axis=2).max(axis=1)
            with self.subTest(spectrum):
                self.assertEqual(abs(axes[0] - axes[1]) < 3, alike)
                self.assertEqual(abs(slants[0] - slants[1]) < 4, alike)
                self.assertEqual((per_row > 2).mean() > 0.3, alike)

    def test_official_rows_have_two_transitions_at_most(self):
        masks = self.ask((32, 32), spectrum="official", **self.HALF)
        rows = (masks != np.roll(masks, 1, 2)).sum(axis=2)
        self.assertEqual(sorted(np.unique(rows)), [0, 2])

    def test_official_means_are_those_of_the_released_code(self):
        """20,000 masks of the reference: 42.5, 62.3, 91.2, 54.5."""
        masks = self.ask((32, 32), spectrum="official", seed=12, **self.HALF)
        axes = sorted(transitions(masks, axis).mean() for axis in (0, 1))
        slants = sorted(c.mean() for c in self.diagonals(masks))
        for found, expected in zip((*axes, *slants), (42.5, 62.3, 54.5, 91.2)):
            self.assertLess(abs(found - expected), 2, (axes, slants))

    def test_official_lines_are_one_run(self):
        for side in 2, 9, 64, 501:
            masks = self.ask((side,), 500, spectrum="official", seed=5,
                             **{"lambda": 0.3})
            changes = transitions(masks, 0)
            self.assertTrue(set(changes) <= {0, 2}, side)
        self.assertGreater(transitions(self.ask((501,), 500), 0).max(), 2)

    def test_official_has_no_extent_and_no_first_side_of_one(self):
        for query, name in (("shape=8x8&frequency=extent", "frequency"),
                            ("shape=1x8", "spectrum")):
            answer = self.get(f"/v1/masks.npy?spectrum=official&{query}", 400)
            self.assertEqual([e["parameter"] for e in answer.json()["errors"]],
                             [name])
            self.get(f"/v1/masks.npy?spectrum=official&method=cutmix&{query}")


class Blending(Mixing):
    def test_nothing_of_the_hidden_image_leaks(self):
        """Mistake: m*x1 + (1-m)*x2, where 0 * NaN is NaN."""
        x = np.ones((2, 16, 16), "<f4")
        x[1] = [np.nan, np.inf] * 8
        query = {"seed": 3, "pairing": "flip", "layout": "none"}
        mixed = self.mix(x, **query)
        masks = self.plan(seed=3, pairing="flip", n=2, shape="16x16")["masks"]
        picked = np.where(masks == 1, x, x[::-1])
        np.testing.assert_array_equal(mixed.view("u4"), picked.view("u4"))
        with np.errstate(invalid="ignore"):
            mistaken = masks * x + (1 - masks) * x[::-1]
        self.assertGreater(np.isnan(mistaken).sum(), np.isnan(mixed).sum())

    def test_none_and_hidden_nan_are_apart(self):
        """Mistake: 1*x1 + 0*x2 for a row that is not mixed."""
        x = np.full((3, 5), np.nan, "<f4")
        x[0] = 7
        mixed = self.mix(x, method="none", pairing="roll")
        np.testing.assert_array_equal(mixed.view("u4"), x.view("u4"))

    def test_the_label_s_weight_is_that_of_the_pixels(self):
        """Mistake: images and labels swapped against each other."""
        count = 9
        x = np.repeat(np.arange(count, dtype="<f4"), 64).reshape(count, 8, 8)
        for method in "fmix", "cutmix", "mixup":
            query = {"method": method, "seed": 6}
            mixed = self.mix(x, layout="none", **query)
            plan = self.plan(n=count, shape="8x8", **query)
            w, partner = plan["lambda_eff"], plan["pairing"]
            labels = w * np.arange(count) + (1 - w) * partner
            means = mixed.mean(axis=(1, 2))
            np.testing.assert_allclose(means, labels, atol=1e-5)
            swapped = w * partner + (1 - w) * np.arange(count)
            self.assertGreater(np.abs(means - swapped).max(), 0.5)

    def test_height_and_width_are_not_swapped(self):
        """Mistake: a mask of W by H, which fits a square alone."""
        for layout, shape in (("none", (3, 6, 10)),
                              ("channels_first", (3, 2, 6, 10)),
                              ("channels_last", (3, 6, 10, 2))):
            x = np.random.default_rng(1).random(shape)
            mixed = self.mix(x, layout=layout, seed=9)
            plan = self.plan(n=3, shape="6x10", seed=9)
            masks = plan["masks"]
            self.assertEqual(masks.shape, (3, 6, 10))
            if layout != "none":
                masks = np.expand_dims(masks, 1 if "first" in layout else -1)
            expected = np.where(masks == 1, x, x[plan["pairing"]])
            np.testing.assert_array_equal(mixed, expected)


class Batches(Mixing):
    def test_odd_batches_of_any_pairing_lose_nobody(self):
        """Mistakes: halves that leave one over; three rows taken for the
        channels of a picture."""
        for count in 1, 3, 5, 7:
            x = np.arange(count, dtype="<i8").repeat(12).reshape(count, 12)
            for pairing in "permutation", "derangement", "flip", "roll":
                query = {"pairing": pairing, "seed": 4}
                partner = self.plan(n=count, shape=12, **query)["pairing"]
                self.assertEqual(sorted(partner), list(range(count)))
                mixed = self.mix(x, **query)
                self.assertEqual(mixed.shape, x.shape)
                for i in range(count):
                    self.assertLessEqual(set(mixed[i]), {i, partner[i]})
                if pairing == "derangement" and count > 1:
                    self.assertTrue((partner != np.arange(count)).all())
                if pairing == "flip":
                    self.assertEqual(partner[count // 2], count // 2)

    def test_a_method_is_drawn_once_a_batch_and_as_often_as_weighted(self):
        """Mistake: the probability applied by the policy and again by row."""
        steps, n = 4000, 4
        plan = self.plan(shape=2, n=n, steps=steps, method="mixup,none",
                         policy="random", weights="3,1", parts="method")
        methods = plan["method"].reshape(steps, n)
        self.assertTrue((methods == methods[:, :1]).all())
        share = (methods[:, 0] == 2).mean()
        error = math.sqrt(0.75 * 0.25 / steps)
        self.assertLess(abs(share - 0.75), 4 * error)
        self.assertGreater(abs(share - 0.75**2), 4 * error)


if __name__ == "__main__":
    unittest.main()
