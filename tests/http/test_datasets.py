"""Hosted data sets: what is served, batch by batch, against the reference."""

import io
import json
import os
import pathlib
import random
import tempfile
import unittest

import numpy as np

import harness
import hosting
from batches import BatchesTest
from drawing import drawn
from hosting import ref
from picture import read_png
from recipes import recipe_by

CASES = 150


class HostingTest(BatchesTest):
    """A daemon that serves sets of our own."""

    @classmethod
    def setUpClass(cls):
        cls.root = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.sets = {data.name: data for data in hosting.some_sets()}
        for data in cls.sets.values():
            hosting.write(cls.root, data)
        cls.arguments = ("--data", cls.root, "--drain", "0")
        super().setUpClass()


def layouts_of(data):
    """Those that a set can be answered in."""
    single = data.layout == "none" or data.x.shape[1 if data.layout == "channels_first" else -1] == 1
    return ("channels_first", "channels_last") + (("none",) if single else ())


def some_case(source, data):
    """A recipe, and where in which epoch; options as the URL and as the reference take them."""
    shape = data.x.shape[hosting.SPATIAL[data.layout]]
    floats = data.x.dtype.kind == "f"
    methods = ["fmix", "cutmix", "none"]
    methods += [] if data.name == "tokens" else ["mixup", "samplepairing", "fmix,mixup"]
    recipe = recipe_by(source, shape, source.choice(methods))
    if data.name == "tokens":
        recipe = ref.Recipe(seed=recipe.seed, method=source.choice(("fmix", "cutmix")))
    size = source.choice((1, 2, 4, 7, 16, 50))
    batches = -(-len(data.x) // size)
    options = {"epoch": source.choice((0, 1, 3, 2**40)), "step": source.randrange(batches),
               "shuffle": source.randrange(2)}
    if data.name != "tokens" or source.randrange(2):
        options |= {"crop": source.choice((0, 0, 1, 3)), "flip": source.randrange(2),
                    "pad": source.choice(("zero", "reflect"))}
    if data.name in ("colour", "heads") and source.randrange(2):
        options |= {"mean": source.choice(("0.5", "0.48,0.45,0.4")), "std": "0.25"}
        options["out_dtype"] = source.choice(("f32", "f16"))
    elif floats and source.randrange(3) == 0:
        options["mean"] = "0.125"
        options["out_dtype"] = source.choice(("f32", "f64"))
    elif data.name in ("colour", "heads") and source.randrange(3) == 0:
        options["out_dtype"] = "f32"
    if data.labels and source.randrange(2):
        options["smoothing"] = "0.1"
    if source.randrange(2):
        options["layout"] = source.choice(layouts_of(data))
    return recipe, size, options


def reals(text):
    """One number, or a list."""
    values = [float(item) for item in text.split(",")]
    return values[0] if len(values) == 1 else values


def expected_of(data, recipe, size, options):
    """The same by the reference."""
    own = {**options}
    for name in ("mean", "std"):
        if name in own:
            own[name] = reals(own[name])
    for name in ("shuffle", "flip"):
        own[name] = bool(own.get(name, 0))
    if "smoothing" in own:
        own["smoothing"] = float(own["smoothing"])
    return hosting.batch(data, recipe, size, own.pop("step"), own.pop("epoch"), **own)


class BatchesAgree(HostingTest):
    """Random recipes, all parts bit for bit."""

    def check(self, name):
        """A share of the cases, on one set."""
        source = random.Random(f"hosted {name}")
        data = self.sets[name]
        for _ in range(CASES // len(self.sets)):
            recipe, size, options = some_case(source, data)
            query = {**ref.query_of(recipe), "n": size, **options}
            query.pop("index", None)
            step = query.pop("step")
            if options.get("pad") == "reflect" and options.get("crop", 0) >= min(
                    data.x.shape[hosting.SPATIAL[data.layout]]):
                self.batch(name, step, 400, **query)
                continue
            self.assert_same(self.parts(name, step, **query),
                             expected_of(data, recipe, size, options), f"{name} {step} {query}")

    def test_channels_first_agree(self):
        self.check("colour")

    def test_lines_with_soft_labels_agree(self):
        self.check("signal")

    def test_channels_last_with_two_heads_agree(self):
        self.check("heads")

    def test_volumes_without_labels_agree(self):
        self.check("voxels")

    def test_token_ids_agree(self):
        self.check("tokens")


class Layouts(HostingTest):
    """The layout that is asked for is that of the answer, whatever the set has."""

    def test_every_set_in_every_layout_is_the_same_batch_laid_out_anew(self):
        for data in self.sets.values():
            own = self.parts(data.name, 1, n=5, seed=3, method="fmix")
            for layout in layouts_of(data):
                got = self.parts(data.name, 1, n=5, seed=3, method="fmix", layout=layout)
                laid = np.ascontiguousarray(hosting.relaid(own["mixed"], data.layout, layout))
                self.assert_same(got, {**own, "mixed": laid}, f"{data.name} as {layout}")

    def test_pictures_are_the_same_in_every_layout(self):
        pixels = {read_png(self.batch("heads", 0, suffix=".png", n=4, layout=layout).body).pixels.tobytes()
                  for layout in ("channels_first", "channels_last")}
        self.assertEqual(len(pixels), 1)

    def test_rows_with_channels_have_no_layout_without(self):
        for name in "colour", "heads":
            refused = self.batch(name, 0, 400, layout="none").json()["errors"][0]
            self.assertEqual(refused["parameter"], "layout")
            self.assertIn("3 channels", refused["detail"])

    def test_what_is_laid_out_anew_has_a_tag_of_its_own(self):
        def tag(**options):
            return self.batch("colour", 0, suffix=".npy", **options).headers["ETag"]
        self.assertEqual(len({tag(), tag(layout="channels_first"), tag(layout="channels_last")}), 3)


class Ranks(HostingTest):
    """The union over ranks is the batch, whatever their number."""

    def test_shares_put_together_are_the_batch(self):
        for world in (1, 2, 3, 5, 8, 23, 40):
            options = {"n": 7, "seed": 5, "shuffle": 1, "flip": 1, "method": "fmix"}
            for step in (0, 3):
                whole = self.parts("colour", step, **options)
                shares = [self.parts("colour", step, rank=rank, world=world, **options)
                          for rank in range(world)]
                for part, array in whole.items():
                    together = np.concatenate([share[part] for share in shares])
                    self.assertEqual(together.tobytes(), array.tobytes(), (world, part))

    def test_a_rank_without_rows_gets_an_array_of_none(self):
        options = {"n": 2, "rank": 0, "world": 3}
        answer = self.batch("colour", 0, suffix=".npy", **options)
        self.assertEqual(answer.npy().shape, (0, 3, 9, 7))
        shapes = {name: array.shape for name, array in self.parts("colour", 0, **options).items()}
        body = self.batch("colour", 0, suffix=".npz", **options).body
        with np.load(io.BytesIO(body), allow_pickle=False) as archive:
            self.assertEqual({name: archive[name].shape for name in archive}, shapes)
        told = self.batch("colour", 0, suffix=".json", **options).json()
        self.assertEqual({name: told[name] for name in shapes}, {name: [] for name in shapes})

    def test_there_is_no_picture_of_no_rows(self):
        body = self.batch("colour", 0, 400, suffix=".png", n=2, rank=0, world=4).json()
        self.assertEqual(body["errors"][0]["parameter"], "rank")


class Addressing(HostingTest):
    """Which batches there are."""

    def test_every_sample_comes_once_an_epoch(self):
        for shuffle in (0, 1):
            rows = np.concatenate([self.parts("heads", step, n=7, shuffle=shuffle, epoch=4,
                                              parts="rows")["rows"] for step in range(6)])
            self.assertEqual(sorted(rows), list(range(40)))
            self.assertEqual(list(rows) == list(range(40)), not shuffle)

    def test_past_the_last_batch_is_404_that_says_how_many_there_are(self):
        body = self.batch("colour", 4, 404, n=7).json()
        self.assertIn("has 4 of 7 rows", body["detail"])
        self.batch("colour", 3, n=7)
        self.batch("colour", 3, 404, n=7, drop_last=1)
        self.batch("colour", 0, n=1000)
        self.batch("colour", 0, 404, n=1000, drop_last=1)
        self.batch("colour", "x1", 404, n=1)
        self.batch("colour", 2**64, 404, n=1)

    def test_what_is_asked_wrongly_is_400_and_named(self):
        for options, name in (({"n": 0}, "n"), ({"n": 2, "rank": 3, "world": 3}, "rank"),
                              ({"n": 2, "index": 3}, "index"), ({"n": 2, "epoch": 2**63}, "epoch"),
                              ({"n": 2, "mean": "0.1,0.2"}, "mean"), ({"n": 2, "std": "0"}, "std"),
                              ({"n": 2, "mean": "0.5", "out_dtype": "u8"}, "out_dtype"),
                              ({"n": 2, "crop": 7, "pad": "reflect"}, "crop"),
                              ({"n": 2, "digest": "ab"}, "digest"), ({"n": 2, "x_shape": "3"}, "x_shape"),
                              ({"n": 2, "parts": "lengths"}, "parts"),
                              ({"n": 2, "pairing": "neighbour"}, "pairing"),
                              ({"n": 2, "scope": "pair"}, "scope"),
                              ({"n": 2, "classes": 3}, "classes")):
            body = self.batch("colour", 0, 400, **options).json()
            self.assertEqual(body["errors"][0]["parameter"], name, body)

    def test_fewer_classes_than_any_head_has_are_400(self):
        for classes, status in ((7, 200), (9, 200), (6, 400), (5, 400), (3, 400),
                                ("4,7", 200), ("4,6", 400), ("3,7", 400)):
            answer = self.batch("heads", 0, status, n=6, classes=classes)
            if status == 400:
                self.assertEqual(answer.json()["errors"][0]["parameter"], "classes")

    def test_a_set_is_told_by_name(self):
        listed = self.get("/v1/datasets").json()["datasets"]
        self.assertEqual([entry["name"] for entry in listed], sorted(self.sets))
        one = self.get("/v1/datasets/heads").json()
        self.assertEqual(one, listed[1])
        self.assertEqual((one["count"], one["shape"], one["dtype"], one["layout"]),
                         (40, [8, 6, 3], "u8", "channels_last"))
        self.assertEqual([(h["name"], h["classes"]) for h in one["heads"]], [("y.a", 4), ("y.b", 7)])
        self.get("/v1/datasets/nobody", 404)
        self.get("/v1/datasets/nobody/batches/0?n=1", 404)
        self.get("/v1/datasets/%2e%2e/batches/0?n=1", 404)
        self.get("/v1/datasets/", 404)

    def test_labels_of_a_set_that_has_none_are_400(self):
        body = self.batch("voxels", 0, 400, n=2, parts="labels").json()
        self.assertIn("voxels has no labels", body["detail"])

    def test_a_png_is_the_batch_as_a_sheet(self):
        answer = self.batch("colour", 0, suffix=".png", n=6)
        self.assertEqual(answer.headers["Content-Type"], "image/png")
        mixed = self.parts("colour", 0, n=6)["mixed"]
        np.testing.assert_array_equal(read_png(answer.body).pixels, drawn(mixed, self.sets["colour"].layout))


class Keeping(HostingTest):
    """What a cache may make of answers."""

    def test_answers_are_kept_for_ever_only_where_the_digest_is_pinned(self):
        digest = self.get("/v1/datasets/colour").json()["digest"]
        loose = self.batch("colour", 0, suffix=".npy", n=2)
        self.assertEqual(loose.headers["Cache-Control"], "public, no-cache")
        pinned = self.batch("colour", 0, suffix=".npy", n=2, digest=digest)
        self.assertIn("immutable", pinned.headers["Cache-Control"])
        self.assertEqual(loose.body, pinned.body)
        self.batch("colour", 0, 409, n=2, digest="0" * 64)
        again = self.server.get("/v1/datasets/colour/batches/0.npy?n=2",
                                headers={"If-None-Match": loose.headers["ETag"]})
        self.assertEqual(again.status, 304)

    def test_tags_differ_by_set_and_step(self):
        tags = {self.batch(name, step, n=3).headers["ETag"]
                for name in ("colour", "heads") for step in range(3)}
        self.assertEqual(len(tags), 6)

    def test_ranges_are_parts_of_the_whole(self):
        target = "/v1/datasets/heads/batches/1.npy?n=9&seed=3&shuffle=1&flip=1"
        whole = self.get(target).body
        part = self.server.get(target, headers={"Range": "bytes=200-700"})
        self.assertEqual((part.status, part.body), (206, whole[200:701]))


class Changing(unittest.TestCase):
    """What happens to sets while they are served."""

    def setUp(self):
        self.root = self.enterContext(tempfile.TemporaryDirectory())
        self.sets = list(hosting.some_sets())
        for data in self.sets[:2]:
            hosting.write(self.root, data)

    def served(self, server):
        """Their names."""
        return [entry["name"] for entry in server.get("/v1/datasets").json()["datasets"]]

    def until(self, server, names):
        """Waits until just these are served."""
        harness.until(lambda: self.served(server) == names,
                      lambda: f"{self.served(server)} instead of {names}")

    def test_sighup_finds_new_sets_and_forgets_old_ones(self):
        with harness.Server("--data", self.root, "--drain", "0") as server:
            self.assertEqual(self.served(server), ["colour", "signal"])
            hosting.write(self.root, self.sets[2])
            pathlib.Path(self.root, "signal").rename(pathlib.Path(self.root, ".signal"))
            server.process.send_signal(1)
            self.until(server, ["colour", "heads"])

    def test_no_request_is_dropped_while_sets_are_looked_for(self):
        with harness.Server("--data", self.root, "--drain", "0") as server:
            target = "/v1/datasets/colour/batches/{}.npy?n=1&seed=3"
            before = [server.get(target.format(step)).body for step in range(23)]
            for step in range(230):
                if step % 10 == 0:
                    server.process.send_signal(1)
                    os.utime(pathlib.Path(self.root, "colour", "manifest.json"))  # as if anew
                answer = server.get(target.format(step % 23), fresh=step % 7 == 0)
                self.assertEqual((answer.status, answer.body), (200, before[step % 23]))

    def test_what_is_removed_is_served_until_then(self):
        with harness.Server("--data", self.root, "--drain", "0") as server:
            target = "/v1/datasets/colour/batches/0.npy?n=8"
            before = server.get(target).body
            for path in pathlib.Path(self.root, "colour").iterdir():
                path.unlink()
            self.assertEqual(server.get(target).body, before)

    def assert_lost(self, alter, said="altered", beside=("/v1/datasets/colour",)):
        """Altered while served, by a function of the path of `colour`, its batches are 503 from the
        first request on and come back with their old bytes; so is what is beside them; the other
        sets are unharmed."""
        target = "/v1/datasets/colour/batches/0.npy?n=23&seed={}"
        with harness.Server("--data", self.root, "--drain", "0") as server:
            whole = server.get(target.format(0)).body
            kept = {path: path.read_bytes() for path in pathlib.Path(self.root, "colour").iterdir()}
            hosting.await_tick(self.root)
            alter(pathlib.Path(self.root, "colour"))
            for url in (*map(target.format, range(3)), *beside):
                refused = server.get(url, fresh=True)
                self.assertEqual(refused.status, 503, refused.body[:300])
                self.assertIn(said, refused.json()["detail"])
                self.assertGreater(int(refused.headers["Retry-After"]), 0)
            self.assertEqual(server.get("/v1/datasets/signal/batches/0.npy?n=8").status, 200)
            for path, data in kept.items():
                path.write_bytes(data)
            server.process.send_signal(1)
            self.until(server, ["colour", "signal"])
            harness.until(lambda: server.get(target.format(0), fresh=True).status == 200)
            self.assertEqual(server.get(target.format(0)).body, whole)

    def test_a_file_cut_to_nothing_while_served_is_503(self):
        self.assert_lost(lambda path: (path / "data.bin").write_bytes(b""))

    def test_a_file_cut_within_its_last_page_is_503(self):
        self.assert_lost(lambda path: os.truncate(path / "data.bin", 4300))

    def test_labels_cut_short_are_503(self):
        self.assert_lost(lambda path: os.truncate(path / "labels.bin", 90))

    def test_a_byte_written_over_is_503(self):
        def alter(path):
            with open(path / "data.bin", "r+b") as file:
                file.write(b"\1")
        self.assert_lost(alter, "bytes 0 to 4346 of data.bin (rows 0 to 22) are not what was imported", ())

    def test_a_shard_of_a_set_that_is_lost_is_503(self):
        with harness.Server("--data", self.root, "--drain", "0") as server:
            listed = server.get("/v1/datasets/colour/shards?n=23").json()["urls"]
            os.truncate(pathlib.Path(self.root, "colour", "data.bin"), 4300)
            self.assertEqual(server.get(listed.replace("{000000..000000}", "000000")).status, 503)


class Ending(unittest.TestCase):
    """SIGTERM is heard while a set is read that takes minutes, and that ThreadSanitizer has addresses for."""

    def setUp(self):
        self.root = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    AMID = "data set 'big': interrupted before its digest was checked"

    def write(self):
        """A set of zeros, which the disk need not hold."""
        path = self.root / ".big"
        path.mkdir()
        with open(path / "data.bin", "wb") as file:
            file.truncate(1 << 37)
        (path / "manifest.json").write_text(json.dumps({
            "fmixd": 1, "count": 1 << 17, "dtype": "u8", "shape": [1024, 1024], "layout": "none",
            "heads": [], "digest": "0" * 64}))
        path.rename(self.root / "big")

    def assert_ends(self, process):
        """Once it reads the set, which it says that it has not read whole."""
        maps = pathlib.Path(f"/proc/{process.pid}/maps")
        harness.until(lambda: "big/data.bin" in maps.read_text())
        process.terminate()
        self.assertEqual(process.wait(harness.PATIENCE), 0)

    def test_at_start(self):
        self.write()
        with open(self.root / ".said", "w+", encoding="utf-8") as said:
            process = harness.spawn([harness.program(), "--listen", "127.0.0.1:0", "--data",
                                     str(self.root)], said)
            self.addCleanup(process.wait)
            self.addCleanup(process.kill)
            self.assert_ends(process)
            said.seek(0)
            self.assertRegex(said.read(), self.AMID)

    def test_at_a_scan(self):
        with harness.Server("--data", str(self.root), "--drain", "0") as server:
            self.write()
            server.process.send_signal(1)
            self.assert_ends(server.process)
            self.assertRegex(server.log_tail(), self.AMID)


if __name__ == "__main__":
    unittest.main()
