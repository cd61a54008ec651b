"""Hosted batches with dense targets and neighbours: every part as the reference has it, bit for bit.

Random recipes, the same in every run; FMIX_AGREEMENT scales their number.
"""

import dataclasses
import itertools
import pathlib
import random
import tempfile
import unittest

import numpy as np

import harness
import hosting
import tallying
import tensors
from hosting import Hosted, ref
from picture import read_png
from recipes import some_recipe
from test_datasets import HostingTest, expected_of, layouts_of

CASES = tallying.scaled(120)  # of each set


def some_sets():
    """Every layout, targets with channels and without, of several types; some with neighbours."""
    source = np.random.default_rng(11)

    def near(rows, k):
        return source.integers(0, rows, (rows, k))

    yield Hosted("streets", source.integers(0, 256, (19, 3, 6, 8), dtype=np.uint8),
                 {"y": source.integers(0, 4, 19)}, {"y": 4}, "channels_first",
                 {"dense": source.integers(0, 5, (19, 6, 8), dtype=np.uint8),
                  "dense.depth": source.normal(size=(19, 2, 6, 8)).astype("<f4")}, near(19, 3))
    yield Hosted("photos", source.integers(0, 256, (16, 7, 5, 3), dtype=np.uint8),
                 {"y.a": source.random((16, 3), dtype="<f4"), "y.b": source.integers(0, 2, 16)}, {"y.b": 2},
                 "channels_last", {"dense.map": source.integers(-9, 9, (16, 7, 5, 2)).astype("<i4")}, near(16, 5))
    yield Hosted("scans", source.normal(size=(13, 4, 5, 6)).astype("<f4"),
                 {"y": source.normal(size=13).astype("<f4")}, {}, "none",
                 {"dense.flow": source.normal(size=(13, 4, 5, 6)).astype("<f2"),
                  "dense": source.random((13, 4, 5, 6)) < 0.5}, near(13, 1))
    yield Hosted("grey", source.integers(0, 256, (11, 1, 6, 5), dtype=np.uint8), {}, {}, "channels_first",
                 {"dense": source.integers(0, 9, (11, 1, 6, 5)).astype("<i2"),
                  "dense.soft": source.normal(size=(11, 6, 5))}, near(11, 2))
    yield Hosted("lines", source.normal(size=(10, 20)), {}, {}, "none",
                 {"dense": source.integers(-128, 127, (10, 20), dtype=np.int8)})


class DenseTest(HostingTest):
    """A daemon that serves them."""

    @classmethod
    def setUpClass(cls):
        cls.root = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.sets = {data.name: data for data in some_sets()}
        for data in cls.sets.values():
            hosting.write(cls.root, data)
        cls.arguments = ("--data", cls.root, "--drain", "0")
        harness.ServerTest.setUpClass.__func__(cls)

    def refusal(self, name, **options):
        """What is said against a request for a batch."""
        return self.batch(name, 0, 400, **options).json()["errors"][0]


def some_mixing(source, data, shape):
    """A recipe; most of them mix label maps too."""
    pairings = [*sorted(ref.PAIRINGS), *["neighbour"] * (0 if data.neighbours is None else 6)]
    made = some_recipe(source, shape, pairings + (list(ref.CLASS_PAIRINGS) if data.classes else []))
    if source.random() < 0.3:
        return made
    copying = ",".join(source.choice(("fmix", "cutmix", "none")) for _ in made.methods)
    return dataclasses.replace(made, method=copying, soft=0.0)


