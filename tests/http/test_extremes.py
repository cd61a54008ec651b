"""The ends of every range, and what must come out of them."""

import math
import unittest
from urllib.parse import urlencode

import numpy as np

import harness

METHODS = ("fmix", "cutmix", "mixup", "bc", "bcplus", "samplepairing", "none")
MASKED = ("fmix", "cutmix")


class Extremes(harness.ServerTest):
    def mix(self, x, **query):
        return self.post("/v1/mix.npy?" + urlencode(query),
                         harness.write_npy(x)).npy()

    def rows(self, shape, count, **query):
        query = {"shape": "x".join(map(str, shape)), "n": count, **query}
        answer = self.get("/v1/masks.json?" + urlencode(query)).json()
        return {name: np.array(value) for name, value in answer.items()}


def clipped_mean(side, alpha_one_steps=200000):
    """E of a clipped box's complement over uniform lambda and centre.

    The box of r by r has its centre c uniform over the side: along each side
    it keeps [max(c - r//2, 0), min(c + r - r//2, side)).
    """
    lams = (np.arange(alpha_one_steps) + 0.5) / alpha_one_steps
    cuts = np.floor(side * np.sqrt(1 - lams)).astype(int)
    centres = np.arange(side)
    kept = [(np.minimum(centres + r - r // 2, side)
             - np.maximum(centres - r // 2, 0)).mean()
            for r in range(side + 1)]
    return 1 - np.mean(np.square(np.array(kept)[cuts])) / side**2


class LambdaEff(Extremes):
    def test_expected_lambda_eff_of_clipped_cutmix(self):
        for side in 7, 18:
            found = self.rows((side, side), 4000, method="cutmix",
                              dtype="u8", seed=2)["lambda_eff"]
            error = found.std() / math.sqrt(len(found))
            self.assertLess(abs(found.mean() - clipped_mean(side)), 4 * error)
            self.assertGreater(found.mean() - 0.5, 10 * error)

    def test_alpha_at_its_ends(self):
        few = self.rows((1,), 4000, alpha=0.01, method="cutmix")["lambda"]
        near = np.minimum(few, 1 - few) < 1e-6
        # P(x < e) of Beta(a, a) is about e^a / 2: 0.87 of them all
        self.assertLess(abs(near.mean() - 1e-6**0.01), 0.03)
        self.assertLess(abs((few > 0.5).mean() - 0.5), 0.04)
        many = self.rows((1,), 4000, alpha=1000, method="cutmix")["lambda"]
        deviation = math.sqrt(1 / (4 * 2001))
        self.assertLess(np.abs(many - 0.5).max(), 5 * deviation)
        self.assertLess(abs(many.std() / deviation - 1), 0.05)

    def test_lambda_0_and_1_are_the_partner_and_the_row(self):
        x = np.random.default_rng(5).random((4, 6, 6)).astype("<f4")
        for method in METHODS:
            if method in ("samplepairing", "none", "bcplus"):
                continue
            for lam in 0, 1:
                mixed = self.mix(x, method=method, layout="none", box="inside",
                                 pairing="roll", **{"lambda": lam})
                expected = x if lam else x[[3, 0, 1, 2]]
                np.testing.assert_array_equal(mixed, expected)


class Blends(Extremes):
    def test_bcplus_of_equal_deviations_mixes_by_r(self):
        x = np.random.default_rng(6).standard_normal((2, 500))
        x -= x.mean(axis=1, keepdims=True)
        x /= x.std(axis=1, keepdims=True)
        for r in 0.25, 0.5, 0.9:
            mixed = self.mix(x, method="bcplus", pairing="flip",
                             **{"lambda": r})
            expected = (r * x + (1 - r) * x[::-1]) / math.hypot(r, 1 - r)
            np.testing.assert_allclose(mixed, expected, rtol=1e-9, atol=1e-9)

    def test_bcplus_of_constants_is_zero(self):
        x = np.array([[3.0] * 8, [5.0] * 8], "<f4")
        np.testing.assert_array_equal(self.mix(x, method="bcplus"), 0 * x)

    def test_a_constant_stays_itself_within_one_rounding(self):
        for dtype, value in (("<f4", 0.1), ("<f2", 0.3), ("<f8", 1 / 3),
                             ("u1", 201)):
            x = np.full((6, 50), value, dtype)
            for method in "mixup", "bc", "samplepairing":
                mixed = self.mix(x, method=method, seed=1)
                if dtype == "u1":
                    np.testing.assert_array_equal(mixed, x)
                else:
                    self.assertLessEqual(np.abs(mixed - x).max(),
                                         np.spacing(x[0, 0]))

    def test_with_itself_a_row_stays_itself(self):
        x = np.random.default_rng(7).random((5, 9, 9)).astype("<f4")
        for method in METHODS:
            if method == "bcplus":
                continue
            mixed = self.mix(x, method=method, pairing="none", layout="none")
            if method in (*MASKED, "none"):
                np.testing.assert_array_equal(mixed, x)
            else:
                self.assertTrue((np.abs(mixed - x) <= np.spacing(x)).all())


class Largest(Extremes):
    """Answers whose length no header could say: each tensor's fits, and all together do not."""

    def test_an_answer_of_2_63_bytes_is_413_and_says_so(self):
        plans = "method=cutmix&n=16777216&steps=1048576&dtype=u8"
        for target in (f"/v1/plans.safetensors?{plans}&shape=524287x1x1", f"/v1/plans.json?{plans}&shape=524287x1x1"):
            refused = self.server.get(target)
            self.assertEqual(refused.status, 413, target)
            self.assertIn("larger than 2^63-1 bytes", refused.json()["detail"])
        refused = self.server.get(f"/v1/plans.json?{plans}&shape=349525x1x1&parts=masks")
        self.assertEqual(refused.status, 413)
        self.assertIn(f"this answer has {2 ** 64 - 1}:", refused.json()["detail"])


class Smallest(Extremes):
    def test_a_batch_of_one_is_mixed_with_itself(self):
        x = np.random.default_rng(8).random((1, 6, 5)).astype("<f4")
        for pairing in "permutation", "derangement", "flip", "roll", "none":
            mixed = self.mix(x, pairing=pairing, layout="none")
            np.testing.assert_array_equal(mixed, x)

    def test_a_mask_of_one_element_is_all_or_nothing(self):
        for shape in (1,), (1, 1), (1, 1, 1):
            for method in MASKED:
                rows = self.rows(shape, 200, method=method)
                masks = rows["masks"].reshape(200)
                self.assertTrue(set(masks) <= {0, 1})
                np.testing.assert_array_equal(rows["lambda_eff"], masks)
                if method == "fmix":
                    rounded = np.floor(rows["lambda"] + 0.5)
                    np.testing.assert_array_equal(masks, rounded)
            grey = self.rows(shape, 3, output="grey")["masks"]
            np.testing.assert_array_equal(grey, 0 * grey)


# Made here: each solid is rasterised at 20 voxels a side from its equation,
# so that mixtures can be looked at. Balls, boxes and tori of random sizes.
def solids(count, side=20):
    random = np.random.default_rng(11)
    z, y, x = np.meshgrid(*[np.linspace(-1, 1, side)] * 3, indexing="ij")
    made = []
    for i in range(count):
        size, thin = random.uniform(0.4, 0.9), random.uniform(0.1, 0.3)
        ring = np.hypot(np.hypot(x, y) - size, z) < thin
        box = np.maximum(np.maximum(abs(x), abs(y) * 1.5), abs(z) / thin) < size
        made.append((np.hypot(np.hypot(x, y), z) < size, box, ring)[i % 3])
    return np.stack(made)


# Made here: each token's embedding is the one before and a small step, so
# neighbours are alike as in text.
def embeddings(count, tokens=64, width=16):
    steps = np.random.default_rng(12).standard_normal((count, tokens, width))
    return steps.cumsum(axis=1).astype("<f4") / 8


class Dimensions(Extremes):
    def plan(self, shape, count, **query):
        query = {"shape": "x".join(map(str, shape)), "n": count, **query}
        answer = self.get("/v1/plans.json?" + urlencode(query)).json()
        return {name: np.array(value) for name, value in answer.items()
                if name in ("masks", "pairing", "lambda")}

    def check(self, x, spatial, layout, method):
        plan = self.plan(spatial, len(x), method=method, seed=21, dtype="f64")
        mixed = self.mix(x, layout=layout, method=method, seed=21)
        self.assertEqual((mixed.shape, mixed.dtype), (x.shape, x.dtype))
        weights = plan["masks"]
        if layout != "none":
            weights = np.expand_dims(weights, 1 if "first" in layout else -1)
        partner = x[plan["pairing"]]
        if method in MASKED:
            np.testing.assert_array_equal(
                mixed, np.where(weights == 1, x, partner))
        elif method != "bcplus":
            expected = weights * x.astype("f8") + (1 - weights) * partner
            if x.dtype.kind == "u":
                expected = np.rint(expected)
            np.testing.assert_array_equal(mixed, expected.astype(x.dtype))
        else:
            flat = mixed.reshape(len(x), -1)
            self.assertLess(np.abs(flat.mean(axis=1)).max(), 1e-5)

    def test_voxels_through_every_method(self):
        voxels = solids(6)
        grey = voxels.astype("u1") * np.uint8(255)
        two = np.stack([voxels, ~voxels], axis=1).astype("<f4")
        for method in METHODS:
            if method != "bcplus":
                self.check(grey, (20, 20, 20), "none", method)
            self.check(two, (20, 20, 20), "channels_first", method)

    def test_embeddings_through_every_method(self):
        x = embeddings(7)
        for method in METHODS:
            self.check(x, (64,), "channels_last", method)
            self.check(x[:, :, 0].copy(), (64,), "none", method)

    def test_token_ids_are_chosen_and_never_blended(self):
        ids = np.random.default_rng(13).integers(0, 30522, (8, 128))
        for method in MASKED:
            self.check(ids.astype("<i8"), (128,), "none", method)
        answer = self.post("/v1/mix.npy?method=mixup",
                           harness.write_npy(ids), 400)
        self.assertIn("token ids", answer.json()["detail"])


if __name__ == "__main__":
    unittest.main()
