"""Labels that a Mixer mixes: they are those of the daemon."""

import unittest
from urllib.parse import urlencode

import numpy as np

from python_client import HAS_TORCH, MixingTest, read_safetensors, write_safetensors  # it knows where the following are
import fmixd


class Labels(MixingTest):
    """Of fmixd.Mixer."""

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

    def test_labels_of_every_kind_and_shape_are_read_as_the_daemon_reads_them(self):
        x, _ = self.batch((4, 3, 8, 9))
        options, agreed = {"seed": 5, "method": "mixup", "lam": 0.25}, 0
        for dtype in "<f4", "<f8", "<i4", "u1", "?":
            for shape in (4,), (4, 1), (4, 3):
                for classes in None, 1, 3:
                    for y in np.zeros(shape, dtype), (np.arange(np.prod(shape)) % 2).reshape(shape).astype(dtype):
                        query = {**options, "layout": "channels_first"} | ({"classes": classes} if classes else {})
                        answer = self.server.post(
                            f"/v1/mix.safetensors?{urlencode(fmixd.connection.api_names(query))}",
                            write_safetensors({"x": x, "y": y}), content_type="application/x-safetensors")
                        with self.subTest(dtype, shape=shape, classes=classes):
                            try:
                                _, labels = self.mixer(classes=classes, **options)(x, y, 0)
                            except ValueError:
                                continue  # the client may refuse what is open to it
                            if answer.status != 200:
                                self.assertEqual(dtype, "?")  # class numbers as truths, which the daemon has not
                                continue
                            sent = read_safetensors(answer.body)[0]["labels"]
                            self.assertEqual(labels.shape, sent.shape)
                            np.testing.assert_allclose(labels, sent, atol=1e-6)
                            agreed += 1
        self.assertGreaterEqual(agreed, 40)

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

    def test_integer_rows_that_are_no_weights_are_refused_with_both_readings(self):
        x, _ = self.batch()
        with self.assertRaisesRegex(ValueError, "rows of 0 and 1, or a column for each of several heads"):
            self.mixer()(x, np.array([[3, 7]] * 6), 0)
        with self.assertRaisesRegex(ValueError, "classes is a dictionary"):
            self.mixer(classes={"a": 3})(x, np.zeros(6, int), 0)
        with self.assertRaisesRegex(TypeError, "y is a list"):
            self.mixer(classes=3)(x, [0] * 6, 0)
        for wrong in np.full(6, "a"), np.zeros(6, "c8"), np.zeros(6, object):
            with self.assertRaisesRegex(TypeError, "y is of .*; give class numbers, or rows of floats"):
                self.mixer(classes=3)(x, wrong, 0)
        for kind in ">f4", ">f8":
            mixed, _ = self.mixer(method="mixup")(x.astype(kind), None, 0)
            np.testing.assert_allclose(mixed, self.mixer(method="mixup")(x, None, 0)[0], rtol=1e-6)


if __name__ == "__main__":
    unittest.main()
