"""The batches of hosted data sets by the clients in JavaScript and R: every rank, every type, and through trouble."""

import collections
import json
import tempfile
import threading
import time
import unittest

import numpy as np

import languages
from languages import harness
import hosting
from tensors import read_safetensors

ARRAYS = {"Float32Array": "<f4", "Float64Array": "<f8", "Uint8Array": "u1", "Int32Array": "<i4", "Int16Array": "<i2",
          "Int8Array": "i1", "BigInt64Array": "<i8"}
TYPES = {"f32": ("Float32Array", "double"), "f64": ("Float64Array", "double"), "f16": ("Float32Array", "double"),
         "bf16": ("Float32Array", "double"), "u8": ("Uint8Array", "integer"), "i32": ("Int32Array", "integer"),
         "i16": ("Int16Array", "integer"), "i8": ("Int8Array", "integer"), "i64": ("BigInt64Array", "double"),
         "bool": ("Uint8Array", "logical")}


def array(got):
    """What a driver wrote; R writes all as doubles."""
    return np.frombuffer(bytes.fromhex(got["hex"]), ARRAYS.get(got["type"], "<f8")).reshape(got["shape"])


def values(sent):
    """A tensor of an answer in float64; uint16 are the patterns of bf16."""
    return hosting.ref.to_float(sent) if sent.dtype == np.uint16 else sent.astype("f8")


