"""Labels of every kind, alone and together: what a head gives is computed here in plain NumPy from
lambda_eff and pairing, bit for bit, whatever else the request says."""

import pathlib
import tempfile
import unittest
from urllib.parse import urlencode

import numpy as np

import harness
import hosting
import tensors
from batches import TensorsTest
from containers import write_npz
from hosting import ref

ROWS, SMOOTHING = 12, 0.1
NOISE = np.random.default_rng(17)
X = NOISE.integers(0, 256, (ROWS, 3, 4), dtype=np.uint8)
KIND = np.arange(ROWS) % 3
GRADE = NOISE.integers(0, 10, ROWS)
PRICE = NOISE.normal(size=ROWS) * 1000
TAGS = NOISE.integers(0, 2, (ROWS, 5))
WEIGHTS = NOISE.normal(size=(ROWS, 4)) * 30  # any numbers: below 0, with any sum

# Everything that changes who is mixed with whom, how, and by what weight.
RECIPES = [
    {"method": "fmix"}, {"method": "mixup", "alpha": 0.2}, {"method": "none"},
    {"method": "cutmix", "correct": 0}, {"method": "samplepairing", "pairing": "roll"},
    {"method": "fmix,mixup,cutmix", "switch": "sample", "alpha": "0.2,1,4"},
    {"method": "cutmix,mixup", "switch": "sample", "weights": "1,3", "prob": 0.6, "correct": 0},
    {"method": "mixup", "scope": "pair", "pairing": "flip", "prob": 0.5},
    {"method": "mixup,fmix", "policy": "random", "scope": "batch", "pairing": "derangement"},
    {"method": "mixup", "pairing": "other_class"},
    {"method": "fmix,mixup", "switch": "sample", "pairing": "same_class", "prob": 0.8},
    {"method": "mixup", "lambda": 0.3, "pairing": "none"},
    {"method": "bcplus,bc,none", "switch": "sample", "out_dtype": "f32", "correct": 0},
]


def weights_of(got, query):
    """What the label of each row itself weighs."""
    if query.get("correct", 1):
        return got["lambda_eff"]
    names = [ref.METHODS[i] for i in got["method"]] if "method" in got else [query["method"]] * ROWS
    return np.where(np.isin(names, ("fmix", "cutmix")), got["lambda"], got["lambda_eff"])


def mixed(own, other, weights, smoothing=0.0):
    """Labels as the contract has them: smoothed and weighed in float64, then rounded once."""
    own, other = own.astype("f8"), other.astype("f8")
    if smoothing:
        own, other = ((1 - smoothing) * y + smoothing / y.shape[1] for y in (own, other))
    w = weights.reshape(-1, *[1] * (own.ndim - 1))
    return (w * own + (1 - w) * other).astype("f4")


def hot(numbers, classes):
    """Class numbers as rows."""
    return np.eye(classes)[numbers.astype(int)]


FORMS = {"application/x-npz": write_npz, "application/x-safetensors": tensors.write_safetensors}


