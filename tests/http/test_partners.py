"""Partners by class: pairing=other_class and same_class, of uploads and of hosted sets."""

import tempfile
import unittest
from urllib.parse import urlencode

import numpy as np

import harness
import hosting
import tensors
from containers import write_npz
from hosting import Hosted, ref

ROWS, COUNT = 40, 23
SAFETENSORS = "application/x-safetensors"
X = np.random.default_rng(5).integers(0, 256, (ROWS, 3), dtype=np.uint8)
KINDS = ("other_class", "same_class")


def classes_of(seed, rows=ROWS, most=5):
    return np.random.default_rng(seed).integers(0, most, rows)


class PartnersTest(harness.ServerTest):
    def refused(self, answer, parameter, *words):
        error = answer.json()["errors"][0]
        self.assertEqual(error.get("parameter"), parameter, error)
        for word in words:
            self.assertIn(word, error["detail"])

    def check(self, kind, pairing, classes):
        """Nobody meets the wrong class, unless there is nobody else: then itself."""
        for i, partner in enumerate(pairing):
            others = [j for j in range(len(classes)) if j != i and
                      (classes[j] == classes[i]) == (kind == "same_class")]
            self.assertIn(partner, others or [i])


class Uploads(PartnersTest):
    def mix(self, arrays, status=200, **query):
        answer = self.post(f"/v1/mix.npz?{urlencode(query, safe=',')}",
                           tensors.write_safetensors({"x": X, **arrays}), status,
                           content_type=SAFETENSORS)
        return tensors.read_npz(answer.body) if status == 200 else answer

    def test_partners_are_those_of_the_reference_and_of_the_right_class(self):
        for kind in KINDS:
            for seed in range(6):
                y = classes_of(seed, most=2 + 6 * seed)
                recipe = ref.Recipe(seed=seed, pairing=kind, method="mixup", prob=0.8,
                                    scope="batch" if seed == 3 else "sample")
                made = ref.mix(recipe, X, seed, y=y, classes=50)
                got = self.mix({"y": y}, **ref.query_of(recipe), step=seed, classes=50)
                self.assertEqual(got["pairing"].tolist(), made.pairing)
                self.assertEqual(got["mixed"].tobytes(), made.mixed.tobytes())
                self.assertEqual(got["labels"].tobytes(), made.labels.tobytes())
                self.check(kind, got["pairing"], y)

    def test_every_candidate_is_drawn_as_often_as_the_others(self):
        y = np.array([0] * 8 + [1] * 32)
        drawn = np.concatenate([
            self.mix({"y": y}, pairing="same_class", classes=2, step=step, parts="pairing")["pairing"][:8]
            for step in range(250)])
        counts = np.bincount(drawn, minlength=8)
        self.assertEqual(len(counts), 8)
        expected = len(drawn) / 8
        self.assertLess(np.abs(counts - expected).max(), 4.5 * np.sqrt(expected * 7 / 8))

    def test_one_class_has_no_other_and_a_class_of_one_no_same(self):
        one = self.mix({"y": np.zeros(ROWS, "i8")}, pairing="other_class", classes=3)
        self.assertEqual(one["pairing"].tolist(), list(range(ROWS)))
        each = self.mix({"y": np.arange(ROWS)}, pairing="same_class", classes=ROWS)
        self.assertEqual(each["pairing"].tolist(), list(range(ROWS)))

    def test_classes_of_any_type_that_is_read_as_class_numbers_count(self):
        y = classes_of(1)
        base = {"pairing": "other_class", "classes": 5, "parts": "pairing"}
        expected = self.mix({"y": y}, **base)["pairing"].tolist()
        for dtype in "u1", "i1", "<i2", "<i4", "<f4", "<f8", "<f2":
            with self.subTest(dtype):
                self.assertEqual(self.mix({"y": y.astype(dtype)}, **base)["pairing"].tolist(),
                                 expected)
        self.assertEqual(self.mix({"y": y[:, None]}, **base)["pairing"].tolist(), expected)

    def test_the_first_head_of_class_numbers_in_the_order_of_the_arrays_decides(self):
        """Rows of weights and values before it do not."""
        y, rows, values = classes_of(1), np.eye(5, dtype="f4")[classes_of(2)], np.ones(ROWS, "f4")
        body = write_npz({"x": X, "y.rows": rows, "y.value": values, "y.z": y,
                            "y.a": classes_of(3)})
        answer = self.post("/v1/mix.json?pairing=other_class&classes=0,5,5&parts=pairing", body,
                           content_type="application/x-npz")
        alone = self.mix({"y": y}, pairing="other_class", classes=5, parts="pairing")
        self.assertEqual(answer.json()["pairing"], alone["pairing"].tolist())

    def test_what_has_no_classes_is_refused_and_told_what_to_send(self):
        rows = np.eye(5, dtype="f4")[classes_of(2)]
        for kind in KINDS:
            for arrays in {}, {"y": rows}, {"y": np.ones(ROWS, "f4")}:
                self.refused(self.mix(arrays, 400, pairing=kind), "pairing", kind, "class numbers",
                             "y")
            self.refused(self.mix({"x2": X, "y": classes_of(1), "y2": classes_of(1)}, 400,
                                  pairing=kind, classes=5), "pairing", "x2")
            self.refused(self.get(f"/v1/plans?shape=4&n=2&pairing={kind}", 400), "pairing",
                         "labels", "/v1/mix")
            answer = self.post(f"/v1/mix?pairing={kind}", harness.write_npy(X), 400)
            self.refused(answer, "pairing", "class numbers")

    def test_neighbours_are_those_of_a_data_set(self):
        self.refused(self.mix({"y": classes_of(1)}, 400, pairing="neighbour", classes=5), "pairing",
                     "data set", "--neighbours")
        self.refused(self.get("/v1/plans?shape=4&n=2&pairing=neighbour", 400), "pairing", "data set")

    def test_a_class_that_is_too_large_is_named_first(self):
        y = classes_of(1)
        y[7] = 9
        self.refused(self.mix({"y": y}, 400, pairing="other_class", classes=5), "y", "row 7", "9")


