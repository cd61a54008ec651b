"""deploy/clients/python/fmixd against a daemon: what it makes is what the daemon makes."""

import gc
import importlib.util
import multiprocessing
import pickle
import pathlib
import socket
import sys
import tempfile
import threading
import time
import unittest
import unittest.mock
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "deploy/clients/python"), str(ROOT / "tests/http")]

import fmixd  # noqa: E402
import harness  # noqa: E402
import hosting  # noqa: E402
from test_containers import read_safetensors, write_safetensors  # noqa: E402

HAS_TORCH = importlib.util.find_spec("torch") is not None


class Sealed:
    """An array of a library of its own, which cannot be written to; its namespace has but what is used."""

    class Namespace:
        """Of `where` and `asarray`."""

        @staticmethod
        def asarray(array):
            return Sealed(array)

        @staticmethod
        def where(*arrays):
            return Sealed(np.where(*(each.array for each in arrays)))

    def __init__(self, array):
        self.array, self.shape, self.ndim, self.dtype = array, array.shape, array.ndim, array.dtype

    def __array_namespace__(self):
        return self.Namespace

    def __len__(self):
        return len(self.array)

    def __getitem__(self, places):
        return Sealed(self.array[places.array])

    def __mul__(self, other):
        with np.errstate(invalid="ignore"):  # a row that stays what it is may hold anything
            return Sealed(self.array * other.array)

    def __add__(self, other):
        return Sealed(self.array + other.array)

    def __rsub__(self, number):
        return Sealed(number - self.array)

    def astype(self, dtype):
        return Sealed(self.array.astype(dtype))


def libraries():
    """By name: how an array comes into a library, and back."""
    found = {"numpy": (np.copy, np.asarray), "a namespace": (lambda x: Sealed(np.copy(x)), lambda x: x.array)}
    if HAS_TORCH:
        import torch
        found["torch"] = torch.tensor, lambda x: x.numpy()
        found["torch with gradients"] = lambda x: torch.tensor(x, requires_grad=True), lambda x: x.detach().numpy()
    return found


class Served(harness.ServerTest):
    """A daemon with data sets."""

    @classmethod
    def setUpClass(cls):
        cls.root = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.sets = {data.name: data for data in (*hosting.some_sets(), *hosting.rich_sets())}
        for data in cls.sets.values():
            hosting.write(cls.root, data)
        cls.arguments = ("--data", cls.root, "--drain", "0")
        super().setUpClass()
        cls.url = "http://{}:{}".format(*cls.server.address)


