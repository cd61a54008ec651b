"""Labels go with their rows: against the reference, and by what a label means."""

import io
import os
import pathlib
import random
import sys
import unittest
from urllib.parse import urlencode

import numpy as np

import harness

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "reference"))
import fmixref as ref  # noqa: E402

NPZ = "application/x-npz"
DRAWS = int(os.environ.get("FMIX_LABELS", "150"))  # `make long` makes more
INTEGERS = ("u1", "i1", "<i2", "<i4", "<i8")


def npz(arrays):
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def some_label(source, count):
    """Class numbers or rows of floats, and how many classes."""
    classes = source.choice((1, 2, 10, 100))
    if source.random() < 0.6:
        numbers = [source.randrange(classes) for _ in range(count)]
        return np.array(numbers, source.choice(INTEGERS)), classes
    rows = np.random.default_rng(source.getrandbits(32)).random((count, classes))
    return rows.astype(source.choice(("<f2", "<f4", "<f8"))), classes


class LabelTest(harness.ServerTest):
    def mix(self, arrays, status=200, **query):
        query = {"layout": "none", **query}
        answer = self.post(f"/v1/mix.npz?{urlencode(query)}", npz(arrays), status,
                           content_type=NPZ)
        if status != 200:
            return answer.json()["errors"][0]
        with np.load(io.BytesIO(answer.body), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}


class LabelsAgree(LabelTest):
    def check(self, source):
        count = source.choice((1, 2, 5, 9))
        recipe = ref.Recipe(seed=source.getrandbits(64), method=source.choice(ref.METHODS),
                            alpha=source.choice((0.2, 1.0)),
                            pairing=source.choice(sorted(ref.PAIRINGS)),
                            correct=source.random() < 0.7)
        smoothing = source.choice((0.0, 0.1, 1.0, 0.3))
        heads = source.choice((("",), (".root", ".vowel", ".last")))
        foreign = source.random() < 0.3
        x = np.random.default_rng(source.getrandbits(32)).random((count, 30)).astype("<f4")
        arrays, y, y2, classes = {"x": x}, {}, {}, {}
        for head in heads:
            y[head], classes[head] = some_label(source, count)
            y2[head] = y[head][::-1].copy()
            arrays[f"y{head}"] = y[head]
            if foreign:
                arrays[f"y2{head}"] = y2[head]
        if foreign:
            arrays["x2"] = x[::-1].copy()
        numbered = [classes[head] for head in heads if y[head].ndim == 1]
        query = {"seed": recipe.seed, "method": recipe.method, "alpha": recipe.alpha,
                 "pairing": recipe.pairing, "correct": int(recipe.correct),
                 "smoothing": smoothing, "step": source.randrange(1000)}
        if numbered:
            query["classes"] = ",".join(map(str, numbered))
        expected = ref.mix(recipe, x, query["step"], x2=arrays.get("x2"), y=y,
                           y2=y2 if foreign else None, classes=classes, smoothing=smoothing)
        got = self.mix(arrays, **query)
        for head in heads:
            label = got[f"labels{head}"]
            self.assertEqual(label.dtype, np.float32)
            self.assertEqual(label.tobytes(), expected.labels[head].tobytes(),
                             f"{query} {head}")
        self.assertEqual(got["mixed"].tobytes(), expected.mixed.tobytes())

    def test_random_heads_types_and_methods_agree(self):
        source = random.Random("labels")
        for _ in range(DRAWS):
            self.check(source)


