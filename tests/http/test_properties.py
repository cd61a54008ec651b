"""Masks from the daemon have the statistics that contract and paper ask for.

Seeds are fixed, so a property that holds today holds in every run.
"""

import math
import unittest
from urllib.parse import urlencode

import mpmath
import numpy as np

import harness

MASKS = 4000
ONE = 2**32
KOLMOGOROV_1_PERCENT = 1.6276  # of sqrt(n) times the distance, n large


class Masks(harness.ServerTest):
    """Asks for masks as bits, hands them out as arrays of 0 and 1."""

    def ask(self, shape, count=MASKS, **recipe):
        """Masks of a shape, [count, *shape]."""
        sides = "x".join(map(str, shape))
        query = urlencode({"shape": sides, "n": count, "dtype": "bits",
                           **recipe})
        packed = self.get("/v1/masks.npy?" + query).npy()
        elements = math.prod(shape)
        self.assertEqual(packed.shape, (count, (elements + 7) // 8))
        self.assertEqual(packed.dtype, np.uint8)
        bits = np.unpackbits(packed, axis=1, count=elements)
        return bits.reshape(count, *shape)

    def rows(self, shape, count, **recipe):
        """The answer as JSON: masks, lambda, lambda_eff, ones."""
        sides = "x".join(map(str, shape))
        query = urlencode({"shape": sides, "n": count, "dtype": "u8",
                           **recipe})
        return self.get("/v1/masks.json?" + query).json()


def transitions(masks, axis):
    """Of each mask: circular neighbours along one of its axes that differ."""
    differing = masks != np.roll(masks, 1, axis + 1)
    return differing.reshape(len(masks), -1).sum(axis=1)


class OnesTest(Masks):
    """The number of ones is floor((L N + 2^31) / 2^32), to the pixel."""

    SHAPES = ((1,), (2,), (97,), (13, 7), (32, 32), (1, 30), (5, 6, 7))

    def test_of_a_given_lambda(self):
        for shape in self.SHAPES:
            size = math.prod(shape)
            for lam in (0, 2**-32, 0.1, 1 / 3, 0.5, 0.5 + 2**-32, 0.77,
                        1 - 2**-32, 1, 0.5 / size, 0.75 / size):
                expected = (round(lam * ONE) * size + 2**31) // ONE
                masks = self.ask(shape, 8, **{"lambda": repr(lam)})
                ones = masks.reshape(8, -1).sum(axis=1)
                self.assertEqual(ones.tolist(), [expected] * 8, (shape, lam))

    def test_of_drawn_lambdas(self):
        for shape in self.SHAPES:
            size = math.prod(shape)
            for alpha in (0.1, 1, 8):
                answer = self.rows(shape, 200, alpha=alpha, seed=5)
                masks = np.array(answer["masks"]).reshape(200, -1)
                exact = [int(lam * ONE) for lam in answer["lambda"]]
                self.assertEqual([k / ONE for k in exact], answer["lambda"])
                expected = [(k * size + 2**31) // ONE for k in exact]
                self.assertEqual(masks.sum(axis=1).tolist(), expected)
                self.assertEqual(answer["ones"], expected)
                self.assertEqual(answer["lambda_eff"],
                                 [k / size for k in expected])
                # at alpha 0.1 a tenth of them are 0 or 1
                self.assertGreater(len(set(answer["lambda"])), 150)


class TransitionsTest(Masks):
    """Mean transitions at lambda 1/2 within four standard errors."""

    def check(self, shape, delta, expected):
        masks = self.ask(shape, delta=delta, seed=2024, **{"lambda": "0.5"})
        for axis, mean in enumerate(expected):
            found = transitions(masks, axis)
            error = found.std(ddof=1) / math.sqrt(MASKS)
            with self.subTest(shape=shape, delta=delta, axis=axis):
                self.assertLess(abs(found.mean() - mean), 4 * error,
                                f"{found.mean():.2f} for {mean}")

    def test_of_32_by_32(self):
        for delta, mean in ((1, 275.0), (2, 82.5), (3, 52.6), (5, 46.4)):
            self.check((32, 32), delta, (mean, mean))

    def test_of_64_by_64(self):
        for delta, mean in ((1, 991.9), (2, 182.9), (3, 105.1), (5, 93.1)):
            self.check((64, 64), delta, (mean, mean))

    def test_of_24_by_48(self):
        # 24 rows of 48. Frequency is in cycles per pixel, so the lowest, 1/48,
        # lies along the rows (axis 1) and the next, 1/24, has 2^-6 of its
        # power: most masks are one band of columns. Going along a row one
        # crosses its two edges, in each of 24 rows: 48 and some. Going down a
        # column one mostly stays within the band.
        self.check((24, 48), 3, (20.6, 50.3))
        self.check((48, 24), 3, (50.3, 20.6))


class StationaryTest(Masks):
    """No pixel is special."""

    def test_every_pixel_is_one_as_often_as_lambda_says(self):
        for shape, lam, delta in (((16, 16), 0.5, 3), ((15, 12), 0.25, 1),
                                  ((4, 6, 5), 0.7, 2), ((40,), 0.2, 3)):
            size = math.prod(shape)
            exact = ((round(lam * ONE) * size + 2**31) // ONE) / size
            masks = self.ask(shape, delta=delta, seed=99, **{"lambda": lam})
            error = math.sqrt(exact * (1 - exact) / MASKS)
            worst = np.abs(masks.mean(axis=0) - exact).max()
            self.assertLess(worst, 5 * error, (shape, lam))

    def test_two_pixels_agree_as_often_wherever_they_are(self):
        masks = self.ask((12, 18), seed=98, **{"lambda": "0.5"})
        for axis in (0, 1):
            agree = masks == np.roll(masks, 1, axis + 1)
            rates = agree.mean(axis=0)
            error = math.sqrt(rates.mean() * (1 - rates.mean()) / MASKS)
            self.assertLess(np.abs(rates - rates.mean()).max(), 5 * error)
            self.assertLess(rates.mean(), 1 - 5 * error)

    def test_flips_of_an_axis_change_no_statistic(self):
        # Bins (b, c) and (-b, c) have equal power: neither diagonal is liked.
        masks = self.ask((20, 20), delta=2, seed=97, **{"lambda": "0.5"})
        down = (masks == np.roll(masks, (2, 2), (1, 2))).mean(axis=(1, 2))
        up = (masks == np.roll(masks, (2, -2), (1, 2))).mean(axis=(1, 2))
        difference = down - up
        error = difference.std(ddof=1) / math.sqrt(MASKS)
        self.assertLess(abs(difference.mean()), 4 * error)

    def test_zeros_and_ones_change_places_at_one_half(self):
        # G and -G have one law, so a mask and its complement do.
        masks = self.ask((16, 16), seed=96, **{"lambda": "0.3"})
        mirror = 1 - self.ask((16, 16), seed=95, **{"lambda": "0.7"})
        for axis in (0, 1):
            a, b = transitions(masks, axis), transitions(mirror, axis)
            error = math.sqrt((a.var(ddof=1) + b.var(ddof=1)) / MASKS)
            self.assertLess(abs(a.mean() - b.mean()), 4 * error)


def beta_cdf(alpha, values):
    """The distribution function of Beta(alpha, alpha) at sorted values.

    By symmetry from the nearer end, where x^alpha is regular to sum:
    I_x(a, a) = x^a / B(a, a) * sum of (1-a)_k x^k / (k! (a + k)), x <= 1/2.
    """
    near = np.minimum(values, 1 - values)
    total, term = np.zeros_like(near), np.ones_like(near)
    for k in range(200):
        total += term / (alpha + k)
        term *= near * (k + 1 - alpha) / (k + 1)
    scale = float(1 / mpmath.beta(alpha, alpha))
    lower = scale * near**alpha * total
    return np.where(values <= 0.5, lower, 1 - lower)


class LambdaTest(Masks):
    """lambda ~ Beta(alpha, alpha)."""

    COUNT = 20000
    ALPHAS = (0.1, 0.3, 1, 2, 8)

    def draw(self, alpha, seed=31):
        """That many lambdas; cutmix of one pixel costs least."""
        return np.array(self.rows((1,), self.COUNT, method="cutmix",
                                  alpha=alpha, seed=seed)["lambda"])

    def test_distribution_function_here_is_that_of_mpmath(self):
        for alpha in self.ALPHAS:
            values = np.array([1e-30, 1e-9, 0.01, 0.3, 0.5, 0.6, 0.999])
            exact = [float(mpmath.betainc(alpha, alpha, 0, x,
                                          regularized=True)) for x in values]
            np.testing.assert_allclose(beta_cdf(alpha, values), exact,
                                       rtol=1e-9)

    def test_distribution_passes_kolmogorov_smirnov(self):
        for alpha in self.ALPHAS:
            values = np.sort(self.draw(alpha))
            # lambda is rounded to 2^-32: at alpha 0.1 a twentieth of the
            # probability lies within half of that of an end. So the steps
            # are compared where they round: at half a unit either side.
            half = 0.5 / ONE
            below = beta_cdf(alpha, np.clip(values - half, 0, 1))
            above = beta_cdf(alpha, np.clip(values + half, 0, 1))
            left = np.searchsorted(values, values, "left") / len(values)
            right = np.searchsorted(values, values, "right") / len(values)
            distance = max(np.abs(left - below).max(),
                           np.abs(right - above).max())
            with self.subTest(alpha=alpha):
                self.assertLess(distance * math.sqrt(len(values)),
                                KOLMOGOROV_1_PERCENT)

    def test_mean_is_one_half_and_variance_that_of_beta(self):
        for alpha in self.ALPHAS:
            values = self.draw(alpha, seed=32)
            variance = 1 / (4 * (2 * alpha + 1))
            kurtosis = 3 - 6 / (2 * alpha + 3)  # of Beta(alpha, alpha)
            with self.subTest(alpha=alpha):
                self.assertLess(abs(values.mean() - 0.5),
                                4 * math.sqrt(variance / self.COUNT))
                self.assertLess(abs(values.var() - variance), 4 * variance *
                                math.sqrt((kurtosis - 1) / self.COUNT))

    def test_neighbours_are_not_correlated(self):
        values = self.draw(1, seed=33) - 0.5
        for lag in (1, 2, 7):
            product = values[:-lag] * values[lag:] * 12
            self.assertLess(abs(product.mean()), 4 / math.sqrt(len(product)))


class CutmixTest(Masks):
    """Boxes, and the weight that clipping leaves."""

    def test_lambda_eff_is_the_mean_of_the_mask(self):
        for shape in ((11,), (9, 12), (4, 5, 6)):
            answer = self.rows(shape, 500, method="cutmix", seed=3)
            masks = np.array(answer["masks"]).reshape(500, -1)
            self.assertEqual(masks.sum(axis=1).tolist(), answer["ones"])
            self.assertEqual(masks.mean(axis=1).tolist(),
                             answer["lambda_eff"])

    def test_clipping_leaves_more_than_lambda(self):
        # Sides are rounded down and boxes clipped: both cut less, never more.
        answer = self.rows((32, 32), 1000, method="cutmix", seed=4)
        lam = np.array(answer["lambda"])
        effective = np.array(answer["lambda_eff"])
        self.assertTrue((effective >= lam).all())
        surplus = effective - lam
        error = surplus.std(ddof=1) / math.sqrt(len(surplus))
        self.assertGreater(surplus.mean(), 4 * error)

    def test_clipping_takes_what_geometry_says(self):
        # A box of r in n, its centre anywhere: it keeps along one side
        # the mean over centres c of min(n, c - r//2 + r) - max(0, c - r//2).
        side, cut = 32, 16
        kept = np.mean([min(side, c + cut - cut // 2) - max(0, c - cut // 2)
                        for c in range(side)])
        answer = self.rows((side, side), 1000, method="cutmix", seed=6,
                           **{"lambda": "0.75"})
        effective = np.array(answer["lambda_eff"])
        error = effective.std(ddof=1) / math.sqrt(len(effective))
        self.assertLess(abs(effective.mean() - (1 - (kept / side)**2)),
                        4 * error)
        self.assertGreater(effective.mean(), 0.75 + 10 * error)

    def test_every_mask_is_one_box(self):
        masks = self.ask((20, 30), 1000, method="cutmix", seed=7)
        for mask in masks:
            zero = mask == 0
            rows, columns = zero.any(axis=1), zero.any(axis=0)
            self.assertTrue((zero == np.outer(rows, columns)).all())
            for line in (rows, columns):
                at = np.flatnonzero(line)
                if at.size:
                    self.assertEqual(at[-1] - at[0] + 1, at.size)


class DifferenceTest(Masks):
    """Seed and index each name a mask of its own."""

    def test_masks_of_different_seeds_and_indices_differ(self):
        half = {"lambda": "0.5"}
        numbers = (0, 1, 2, 2**32 - 1, 2**32, 2**32 + 1, 2**63, 2**64 - 1)
        met = {}
        for seed in numbers:
            for index in numbers:
                mask = self.ask((16, 16), 1, seed=seed, index=index, **half)
                self.assertNotIn(mask.tobytes(), met, (seed, index))
                met[mask.tobytes()] = seed, index
        batch = self.ask((16, 16), MASKS, seed=77, **half)
        self.assertEqual(len({mask.tobytes() for mask in batch}), MASKS)

    def test_masks_of_different_seeds_have_nothing_in_common(self):
        first = self.ask((16, 16), seed=1, **{"lambda": "0.5"})
        for seed, index in ((2, 0), (1, MASKS), (2**32 + 1, 0)):
            other = self.ask((16, 16), seed=seed, index=index,
                             **{"lambda": "0.5"})
            agree = (first == other).mean(axis=(1, 2))
            error = agree.std(ddof=1) / math.sqrt(MASKS)
            self.assertLess(abs(agree.mean() - 0.5), 4 * error)

    def test_index_counts_samples(self):
        whole = self.ask((10, 10), 20, seed=5)
        tail = self.ask((10, 10), 13, seed=5, index=7)
        self.assertTrue((whole[7:] == tail).all())


if __name__ == "__main__":
    unittest.main()