class Epochs:
    """What both languages promise."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.language = cls.make(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.sets = {data.name: data for data in (*hosting.some_sets(), *hosting.rich_sets())}
        for data in cls.sets.values():
            hosting.write(folder, data)
        cls.daemon = cls.enterClassContext(harness.Server("--data", folder, "--drain", "0"))
        cls.url = "http://{}:{}".format(*cls.daemon.address)

    def epoch(self, name, url=None, status=0, **options):
        """Batches, and what was said."""
        (batches,), told, ended = languages.epochs(self.language, url or self.url, [(name, options)])
        self.assertEqual(ended, status, told)
        return batches, told

    def epochs(self, *cases):
        """Batches of each of several, by one program."""
        made, told, ended = languages.epochs(self.language, self.url, cases)
        self.assertEqual((ended, len(made)), (0, len(cases)), told)
        return made

    def check(self, got, sent, kind=None):
        """A tensor against the one that was sent."""
        self.assertEqual(tuple(got["shape"]), sent.shape)
        np.testing.assert_array_equal(array(got).astype("f8"), values(sent))
        if kind:
            self.assertIn(got["type"], TYPES[kind])

    def answer(self, name, step, query):
        body = self.daemon.get(f"/v1/datasets/{name}/batches/{step}.safetensors?{query}").body
        return read_safetensors(body)

    def test_batches_are_what_the_daemon_sends(self):
        law = {"epoch": 3, "batch": 4, "seed": 9, "shuffle": 1, "method": "none"}
        made = self.epochs(*((name, law) for name in self.sets))
        for (name, data), batches in zip(self.sets.items(), made):
            count = len(data.x)
            self.assertEqual([batch["step"] for batch in batches], list(range(-(-count // 4))))
            for batch in batches:
                sent = self.answer(name, batch["step"], "epoch=3&n=4&seed=9&shuffle=1&method=none")
                with self.subTest(name, step=batch["step"]):
                    self.check(batch["x"], sent["mixed"])
                    heads = {key.partition(".")[2]: y for key, y in sent.items() if key.partition(".")[0] == "labels"}
                    labels = batch.get("y") or {}
                    labels = {"": labels} if "hex" in labels else labels
                    self.assertEqual(labels.keys(), heads.keys())
                    for head, y in heads.items():
                        self.check(labels[head], y, "f32")
                    self.assertEqual("lengths" in batch, "lengths" in sent)
                    if "lengths" in sent:
                        self.check(batch["lengths"], sent["lengths"], "i64")

    def test_every_type_comes_with_its_values(self):
        # Of signs, whose upper halves count, for i64.
        names = {"i64": "voxels", **dict.fromkeys(("i32", "i16", "i8", "bool"), "tokens")}
        cases = [(names.get(kind, "colour"), {"batch": 12, "out_dtype": kind, "method": "none"}) for kind in TYPES]
        for (name, law), (batch, *_) in zip(cases, self.epochs(*cases)):
            kind = law["out_dtype"]
            with self.subTest(kind):
                self.check(batch["x"], self.answer(name, 0, f"n=12&out_dtype={kind}&method=none")["mixed"], kind)

    def test_two_ranks_together_are_one(self):
        law = {"batch": 6, "seed": 5, "shuffle": 1, "epoch": 1, "method": "fmix,mixup", "out_dtype": "f32"}
        whole, *shares = self.epochs(*(("colour", law | ranks) for ranks in (
            {}, {"rank": 0, "world": 2}, {"rank": 1, "world": 2})))
        self.assertEqual(len(whole), 4)
        for batch, *parts in zip(whole, *shares, strict=True):
            for part in ("x", "y"):
                together = np.concatenate([array(each[part]) for each in parts])
                np.testing.assert_array_equal(together, array(batch[part]))

    def test_a_last_batch_of_fewer_rows_than_ranks_is_dropped_by_all(self):
        steps = {2: 5, 3: 5, 4: 4}  # the fifth batch has three rows
        laws = [{"batch": 5, "rank": rank, "world": world} for world in steps for rank in range(world)]
        for law, batches in zip(laws, self.epochs(*(("colour", law) for law in laws))):
            self.assertEqual([batch["step"] for batch in batches], list(range(steps[law["world"]])))
            self.assertTrue(all(batch["x"]["shape"][0] for batch in batches))
        self.assertIn("batch is 5 and world 6", self.epoch("colour", status=1, batch=5, rank=0, world=6)[1])

    def test_parts_stride_start_and_drop_last_are_those_that_are_asked_for(self):
        batches, none = self.epochs(
            ("heads", {"batch": 3, "start": 2, "stride": 4, "drop_last": 1, "parts": ["mixed", "rows", "labels"]}),
            ("heads", {"batch": 3, "start": 99}))
        self.assertEqual([batch["step"] for batch in batches], [2, 6, 10])
        for batch in batches:
            self.assertEqual(batch.keys(), {"step", "mixed", "rows", "labels"})
            self.assertEqual(batch["labels"].keys(), {"a", "b"})
            self.check(batch["rows"], self.answer("heads", batch["step"], "n=3&parts=rows")["rows"], "i64")
        self.assertEqual(none, [])

    def test_it_asks_again_when_it_is_told_to(self):
        asked = collections.Counter()

        def trouble(path):
            asked[path] += 1
            return (None, (429, {"Retry-After": "0"}), (503, {"Retry-After": "0"}), "cut", "gone")[
                max(0, 5 - asked[path])]
        with languages.Proxy(self.daemon, trouble) as url:
            batches, _ = self.epoch("signal", url, batch=8)
        self.assertEqual(batches, self.epoch("signal", batch=8)[0])
        self.assertEqual(set(asked.values()), {5})

    def test_it_waits_as_long_as_retry_after_says(self):
        asked = collections.defaultdict(list)

        def trouble(path):
            asked[path].append(time.monotonic())
            return (503, {"Retry-After": "1"}) if len(asked) == 1 and len(asked[path]) == 1 else None
        with languages.Proxy(self.daemon, trouble) as url:
            self.epoch("signal", url, batch=8)
        first, again = next(iter(asked.values()))
        self.assertGreaterEqual(again - first, 0.99)

    def test_a_daemon_that_dies_amid_an_epoch_is_said_and_the_epoch_goes_on_at_start(self):
        whole, _ = self.epoch("colour", batch=3)
        with languages.Proxy(self.daemon, lambda path: "gone" if "batches/3." in path else None) as url:
            seen, told = self.epoch("colour", url, status=1, batch=3, tries=2)
        self.assertIn("no answer, asked 2 times", told)
        self.assertEqual(seen, whole[:3])
        self.assertEqual(seen + self.epoch("colour", batch=3, start=3)[0], whole)

    def test_what_the_daemon_has_against_it_is_said_once_and_at_once(self):
        asked = collections.Counter()
        with languages.Proxy(self.daemon, lambda path: asked.update([path])) as url:
            for wanted, options in (("parameter|'colour'", {"colour": 1}), ("out_dtype is 'f8'", {"out_dtype": "f8"})):
                _, told = self.epoch("signal", url, status=1, **options)
                self.assertRegex(told, wanted)
                self.assertIn("400", told)
        self.assertEqual(sorted(asked.values()), [1, 1, 2])  # two batches, and the set twice
        self.assertRegex(self.epoch("nothing", status=1)[1], "404.*nothing")

    def test_arguments_that_make_no_epoch_are_refused_by_name(self):
        for name, value in (("batch", 0), ("start", -1), ("stride", 0)):
            with self.subTest(name, value=value):
                self.assertIn(f"{name} is {value}", self.epoch("signal", status=1, **{name: value})[1])
        self.assertIn("the token must be one word", self.epoch("signal", status=1, token="a b")[1])
        self.assertIn("n is not for an epoch: the rows of a batch are `batch`", self.epoch("signal", status=1, n=3)[1])

    def test_a_set_can_be_pinned_by_its_digest(self):
        digest = json.loads(self.daemon.get("/v1/datasets/colour").body)["digest"]
        pinned, free, nothing = self.epochs(("colour", {"batch": 9, "digest": digest}), ("colour", {"batch": 9}),
                                            ("colour", {"batch": 9, "digest": None, "size": None}))
        self.assertEqual([pinned, nothing], [free] * 2)
        told = self.epoch("colour", status=1, digest=digest[::-1])[1]
        self.assertIn(f"the data set colour has the digest {digest}, and {digest[::-1]} is asked for: it is another "
                      "version of the set", told)

    def test_the_sides_of_a_size_are_joined_by_x(self):
        """The daemon reads them, and refuses them only because this set has no pictures."""
        told = self.epoch("colour", status=1, size=[48, 32])[1]
        self.assertIn("size=48x32&", told)
        self.assertIn("the data set colour has none", told)


class JavaScript(Epochs, unittest.TestCase):
    make = languages.JavaScript

    def test_an_abort_ends_what_waits(self):
        for trouble in (lambda path: (503, {"Retry-After": "200"}), lambda path: hung.wait() and None):
            hung = threading.Event()
            self.addCleanup(hung.set)
            with languages.Proxy(self.daemon, trouble) as url:
                batches, told = self.epoch("signal", url, status=1, abort=300)
                hung.set()
            self.assertEqual((batches, told.strip().splitlines()[-1]), ([], "Error: enough"))

    def test_whoever_leaves_the_loop_leaves_nothing_that_runs(self):
        hung = threading.Event()
        with languages.Proxy(self.daemon, lambda path: hung.wait() and None if "batches/1." in path else None) as url:
            try:  # a request that went on would keep the program from ending
                batches, _ = self.epoch("signal", url, batch=4, most=1, timeout=7200, patience=7200)
            finally:
                hung.set()
        self.assertEqual(len(batches), 1)

    def test_batches_are_fetched_before_they_are_asked_for(self):
        together = threading.Barrier(3)

        def trouble(path):
            if "batches" in path:
                together.wait(harness.PATIENCE)
        with languages.Proxy(self.daemon, trouble) as url:
            self.assertEqual(len(self.epoch("tokens", url, batch=2, ahead=2, tries=1)[0]), 6)


    def test_a_page_of_another_origin_is_told_of_cors(self):
        script = ("globalThis.location = {{origin: {}, href: 'http://a.example/'}};"
                  "const {{ describe }} = await import('./deploy/clients/javascript/fmixd.mjs');"
                  "await describe({}, 'colour', {{tries: 1}}).catch((error) => console.log(error.message));")
        with languages.Proxy(self.daemon, lambda path: "gone") as url:
            for origin, told in ("http://a.example", True), (url, False):
                done = languages.run(["node", "--input-type=module", "-e", script.format(repr(origin), repr(url))])
                self.assertIn("asked 1 times", done.stdout, done.stderr)
                self.assertEqual(f"cors does not name {origin}, the origin of this page" in done.stdout, told)


class R(Epochs, unittest.TestCase):
    make = languages.R


class Packages(unittest.TestCase):
    def test_npm_installs_the_folder_offline(self):
        languages.require({"npm": "npm --version"})
        with tempfile.TemporaryDirectory() as folder:
            done = languages.run(["npm", "install", "--offline", "--no-audit", "--no-fund", "--prefix", folder,
                                  "--cache", f"{folder}/cache", str(languages.CLIENTS / "javascript")])
            self.assertEqual(done.returncode, 0, done.stderr)
            script = f"{folder}/try.mjs"
            with open(script, "w", encoding="utf-8") as file:
                file.write('import * as fmixd from "fmixd"; console.log(JSON.stringify(Object.keys(fmixd)))')
            done = languages.run(["node", script])
        self.assertEqual(json.loads(done.stdout), ["Connection", "Refused", "describe", "epochs", "mixer", "stepsOf",
                                                   "tensors"], done.stderr)


if __name__ == "__main__":
    unittest.main()
