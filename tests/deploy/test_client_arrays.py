"""Arrays of several libraries are mixed alike, and keep their types."""

import unittest

import numpy as np

from python_client import HAS_TORCH, NO_TORCH, MixingTest  # it knows where the following are
import fmixd
from array_libraries import SymbolicTensor, installed, libraries


class Arrays(MixingTest):
    """Of NumPy, PyTorch, and those of array_libraries."""

    def setUp(self):
        self.enterContext(installed())

    LAWS = (
        {"method": "fmix", "prob": 0.5},
        {"method": "mixup", "prob": 0.5},
        {"method": ["fmix", "mixup"], "prob": 0.6, "alpha": [1, 0.2]},
        {"method": ["mixup", "cutmix", "samplepairing", "none"], "switch": "sample", "alpha": [0.4, 1, 1, 1],
         "weights": [2, 2, 1, 1]},
        {"method": ["fmix", "mixup", "bc"], "switch": "sample", "prob": 0.7, "scope": "pair", "pairing": "flip"},
        {"method": ["cutmix", "mixup"], "switch": "sample", "prob": 0.8, "scope": "batch"},
        {"method": "cutmix", "scope": "pair", "pairing": "flip", "alpha": 0.3})

    def test_rows_of_one_batch_may_differ_in_method(self):
        x, y = self.batch((12, 3, 8, 9))
        for law in self.LAWS:
            seen = set()
            mixers = {name: self.mixer(seed=11, classes=5, **law) for name in libraries()}
            for step in range(5):
                made = self.of_daemon(x, y, step, layout="channels_first", seed=11, **law)
                plan = self.mixer(seed=11, **law).plan((8, 9), 12, step)
                copies = ~plan.sums
                seen.update(plan.methods)
                for name, (to, back) in libraries().items():
                    with self.subTest(law, library=name, step=step):
                        mixed, labels = mixers[name](to(x), y, step)
                        self.assertEqual(back(mixed)[copies].tobytes(), made["mixed"][copies].tobytes())
                        np.testing.assert_allclose(back(mixed), made["mixed"], atol=1e-6)
                        np.testing.assert_allclose(labels, made["labels"], atol=1e-6)
            self.assertEqual(len(seen), len(np.atleast_1d(law["method"])) + ("prob" in law))

    def test_a_row_that_is_not_mixed_stays_bit_for_bit_what_it_was(self):
        x, _ = self.batch((16, 2, 5))
        x[:, 0, 0], x[:, 0, 1], x[:, 0, 2] = np.inf, np.nan, -0.0
        for method in "fmix", "mixup", "fmix,mixup":
            law = {"seed": 3, "method": method, "prob": 0.5, "switch": "sample"}
            plan = self.mixer(**law).plan((5,), 16, 2)
            unmixed = plan.methods == fmixd.METHODS.index("none")
            self.assertTrue(0 < unmixed.sum() < 16)
            for name, (to, back) in libraries().items():
                with self.subTest(method, library=name):
                    mixed, values = self.mixer(layout="channels_first", **law)(
                        to(x), np.where(unmixed, 1.5, np.nan), 2)
                    self.assertEqual(back(mixed)[unmixed].tobytes(), x[unmixed].tobytes())
                    self.assertEqual(values[unmixed].tolist(), [1.5] * unmixed.sum())

    def test_sums_of_what_is_infinite_or_great_are_those_of_the_daemon(self):
        for shape in (6, 3, 8, 9), (6, 3, 96, 120):  # mixed all at once, and a row at a time
            x, y = self.batch(shape)
            x[:, 0], x[:, 1, 0], x[::2, 1, 1], x[1::2, 1, 1] = -np.inf, np.inf, 3e38, -3e38
            for method in "mixup", "mixup,fmix":
                law = {"seed": 3, "method": method, "switch": "sample", "lam": 0.25}
                made = self.of_daemon(x, y, 0, layout="channels_first", **{
                    {"lam": "lambda"}.get(key, key): value for key, value in law.items()})["mixed"]
                self.assertTrue((made[:, 0] == -np.inf).all())
                for name, (to, back) in libraries().items():
                    for dtype in "f4", "f8":
                        with self.subTest(method, library=name, shape=shape, dtype=dtype):
                            mixed = back(self.mixer(**law)(to(x.astype(dtype)), None, 0)[0])
                            np.testing.assert_allclose(mixed.astype("f4"), made, rtol=1e-6)

    @unittest.skipUnless(HAS_TORCH, NO_TORCH)
    def test_sums_of_tensors_are_those_of_arrays_bit_for_bit(self):
        import torch
        for shape in (6, 3, 8, 9), (6, 3, 96, 120):
            for dtype in "f2", "f4", "f8":
                x = (200 * self.batch(shape)[0]).astype(dtype)
                for law in {"method": "mixup"}, {"method": "mixup,fmix", "switch": "sample"}:
                    mixed = self.mixer(seed=3, **law)(x, None, 0)[0]
                    torched = self.mixer(seed=3, **law)(torch.from_numpy(x), None, 0)[0]
                    self.assertEqual(torched.numpy().tobytes(), mixed.tobytes())

    def test_the_types_of_rows_that_differ_are_kept(self):
        x, y = self.batch((12, 3, 8, 9))
        law = {"seed": 3, "method": "fmix,mixup", "switch": "sample", "prob": 0.8}
        mix, checks = self.mixer(classes=5, **law), [("<f2", np.asarray), ("<f4", np.asarray), ("<f8", np.asarray)]
        if HAS_TORCH:
            import torch
            checks += [("<f2", torch.from_numpy), ("<f8", torch.from_numpy)]
            half = torch.from_numpy(x).bfloat16()
            made = self.of_daemon(half.double().numpy(), y, 0, layout="channels_first", **law)["mixed"]
            mixed, _ = mix(half, y, 0)
            self.assertEqual(mixed.dtype, torch.bfloat16)
            np.testing.assert_allclose(mixed.double().numpy(), made, rtol=2**-8)
        for dtype, to in checks:
            typed = (200 * x).astype(dtype)
            made = self.of_daemon(typed, y, 0, layout="channels_first", **law)["mixed"]
            mixed, _ = mix(to(typed), y, 0, epoch=0)
            self.assertEqual(np.asarray(mixed).dtype, dtype)
            np.testing.assert_allclose(np.asarray(mixed), made, rtol=2 * np.finfo(dtype).eps)
        pixels = (255 * x).astype("u1")
        made = self.of_daemon(pixels, y, 0, layout="channels_first", method="fmix,cutmix", prob=0.5, switch="sample")
        mixed, _ = self.mixer(method="fmix,cutmix", prob=0.5, switch="sample", classes=5)(pixels, y, 0)
        self.assertEqual(mixed.tobytes(), made["mixed"].tobytes())
        with self.assertRaisesRegex(TypeError, "uint8.*mixup.*float"):
            mix(pixels, y, 0, epoch=0)

    def test_types_of_x_are_kept_by_every_method(self):
        x, y = self.batch()
        for dtype in "<f2", "<f4", "<f8":
            for method in "fmix", "cutmix", "mixup", "samplepairing", "none", "fmix,mixup":
                mix = self.mixer(seed=3, method=method, classes=5)
                for step in range(2):
                    typed = (200 * x).astype(dtype)
                    mixed, _ = mix(typed, y, step)
                    made = self.of_daemon(typed, y, step, layout="channels_first", seed=3, method=method)
                    self.assertEqual(mixed.dtype, typed.dtype)
                    np.testing.assert_allclose(mixed, made["mixed"], rtol=2 * np.finfo(dtype).eps)
                    self.assertEqual(typed.tobytes(), (200 * x).astype(dtype).tobytes())
        pixels = (255 * x).astype("u1")
        mixed, _ = self.mixer(method="cutmix", classes=5)(pixels, y, 0)
        self.assertEqual(mixed.dtype, np.uint8)
        with self.assertRaisesRegex(TypeError, "uint8.*mixup.*float"):
            self.mixer(method="mixup", classes=5)(pixels, y, 0)

    @unittest.skipUnless(HAS_TORCH, NO_TORCH)
    def test_types_of_tensors_are_kept_by_every_method(self):
        import torch
        x, y = self.batch()
        for dtype in torch.float16, torch.bfloat16, torch.float32, torch.float64:
            mix = self.mixer(seed=3, method="fmix,mixup", classes=5)
            for step in range(2):
                typed = torch.from_numpy(x).to(dtype)
                mixed, _ = mix(typed, torch.from_numpy(y), step)
                made = self.of_daemon(typed.double().numpy(), y, step, layout="channels_first", seed=3,
                                      method="fmix,mixup")
                self.assertEqual(mixed.dtype, dtype)
                torch.testing.assert_close(mixed.double(), torch.from_numpy(made["mixed"].copy()),
                                           rtol=torch.finfo(dtype).eps, atol=torch.finfo(dtype).eps)
        with self.assertRaisesRegex(TypeError, "uint8"):
            self.mixer(method="mixup", classes=5)(torch.zeros(6, 3, 8, 9, dtype=torch.uint8), None, 0)

    @unittest.skipUnless(HAS_TORCH, NO_TORCH)
    def test_torch_tensors_are_mixed_alike(self):
        import torch
        x, y = self.batch()
        numpy, torched = self.mixer(seed=7, method="fmix,mixup", classes=5), self.mixer(
            seed=7, method="fmix,mixup", classes=5)
        for step in range(4):
            a, b = numpy(x, y, step), torched(torch.from_numpy(x), torch.from_numpy(y), step)
            self.assertIsInstance(b[0], torch.Tensor)
            np.testing.assert_allclose(a[0], b[0].numpy(), atol=1e-6)
            np.testing.assert_allclose(a[1], b[1].numpy(), atol=1e-6)

    def test_labels_are_mixed_in_the_library_they_come_in(self):
        x, y = self.batch()
        rows = np.eye(5, dtype="f4")[y]
        for options in {"classes": 5}, {"classes": 5, "smoothing": 0.1}:
            for labels in (y, y.astype("i4"), y.astype("u1")[:, None], y.astype("f4"), rows, rows.astype("f8"),
                           rows.astype(bool), rows.astype("i8")):
                wanted = self.mixer(seed=7, method="mixup", **options)(x, labels, 1)[1]
                for name, (to, back) in libraries().items():
                    if name == "torch with gradients" and labels.dtype.kind != "f":
                        continue
                    with self.subTest(library=name, labels=labels.dtype, shape=labels.shape):
                        made = self.mixer(seed=7, method="mixup", **options)(to(x), to(labels), 1)[1]
                        self.assertIs(type(made), type(to(labels)))
                        self.assertEqual(back(made).dtype, wanted.dtype)
                        np.testing.assert_allclose(back(made), wanted, atol=1e-6)
        for name, (to, _) in libraries().items():
            for wrong, said in (np.full(6, 5), "holds 5; class"), (np.full(6, 0.5), "not whole"), (
                    np.full((6, 5), 3), "integers from 3 to 3 in 5 columns"):
                if name != "torch with gradients":
                    with self.subTest(library=name), self.assertRaisesRegex(ValueError, said):
                        self.mixer(classes=5)(to(x), to(wrong), 0)

    def test_bytes_and_wide_and_narrow_floats_keep_their_types_in_each_library(self):
        x, _ = self.batch()
        for dtype, method in ("u1", "cutmix"), ("i8", "fmix"), ("?", "fmix"), ("f8", "mixup"), ("f2", "mixup"):
            typed = (200 * x).astype(dtype)
            wanted = self.mixer(seed=3, method=method)(typed, None, 1)[0]
            for name, (to, back) in libraries().items():
                if name == "torch with gradients" or (name, dtype) == ("numpy.array_api", "f2"):
                    continue  # which have no such type
                with self.subTest(dtype, library=name):
                    made = self.mixer(seed=3, method=method)(to(typed), None, 1)[0]
                    self.assertIs(type(made), type(to(typed)))
                    self.assertEqual(back(made).dtype, wanted.dtype)
                    np.testing.assert_allclose(back(made), wanted, rtol=2 * np.finfo(dtype).eps if dtype[0] == "f"
                                               else 0)

    def test_what_is_no_array_or_only_a_graph_s_is_refused(self):
        mix = self.mixer(layout="none")
        with self.assertRaisesRegex(TypeError, "eager"):
            mix(SymbolicTensor(np.zeros((3, 4), "f4")), None, 0)
        bare = type("Bare", (), {"shape": (3, 4), "dtype": np.dtype("f4")})()
        with self.assertRaisesRegex(TypeError, "array namespace; give a NumPy array, a torch tensor"):
            mix(bare, None, 0)


if __name__ == "__main__":
    unittest.main()
