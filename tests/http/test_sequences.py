"""Batches of sequences: what is served of sets whose rows have lengths of their own, against the reference."""

import io
import json
import os
import pathlib
import random
import sys
import tarfile
import tempfile
import unittest
from collections import Counter
from urllib.parse import urlencode

import numpy as np

import harness
import hosting
import recipes
import tallying
import tensors
from batches import BatchesTest, share_of
from drawing import drawn
from hosting import Hosted, ref
from picture import read_png

CASES = max(700, tallying.scaled(700))

tally = Counter()


def some_rows(source, count, most, sides, dtype):
    """Rows of any length from 1 on, of which some are equal."""
    lengths = source.integers(1, most + 1, count)
    kind = np.dtype(dtype).kind
    return [(source.normal(size=(length, *sides)) * 10).astype(dtype) if kind == "f" else
            source.integers(0, 2 if kind == "b" else 100, (length, *sides)).astype(dtype)
            for length in lengths]


def some_sets():
    """Of several types, ranks, layouts and kinds of labels."""
    source = np.random.default_rng(12)
    def friends(count, each):
        return source.integers(0, count, (count, each)).astype("<i8")
    yield Hosted("words", some_rows(source, 37, 14, (), "<i4"), {"y": source.integers(0, 4, 37)}, {"y": 4},
                 "none", None, friends(37, 3))
    yield Hosted("sound", some_rows(source, 29, 25, (), "<f4"), {"y": source.random((29, 3), dtype="<f4")}, {},
                 "none", None, friends(29, 1))
    yield Hosted("vectors", some_rows(source, 23, 9, (5,), "<f2"), {"y": source.integers(0, 3, 23)}, {"y": 3},
                 "channels_last")
    yield Hosted("films", some_rows(source, 19, 6, (4, 3), "u1"), {"y": source.integers(0, 2, 19)}, {"y": 2},
                 "channels_last", None, friends(19, 2))
    yield Hosted("bits", some_rows(source, 11, 8, (), "?"), {}, {}, "none")


class SequencesTest(BatchesTest):
    """A daemon that serves sequences of our own."""

    @classmethod
    def setUpClass(cls):
        cls.root = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.sets = {data.name: data for data in some_sets()}
        for data in cls.sets.values():
            hosting.write(cls.root, data)
        cls.arguments = ("--data", cls.root, "--drain", "0")
        super().setUpClass()


# --- Against the reference --------------------------------------------------


def prepared_type(data, options):
    """The type of rows where they are padded."""
    if "mean" in options:
        return options.get("out_dtype", "f32")
    if data.x[0].dtype == np.uint8 and "out_dtype" in options:
        return options["out_dtype"]  # v/255
    return ref.type_name(data.x[0])


def some_pad_value(source, name):
    """One that a type holds."""
    if name in ref.FLOATING:
        return source.choice((0, -1, 0.1, 17.3, -1e-3))
    return source.choice((0, 1) if name == "bool" else (0, 1, 99))


def some_window(source, data):
    """Crop and flip, of which a reflection fits the shortest row."""
    least = min(min(row.shape[:-1] if data.layout == "channels_last" else row.shape) for row in data.x)
    pad = source.choice(("zero", "reflect"))
    return {"crop": source.choice((0, 0, 1, 3, 40) if pad == "zero" else range(least)), "pad": pad,
            "flip": source.randrange(2)}


def layouts_of(data):
    """Those that a set can be answered in."""
    return ("channels_first", "channels_last", *(["none"] if data.layout == "none" else []))