class Batches(PartnersTest):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        source = np.random.default_rng(4)
        x = source.integers(0, 256, (COUNT, 6, 5), dtype=np.uint8)
        cls.numbers = Hosted("numbers", x, {"y": source.integers(0, 4, COUNT)}, {"y": 4}, "none")
        rows = Hosted("rows", x, {"y": source.random((COUNT, 3), dtype="<f4")}, {}, "none")
        for data in cls.numbers, rows:
            hosting.write(folder.name, data)
        cls.arguments = "--data", folder.name
        super().setUpClass()

    def batch(self, name, step, status=200, **query):
        answer = self.get(f"/v1/datasets/{name}/batches/{step}.npz?{urlencode(query, safe=',')}",
                          status)
        return tensors.read_npz(answer.body) if status == 200 else answer

    def test_partners_in_a_batch_are_those_of_the_reference(self):
        for kind in KINDS:
            recipe = ref.Recipe(seed=6, pairing=kind, method="fmix,mixup", switch="sample")
            for step, epoch, how in ((0, 0, {}), (2, 3, {"shuffle": 1}),
                                     (1, 1, {"shuffle": 1, "crop": 1, "flip": 1})):
                made = hosting.batch(self.numbers, recipe, 9, step, epoch,
                                     **{k: v if k == "crop" else bool(v) for k, v in how.items()})
                got = self.batch("numbers", step, n=9, epoch=epoch, **how, **ref.query_of(recipe))
                self.assertEqual(got.keys(), made.keys())
                for name, tensor in made.items():
                    self.assertEqual(got[name].tobytes(), tensor.tobytes(), (kind, step, name))
                self.check(kind, got["pairing"], self.numbers.labels["y"][got["rows"]])

    def test_ranks_share_the_pairing_of_the_batch(self):
        query = {"n": 11, "pairing": "other_class", "shuffle": 1, "method": "mixup"}
        whole = self.batch("numbers", 1, **query)
        shares = [self.batch("numbers", 1, rank=rank, world=3, **query) for rank in range(3)]
        for name, tensor in whole.items():
            together = np.concatenate([share[name] for share in shares])
            self.assertEqual(together.tobytes(), tensor.tobytes(), name)

    def test_a_set_without_class_numbers_is_refused(self):
        for kind in KINDS:
            self.refused(self.batch("rows", 0, 400, n=4, pairing=kind), "pairing", "class numbers",
                         "rows")
        self.refused(self.batch("rows", 0, 400, n=4, pairing="neighbour"), "pairing", "neighbours",
                     "rows")


if __name__ == "__main__":
    unittest.main()