class Labels(LabelTest):
    x = np.arange(24, dtype=np.float32).reshape(4, 6)
    y = np.array([0, 1, 2, 3])

    def test_a_label_follows_the_image_it_belongs_to(self):
        one_hot = np.eye(4, dtype=np.float32)
        for method in ("fmix", "cutmix", "mixup", "bc"):
            got = self.mix({"x": one_hot[:, :, None].repeat(36, 2).reshape(4, 4, 6, 6),
                            "y": self.y}, classes=4, method=method,
                           layout="channels_first", pairing="derangement")
            share = got["mixed"].reshape(4, 4, -1).mean(axis=2)
            self.assertTrue(np.allclose(share, got["labels"], atol=1e-6), method)

    def test_labels_are_a_part_that_can_be_picked_alone(self):
        body = npz({"x": self.x, "y": self.y})
        answer = self.post("/v1/mix.npy?classes=4&parts=labels", body, content_type=NPZ)
        self.assertEqual(answer.npy().shape, (4, 4))

    def test_a_format_of_one_tensor_refuses_labels_of_several_heads(self):
        body = npz({"x": self.x, "y.a": self.y, "y.b": self.y})
        for suffix in "npy", "raw":
            refused = self.post(f"/v1/mix.{suffix}?classes=4&parts=labels", body, 400, content_type=NPZ)
            self.assertEqual(refused.json()["errors"][0]["parameter"], "parts")
        answer = self.post("/v1/mix.npz?classes=4&parts=labels", body, content_type=NPZ)
        self.assertEqual(set(np.load(io.BytesIO(answer.body)).files), {"labels.a", "labels.b"})

    def test_one_number_of_classes_serves_every_head(self):
        got = self.mix({"x": self.x, "y.a": self.y, "y.b": self.y}, classes=7)
        self.assertEqual(got["labels.a"].shape, (4, 7))
        self.assertEqual(got["labels.a"].tobytes(), got["labels.b"].tobytes())

    def test_more_classes_than_allowed_are_413(self):
        rows = np.zeros((1, 2**20 + 1), np.float16)
        error = self.mix({"x": self.x[:1], "y": rows}, 413)
        self.assertEqual(error["parameter"], "y")

    def test_what_is_wrong_with_labels_is_named(self):
        x, y = self.x, self.y
        for parameter, arrays, query in (
                ("classes", {"y": y}, {}),
                ("classes", {"y": y}, {"classes": 0}),
                ("classes", {"y": y}, {"classes": 2**20 + 1}),
                ("classes", {"y.a": y, "y.b": y}, {"classes": "4,4,4"}),
                ("y", {"y": y}, {"classes": 3}),
                ("y", {"y": -y}, {"classes": 9}),
                ("y", {"y": y[:3]}, {"classes": 4}),
                ("y", {"y": y + .5}, {"classes": 9}),
                ("y", {"y": y.reshape(4, 1)}, {"classes": 3}),
                ("y", {"y": y.astype(np.uint64) << 62}, {"classes": 4}),
                ("y", {"y": y.reshape(2, 2)}, {}),
                ("y", {"y": y.reshape(4, 1, 1)}, {"classes": 4}),
                ("y", {"y": np.stack([y, y], 1)}, {}),
                ("y", {"y": y > 1}, {"classes": 2}),
                ("x", {"x": x.astype(np.uint16)}, {}),
                ("y2", {"y": y.astype("<u2"), "x2": x, "y2": y.astype("<u2") + 1}, {"classes": 4}),
                ("y2", {"y": y, "x2": x}, {"classes": 4}),
                ("y2", {"y": y, "x2": x, "y2": y[:3]}, {"classes": 4}),
                ("y2", {"y": y, "x2": x, "y2": y + 1}, {"classes": 4}),
                ("y2", {"y": y, "y2": y}, {"classes": 4}),
                ("parts", {}, {"parts": "labels"}),
                ("z", {"z": y}, {}),
                ("smoothing", {"y": y}, {"classes": 4, "smoothing": 1.1})):
            with self.subTest(parameter, arrays=list(arrays), **query):
                error = self.mix({"x": x, **arrays}, 400, **query)
                self.assertEqual(error["parameter"], parameter)

    def test_labels_of_every_type_and_shape_are_those_of_class_numbers(self):
        numbers = np.array([2, 0, 1, 2])
        hot = np.eye(3)[numbers]
        right = self.mix({"x": self.x, "y": numbers}, classes=3, smoothing=0.1)["labels"]
        foreign = self.mix({"x": self.x, "y": numbers, "x2": self.x, "y2": numbers[::-1].copy()},
                           classes=3)["labels"]
        kinds = [(numbers.astype(kind), {"classes": 3}) for kind in (
            *INTEGERS, "<u2", "<u4", "<u8", "<f2", "<f4", "<f8")]
        kinds += [(y.reshape(4, 1), query) for y, query in kinds if y.dtype.kind in "iu"]
        kinds += [(hot.astype(kind), {}) for kind in (*INTEGERS, "<u2", "<u4", "<u8", "?", "<f2", "<f8")]
        for y, query in kinds:
            with self.subTest(y.dtype.str, shape=y.shape):
                got = self.mix({"x": self.x, "y": y}, smoothing=0.1, **query)["labels"]
                self.assertEqual(got.tobytes(), right.tobytes())
                got = self.mix({"x": self.x, "y": y, "x2": self.x, "y2": y[::-1].copy()}, **query)["labels"]
                self.assertEqual(got.tobytes(), foreign.tobytes())

    def test_several_ones_in_a_row_are_several_classes(self):
        rows = np.array([[1, 1, 0], [0, 0, 0], [1, 1, 1], [0, 1, 0]])
        right = self.mix({"x": self.x, "y": rows.astype("<f4")})["labels"]
        for kind in ("u1", "<i8", "?", "<u4"):
            got = self.mix({"x": self.x, "y": rows.astype(kind)})["labels"]
            self.assertEqual(got.tobytes(), right.tobytes())

    def test_one_column_that_is_no_integer_is_rows_of_one_value(self):
        column = np.array([[0.], [1.], [1.], [0.]])
        for kind in "<f2", "<f4", "<f8", "?":
            for query in {}, {"classes": 1}, {"classes": 2}:
                got = self.mix({"x": self.x, "y": column.astype(kind)}, method="none", **query)["labels"]
                self.assertEqual(got.tolist(), column.tolist())
        heads = self.mix({"x": self.x, "y.a": self.y, "y.b": column}, classes=4, method="none")
        self.assertEqual((heads["labels.a"].shape, heads["labels.b"].tolist()), ((4, 4), column.tolist()))

    def test_columns_that_are_neither_rows_nor_numbers_name_both(self):
        heads = np.array([[0, 3], [1, 1], [2, 0], [0, 1]])
        answer = self.post("/v1/mix.npz?layout=none", npz({"x": self.x, "y": heads}), 400, content_type=NPZ)
        self.assertIn("row 0 of y holds 3, but integers in 2 columns must be 0 or 1, one column per class. Send "
                      "other weights as floats, and class numbers of 2 heads as separate arrays y.NAME",
                      answer.json()["errors"][0]["detail"])


if __name__ == "__main__":
    unittest.main()