class Mixing(Served):
    """A batch of one's own."""

    def mixer(self, **law):
        """One that ends with the test."""
        mixer = fmixd.Mixer(self.url, steps=3, **law)
        self.addCleanup(mixer.close)
        return mixer

    def batch(self, shape=(6, 3, 8, 9)):
        """Any, with class numbers."""
        source = np.random.default_rng(3)
        return source.random(shape, dtype="f4"), source.integers(0, 5, shape[0])

    def of_daemon(self, x, y, step, **query):
        """The same by /v1/mix."""
        body = write_safetensors({"x": x, "y": y})
        target = "&".join(f"{key}={fmixd.connection.text(value)}" for key, value in query.items())
        answer = self.post(f"/v1/mix.safetensors?{target}&classes=5&step={step}", body,
                           content_type="application/x-safetensors")
        return read_safetensors(answer.body)[0]

    def test_masks_choose_the_very_bytes_that_the_daemon_chooses(self):
        x, y = self.batch()
        for method in ("fmix", "cutmix", "none"):
            mix = self.mixer(seed=7, method=method, classes=5)
            for step in range(7):
                made = self.of_daemon(x, y, step, layout="channels_first", seed=7, method=method)
                mixed, labels = mix(x, y, step)
                self.assertEqual(mixed.tobytes(), made["mixed"].tobytes())
                np.testing.assert_allclose(labels, made["labels"], atol=1e-6)

    def test_interpolations_are_the_daemon_s_but_for_rounding(self):
        x, y = self.batch()
        for method in ("mixup", "bc", "samplepairing", "fmix,mixup"):
            mix = self.mixer(seed=2**63 + 1, method=method, classes=5, alpha=0.4)
            for step in (5, 6, 7, 8, 2):
                made = self.of_daemon(x, y, step, layout="channels_first", seed=2**63 + 1,
                                      method=method, alpha=0.4)
                mixed, labels = mix(x, y, step)
                np.testing.assert_allclose(mixed, made["mixed"], atol=1e-6)
                np.testing.assert_allclose(labels, made["labels"], atol=1e-6)

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

    def test_labels_weigh_each_row_by_its_own_method(self):
        x, y = self.batch((12, 3, 8, 9))
        law = {"seed": 5, "method": "cutmix,mixup,samplepairing,none", "switch": "sample", "prob": 0.8, "correct": 0,
               "smoothing": 0.1}
        mix, seen = self.mixer(classes=5, **law), set()
        for step in range(4):
            made = self.of_daemon(x, y, step, layout="channels_first", **law)
            seen.update(fmixd.METHODS[number] for number in made["method"])
            for labels in y, np.eye(5, dtype="f4")[y]:
                np.testing.assert_allclose(mix(x, labels, step)[1], made["labels"], atol=1e-6)
        self.assertEqual(seen, {"cutmix", "mixup", "samplepairing", "none"})

    def test_values_are_mixed_and_never_smoothed(self):
        x, y = self.batch((12, 3, 8, 9))
        law = {"seed": 5, "method": "mixup", "prob": 0.5}
        values = np.linspace(-3, 8, 12, dtype="f4")
        plan = self.mixer(**law).plan((8, 9), 12, 0)
        wanted = plan.lam_eff * values + (1 - plan.lam_eff) * values[plan.pairing]
        np.testing.assert_allclose(self.mixer(**law)(x, values, 0)[1], wanted, atol=1e-6)
        _, heads = self.mixer(classes={"kind": 5}, smoothing=0.1, **law)(x, {"age": values, "kind": y}, 0)
        np.testing.assert_allclose(heads["age"], wanted, atol=1e-6)
        np.testing.assert_allclose(heads["kind"], self.of_daemon(
            x, y, 0, layout="channels_first", smoothing=0.1, **law)["labels"], atol=1e-6)
        with self.assertRaisesRegex(ValueError, "one value a row, and smoothing is for classes"):
            self.mixer(smoothing=0.1, **law)(x, values, 0)

    def test_layouts_and_ranks_of_x(self):
        for shape, layout in (((5, 7), "none"), ((5, 4, 6, 2), "channels_last"), ((5, 2, 9), "channels_first"),
                              ((4, 3, 4, 5), "none")):
            x, y = self.batch(shape)
            mixed, _ = self.mixer(seed=1, layout=layout, classes=5)(x, y, 3)
            made = self.of_daemon(x, y, 3, layout=layout, seed=1)
            self.assertEqual(mixed.tobytes(), made["mixed"].tobytes())

    def test_a_last_batch_of_fewer_rows_has_a_plan_of_its_own(self):
        mix = self.mixer(seed=1, classes=5)
        x, y = self.batch()
        for step, rows in ((0, 6), (1, 6), (2, 4), (3, 6)):
            mixed, _ = mix(x[:rows], y[:rows], step)
            made = self.of_daemon(x[:rows], y[:rows], step, layout="channels_first", seed=1)
            self.assertEqual(mixed.tobytes(), made["mixed"].tobytes())

    def test_what_cannot_be_is_told(self):
        x, y = self.batch()
        with self.assertRaisesRegex(fmixd.Refused, "delta"):
            self.mixer(delta=11, classes=5)(x, y, 0)
        with self.assertRaisesRegex(ValueError, "classes"):
            self.mixer()(x, y, 0)
        with self.assertRaisesRegex(ValueError, "soft"):
            self.mixer(soft=0.1)
        with self.assertRaisesRegex(TypeError, "namespace"):
            fmixd.arrays.namespace([1, 2])

    def test_what_can_be_known_before_the_first_batch_is_told_at_once(self):
        for options, said in (
                ({"layout": "nchw"}, "channels_first, channels_last or none"), ({"index": 0}, "index"),
                ({"n": 4}, "n follows"), ({"epoch": 1}, "epoch"), ({"rank": 2, "world": 2}, "rank is 2"),
                ({"smoothing": 2}, "smoothing"), ({"steps": 0}, "steps"),
                ({"pairing": "other_class"}, "classes of the samples.*POST x and y to /v1/mix"),
                ({"pairing": "same_class"}, "same_class.*fmixd.epoch"),
                ({"pairing": "neighbour"}, "hosted data set: take its batches by fmixd.epoch")):
            with self.subTest(**options), self.assertRaisesRegex(ValueError, said):
                fmixd.Mixer(self.url, **options)
        for options in {"classes": -1}, {"classes": "10"}, {"rank": .5, "world": 2}, {"classes": {"a": 0}}:
            with self.subTest(**options), self.assertRaises(ValueError):
                fmixd.Mixer(self.url, **options)
        for token in "a b", "\u2026", "", "a\nb":
            with self.assertRaisesRegex(ValueError, "one word of ASCII") as refused:
                fmixd.Connection(self.url, token)
            self.assertNotIn("\u2026", str(refused.exception))
        self.assertEqual(fmixd.Connection(self.url, "abc\n")._headers, {"Authorization": "Bearer abc"})
        for url in ("localhost:8080", "http://", "ftp://x", "", "http://localhost:80a0", "http://u:p@localhost:8080",
                    "http://local host:8080", "http://localhost:99999", "http://[::1"):
            for make in fmixd.Mixer, fmixd.Connection, lambda url: list(fmixd.epoch(url, "colour")):
                with self.subTest(url), self.assertRaisesRegex(ValueError, "http://localhost:8080"):
                    make(url)

    def test_a_shape_that_can_be_read_two_ways_is_refused_with_both(self):
        y = np.arange(5)
        for shape, readings in (((5, 28, 28), ("none", "channels_first")),
                                ((5, 32, 32, 3), ("channels_last", "channels_first")),
                                ((5, 8, 8, 8, 1), ("channels_last", "channels_first"))):
            with self.assertRaises(ValueError) as refused:
                self.mixer(classes=5)(np.zeros(shape, "f4"), y, 0)
            for reading in readings:
                self.assertIn(f"'{reading}'", str(refused.exception))
        for shape, layout in (((5, 9), None), ((5, 28, 28), "none"), ((5, 2, 28), "channels_first")):
            x, _ = self.batch(shape)
            mixed, _ = self.mixer(layout=layout, classes=5)(x, y, 0)
            made = self.of_daemon(x, y, 0, layout=layout or "none")
            self.assertEqual(mixed.tobytes(), made["mixed"].tobytes())
        with self.assertRaisesRegex(ValueError, "0 spatial dimensions"):
            self.mixer(layout="channels_first")(np.zeros((5, 3), "f4"), None, 0)

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

    @unittest.skipUnless(HAS_TORCH, "there is no python3-torch here")
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

    def test_class_numbers_are_numbers_whatever_their_type(self):
        import_torch = [lambda y: y]
        if HAS_TORCH:
            import torch
            import_torch.append(torch.from_numpy)
        x, _ = self.batch((10, 3, 8, 9))
        y = np.array([3, 3, 3, 3, 3, 4, 4, 4, 0, 1])
        made = self.of_daemon(x, y, 0, layout="channels_first")
        for to in import_torch:
            for dtype in "u1", "i1", "i2", "i4", "i8", "f4", "f8":
                for shape in (10,), (10, 1):
                    if dtype[0] == "f" and len(shape) == 2:
                        continue
                    with self.subTest(dtype, shape=shape, to=to):
                        _, labels = self.mixer(classes=5)(to(x), to(y.astype(dtype).reshape(shape)), 0)
                        np.testing.assert_allclose(np.asarray(labels), made["labels"], atol=1e-6)
            for wrong in -1, 5:
                with self.assertRaisesRegex(ValueError, f"{wrong}; class numbers go from 0 to 4"):
                    self.mixer(classes=5)(to(x), to(np.full(10, wrong)), 0)
            with self.assertRaisesRegex(ValueError, "whole"):
                self.mixer(classes=5)(to(x), to(np.full(10, 0.5)), 0)
            with self.assertRaisesRegex(ValueError, "class numbers, or one value"):
                self.mixer(classes=5)(to(x), to(np.full((10, 1), 1.0)), 0)
            with self.assertRaisesRegex(ValueError, "rows"):
                self.mixer(classes=5)(to(x), to(np.zeros(9, int)), 0)

    def test_rows_of_truths_or_integers_are_mixed_as_rows_of_floats(self):
        x, y = self.batch()
        one_hot = np.eye(5, dtype="f4")[y]
        made = self.of_daemon(x, y, 0, layout="channels_first")["labels"]
        for dtype in "?", "u1", "i8", "f4", "f8":
            _, labels = self.mixer()(x, one_hot.astype(dtype), 0)
            np.testing.assert_allclose(labels, made, atol=1e-6)
            self.assertEqual(labels.dtype.itemsize, 8 if dtype == "f8" else 4)
        _, values = self.mixer(seed=1)(x, np.arange(6.0), 0)
        plan = self.mixer(seed=1).plan((8, 9), 6, 0)
        np.testing.assert_allclose(values, plan.lam_eff * np.arange(6)
                                   + (1 - plan.lam_eff) * np.arange(6)[plan.pairing])

    def test_smoothing_and_correct_are_the_daemon_s(self):
        x, y = self.batch()
        rows = np.eye(5, dtype="f4")[y]
        for method in "fmix", "cutmix", "mixup":
            for options in ({"smoothing": 0.1}, {"correct": 0}, {"smoothing": 0.3, "correct": 0}):
                made = self.of_daemon(x, y, 4, layout="channels_first", method=method, **options)["labels"]
                for labels in y, rows:
                    mix = self.mixer(method=method, classes=5, **options)
                    np.testing.assert_allclose(mix(x, labels, 4)[1], made, atol=1e-6)

    def test_several_heads_are_mixed_by_name(self):
        x, y = self.batch()
        _, labels = self.mixer(classes={"a": 5, "b": 7})(x, {"a": y, "b": y, "c": np.eye(5)[y]}, 0)
        made = self.of_daemon(x, y, 0, layout="channels_first")["labels"]
        self.assertEqual(labels["b"].shape, (6, 7))
        for head in labels["a"], labels["b"][:, :5], labels["c"]:
            np.testing.assert_allclose(head, made, atol=1e-6)

    def test_epochs_and_ranks_have_plans_of_their_own_and_resume(self):
        x, y = self.batch()
        loader, seen = [(x, y)] * 5, {}
        for rank in range(2):
            mix = self.mixer(seed=7, classes=5, rank=rank, world=2)
            for epoch in range(3):
                for step, (mixed, _) in enumerate(mix.epoch(loader, epoch)):
                    seen[rank, epoch, step] = mixed.tobytes()
        self.assertEqual(len(set(seen.values())), 2 * 3 * 5)
        again = self.mixer(seed=7, classes=5, rank=1, world=2)
        resumed = [mixed.tobytes() for mixed, _ in again.epoch(loader[3:], 2, start=3)]
        self.assertEqual(resumed, [seen[1, 2, 3], seen[1, 2, 4]])
        alone = self.mixer(seed=7, classes=5)
        self.assertEqual(alone(x, y, 3)[0].tobytes(), alone(x, y, 3, epoch=0)[0].tobytes())
        for wrong in {"epoch": -1}, {"epoch": 2**16}:
            with self.assertRaisesRegex(ValueError, "epoch is"):
                alone(x, y, 0, **wrong)
        with self.assertRaisesRegex(ValueError, "step is"):
            alone(x, y, 2**24, epoch=0)

    def test_threads_may_share_a_mixer(self):
        x, _ = self.batch()
        mix, alone = self.mixer(seed=7), self.mixer(seed=7)
        expected = [alone(x, None, step, epoch=0)[0].tobytes() for step in range(60)]
        got = [[], [], []]

        def run(mine):
            for step in range(60):
                mine.append(mix(x, None, step, epoch=0)[0].tobytes())
        threads = [threading.Thread(target=run, args=(mine,), daemon=True) for mine in got]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(harness.PATIENCE)
        self.assertEqual(got, [expected] * 3)

    def test_an_interrupt_amid_a_block_loses_no_step(self):
        x, _ = self.batch()
        mix, alone = self.mixer(seed=7), self.mixer(seed=7)
        mix(x, None, 0), mix(x, None, 1)
        take = fmixd.plans.Stream._take
        with unittest.mock.patch.object(fmixd.plans.Stream, "_take", side_effect=KeyboardInterrupt), \
                self.assertRaises(KeyboardInterrupt):
            for step in range(2, 40):
                mix(x, None, step)
        self.assertIs(fmixd.plans.Stream._take, take)
        self.assertEqual(mix(x, None, step)[0].tobytes(), alone(x, None, step)[0].tobytes())

    def test_a_mixer_that_is_dropped_leaves_no_thread(self):
        x, _ = self.batch()
        before = threading.active_count()
        for _ in range(5):
            mix = fmixd.Mixer(self.url, seed=1)
            mix(x, None, 0)
        del mix
        gc.collect()
        harness.until(lambda: threading.active_count() == before)

    def test_integer_rows_that_are_no_weights_are_refused_with_both_readings(self):
        x, _ = self.batch()
        with self.assertRaisesRegex(ValueError, "rows of 0 and 1, or a column for each of several heads"):
            self.mixer()(x, np.array([[3, 7]] * 6), 0)
        with self.assertRaisesRegex(ValueError, "classes is a dictionary"):
            self.mixer(classes={"a": 3})(x, np.zeros(6, int), 0)
        with self.assertRaisesRegex(TypeError, "y is a list"):
            self.mixer(classes=3)(x, [0] * 6, 0)
        for kind in ">f4", ">f8":
            mixed, _ = self.mixer(method="mixup")(x.astype(kind), None, 0)
            np.testing.assert_allclose(mixed, self.mixer(method="mixup")(x, None, 0)[0], rtol=1e-6)

    def test_steps_that_go_back_without_an_epoch_are_warned_of(self):
        x, y = self.batch()
        mix = self.mixer(seed=7, classes=5)
        mix(x, y, 0), mix(x, y, 1)
        with self.assertWarnsRegex(UserWarning, "epoch"):
            mix(x, y, 0)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            mix(x, y, 0, epoch=1), mix(x, y, 1, epoch=1), mix(x, y, 0, epoch=2)

    def test_a_mixer_can_be_pickled_and_goes_on_elsewhere(self):
        x, y = self.batch()
        mix = self.mixer(seed=7, classes=5, rank=1, world=2)
        expected = [mix(x, y, step)[0].tobytes() for step in range(4)]
        copy = pickle.loads(pickle.dumps(mix))
        self.addCleanup(copy.close)
        self.assertEqual([copy(x, y, step)[0].tobytes() for step in range(4)], expected)

    def test_a_batch_of_another_size_asks_for_its_own_step_alone_and_ends_no_look_ahead(self):
        asked, fetch = [], fmixd.plans.Stream._fetch

        def spy(stream, source, first, steps):
            asked.append((stream._rows, first, steps))
            return fetch(stream, source, first, steps)
        x, y = self.batch()
        mix = self.mixer(seed=7, classes=5)
        with unittest.mock.patch.object(fmixd.plans.Stream, "_fetch", spy):
            for step in range(4):
                mix(x, y, step)
            ahead = mix._streams[(8, 9), 6]._ahead
            mix(x[:4], y[:4], 4)
            self.assertIs(mix._streams[(8, 9), 6]._ahead, ahead)
            mix(x, y, 4)
            mix.close()
        self.assertEqual([each for each in asked if each[0] == 4], [(4, 4, 1)])
        self.assertEqual(sorted(each[1:] for each in asked if each[0] == 6)[:4],
                         [(0, 1), (1, 1), (2, 3), (5, 3)])

    @unittest.skipUnless(HAS_TORCH, "there is no python3-torch here")
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

    @unittest.skipUnless(HAS_TORCH, "there is no python3-torch here")
    def test_a_loader_that_collates_with_it_mixes_batch_by_batch(self):
        import torch
        x, y = self.batch((12, 3, 8, 9))
        data = torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
        collate = fmixd.Collate(self.mixer(seed=7, classes=5), start=4)
        loader = torch.utils.data.DataLoader(data, batch_size=6, collate_fn=collate)
        alone = self.mixer(seed=7, classes=5)
        for number, (mixed, labels) in enumerate(loader):
            part = slice(6 * number, 6 * number + 6)
            expected = alone(x[part], y[part], 4 + number)
            self.assertEqual(mixed.numpy().tobytes(), expected[0].tobytes())
            np.testing.assert_allclose(labels.numpy(), expected[1], atol=1e-6)

    @unittest.skipUnless(HAS_TORCH, "there is no python3-torch here")
    def test_a_loader_s_second_epoch_goes_on_where_the_first_ended(self):
        import torch
        x, y = self.batch((12, 3, 8, 9))
        data = torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
        collate = fmixd.Collate(self.mixer(seed=7, classes=5))
        loader = torch.utils.data.DataLoader(data, batch_size=6, collate_fn=collate)
        alone = self.mixer(seed=7, classes=5)
        got = [mixed.numpy().tobytes() for _ in range(2) for mixed, _ in loader]
        parts = [(x[:6], y[:6]), (x[6:], y[6:])] * 2
        self.assertEqual(got, [alone(*part, step)[0].tobytes() for step, part in enumerate(parts)])

    @unittest.skipUnless(HAS_TORCH, "there is no python3-torch here")
    def test_a_loader_with_workers_is_refused(self):
        import torch
        x, y = self.batch((12, 3, 8, 9))
        data = torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
        collate = fmixd.Collate(self.mixer(seed=7, classes=5))
        loader = torch.utils.data.DataLoader(data, batch_size=6, collate_fn=collate, num_workers=1,
                                             timeout=harness.PATIENCE)
        with self.assertRaisesRegex(RuntimeError, "num_workers=0"):
            list(loader)

    def test_a_fork_goes_on_with_a_look_ahead_of_its_own(self):
        x, y = self.batch()
        mix = self.mixer(seed=7, classes=5)
        mix(x, y, 0)
        fork = multiprocessing.get_context("fork")
        ours, theirs = fork.Pipe()

        def child():
            theirs.send([mix(x, y, step)[0].tobytes() for step in range(1, 40)])
            mix.close()
        process = fork.Process(target=child, daemon=True)
        process.start()
        self.addCleanup(process.join)
        self.addCleanup(process.kill)
        self.assertTrue(ours.poll(harness.PATIENCE), "the fork does not come to its steps")
        self.assertEqual(ours.recv(), [mix(x, y, step)[0].tobytes() for step in range(1, 40)])


