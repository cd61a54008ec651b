"""Partners by neighbourhood: SMOTE on a set whose classes are far from even."""

import tempfile
import unittest
from urllib.parse import urlencode

import numpy as np

import harness
import hosting
import tensors
from hosting import Hosted, ref

MANY, FEW, WIDTH, NEAR = 60, 12, 6, 3


def nearest(x, classes, k):
    """By brute force: the k nearest other rows of the same class."""
    distances = np.square(x[:, None].astype(float) - x[None]).sum(axis=2)
    np.fill_diagonal(distances, np.inf)
    distances[classes[:, None] != classes[None]] = np.inf
    return np.argsort(distances, axis=1, kind="stable")[:, :k]


def imbalanced():
    """Two clouds of points, of which one is small."""
    source = np.random.default_rng(2)
    classes = np.array([0] * MANY + [1] * FEW)
    x = (source.normal(size=(MANY + FEW, WIDTH)) + 4 * classes[:, None]).astype("<f4")
    return Hosted("clouds", x, {"y": classes}, {"y": 2}, "none", None, nearest(x, classes, NEAR))


class Neighbours(harness.ServerTest):
    """A daemon that serves them, and the same without neighbours."""

    @classmethod
    def setUpClass(cls):
        root = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.data = imbalanced()
        hosting.write(root, cls.data)
        hosting.write(root, cls.data._replace(name="alone", neighbours=None))
        cls.arguments = ("--data", root, "--drain", "0")
        super().setUpClass()

    def parts(self, step, name="clouds", **options):
        query = urlencode({"pairing": "neighbour", "shuffle": 1, **options})
        return tensors.read_safetensors(self.get(f"/v1/datasets/{name}/batches/{step}.safetensors?{query}").body)

    def refusal(self, name="clouds", **options):
        query = urlencode({"pairing": "neighbour", **options})
        return self.get(f"/v1/datasets/{name}/batches/0.npz?{query}", 400).json()["errors"][0]

    def test_every_mixed_row_lies_between_its_sample_and_a_neighbour_of_its_class(self):
        x, table, seen = self.data.x, self.data.neighbours, set()
        for epoch in range(4):
            for step in range(3):
                got = self.parts(step, n=24, method="mixup", epoch=epoch, seed=8)
                for i, (row, partner, lam) in enumerate(zip(got["rows"], got["pairing"], got["lambda"])):
                    self.assertIn(partner, table[row])
                    between = lam * x[row].astype(float) + (1 - lam) * x[partner].astype(float)
                    np.testing.assert_allclose(got["mixed"][i], between, rtol=0, atol=1e-6)
                    pure = np.eye(2, dtype="<f4")[self.data.labels["y"][row]]
                    np.testing.assert_allclose(got["labels"][i], pure, rtol=0, atol=1e-6)
                    seen.add((row, partner))
        minority = {pair for pair in seen if pair[0] >= MANY}
        self.assertGreater(len(minority), 2 * FEW)  # of 3 FEW: each row gets several, one by one
        self.assertTrue(all(partner >= MANY for _, partner in minority))

    def test_a_partner_need_not_be_in_the_batch(self):
        got = self.parts(0, n=4, seed=1)
        self.assertFalse(set(got["pairing"]) <= set(got["rows"]))

    def test_each_row_draws_its_partner_at_its_own_t_whatever_is_shared(self):
        own = self.parts(1, n=10, method="mixup")
        for options in ({"scope": "batch"}, {"prob": 0.3}, {"method": "cutmix"}):
            got = self.parts(1, n=10, **{"method": "mixup", **options})
            np.testing.assert_array_equal(got["pairing"], own["pairing"])
            expected = ref.neighbour_partners(0, range(10, 20), got["rows"], self.data.neighbours)
            np.testing.assert_array_equal(got["pairing"], expected)

    def test_ranks_have_the_partners_of_the_whole_batch(self):
        whole = self.parts(0, n=11, crop=2, flip=1)
        shares = [self.parts(0, n=11, crop=2, flip=1, world=3, rank=rank) for rank in range(3)]
        for name, array in whole.items():
            np.testing.assert_array_equal(np.concatenate([share[name] for share in shares]), array)

    def test_a_set_without_neighbours_says_how_to_import_them(self):
        said = self.refusal("alone")
        self.assertEqual(said["parameter"], "pairing")
        self.assertIn("--neighbours", said["detail"])

    def test_shards_name_the_samples_of_the_partners(self):
        got = self.parts(0, n=24, seed=8)
        listed = self.get("/v1/datasets/clouds/shards?pairing=neighbour&n=24&seed=8&shuffle=1").json()
        url = listed["urls"].replace("{000000..000002}", "000000")
        body = self.get(url).body
        for row, partner in zip(got["rows"], got["pairing"]):
            self.assertIn(f'"pairing":{partner},'.encode(), body)
            self.assertIn(f'"rows":{row}'.encode(), body)


if __name__ == "__main__":
    unittest.main()