class Uploads(TensorsTest):
    def ask(self, arrays, status, form, suffix="npz", **query):
        query = {"layout": "channels_first", "seed": 9, "step": 4, **query}
        return self.post(f"/v1/mix.{suffix}?{urlencode(query, safe=',')}", FORMS[form]({"x": X, **arrays}),
                         status, content_type=form)

    def each(self, arrays, **query):
        """The tensors of the answer to each form of upload."""
        for form in FORMS:
            yield form, tensors.read_npz(self.ask(arrays, 200, form, **query).body)

    def refused(self, arrays, parameter, words, **query):
        """In every form, by this name and with these words."""
        for form in FORMS:
            errors = self.ask(arrays, 400, form, **query).json()["errors"]
            self.assertEqual(errors[0].get("parameter"), parameter, errors)
            for word in words:
                self.assertIn(word, " ".join(error["detail"] for error in errors))

    def test_floats_one_a_row_are_values_of_shape_n(self):
        for kind in "<f2", "<f4", "<f8":
            y = (PRICE / 100).astype(kind)
            for query in RECIPES[:8]:
                for form, got in self.each({"y": y}, **query):
                    expected = mixed(y, y[got["pairing"]], weights_of(got, query))
                    self.same(got["labels"], expected, (kind, form, query))

    def test_floats_in_one_column_are_rows_of_one_class_which_smoothing_reaches(self):
        """label_array.h: values have the shape [n]; a column is multi-label of one class."""
        y = (PRICE / 100).astype("f4")[:, None]
        for smoothing in 0, SMOOTHING:
            for query in {}, {"classes": 1}, {"classes": 2}:
                for form, got in self.each({"y": y}, method="mixup", smoothing=smoothing, **query):
                    self.same(got["labels"], mixed(y, y[got["pairing"]], got["lambda_eff"], smoothing), form)

    def test_rows_of_bits_are_several_classes_and_are_smoothed_one_by_one(self):
        for kind in ("u1", "?", "<i4", "<i8", "<f2", "<f4", "<f8"):
            y = TAGS.astype(kind)
            for query in RECIPES[:9]:
                for form, got in self.each({"y": y}, smoothing=SMOOTHING, **query):
                    expected = mixed(TAGS, TAGS[got["pairing"]], weights_of(got, query), SMOOTHING)
                    self.same(got["labels"], expected, (kind, form, query))

    def test_smoothing_makes_one_minus_s_y_plus_s_over_classes(self):
        for _, got in self.each({"y": TAGS.astype("u1")}, smoothing=SMOOTHING, method="none"):
            self.assertEqual(set(got["labels"].ravel().tolist()),
                             {float(np.float32(0.9 + 0.1 / 5)), float(np.float32(0.1 / 5))})

    def test_weights_of_classes_are_never_normalised_and_untouched_without_smoothing(self):
        for kind in "<f2", "<f4", "<f8":
            y = WEIGHTS.astype(kind)
            for form, got in self.each({"y": y}, method="none"):
                self.same(got["labels"], y.astype("f4"), (kind, form))
            for query in RECIPES[:9]:
                for form, got in self.each({"y": y}, **query):
                    self.same(got["labels"], mixed(y, y[got["pairing"]], weights_of(got, query)),
                              (kind, form, query))

    HEADS = {"y.price": PRICE.astype("f4"), "y.tags": TAGS.astype("?"), "y.kind": KIND.astype("u1"),
             "y.weights": WEIGHTS, "y.grade": GRADE.astype("f2"), "y.share": WEIGHTS[:, :1].astype("f2"),
             "y.age": PRICE / 7, "y.hot": TAGS.astype("i4")}
    CLASSES = {"y.kind": 3, "y.grade": 10}

    def check_heads(self, got, query, own, other, smoothing):
        w = weights_of(got, query)
        for name, y in own.items():
            pair = y, other[name]
            if name in self.CLASSES:
                pair = (hot(side, self.CLASSES[name]) for side in pair)
            expected = mixed(*pair, w, smoothing if name not in ("y.price", "y.age") else 0)
            self.same(got["labels" + name[1:]], expected, (name, query))

    def test_all_kinds_stand_in_one_body_under_every_choice(self):
        for query in RECIPES:
            for smoothing in 0, SMOOTHING:
                for _, got in self.each(self.HEADS, classes="0,3,10,0", smoothing=smoothing, **query):
                    others = {name: y[got["pairing"]] for name, y in self.HEADS.items()}
                    self.check_heads(got, query, self.HEADS, others, smoothing)
                    self.assertEqual(sum(name.startswith("labels") for name in got), 8)

    def test_all_kinds_stand_beside_dense_targets(self):
        maps = NOISE.integers(0, 9, (ROWS, 4))
        query = {"method": "fmix,cutmix", "switch": "sample", "prob": 0.7, "pairing": "other_class"}
        for _, got in self.each({"dense": maps, **self.HEADS}, classes="0,3,10,0", smoothing=SMOOTHING, **query):
            partner = got["pairing"]
            self.same(got["dense"], np.where(got["masks"] == 1, maps, maps[partner]))
            others = {name: y[partner] for name, y in self.HEADS.items()}
            self.check_heads(got, query, self.HEADS, others, SMOOTHING)

    def test_all_kinds_have_partners_of_their_own_beside_x2(self):
        second = {name: y[::-1].copy() for name, y in self.HEADS.items()}
        for query in RECIPES[:7]:
            arrays = {"x2": X[::-1].copy(), **self.HEADS,
                      **{name.replace("y", "y2", 1): y for name, y in second.items()}}
            for _, got in self.each(arrays, classes="0,3,10,0", smoothing=SMOOTHING, **query):
                self.check_heads(got, query, self.HEADS, second, SMOOTHING)

    def test_partners_are_of_the_first_head_of_class_numbers_whatever_stands_before_it(self):
        for pairing, differs in ("other_class", True), ("same_class", False):
            for _, got in self.each(self.HEADS, classes="0,3,10,0", pairing=pairing, method="mixup"):
                self.assertTrue(((KIND[got["pairing"]] != KIND) == differs).all())
                self.assertFalse((got["pairing"] == np.arange(ROWS)).any())

    def test_a_list_of_classes_tells_numbers_from_values_in_the_order_of_the_arrays(self):
        arrays = {"y.a": GRADE.astype("f4"), "y.b": GRADE.astype("f4")}
        for classes, numbered in ("10,0", "a"), ("0,10", "b"), ("10", "ab"), ("0", ""):
            for _, got in self.each(arrays, classes=classes, method="mixup"):
                partner, w = got["pairing"], got["lambda_eff"]
                for name in "ab":
                    y = hot(GRADE, 10) if name in numbered else GRADE.astype("f4")
                    self.same(got[f"labels.{name}"], mixed(y, y[partner], w), classes)

    def test_json_holds_the_same_labels(self):
        for query in RECIPES[:7]:
            form = next(iter(FORMS))
            told = {"classes": "0,3,10,0", "smoothing": SMOOTHING, **query}
            listed = self.ask(self.HEADS, 200, form, "json", **told).json()
            got = tensors.read_npz(self.ask(self.HEADS, 200, form, **told).body)
            for name in self.HEADS:
                name = "labels" + name[1:]
                self.assertEqual(np.array(listed[name], "f4").tobytes(), got[name].tobytes())

    def test_arrays_that_can_be_read_in_two_ways_name_both(self):
        for y, query, parameter, words in (
                (KIND > 0, {}, "y", ("class numbers 0 and 1", "rows of one class", "send integers", "12x1")),
                (PRICE, {"classes": 3}, "y", ("row 0", "class numbers are whole numbers", "values to predict",
                                              "leave classes out")),
                (GRADE.astype("f4"), {"classes": 3}, "y", ("class numbers", "values to predict")),
                (GRADE, {}, "classes", ("class numbers", "from 1 to", "values to predict", "floats")),
                (GRADE, {"classes": 0}, "classes", ("class numbers", "values to predict", "floats")),
                (np.stack([KIND, GRADE], 1), {}, "y", ("weights as floats", "class numbers of 2 heads",
                                                       "separate arrays y.NAME")),
                (GRADE[:, None], {}, "classes", ("class numbers", "values to predict", "floats")),
                (X.astype("f4"), {}, "y", ("12x3x4", "class numbers", "one weight per class",
                                           "values to predict"))):
            with self.subTest(y.dtype.str, shape=y.shape, **query):
                self.refused({"y": y}, parameter, words, **query)

    def test_values_of_one_head_do_not_excuse_the_classes_of_another(self):
        heads = {"y.price": PRICE, "y.kind": KIND}
        self.refused(heads, "classes", ("y.kind", "class numbers"))
        self.refused(heads, "y.price", ("class numbers", "values to predict", "0 for y.price"), classes=3)
        self.refused(heads, "classes", ("3 numbers", "2 heads of class numbers or values"), classes="0,3,3")
        for _, got in self.each(heads, classes="0,3"):
            self.assertEqual((got["labels.price"].shape, got["labels.kind"].shape), ((ROWS,), (ROWS, 3)))