class Epochs(Served):
    """Hosted data."""

    def all(self, name="colour", **options):
        """The batches of an epoch, as bytes."""
        return [(x.tobytes(), y.tobytes()) for x, y in fmixd.epoch(self.url, name, **options)]

    def test_batches_are_those_of_the_daemon(self):
        batches = list(fmixd.epoch(self.url, "colour", epoch=2, batch=7, seed=3, shuffle=1))
        self.assertEqual([len(x) for x, _ in batches], [7, 7, 7, 2])
        for step, (x, y) in enumerate(batches):
            made = read_safetensors(self.get(
                f"/v1/datasets/colour/batches/{step}.safetensors?epoch=2&n=7&seed=3&shuffle=1").body)[0]
            self.assertEqual(x.tobytes(), made["mixed"].tobytes())
            self.assertEqual(y.tobytes(), made["labels"].tobytes())

    def test_an_epoch_can_be_taken_up_at_any_step(self):
        whole = self.all(epoch=1, batch=5, seed=9, shuffle=1, flip=1)
        self.assertEqual(self.all(epoch=1, batch=5, seed=9, shuffle=1, flip=1, start=3), whole[3:])
        self.assertEqual(self.all(epoch=1, batch=5, seed=9, start=50), [])

    def test_ranks_share_each_batch(self):
        whole = self.all(batch=6, seed=2)
        shares = [self.all(batch=6, seed=2, rank=rank, world=2) for rank in range(2)]
        self.assertEqual([tuple(a + b for a, b in zip(*parts)) for parts in zip(*shares)], whole)

    def test_labels_of_several_heads_are_told_by_name(self):
        x, y = next(fmixd.epoch(self.url, "heads", batch=4))
        self.assertEqual((len(x), set(y)), (4, {"a", "b"}))
        x, y = next(fmixd.epoch(self.url, "voxels", batch=4))
        self.assertIsNone(y)

    def test_parts_are_told_by_name(self):
        for name, parts in {"colour": "mixed,labels,rows,lambda", "heads": ["labels", "rows"], "voxels": "mixed",
                            "texts": "mixed,lengths,rows", "streets": "mixed,labels,dense,pairing"}.items():
            asked = parts if isinstance(parts, str) else ",".join(parts)
            query = f"n=5&seed=2&prob=0.5&parts={asked}"
            for step, made in enumerate(fmixd.epoch(self.url, name, batch=5, parts=parts, seed=2, prob=0.5)):
                plain = read_safetensors(self.get(
                    f"/v1/datasets/{name}/batches/{step}.safetensors?{query}").body)[0]
                self.assertEqual(set(made), set(asked.split(",")))
                for part, found in made.items():
                    for head, array in found.items() if isinstance(found, dict) else [("", found)]:
                        np.testing.assert_array_equal(array, plain[f"{part}.{head}".rstrip(".")])
            self.assertEqual(isinstance(made.get("labels"), dict), name == "heads")
        self.assertEqual({kind: array.dtype for kind, array in made["dense"].items()}, {"": "u1", "depth": "f4"})

    @unittest.skipUnless(HAS_TORCH, "there is no python3-torch here")
    def test_parts_are_tensors_where_a_loader_has_them(self):
        import torch
        data = fmixd.Epochs(self.url, "heads", batch=40, parts="labels,rows", shuffle=1)
        made, = torch.utils.data.DataLoader(data, batch_size=None)
        self.assertEqual(sorted(made["rows"].tolist()), list(range(40)))
        self.assertEqual({name: tuple(head.shape) for name, head in made["labels"].items()},
                         {"a": (40, 4), "b": (40, 7)})

    def test_neighbours_can_be_partners_and_values_labels(self):
        speech = self.sets["speech"]
        for made in fmixd.epoch(self.url, "speech", batch=4, method="mixup", pairing="neighbour", shuffle=True,
                                parts="rows,pairing,lambda,labels"):
            self.assertTrue((made["pairing"] == speech.neighbours[made["rows"]].T).any(0).all())
            own, partners = (speech.labels["y"][made[part]] for part in ("rows", "pairing"))
            np.testing.assert_allclose(made["labels"], made["lambda"] * own + (1 - made["lambda"]) * partners, atol=1e-6)

    def test_sequences_come_with_their_lengths(self):
        for x, y, lengths in fmixd.epoch(self.url, "texts", batch=4):
            self.assertEqual((len(x), x.shape[1]), (len(y), lengths.max()))

    def test_recipes_are_options_as_mixers_have_them(self):
        self.assertEqual(self.all(batch=5, lam=0.5), self.all(batch=5, **{"lambda": 0.5}))
        law = {"method": ["fmix", "mixup"], "alpha": [1, 0.2], "prob": 0.5, "switch": "sample", "out_dtype": "f32"}
        mixed = next(fmixd.epoch(self.url, "colour", batch=23, **law))[0]
        plain = next(fmixd.epoch(self.url, "colour", batch=23, method="none", out_dtype="f32"))[0]
        with fmixd.Mixer(self.url, **{key: law[key] for key in law if key != "out_dtype"}) as mix:
            np.testing.assert_allclose(mixed, mix(plain, None, 0)[0], atol=1e-6)
        self.assertTrue(0 < (mixed == plain).all((1, 2, 3)).sum() < 23)

    def test_what_is_not_there_is_told(self):
        with self.assertRaisesRegex(fmixd.Refused, "there is no data set"):
            next(fmixd.epoch(self.url, "nobody"))

    def test_leaving_early_stops_the_thread(self):
        before = threading.active_count()
        batches = fmixd.epoch(self.url, "colour", batch=1)
        next(batches)
        batches.close()
        self.assertEqual(threading.active_count(), before)

    @unittest.skipUnless(HAS_TORCH, "there is no python3-torch here")
    def test_torch_loaders_share_the_steps(self):
        import torch
        data = fmixd.Epochs(self.url, "colour", batch=5, seed=9, shuffle=1)
        data.set_epoch(1)
        whole = self.all(epoch=1, batch=5, seed=9, shuffle=1)
        for workers in (0, 2):
            loader = torch.utils.data.DataLoader(data, batch_size=None, num_workers=workers)
            got = [(x.numpy().tobytes(), y.numpy().tobytes()) for x, y in loader]
            self.assertEqual(sorted(got), sorted(whole))
            self.assertEqual(len(loader), len(whole))

    @unittest.skipUnless(HAS_TORCH, "there is no python3-torch here")
    def test_workers_that_persist_are_told_of_the_next_epoch(self):
        import torch
        data = fmixd.Epochs(self.url, "colour", batch=5, seed=9, shuffle=True, start=3)
        loader = torch.utils.data.DataLoader(data, batch_size=None, num_workers=2, persistent_workers=True)
        for number in range(3):
            data.set_epoch(number)
            whole = self.all(epoch=number, batch=5, seed=9, shuffle=1)[3 if number == 0 else 0:]
            self.assertEqual(len(data), len(whole))
            got = [(x.numpy().tobytes(), y.numpy().tobytes()) for x, y in loader]
            self.assertEqual(sorted(got), sorted(whole))

    def test_truths_and_lists_are_options_as_python_writes_them(self):
        self.assertEqual(self.all(batch=5, shuffle=True, mean=[0.1, 0.2, 0.3], std=(1, 2, 3), method=["fmix", "mixup"],
                                  drop_last=True),
                         self.all(batch=5, shuffle=1, mean="0.1,0.2,0.3", std="1,2,3", method="fmix,mixup",
                                  drop_last=1))


