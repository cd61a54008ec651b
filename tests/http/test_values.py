"""Labels of regression: y [n] of floats are values, which are mixed and never smoothed."""

import pathlib
import tempfile
import unittest
from urllib.parse import urlencode

import numpy as np

import harness
import hosting
import tensors
from containers import write_npz
from hosting import ref

ROWS = 6
X = np.random.default_rng(5).integers(0, 256, (ROWS, 3), dtype=np.uint8)
VALUES = np.random.default_rng(6).normal(size=ROWS) * 100


class Values(harness.ServerTest):
    def mix(self, arrays, status=200, **query):
        answer = self.post(f"/v1/mix.npz?{urlencode(query, safe=',')}", write_npz({"x": X, **arrays}),
                           status, content_type="application/x-npz")
        return tensors.read_npz(answer.body) if status == 200 else answer.json()["errors"]

    def refused(self, errors, parameter, *words):
        self.assertEqual(errors[0].get("parameter"), parameter, errors)
        for word in words:
            self.assertIn(word, " ".join(error["detail"] for error in errors))

    def test_values_are_weighed_in_float64_and_rounded_once(self):
        for dtype in "<f2", "<f4", "<f8":
            y = VALUES.astype(dtype)
            for method in ref.METHODS[:4] + ref.METHODS[5:]:
                got = self.mix({"y": y}, method=method, seed=3, step=2)
                w, other = got["lambda_eff"], y[got["pairing"]].astype("f8")
                expected = (w * y.astype("f8") + (1 - w) * other).astype("f4")
                self.assertEqual(got["labels"].shape, (ROWS,))
                self.assertEqual(got["labels"].tobytes(), expected.tobytes(), (dtype, method))
                made = ref.mix(ref.Recipe(seed=3, method=method), X, 2, y=y)
                self.assertEqual(got["labels"].tobytes(), made.labels.tobytes())

    def test_uncorrected_values_are_weighed_by_lambda(self):
        got = self.mix({"y": VALUES}, correct=0, seed=3)
        made = ref.mix(ref.Recipe(seed=3, correct=False), X, 0, y=VALUES)
        self.assertEqual(got["labels"].tobytes(), made.labels.tobytes())

    def test_with_classes_the_same_floats_are_class_numbers_as_ever(self):
        y = np.array([0.0, 2, 1, 2, 0, 1], "f4")
        numbers = self.mix({"y": y}, classes=3)["labels"]
        self.assertEqual(numbers.shape, (ROWS, 3))
        self.assertEqual(numbers.tobytes(), self.mix({"y": y.astype("i8")}, classes=3)["labels"].tobytes())
        self.assertEqual(self.mix({"y": y})["labels"].shape, (ROWS,))

    def test_a_list_of_classes_says_0_for_values(self):
        arrays = {"y.kind": np.arange(ROWS) % 3, "y.price": VALUES, "y.grade": VALUES.round() % 4}
        got = self.mix(arrays, classes="3,0,4")
        self.assertEqual({name: tensor.shape for name, tensor in got.items() if "labels" in name},
                         {"labels.kind": (ROWS, 3), "labels.price": (ROWS,), "labels.grade": (ROWS, 4)})
        alone = self.mix({"y": VALUES})["labels"]
        self.assertEqual(got["labels.price"].tobytes(), alone.tobytes())
        self.assertEqual(self.mix({"y": VALUES}, classes=0)["labels"].tobytes(), alone.tobytes())
        self.refused(self.mix(arrays, 400, classes="3,0"), "classes", "2 numbers", "3 heads")
        self.refused(self.mix(arrays, 400, classes="0,0,4"), "classes", "y.kind", "class numbers")

    def test_floats_that_are_no_class_numbers_name_both_readings(self):
        self.refused(self.mix({"y": VALUES}, 400, classes=4), "y", "row 0", "class numbers",
                     "values to predict", "leave classes out")

    def test_smoothing_leaves_values_and_is_400_with_values_alone(self):
        y, rows = np.arange(ROWS) % 3, np.eye(ROWS, 3, dtype="f4")
        plain, smoothed = (
            self.mix({"y.a": y, "y.v": VALUES, "y.r": rows}, classes="3,0", smoothing=s)
            for s in (0, 0.1))
        self.assertEqual(plain["labels.v"].tobytes(), smoothed["labels.v"].tobytes())
        for name in "labels.a", "labels.r":
            self.assertNotEqual(plain[name].tobytes(), smoothed[name].tobytes())
        self.refused(self.mix({"y": VALUES}, 400, smoothing=0.1), "smoothing", "y", "values",
                     "leave smoothing out")
        self.mix({"y": VALUES}, smoothing=0)

    def test_x2_has_values_of_its_own(self):
        arrays = {"x2": X[::-1].copy(), "y": VALUES, "y2": -VALUES}
        made = ref.mix(ref.Recipe(method="mixup"), X, 0, x2=arrays["x2"], y=VALUES, y2=-VALUES)
        self.assertEqual(self.mix(arrays, method="mixup")["labels"].tobytes(),
                         made.labels.tobytes())
        self.refused(self.mix({**arrays, "y2": VALUES.astype("f4")}, 400), "y2", "shape and dtype")

    def test_nan_and_infinity_are_weighed_as_ieee_754_says(self):
        y = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e300])
        for method in "none", "mixup", "cutmix":
            got = self.mix({"y": y}, method=method)
            made = ref.mix(ref.Recipe(method=method), X, 0, y=y)
            self.assertEqual(got["labels"].tobytes(), made.labels.tobytes(), method)

    def test_integers_are_never_values(self):
        self.refused(self.mix({"y": np.arange(ROWS)}, 400), "classes", "class numbers", "required")
        self.refused(self.mix({"y": np.arange(ROWS)}, 400, classes=0), "classes", "y")