class Hosted(TensorsTest):
    """A set with heads of every kind, and one of sequences."""

    HEADS = {"y.price": PRICE.astype("f8"), "y.tags": TAGS.astype("u1"), "y.kind": KIND,
             "y.weights": WEIGHTS, "y.hot": TAGS.astype("?")}
    VALUES = ("y.price",)

    @classmethod
    def setUpClass(cls):
        root = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        source = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.near = NOISE.integers(0, ROWS, (ROWS, 3)).astype("<i8")
        lengths = np.array([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8])
        arrays = {"near": cls.near, "tokens": np.arange(lengths.sum()), "price": PRICE, "tags": TAGS,
                  "offsets": np.cumsum([0, *lengths])}
        for name, array in arrays.items():
            (source / f"{name}.npy").write_bytes(harness.write_npy(array))
        (source / "set").write_bytes(tensors.write_safetensors({"x": X, **cls.HEADS}))
        hosting.importing(root / "set", "--from", "safetensors", source / "set", "--layout", "channels_first",
                          "--values", "--neighbours", source / "near.npy")
        ragged = ["--from", "ragged", source / "tokens.npy", source / "offsets.npy"]
        hosting.importing(root / "valued", *ragged, source / "price.npy", "--values")
        hosting.importing(root / "tagged", *ragged, source / "tags.npy")
        cls.arguments = ("--data", str(root), "--drain", "0")
        super().setUpClass()

    def batch(self, name="set", **query):
        query = {"n": ROWS, "shuffle": 1, "epoch": 2, "seed": 3, **query}
        answer = self.get(f"/v1/datasets/{name}/batches/0.npz?{urlencode(query, safe=',')}")
        return tensors.read_npz(answer.body)

    def check(self, got, query, smoothing=0, foreign=False):
        """`pairing` holds places of the batch, or numbers of samples where partners are neighbours."""
        rows = got["rows"]
        partners = got["pairing"] if foreign else rows[got["pairing"]]
        for name, y in self.HEADS.items():
            y = hot(y, 3) if name == "y.kind" else y.astype("f4")  # as which heads are stored
            s = 0 if name in self.VALUES else smoothing
            self.same(got["labels" + name[1:]], mixed(y[rows], y[partners], weights_of(got, query), s),
                      (name, query))

    def test_heads_of_every_kind_are_mixed_under_every_choice(self):
        for query in RECIPES:
            for smoothing in 0, SMOOTHING:
                self.check(self.batch(smoothing=smoothing, **query), query, smoothing)

    def test_heads_follow_neighbours(self):
        for query in ({"method": "mixup"}, {"method": "fmix,mixup", "switch": "sample", "prob": 0.7}):
            got = self.batch(pairing="neighbour", smoothing=SMOOTHING, **query)
            self.assertTrue((got["pairing"][:, None] == self.near[got["rows"]]).any(1).all())
            self.check(got, query, SMOOTHING, foreign=True)

    def test_partners_are_of_the_first_head_of_class_numbers(self):
        for pairing, differs in ("other_class", True), ("same_class", False):
            got = self.batch(pairing=pairing, method="mixup")
            kinds = KIND[got["rows"]]
            self.assertTrue(((kinds[got["pairing"]] != kinds) == differs).all())

    def test_sequences_have_values_and_several_classes(self):
        for name, y in ("valued", PRICE.astype("f4")), ("tagged", TAGS.astype("f4")):
            for query in {"method": "fmix"}, {"method": "cutmix", "prob": 0.5, "bucket": 2}:
                smoothing = SMOOTHING if name == "tagged" else 0
                got = self.batch(name, smoothing=smoothing, **query)
                rows = got["rows"]
                self.same(got["labels"], mixed(y[rows], y[rows[got["pairing"]]], got["lambda_eff"], smoothing),
                          (name, query))

    def test_the_set_says_which_kind_a_head_has(self):
        heads = self.get("/v1/datasets/set").json()["heads"]
        self.assertEqual({head["name"]: (head["kind"], head["classes"]) for head in heads},
                         {"y.price": ("values", 1), "y.tags": ("rows", 5), "y.kind": ("numbers", 3),
                          "y.weights": ("rows", 4), "y.hot": ("rows", 5)})


if __name__ == "__main__":
    unittest.main()