def some_options(source, data, size):
    """Where in which epoch, and what happens to rows before they are mixed."""
    options = {"epoch": source.choice((0, 1, 2**40)), "step": source.randrange(-(-len(data.x) // size)),
               "shuffle": source.randrange(2), "crop": source.choice((0, 0, 1, 2, 9)),
               "flip": source.randrange(2), "pad": source.choice(("zero", "reflect"))}
    if source.randrange(2):
        options["layout"] = source.choice(layouts_of(data))
    if source.randrange(3) == 0:
        options |= {"mean": "0.25", "std": "0.5"}
    if source.randrange(3) == 0:
        options["out_dtype"] = source.choice(("f16", "f32"))
    if any(y.ndim == 2 or name in data.classes for name, y in data.labels.items()) and source.randrange(3) == 0:
        options["smoothing"] = "0.1"
    return options


class BatchesAgree(DenseTest):
    """All parts, of whole batches and of ranks."""

    def compare(self, source, data):
        shape = data.x.shape[hosting.SPATIAL[data.layout]]
        recipe, size = some_mixing(source, data, shape), source.choice((1, 2, 5, 8, 50))
        options = some_options(source, data, size)
        world = source.choice((1, 1, 3))
        rank = source.randrange(world)
        query = {**ref.query_of(recipe), "n": size, "rank": rank, "world": world, **options}
        step = query.pop("step")
        told = f"{data.name} {step} {query}"
        if options["pad"] == "reflect" and options["crop"] >= min(shape):
            self.batch(data.name, step, 400, **query)
            return "refused"
        try:
            expected = expected_of(data, recipe, size, options)
        except ValueError:
            self.batch(data.name, step, 400, **query)
            return "refused"
        rows = len(expected["rows"])
        share = slice(rank * rows // world, (rank + 1) * rows // world)
        self.assert_same(self.parts(data.name, step, **query),
                         {name: array[share] for name, array in expected.items()}, told)
        return "mixed"

    def check(self, name):
        """A share of the cases, on one set."""
        source = random.Random(f"dense {name}")
        done = [self.compare(source, self.sets[name]) for _ in range(CASES)]
        self.assertGreater(done.count("mixed"), CASES / 4)
        self.assertGreater(done.count("refused"), 0)

    def test_channels_first_with_maps_and_depths_agree(self):
        self.check("streets")

    def test_channels_last_with_a_map_of_channels_agree(self):
        self.check("photos")

    def test_volumes_with_values_agree(self):
        self.check("scans")

    def test_one_channel_that_a_layout_may_drop_agrees(self):
        self.check("grey")

    def test_lines_without_neighbours_agree(self):
        self.check("lines")


class Targets(DenseTest):
    """What may be asked of them."""

    def test_every_method_is_answered_or_refused_as_the_reference_has_it(self):
        data, answered = self.sets["lines"], 0
        for method, lam, soft in itertools.product(ref.METHODS, (None, 0, 1, 0.25), (0, 0.3)):
            recipe = ref.Recipe(seed=3, method=method, lam=lam, soft=soft)
            query = {**ref.query_of(recipe), "n": 4}
            with self.subTest(method=method, lam=lam, soft=soft):
                try:
                    expected = hosting.batch(data, recipe, 4, 1)
                except ValueError:
                    said = self.refusal("lines", **query)
                    self.assertEqual(said["parameter"], "method")
                    self.assertIn("or name parts without dense, as parts=mixed", said["detail"])
                    said = self.refusal("lines", parts="mixed,dense", **query)
                    self.assertIn("or leave dense out of parts", said["detail"])
                    self.assertIn("mixed", self.parts("lines", 1, parts="mixed", **query))
                else:
                    answered += 1
                    self.assert_same(self.parts("lines", 1, **query), expected, query)
        self.assertGreater(answered, 20)

    def test_one_method_of_the_list_that_blends_label_maps_refuses_all(self):
        self.assertEqual(self.refusal("lines", method="fmix,mixup", n=2)["parameter"], "method")

    def test_parts_are_named_or_all(self):
        self.assertEqual(list(self.parts("streets", 0, n=2)),
                         list(self.parts("streets", 0, n=2, parts="mixed,labels,dense,pairing,lambda,"
                                                                  "lambda_eff,masks,rows")))
        self.assertEqual({"dense", "dense.depth"}, set(self.parts("streets", 0, n=2, parts="dense")))
        self.assertEqual({"mixed"}, set(self.parts("streets", 0, n=2, parts="mixed")))

    def test_pictures_and_npy_files_are_those_of_x(self):
        mixed = self.parts("streets", 0, n=4)["mixed"]
        body = self.batch("streets", 0, suffix=".npy", n=4).body
        self.assertEqual(harness.read_npy(body).tobytes(), mixed.tobytes())
        np.testing.assert_array_equal(*(read_png(self.batch("streets", 0, suffix=".png", n=4, **parts).body)[0]
                                        for parts in ({}, {"parts": "mixed"})))

    def test_a_file_of_x_alone_is_not_refused_for_targets_that_it_does_not_hold(self):
        mixed = self.parts("lines", 0, n=4, method="mixup", parts="mixed")["mixed"]
        body = self.batch("lines", 0, suffix=".npy", n=4, method="mixup").body
        self.assertEqual(harness.read_npy(body).tobytes(), mixed.tobytes())

    def test_targets_follow_their_images_pixel_by_pixel(self):
        """In plain NumPy, without the reference: a map holds only classes of its two sources."""
        data = self.sets["streets"]
        got = self.parts("streets", 1, n=6, method="fmix,cutmix", switch="sample", pairing="neighbour", seed=4)
        keeps = got["masks"] == 1
        own, other = (data.dense["dense"][got[name]] for name in ("rows", "pairing"))
        self.assertTrue(((got["dense"] == own) | (got["dense"] == other)).all())
        np.testing.assert_array_equal(got["dense"], np.where(keeps, own, other))
        np.testing.assert_array_equal(got["mixed"], np.where(
            keeps[:, None], data.x[got["rows"]], data.x[got["pairing"]]))

    def test_rows_of_any_size_come_in_slices(self):
        """Larger than what is preprocessed at once."""
        source = np.random.default_rng(3)
        data = Hosted("large", source.integers(0, 256, (5, 3, 300, 310), dtype=np.uint8), {}, {},
                      "channels_first", {"dense": source.integers(0, 9, (5, 300, 310), dtype=np.uint8),
                                         "dense.f": source.random((5, 1, 300, 310), "<f4")},
                      source.integers(0, 5, (5, 2)))
        recipe = ref.Recipe(method="cutmix,none", switch="sample", pairing="neighbour", prob=0.7)
        with tempfile.TemporaryDirectory() as root:
            hosting.write(root, data)
            with harness.Server("--data", root, "--drain", "0") as server:
                for options in ({}, {"crop": 4, "flip": True, "layout": "channels_last"}):
                    query = {**ref.query_of(recipe), "n": 5, **options, "flip": int("flip" in options)}
                    query = "&".join(f"{key}={value}" for key, value in query.items())
                    answer = server.get(f"/v1/datasets/large/batches/0.safetensors?{query}")
                    expected = hosting.batch(data, recipe, 5, 0, **options)
                    self.assert_same(tensors.read_safetensors(answer.body), expected, query)

    def test_channels_stay_as_they_are_stored_where_x_has_none(self):
        source = np.random.default_rng(5)
        flow = source.normal(size=(4, 5, 6, 2)).astype("<f4")
        data = Hosted("flows", source.integers(0, 9, (4, 5, 6), dtype=np.uint8), {}, {}, "none", {"dense": flow})
        with tempfile.TemporaryDirectory() as root:
            hosting.write(root, data)
            with harness.Server("--data", root, "--drain", "0") as server:
                for layout, wanted in (("none", flow), ("channels_last", flow),
                                       ("channels_first", np.moveaxis(flow, -1, 1))):
                    answer = server.get("/v1/datasets/flows/batches/0.npz?n=4&method=none&parts=dense&layout="
                                        + layout)
                    got = tensors.read_npz(answer.body)["dense"]
                    self.assertEqual((got.shape, got.tobytes()), (wanted.shape, wanted.tobytes()), layout)

    def test_channels_that_the_layout_has_no_side_for_are_refused(self):
        source = np.random.default_rng(5)
        data = Hosted("single", source.integers(0, 9, (4, 1, 5, 6), dtype=np.uint8), {}, {}, "channels_first",
                      {"dense": source.normal(size=(4, 2, 5, 6))})
        with tempfile.TemporaryDirectory() as root:
            hosting.write(root, data)
            with harness.Server("--data", root, "--drain", "0") as server:
                url = "/v1/datasets/single/batches/0.npz?n=4&layout=none"
                said = server.get(url).json()["errors"][0]
                self.assertEqual(said["parameter"], "layout")
                self.assertIn("2 channels", said["detail"])
                self.assertEqual(server.get(url + "&parts=mixed").status, 200)


class Damage(unittest.TestCase):
    """A file beside x that is lost."""

    def assert_lost(self, file, query):
        data = next(some_sets())
        with tempfile.TemporaryDirectory() as root:
            hosting.write(root, data)
            with harness.Server("--data", root, "--drain", "0") as server:
                url = f"/v1/datasets/streets/batches/0.npz?n=4&{query}"
                self.assertEqual(server.get(url).status, 200)
                with open(pathlib.Path(root, "streets", file), "r+b") as opened:
                    opened.truncate(1)
                self.assertEqual(server.get(url.replace("/0.", "/1.")).status, 503)

    def test_a_target_cut_short_while_served_is_503(self):
        self.assert_lost("dense.depth.bin", "parts=dense")

    def test_neighbours_cut_short_while_served_are_503(self):
        self.assert_lost("neighbours.bin", "pairing=neighbour&parts=mixed")


if __name__ == "__main__":
    unittest.main()