class Trouble(unittest.TestCase):
    """Servers that refuse, break off and come again."""

    def serve(self, answers):
        """A server that answers so, one after the other and with the last for ever; its URL and what
        it was asked."""
        asked = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.answer(self.path)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.answer(f"{self.path} {body.decode()}")

            def answer(self, what):
                asked.append(what)
                status, headers, body = answers.pop(0) if len(answers) > 1 else answers[0]
                if status is None:
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in {**headers, "Content-Length": len(body)}.items():
                    self.send_header(name, str(value))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"http://127.0.0.1:{server.server_port}", asked

    def test_what_passes_is_tried_again(self):
        url, asked = self.serve([(503, {"Retry-After": "0.1"}, b"{}"), (None, {}, b""), (429, {}, b""),
                                 (200, {}, b"here")])
        self.assertEqual(fmixd.Connection(url).get("/x", a=1), b"here")
        self.assertEqual(asked, ["/x?a=1"] * 4)

    def test_a_retry_after_of_nothing_or_of_a_date_is_no_reason_to_hurry_or_to_break(self):
        later = "Fri, 27 Nov 2026 01:00:00 GMT"
        url, asked = self.serve([(503, {"Retry-After": after}, b"{}") for after in ("0", later, "0", "x")]
                                + [(200, {}, b"here")])
        begun = time.monotonic()
        self.assertEqual(fmixd.Connection(url).get("/x"), b"here")
        self.assertGreaterEqual(time.monotonic() - begun, 4 * fmixd.connection.MOMENT)
        self.assertEqual(len(asked), 5)

    def test_an_upload_is_tried_again_too_and_so_often_at_most(self):
        url, asked = self.serve([(503, {"Retry-After": "0"}, b"{}"), (200, {}, b"here")])
        self.assertEqual(fmixd.Connection(url).post("/x", b"body", a=1), b"here")
        self.assertEqual(asked, ["/x?a=1 body"] * 2)
        url, asked = self.serve([(503, {"Retry-After": "0"}, b'{"detail": "too much"}')])
        with self.assertRaisesRegex(ConnectionError, "asked 3 times: too much"):
            fmixd.Connection(url, tries=3).post("/x", b"body")
        self.assertEqual(len(asked), 3)

    def test_what_does_not_is_told_at_once(self):
        url, asked = self.serve([(400, {}, b'{"detail": "no such thing"}')])
        with self.assertRaisesRegex(fmixd.Refused, "no such thing"):
            fmixd.Connection(url).get("/x")
        self.assertEqual(len(asked), 1)

    def test_a_mixer_that_was_refused_asks_again_when_it_is_called_again(self):
        plans = {"pairing": np.array([[1, 0]]), "lambda": np.full((1, 2), 0.25),
                 "lambda_eff": np.full((1, 2), 0.25), "method": np.array([[2, 2]]),
                 "masks": np.zeros((1, 2, 1), np.uint8)}
        refusal = (403, {}, b'{"detail": "not yet"}')
        answer = (200, {}, write_safetensors(plans))
        url, _ = self.serve([answer, refusal, refusal, answer])
        mix = fmixd.Mixer(url, layout="none", steps=1)
        self.addCleanup(mix.close)
        x = np.array([[0, 4], [8, 0]], "f4")
        self.assertEqual(mix(x, None, 0)[0].tolist(), [[6, 1], [2, 3]])
        for _ in range(2):
            with self.assertRaisesRegex(fmixd.Refused, "not yet"):
                mix(x, None, 1)
        self.assertEqual(mix(x, None, 1)[0].tolist(), [[6, 1], [2, 3]])

    def test_silence_is_warned_of_while_it_goes_on(self):
        url, _ = self.serve([(503, {"Retry-After": "1"}, b'{"detail": "too much"}')] * 2 + [(200, {}, b"here")])
        with unittest.mock.patch.object(fmixd.connection, "SILENCE", 0.2), \
                self.assertWarnsRegex(UserWarning, "too much"):
            self.assertEqual(fmixd.Connection(url).get("/x"), b"here")
        with socket.create_server(("127.0.0.1", 0)) as deaf:
            url = "http://127.0.0.1:{}".format(deaf.getsockname()[1])
            with unittest.mock.patch.multiple(fmixd.connection, SILENCE=0.2, TIMEOUT=1), \
                    self.assertWarnsRegex(UserWarning, "not answered"), self.assertRaises(ConnectionError):
                fmixd.Connection(url, tries=1).get("/x")

    def test_what_is_not_fmixd_s_answer_is_said(self):
        url, _ = self.serve([(200, {}, b"<html>please log in</html>")])
        with self.assertRaisesRegex(fmixd.Refused, "not fmixd's answer.*html"):
            fmixd.Mixer(url)(np.zeros((2, 1, 4, 4), "f4"), None, 0)

    def test_closing_waits_for_no_daemon_that_is_silent(self):
        with socket.create_server(("127.0.0.1", 0)) as deaf:
            connection = fmixd.Connection("http://127.0.0.1:{}".format(deaf.getsockname()[1]))
            ahead = fmixd.Ahead(lambda number: connection.get("/x"), 0)
            deaf.accept()
            begun = time.monotonic()
            connection.abandon()
            ahead.close()
            self.assertLess(time.monotonic() - begun, fmixd.connection.TIMEOUT / 2)

    def test_a_look_ahead_at_a_dead_daemon_ends_at_once(self):
        url, _ = self.serve([(503, {"Retry-After": "60"}, b"{}")])
        connection = fmixd.Connection(url)
        ahead = fmixd.Ahead(lambda number: connection.get("/x"), 0)
        with self.assertRaisesRegex(ConnectionError, "nobody waits"):
            connection.abandon()
            ahead.take()
        ahead.close()

    def test_patience_ends(self):
        url, _ = self.serve([(503, {}, b'{"detail": "too much"}')] * 50)
        with self.assertRaisesRegex(ConnectionError, "too much"):
            fmixd.Connection(url, patience=0.5).get("/x")


if __name__ == "__main__":
    unittest.main()