class Hosted(harness.ServerTest):
    """A set with values, class numbers and weights."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        source = np.random.default_rng(2)
        x = source.integers(0, 256, (17, 5), dtype=np.uint8)
        heads = {"y.price": source.normal(size=17).astype("f4"), "y.kind": source.integers(0, 3, 17),
                 "y.share": source.random((17, 2), "f4")}
        cls.several = hosting.Hosted("several", x, heads, {"y.kind": 3}, "none")
        cls.alone = hosting.Hosted("alone", x, {"y": heads["y.price"]}, {}, "none")
        for data in cls.several, cls.alone:
            path = pathlib.Path(folder.name, "file.safetensors")
            path.write_bytes(tensors.write_safetensors({"x": x, **data.labels}))
            hosting.importing(f"{folder.name}/{data.name}", "--from", "safetensors", path,
                              "--layout", "none", "--values")
            path.unlink()
        cls.arguments = "--data", folder.name
        super().setUpClass()

    def batch(self, name, status=200, **query):
        answer = self.get(f"/v1/datasets/{name}/batches/1.npz?{urlencode(query, safe=',')}", status)
        return tensors.read_npz(answer.body) if status == 200 else answer.json()["errors"][0]

    def test_batches_hold_values_beside_other_heads(self):
        for data in self.several, self.alone:
            for method in "fmix", "mixup", "none":
                recipe = ref.Recipe(seed=4, method=method, prob=0.8)
                made = hosting.batch(data, recipe, 6, 1, 2, shuffle=True)
                got = self.batch(data.name, n=6, epoch=2, shuffle=1, **ref.query_of(recipe))
                self.assertEqual(got.keys(), made.keys())
                for name, tensor in made.items():
                    self.assertEqual((got[name].dtype, got[name].shape, got[name].tobytes()),
                                     (tensor.dtype, tensor.shape, tensor.tobytes()), name)

    def test_classes_are_those_of_class_numbers_and_0_for_values(self):
        plain = self.batch("several", n=6)
        for classes, width in (3, 3), (5, 5), ("0,4", 4):
            got = self.batch("several", n=6, classes=classes)
            self.assertEqual(got["labels.kind"].shape, (6, width))
            self.assertEqual(got["labels.price"].tobytes(), plain["labels.price"].tobytes())
        for classes, word in ((2, "y.kind"), ("3,4", "y.price"), ("0,2", "y.kind"),
                              ("0,3,4", "3 numbers")):
            error = self.batch("several", 400, n=6, classes=classes)
            self.assertEqual(error["parameter"], "classes")
            self.assertIn(word, error["detail"])

    def test_a_set_of_values_alone_has_no_classes(self):
        error = self.batch("alone", 400, n=6, classes=3)
        self.assertEqual(error["parameter"], "classes")
        for words in "y of alone holds values", "leave classes out":
            self.assertIn(words, error["detail"])
        self.assertEqual(self.batch("alone", n=6, classes=0)["labels"].tobytes(),
                         self.batch("alone", n=6)["labels"].tobytes())

    def test_smoothing_is_400_for_values_alone(self):
        error = self.batch("alone", 400, n=6, smoothing=0.1)
        self.assertEqual(error["parameter"], "smoothing")
        self.assertIn("values", error["detail"])
        self.assertTrue(error["detail"].endswith("leave smoothing out"), error)
        smoothed, plain = (self.batch("several", n=6, smoothing=s) for s in (0.1, 0))
        self.assertEqual(smoothed["labels.price"].tobytes(), plain["labels.price"].tobytes())
        self.assertNotEqual(smoothed["labels.kind"].tobytes(), plain["labels.kind"].tobytes())

    def test_a_set_of_values_pairs_nobody_by_class(self):
        error = self.batch("alone", 400, n=6, pairing="other_class")
        self.assertEqual(error["parameter"], "pairing")
        self.batch("several", n=6, pairing="other_class")


if __name__ == "__main__":
    unittest.main()