def some_options(source, data):
    """Where in which epoch, and what is done to rows; as URLs and as the reference take them."""
    options = {"bucket": source.choice((1, 2, 3, 50, 2**20))} if source.randrange(4) else {}
    options |= {"shuffle": source.randrange(2)} if source.randrange(4) else {}
    options |= some_window(source, data) if source.randrange(2) else {}
    options |= {"layout": source.choice(layouts_of(data))} if source.randrange(2) else {}
    if source.randrange(3) == 0:
        options |= {"mean": source.choice((0.5, -3.0)), "std": 0.25}
        options["out_dtype"] = source.choice(ref.FLOATING)
    elif source.randrange(2):
        options["out_dtype"] = source.choice(ref.FLOATING)
    if source.randrange(2):
        options["pad_value"] = some_pad_value(source, prepared_type(data, options))
    if data.labels and source.randrange(3) == 0:
        options["smoothing"] = 0.1
    return options


def pairings_of(data):
    """Those that a set has."""
    return (*sorted(ref.PAIRINGS), *(ref.CLASS_PAIRINGS if data.classes else ()),
            *([] if data.neighbours is None else ["neighbour"] * 3))


def some_case(source, data):
    """A recipe, a batch and an epoch, and options."""
    shape = data.x[0].shape[:-1] if data.layout == "channels_last" else data.x[0].shape
    recipe = recipes.some_recipe(source, shape, pairings_of(data))
    size = source.choice((1, 2, 3, 5, 8, len(data.x), 100))
    step = source.randrange(-(-len(data.x) // size))
    return recipe, size, step, source.choice((0, 1, 7, 2**40)), some_options(source, data)


def expected_of(data, recipe, size, step, epoch, options):
    """The same by the reference."""
    own = {**options}
    for name in ("shuffle", "flip"):
        own[name] = bool(own.get(name, 0))
    return hosting.batch(data, recipe, size, step, epoch, **own)


class SequencesAgree(SequencesTest):
    """Random recipes, all parts bit for bit."""

    def check_case(self, source, data):
        recipe, size, step, epoch, options = some_case(source, data)
        world = source.choice((1, 1, 1, 2, 5))
        rank = source.randrange(world)
        query = {**ref.query_of(recipe), "n": size, "epoch": epoch, **options, "rank": rank, "world": world}
        what = f"{data.name} {step} {urlencode(query)}"
        try:
            expected = expected_of(data, recipe, size, step, epoch, options)
        except ValueError:
            self.batch(data.name, step, 400, **query)
            tally["refused by both"] += 1
            return
        self.assert_same(self.parts(data.name, step, **query), share_of(expected, rank, world), what)
        tally.update({"batches": 1, "padded": len(set(expected["lengths"])) > 1,
                      "with neighbours": recipe.pairing == "neighbour",
                      "moved": bool(options.get("crop") or options.get("flip"))})

    def check(self, name):
        source, before, count = random.Random(f"sequences {name}"), tally["batches"], CASES // len(self.sets)
        for _ in range(count):
            self.check_case(source, self.sets[name])
        self.assertGreater(tally["batches"] - before, count // 2, "most cases are compared, not refused by both")

    def test_token_ids_agree(self):
        self.check("words")

    def test_signals_with_soft_labels_agree(self):
        self.check("sound")

    def test_vectors_of_half_floats_agree(self):
        self.check("vectors")

    def test_films_with_further_sides_agree(self):
        self.check("films")

    def test_bools_without_labels_agree(self):
        self.check("bits")


# --- Promises ---------------------------------------------------------------


class Epochs(SequencesTest):
    """Which rows a batch has."""

    def rows_of(self, data, **options):
        return [self.parts(data.name, step, parts="rows,lengths", **options)
                for step in range(-(-len(data.x) // options["n"]))]

    def test_every_sample_comes_once_an_epoch(self):
        for name, bucket, size, shuffle in (
                ("words", 1, 4, 0), ("words", 2, 4, 1), ("words", 3, 5, 0), ("words", 50, 1, 1), ("films", 2, 19, 1),
                ("films", 4, 7, 1), ("bits", 2**20, 3, 0), ("bits", 1, 1, 1), ("bits", 1, 99, 1)):
            data = self.sets[name]
            batches = self.rows_of(data, n=size, bucket=bucket, shuffle=shuffle, epoch=3, seed=4)
            rows = np.concatenate([batch["rows"] for batch in batches])
            self.assertEqual(sorted(rows), list(range(len(data.x))), (name, bucket, size))
            for batch in batches:
                self.assertEqual(list(batch["lengths"]), sorted(batch["lengths"]))
                self.assertEqual(list(batch["lengths"]), [len(data.x[row]) for row in batch["rows"]])

    def test_a_wider_window_pads_less(self):
        padding = []
        for bucket in (1, 50):
            batches = self.rows_of(self.sets["sound"], n=4, bucket=bucket, shuffle=1)
            padding.append(sum(max(b["lengths"]) * len(b["lengths"]) - sum(b["lengths"]) for b in batches))
        self.assertLess(padding[1], padding[0] / 2)

    def test_a_window_has_50_batches_by_default(self):
        own, same, other = (self.batch("words", 3, suffix=".npy", n=1, seed=5, shuffle=1, **more).body
                            for more in ({}, {"bucket": 50}, {"bucket": 2}))
        self.assertEqual(own, same)
        self.assertNotEqual(own, other)

    def test_a_short_last_batch_is_dropped_on_request(self):
        self.assertEqual(len(self.parts("words", 9, n=4)["rows"]), 1)
        self.assertEqual(len(self.parts("words", 8, n=4, drop_last=1)["rows"]), 4)
        self.batch("words", 9, 404, n=4, drop_last=1)
        self.batch("words", 10, 404, n=4)

    def test_padding_is_the_pad_value_behind_each_row(self):
        for name, value in (("words", 77), ("sound", -2.5), ("vectors", 0.5), ("films", 255), ("bits", 1)):
            for layout in layouts_of(self.sets[name]):
                got = self.parts(name, 0, n=9, bucket=1, method="none", pad_value=value, layout=layout)
                longest = max(got["lengths"])
                for mixed, row, length in zip(got["mixed"], got["rows"], got["lengths"]):
                    along = 1 if layout == "channels_first" else 0
                    self.assertEqual(mixed.shape[along], longest)
                    kept, tail = np.split(mixed, [length], along)
                    stored = ref.relaid(self.sets[name].x[row], self.sets[name].layout, layout)
                    self.assertEqual(kept.tobytes(), np.ascontiguousarray(stored).tobytes())
                    self.assertTrue((tail == value).all(), (name, layout))

    def test_masks_cover_the_padding(self):
        got = self.parts("words", 0, n=9, bucket=1, parts="masks,mixed,lengths")
        self.assertEqual(got["masks"].shape, got["mixed"].shape)
        self.assertGreater(len(set(got["lengths"])), 1)

    def test_ranks_have_rows_of_one_length(self):
        whole = self.parts("sound", 1, n=7, bucket=2, flip=1, method="mixup", prob=0.5)
        for world in (2, 3, 9):
            shares = [self.parts("sound", 1, n=7, bucket=2, flip=1, method="mixup", prob=0.5, rank=rank, world=world)
                      for rank in range(world)]
            for part, array in whole.items():
                self.assertEqual(np.concatenate([share[part] for share in shares]).tobytes(), array.tobytes(), part)

    def test_a_neighbour_may_be_the_longest(self):
        data, seen = self.sets["words"], 0
        for step in range(37):
            got = self.parts("words", step, n=1, pairing="neighbour", method="cutmix")
            partner = len(data.x[got["pairing"][0]])
            self.assertEqual(got["mixed"].shape[1], max(got["lengths"][0], partner))
            seen += partner > got["lengths"][0]
        self.assertGreater(seen, 5)


def shard_of(listed, number):
    """The URL of a shard."""
    stem, braces = listed["urls"].split("{")
    return f"{stem}{number:06d}{braces.split('}')[1]}"


class Answers(SequencesTest):
    """As any other answer."""

    def test_tags_tell_what_is_given_and_replicas_agree(self):
        def tag(**options):
            return self.batch("words", 0, suffix=".npy", n=8, **options).headers["ETag"]
        self.assertEqual(len({tag(), tag(bucket=2), tag(pad_value=3), tag(bucket=2, pad_value=3)}), 4)
        with harness.Server("--data", self.root, "--drain", "0") as other:
            one = other.get("/v1/datasets/words/batches/0.npy?n=8&bucket=2")
            own = self.batch("words", 0, suffix=".npy", n=8, bucket=2)
            self.assertEqual((one.headers["ETag"], one.body), (tag(bucket=2), own.body))

    def test_every_format_holds_lengths(self):
        expected = self.parts("vectors", 0, n=6)["lengths"]
        self.assertEqual(self.batch("vectors", 0, suffix=".json", n=6).json()["lengths"], list(expected))
        with np.load(io.BytesIO(self.batch("vectors", 0, suffix=".npz", n=6).body)) as archive:
            self.assertEqual(list(archive["lengths"]), list(expected))

    def test_a_picture_shows_films_padded(self):
        answer, mixed = self.batch("films", 0, suffix=".png", n=4), self.parts("films", 0, n=4)["mixed"]
        self.assertEqual(answer.headers["Content-Type"], "image/png")
        np.testing.assert_array_equal(read_png(answer.body).pixels, drawn(mixed, self.sets["films"].layout))

    def test_a_shard_has_rows_of_one_length_and_says_their_own(self):
        for name in ("words", "films"):
            listed = self.get(f"/v1/datasets/{name}/shards?n=8&bucket=2&shuffle=1&pad_value=9").json()
            for shard in range(listed["shards"]):
                expected = self.parts(name, shard, n=8, bucket=2, shuffle=1, pad_value=9)
                with tarfile.open(fileobj=io.BytesIO(self.get(shard_of(listed, shard)).body)) as archive:
                    files = {m.name: archive.extractfile(m).read() for m in archive.getmembers()}
                self.assertEqual(len(files), 2 * len(expected["rows"]))
                for i, (row, length) in enumerate(zip(expected["rows"], expected["lengths"])):
                    facts = json.loads(files[f"{shard:06d}-{i:06d}.json"])
                    self.assertEqual((facts["rows"], facts["lengths"]), (row, length))
                    self.assertEqual(np.load(io.BytesIO(files[f"{shard:06d}-{i:06d}.npy"])).tobytes(),
                                     expected["mixed"][i].tobytes())

    def test_a_shard_of_pictures_pads_them_too(self):
        options = {"n": 6, "method": "cutmix", "pad_value": 200, "pairing": "neighbour"}
        listed = self.get(f"/v1/datasets/films/shards?member=png&{urlencode(options)}").json()
        expected = self.parts("films", 0, **options)["mixed"]
        with tarfile.open(fileobj=io.BytesIO(self.get(shard_of(listed, 0)).body)) as archive:
            for i, row in enumerate(expected):
                pixels = read_png(archive.extractfile(f"000000-{i:06d}.png").read()).pixels
                self.assertEqual(pixels.tobytes(), row.tobytes())
        self.get("/v1/datasets/words/shards?member=png&n=6", 400)

    def test_a_set_tells_its_lengths(self):
        told = self.get("/v1/datasets/vectors").json()
        lengths = [len(row) for row in self.sets["vectors"].x]
        self.assertEqual(told["shape"], [None, 5])
        self.assertEqual((told["lengths"]["least"], told["lengths"]["most"]), (min(lengths), max(lengths)))


class Refusals(SequencesTest):
    """What cannot be asked of a set, and what would do."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        hosting.write(cls.root, Hosted("even", np.zeros((8, 6), "<f4"), {}, {}, "none"))
        cls.server.process.send_signal(1)
        harness.until(lambda: "even" in [one["name"] for one in
                                         cls.server.get("/v1/datasets").json()["datasets"]])

    def test_rows_of_one_length_have_no_bucket_padding_or_lengths(self):
        for options in ({"bucket": 2}, {"bucket": 50}, {"pad_value": 0}):
            parameter, detail = self.refused("even", 400, n=2, **options)
            self.assertEqual([parameter], list(options))
            self.assertIn("leave", detail)
        self.assertEqual(self.refused("even", 400, n=2, parts="lengths")[0], "parts")
        self.get("/v1/datasets/even/shards?n=2&bucket=7", 400)

    def test_a_pad_value_that_the_rows_cannot_hold(self):
        for name, options in (("words", {"pad_value": 0.5}), ("films", {"pad_value": 256}),
                              ("films", {"pad_value": -1}), ("bits", {"pad_value": 2}),
                              ("vectors", {"pad_value": 1e6}), ("words", {"pad_value": "nan"}),
                              ("words", {"pad_value": 1e40}),
                              ("words", {"pad_value": 1e9, "mean": 0, "out_dtype": "f16"})):
            self.assertEqual(self.refused(name, 400, n=2, **options)[0], "pad_value", options)
        self.assertIn("integers from 0 to 255", self.refused("films", 400, n=2, pad_value=300)[1])
        self.batch("films", 0, n=2, pad_value=300, mean=0)
        self.batch("vectors", 0, n=2, pad_value=65504)

    def test_a_reflection_wants_a_crop_below_the_shortest_row(self):
        shortest = min(map(len, self.sets["words"].x))
        parameter, detail = self.refused("words", 400, n=2, crop=shortest, pad="reflect")
        self.assertEqual(parameter, "crop")
        self.assertIn(f"length {shortest}", detail)

    def test_other_bad_combinations(self):
        for name, options, parameter in (
                ("words", {"parts": "dense"}, "parts"), ("words", {"bucket": 0}, "bucket"),
                ("words", {"bucket": 2**21}, "bucket"), ("vectors", {"layout": "none"}, "layout"),
                ("vectors", {"pairing": "neighbour"}, "pairing"), ("words", {"method": "mixup"}, "method"),
                ("words", {"rank": 2, "world": 2}, "rank"), ("words", {"index": 3}, "index")):
            self.assertEqual(self.refused(name, 400, n=2, **options)[0], parameter, options)

    def test_a_row_past_the_limit_of_elements_is_413_that_says_its_length(self):
        longest = max(map(len, self.sets["words"].x))
        with harness.Server("--data", self.root, "--drain", "0", "--elements", str(longest - 1)) as server:
            for target in ("/v1/datasets/words/batches/0?n=2", "/v1/datasets/words/shards?n=2"):
                refused = server.get(target)
                self.assertEqual(refused.status, 413)
                self.assertIn(f"length {longest}", refused.json()["detail"])
        with harness.Server("--data", self.root, "--drain", "0", "--elements", str(longest)) as server:
            self.assertEqual(server.get("/v1/datasets/words/batches/0?n=2").status, 200)


class Windows(unittest.TestCase):
    """Time and memory that a client chooses are those of a job."""

    ROWS = 300_000

    @classmethod
    def setUpClass(cls):
        cls.root = cls.enterClassContext(tempfile.TemporaryDirectory())
        lengths = np.random.default_rng(1).integers(1, 9, cls.ROWS)
        steps = np.arange(lengths.sum(), dtype="<i4")
        cls.data = Hosted("many", np.split(steps, np.cumsum(lengths)[:-1]), {}, {}, "none")
        hosting.write(cls.root, cls.data)

    HANDLED = 'fmixd_compute_seconds_total{stage="handle"}'

    def test_a_compute_thread_sorts_any_window_but_a_tiny_one(self):
        def ask(**options):
            self.assertEqual(server.get(f"/v1/datasets/many/batches/0.npy?{urlencode(options)}").status, 200)
        # Before a piece of the offsets is verified, the estimate counts that, too.
        with harness.Server("--data", self.root, "--drain", "0", "--verify", "start") as server:
            for _ in range(20):
                ask(n=2, bucket=2)
            self.assertEqual(server.metric(self.HANDLED), 0)
            for options in {"n": 100}, {"n": 2, "bucket": 2**20, "shuffle": 1}:
                before = server.metric(self.HANDLED)
                ask(**options)
                harness.until(lambda: server.metric(self.HANDLED) > before)

    def test_a_batch_of_a_wide_window_agrees(self):
        recipe = ref.Recipe(seed=3, method="cutmix", pairing="derangement")
        with harness.Server("--data", self.root, "--drain", "0") as server:
            for step in 7, 499, self.ROWS // 4 - 1:
                expected = hosting.batch(self.data, recipe, 4, step, 2, bucket=500, shuffle=True)
                answer = server.get(f"/v1/datasets/many/batches/{step}.safetensors?n=4&bucket=500&shuffle=1&epoch=2"
                                    "&seed=3&method=cutmix&pairing=derangement")
                got = tensors.read_safetensors(answer.body)
                self.assertEqual(got.keys(), expected.keys())
                for part, array in expected.items():
                    self.assertEqual(got[part].tobytes(), array.tobytes(), part)

    def test_conditions_ranges_and_head_as_of_any_answer(self):
        with harness.Server("--data", self.root, "--drain", "0") as server:
            for size in 2, 100:  # a window that is sorted at once, and one that is not
                target = f"/v1/datasets/many/batches/0.npy?n={size}&bucket=20&shuffle=1"
                whole = server.get(target)
                tag = whole.headers["ETag"]
                head = server.request("HEAD", target)
                self.assertEqual((head.status, head.body, head.headers["ETag"], head.headers["Content-Length"]),
                                 (200, b"", tag, str(len(whole.body))))
                self.assertEqual(server.get(target, headers={"If-None-Match": tag}).status, 304)
                self.assertEqual(server.get(target, headers={"If-Match": '"other"'}).status, 412)
                part = server.get(target, headers={"Range": "bytes=100-140"})
                self.assertEqual((part.status, part.body), (206, whole.body[100:141]))

    def test_a_window_past_the_memory_is_413_and_others_are_served(self):
        with harness.Server("--data", self.root, "--drain", "0", "--memory", "16M") as server:
            for target in ("batches/0?n=2", "shards?n=2"):
                refused = server.get(f"/v1/datasets/many/{target}&bucket=1000000")
                self.assertEqual(refused.status, 413, refused.body[:300])
                self.assertIn("memory", refused.json()["detail"])
            self.assertEqual(server.get("/v1/datasets/many/batches/0?n=2").status, 200)


class Damage(unittest.TestCase):
    """Files that are altered while they are served."""

    def assert_lost(self, file, size):
        with tempfile.TemporaryDirectory() as root:
            for data in (one for one in some_sets() if one.name in ("words", "bits")):
                hosting.write(root, data)
            with harness.Server("--data", root, "--drain", "0") as server:
                for query in "n=4", "n=4&bucket=1000&shuffle=1&pairing=neighbour":
                    self.assertEqual(server.get(f"/v1/datasets/words/batches/0?{query}").status, 200)
                os.truncate(pathlib.Path(root, "words", file), size)
                for query in "n=4", "n=4&bucket=1000&shuffle=1&pairing=neighbour", "n=37":
                    refused = server.get(f"/v1/datasets/words/batches/0?{query}", fresh=True)
                    self.assertEqual(refused.status, 503, refused.body[:300])
                    self.assertIn("altered", refused.json()["detail"])
                self.assertEqual(server.get("/v1/datasets/bits/batches/0?n=4").status, 200)

    def test_offsets_cut_to_nothing_are_503(self):
        self.assert_lost("offsets.bin", 0)

    def test_offsets_cut_short_are_503(self):
        self.assert_lost("offsets.bin", 100)

    def test_neighbours_cut_to_nothing_are_503(self):
        self.assert_lost("neighbours.bin", 0)

    def test_rows_cut_to_nothing_are_503(self):
        self.assert_lost("data.bin", 0)


def tearDownModule():
    """Say what was compared."""
    print("\nsequences:", ", ".join(f"{count} {name}" for name, count in tally.items()), file=sys.stderr)


if __name__ == "__main__":
    unittest.main()
