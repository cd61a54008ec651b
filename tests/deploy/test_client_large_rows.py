"""Batches of large rows are mixed a row at a time, into what batches of small rows become."""

import unittest
from unittest import mock

import numpy as np

from python_client import HAS_TORCH, NO_TORCH, MixingTest  # it knows where the following are
import fmixd
from fmixd import large_rows

SHAPES = {"channels_first": (6, 3, 96, 120), "channels_last": (6, 96, 120, 3), "none": (6, 200, 170)}
LAWS = ({"method": "fmix"}, {"method": "cutmix"}, {"method": "mixup", "alpha": 0.4},
        {"method": "fmix,mixup,none", "switch": "sample", "prob": 0.8})
COPIES = LAWS[:2]


def all_at_once(mix, x, step):
    """The same batch as if its rows were small."""
    with mock.patch.object(large_rows, "LEAST", 2**62):
        return mix(x, None, step)[0]


class LargeRows(MixingTest):
    """Of NumPy and PyTorch."""

    def batch_of(self, shape, dtype):
        """Numbers of every sign, not a number, and both zeros; integers of all bytes."""
        random = np.random.default_rng(4)
        x = random.integers(0, 2, shape).astype(bool) if dtype == "bool" else random.integers(
            -99, 99, shape).astype(dtype)
        if x.dtype.kind == "f":
            x[:, 0, 0], x[:, 0, 1] = np.nan, -0.0
        return x

    def test_rows_of_arrays_become_what_they_become_all_at_once(self):
        for layout, shape in SHAPES.items():
            for law in LAWS:
                types = ["<f4", "<f8", "<f2", ">f4", ">f8"] + ["u1", "i8", "<u2", "bool"] * (law in COPIES)
                mix = self.mixer(seed=3, layout=layout, **law)
                for step, dtype in enumerate(types):
                    x = self.batch_of(shape, dtype)
                    kept = x.copy()
                    with self.subTest(law, layout=layout, dtype=dtype):
                        self.assertIsNotNone(large_rows.large_rows(x))
                        mixed = mix(x, None, step)[0]
                        wanted = all_at_once(mix, x, step)
                        self.assertEqual((mixed.dtype, mixed.shape), (x.dtype, x.shape))
                        self.assertEqual(mixed.tobytes(), wanted.tobytes())
                        self.assertEqual(x.tobytes(), kept.tobytes())
                        self.assertNotEqual(mixed.tobytes(), x.tobytes())

    def test_they_are_the_daemon_s(self):
        for layout, shape in SHAPES.items():
            x = np.random.default_rng(5).random(shape, "f4")
            for law in LAWS:
                mixed, _ = self.mixer(seed=9, layout=layout, **law)(x, None, 2)
                made = self.of_daemon(x, np.arange(6) % 5, 2, layout=layout, seed=9, **law)["mixed"]
                np.testing.assert_allclose(mixed, made, atol=1e-6)
                if law in COPIES:
                    self.assertEqual(mixed.tobytes(), made.tobytes())

    @unittest.skipUnless(HAS_TORCH, NO_TORCH)
    def test_rows_of_tensors_become_what_they_become_all_at_once(self):
        import torch
        floats = [torch.float32, torch.float64, torch.float16, torch.bfloat16]
        for layout, shape in SHAPES.items():
            for law in LAWS:
                mix = self.mixer(seed=3, layout=layout, **law)
                for step, dtype in enumerate(floats + [torch.uint8, torch.int64, torch.bool] * (law in COPIES)):
                    x = torch.from_numpy(self.batch_of(shape, "<f8" if dtype in floats else "i8")).to(dtype)
                    kept = x.clone()
                    with self.subTest(law, layout=layout, dtype=dtype):
                        self.assertIsNotNone(large_rows.large_rows(x))
                        mixed = mix(x, None, step)[0]
                        wanted = all_at_once(mix, x, step)
                        self.assertEqual((mixed.dtype, mixed.shape, mixed.is_contiguous()), (dtype, x.shape, True))
                        for a, b in (mixed, wanted), (x, kept):
                            self.assertTrue(torch.equal(a.view(torch.uint8), b.view(torch.uint8)))

    @unittest.skipUnless(HAS_TORCH, NO_TORCH)
    def test_rows_that_do_not_lie_one_after_the_other(self):
        import torch
        x = np.random.default_rng(5).random((6, 96, 120, 3), "f4")
        turned = torch.from_numpy(x).permute(0, 3, 1, 2)  # channels_last, as PyTorch stores it
        for law in LAWS:
            mix = self.mixer(seed=3, layout="channels_first", **law)
            for each in turned, torch.from_numpy(x.repeat(2, axis=0))[::2].permute(0, 3, 1, 2):
                mixed = mix(each, None, 1)[0]
                self.assertTrue(torch.equal(mixed, mix(each.contiguous(), None, 1)[0]))
            turned_array = x.transpose(0, 3, 1, 2)
            self.assertEqual(mix(turned_array, None, 1)[0].tobytes(), mix(turned_array.copy(), None, 1)[0].tobytes())

    @unittest.skipUnless(HAS_TORCH, NO_TORCH)
    def test_what_is_no_plain_array_is_mixed_all_at_once(self):
        import torch

        class Image(torch.Tensor):
            """A tensor with a class of its own."""

        x = torch.rand(SHAPES["channels_first"])
        others = [x.clone().requires_grad_(), x.as_subclass(Image), torch.complex(x, x), x[:, :1, :8, :8],
                  x.to_sparse(), x.numpy()[:, :1, :8, :8], np.ma.array(x.numpy()), x.numpy().astype("c8"),
                  np.zeros((0, 3, 96, 120))]
        for other in others:
            self.assertIsNone(large_rows.large_rows(other))
        asked = others[0]
        mixed = self.mixer(seed=1, layout="channels_first", method="fmix,mixup", switch="sample")(asked, None, 0)[0]
        mixed.sum().backward()
        self.assertEqual(asked.grad.shape, asked.shape)

    def test_sums_of_integers_are_refused_and_nothing_mixed_is_the_same_array(self):
        x = self.batch_of(SHAPES["none"], "u1")
        with self.assertRaisesRegex(TypeError, "uint8.*mixup.*float"):
            self.mixer(method="mixup", layout="none")(x, None, 0)
        self.assertIs(self.mixer(method="none", layout="none")(x, None, 0)[0], x)
        plan = self.mixer(method="mixup").plan((200, 170), 6, 0)
        floats = x.astype("f4")
        self.assertEqual(fmixd.Mixer(self.url, method="mixup").apply(plan, floats).shape, x.shape)  # without a layout


if __name__ == "__main__":
    unittest.main()
