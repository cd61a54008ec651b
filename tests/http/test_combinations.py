"""Every combination of two parameters of which at least one says how rows choose: prob, switch, lists of
alpha, pairs, partners by class or neighbourhood, buckets, padding, and the parts that came with them.

On every route a combination is answered, as the reference has it, or refused by a 4xx that names a
parameter of the request.
"""

import itertools
import random
import sys
import tempfile
import unittest
from collections import Counter
from urllib.parse import urlencode

import numpy as np

import harness
import hosting
import tallying
import tensors
from hosting import Hosted, ref
from shard_files import members

SAFETENSORS = "application/x-safetensors"
FORMATS = "npy", "raw", "json", "npz", "safetensors", "png"

CHOICES = {"prob": ("0", "0.5"), "switch": ("batch", "sample"), "alpha": ("0.2,1", "0.2,1,3"), "scope": ("pair",),
           "pairing": ref.CLASS_PAIRINGS + ("neighbour",), "bucket": ("1", "2"), "pad_value": ("3", "-0.5"),
           "parts": ("lengths", "dense", "method", "dense,labels,rows")}
BEFORE = {"seed": ("7",), "index": ("5",), "step": ("3",), "steps": ("2",), "n": ("5",), "shape": ("4x3", "7"),
          "method": ("fmix,mixup", "cutmix,fmix,none", "bcplus", "samplepairing"), "policy": ("random",),
          "weights": ("3,1", "0,2,1"), "alpha": ("0.2",), "delta": ("1",), "lambda": ("0.3", "1"),
          "reformulate": ("1",), "scope": ("batch",), "soft": ("0.3",), "frequency": ("extent",),
          "spectrum": ("official",), "box": ("inside",), "pairing": ("flip", "none"), "output": ("grey",),
          "dtype": ("bits", "f16"), "columns": ("2",), "scale": ("2",), "layout": ("channels_last", "none"),
          "parts": ("mixed", "masks,pairing"), "x_shape": ("4x3x6x5",), "x_dtype": ("u8",),
          "out_dtype": ("f16", "u8"), "classes": ("3", "0,4"), "smoothing": ("0.1",), "correct": ("0",),
          "epoch": ("2",), "shuffle": ("1",), "crop": ("1",), "pad": ("reflect",), "flip": ("1",),
          "mean": ("0.5",), "std": ("0.25",), "rank": ("1",), "world": ("2",), "drop_last": ("1",),
          "size": ("8", "6x9"), "view": ("center",), "area": ("0.5,1",), "ratio": ("1,2",), "short": ("9",),
          "filter": ("nearest",), "digest": ("0" * 64,), "member": ("png",)}

# What has no classes and no neighbours, and what has one length, answers none of these.
OF_ROWS = {f"pairing={name}" for name in CHOICES["pairing"]}
OF_LENGTHS = "bucket", "pad_value"

WHOLE = tallying.AGREEMENT > 3000

tally = Counter()


def pairs():
    """Of two parameters, one of them of CHOICES, as queries."""
    choices = [(name, value) for name, values in CHOICES.items() for value in values]
    before = [(name, value) for name, values in BEFORE.items() for value in values]
    for (name, value), (other, more) in (*itertools.combinations(choices, 2),
                                         *itertools.product(choices, before)):
        if name != other:
            yield {name: value, other: more}


# Beside each: what is there by default, and lists of which each choice can take hold.
BESIDE = {}, {"method": "fmix,mixup", "pairing": "flip"}, {"method": "cutmix,fmix,none", "world": "3"}


def cases():
    """Each pair with one of what is beside it, or at length with each."""
    for place, (pair, base) in enumerate(itertools.product(pairs(), BESIDE)):
        if WHOLE or place // len(BESIDE) % len(BESIDE) == place % len(BESIDE):
            yield base, pair


def parts_of(query, whole):
    """Those that a query asks for."""
    asked = query["parts"].split(",") if "parts" in query else None
    varies = ref.recipe_of(query).varies
    return {name: tensor for name, tensor in whole.items()
            if (name.partition(".")[0] in asked if asked else name != "method" or varies)}


def numbers_of(made):
    """What is one number a row."""
    return {"pairing": np.array(made.pairing, "<i8"), "lambda": np.array(made.lam),
            "lambda_eff": np.array(made.lam_eff), "method": np.array(made.method, "u1")}


class Combinations(harness.ServerTest):
    """What every route is asked."""

    nouns = "method", "layout"  # may be blamed as they are by default

    @classmethod
    def setUpClass(cls):
        root = cls.enterClassContext(tempfile.TemporaryDirectory())
        noise = np.random.default_rng(5)
        cls.even = Hosted("even", noise.integers(0, 256, (9, 3, 6, 5), dtype=np.uint8),
                          {"y.value": noise.normal(size=9).astype("<f4"), "y.class": noise.integers(0, 3, 9)},
                          {"y.class": 3}, "channels_first",
                          {"dense": noise.normal(size=(9, 6, 5)).astype("<f4"),
                           "dense.map": noise.integers(0, 9, (9, 2, 6, 5)).astype("<i2")},
                          noise.integers(0, 9, (9, 2)))
        cls.plain = Hosted("plain", noise.normal(size=(7, 6)).astype("<f4"), {}, {}, "none")
        cls.uneven = Hosted("uneven", [noise.normal(size=(n, 2)).astype("<f4") for n in (3, 5, 2, 2, 6, 4, 5)],
                            {"y": noise.integers(0, 3, 7)}, {"y": 3}, "channels_last", None,
                            noise.integers(0, 7, (7, 2)))
        hosting.write(root, cls.even)
        hosting.write(root, cls.plain)
        hosting.write(root, cls.uneven)
        cls.arguments = ("--data", root, "--drain", "0")
        super().setUpClass()

    def known(self, route):
        """The parameters of a route, by the document."""
        document = self.get("/openapi.json").json()
        operation, = document["paths"][route].values()
        return {p["$ref"].rpartition("/")[2] for p in operation["parameters"] if "$ref" in p}

    def ask_all(self, route, ask, fixed=(), least=0.2, never=()):
        """Every combination: of those whose parameters the route has at least such a share is answered, and each
        choice at least once, but for parameters or values that are never to be."""
        known, answered, asked, held = self.known(route), 0, 0, set()
        for base, pair in cases():
            query = {**dict(fixed), **{name: value for name, value in base.items() if name in known}, **pair}
            strange = set(query) - known
            answer = ask(query)
            asked += not strange
            told = f"{route} {urlencode(query)} {answer.status} {answer.body[:300]!r}"
            self.assertIn(answer.status, (400, 409) if strange or "digest" in query else (200, 400), told)
            if answer.status == 200:
                yield query, told, answer
                answered += 1
                held |= query.items()
                tally[f"{route} answered"] += 1
            else:
                self.check_refused(query, strange, told, answer)
                tally[f"{route} refused"] += 1
        self.assertGreaterEqual(answered, least * asked, route)
        missed = {f"{name}={value}" for name, values in CHOICES.items() if name in known and name not in never
                  for value in values if (name, value) not in held}
        self.assertLessEqual(missed, set(never), route)

    def check_refused(self, query, strange, told, answer):
        """What is not known is named first; else one of those that are given, or one that would do."""
        errors = answer.json()["errors"]
        self.assertTrue(errors[0].get("parameter"), told)
        if strange:
            self.assertLessEqual({error["parameter"] for error in errors}, strange | set(query), told)
            return
        # What is blamed was given, or is what the given ones would need.
        self.assertIn(errors[0]["parameter"], {*query, *self.nouns}, told)
        self.assertGreater(len(errors[0]["detail"]), 30, told)

    def check_tensors(self, told, body, expected):
        got = tensors.read_safetensors(body)
        self.assertEqual(got.keys(), expected.keys(), told)
        for name, tensor in expected.items():
            self.assertEqual((got[name].dtype, got[name].shape, got[name].tobytes()),
                             (tensor.dtype, tensor.shape, np.ascontiguousarray(tensor).tobytes()), f"{name} {told}")
        tally["tensors"] += len(expected)


class Drawn(Combinations):
    """What has no rows of data."""

    def test_masks_have_no_choices(self):
        """A list of alpha is for a list of methods."""
        asked = self.ask_all("/v1/masks", lambda query: self.server.get(
            f"/v1/masks.safetensors?{urlencode(query)}"), {"shape": "6x5", "n": "3"}.items(), 0, CHOICES)
        self.assertEqual([told for _, told, _ in asked], [])

    def test_plans(self):
        asked = self.ask_all("/v1/plans", lambda query: self.server.get(
            f"/v1/plans.safetensors?{urlencode(query)}"), {"shape": "6x5", "n": "4"}.items(),
            never={*OF_ROWS, "parts=lengths", "parts=dense", "parts=dense,labels,rows"})
        for query, told, answer in asked:
            index = int(query["index"]) if "index" in query else None
            made = ref.make_plans(ref.recipe_of(query), tuple(map(int, query["shape"].split("x"))),
                                  int(query.get("step", 0)), int(query.get("steps", 1)), int(query["n"]), index,
                                  query.get("dtype", "f32"))
            each = [{"masks": plan.masks, **numbers_of(plan)} for plan in made]
            whole = {name: np.stack([one[name] for one in each]) if "steps" in query else each[0][name]
                     for name in each[0]}
            asked_for = query["parts"].split(",") if "parts" in query else whole
            self.check_tensors(told, answer.body, {name: whole[name] for name in whole if name in asked_for})


class Uploads(Combinations):
    """Mixed batches."""

    nouns = *Combinations.nouns, "x", "dense", "y.value", "y.class"

    def arrays(self, foreign=False):
        """x of floats, of which every method makes something; targets of floats and of integers."""
        even = self.even
        arrays = {"x": even.x[:4].astype("<f4") / 64 - 2, "y.value": even.labels["y.value"][:4],
                  "y.class": even.labels["y.class"][:4].astype("<i8"), "dense": even.dense["dense"][:4]}
        if foreign:
            arrays |= {name.replace("y", "y2") if name[0] == "y" else f"{name}2": array[::-1].copy()
                       for name, array in arrays.items()}
        return arrays

    def check(self, fixed, arrays, never=()):
        body = tensors.write_safetensors(arrays)
        asked = self.ask_all("/v1/mix", lambda query: self.server.post(
            f"/v1/mix.safetensors?{urlencode(query)}", body, SAFETENSORS), fixed.items(),
            never={"pairing=neighbour", "parts=lengths", "parts=dense,labels,rows", *never})
        for query, told, answer in asked:
            foreign = "x2" in arrays
            classes = [int(number) for number in query["classes"].split(",")]
            heads = ("y.value", "y.class")
            index = int(query["index"]) if "index" in query else None
            made = ref.mix(ref.recipe_of(query), arrays["x"], int(query.get("step", 0)), query["layout"], index,
                           x2=arrays.get("x2"), out_dtype=query.get("out_dtype"),
                           dense={"dense": arrays["dense"]},
                           dense2={"dense": arrays["dense2"]} if foreign else None,
                           y={name: arrays[name] for name in heads},
                           y2={name: arrays[name.replace("y", "y2")] for name in heads} if foreign else None,
                           classes=dict(zip(heads, classes)), smoothing=float(query.get("smoothing", 0)))
            whole = {"mixed": made.mixed, **{"labels" + name[1:]: y for name, y in made.labels.items()},
                     "masks": made.masks, **numbers_of(made), **made.dense}
            self.check_tensors(told, answer.body, parts_of(query, whole))

    def test_mix(self):
        self.check({"layout": "channels_first", "classes": "0,3"}, self.arrays())

    def test_mix_with_partners_that_are_given(self):
        self.check({"layout": "channels_first", "classes": "0,3"}, self.arrays(foreign=True), OF_ROWS)


class Hosting(Combinations):
    """Batches and shards of sets: with all there is, with nothing but x, and of sequences."""

    def expected(self, data, query):
        """A rank's share by the reference."""
        how = {name: float(query[name]) for name in ("mean", "std", "smoothing", "pad_value") if name in query}
        how |= {name: int(query[name]) for name in ("crop", "bucket") if name in query}
        how |= {name: query[name] for name in ("layout", "pad", "out_dtype") if name in query}
        how |= {name: query.get(name) == "1" for name in ("flip", "shuffle")}
        asked = query["parts"].split(",") if "parts" in query else ("dense",)
        held = data if "dense" in asked else data._replace(dense=None)
        if "classes" in query and data.classes:
            held = held._replace(classes={name: int(query["classes"][-1]) for name in data.classes})
        whole = hosting.batch(held, ref.recipe_of(query), int(query["n"]), 1, int(query.get("epoch", 0)), **how)
        count = len(whole["rows"])
        mine = ref.rank_rows(count, int(query.get("rank", 0)), int(query.get("world", 1)))
        number = ref.epoch_batch(len(data.x), min(int(query["n"]), len(data.x)), int(query.get("epoch", 0)), 1)[2]
        method = ref.recipe_of(query).method_of(number)
        whole.setdefault("method", np.full(count, ref.METHODS.index(method), "u1"))
        return {name: tensor[mine.start:mine.stop] for name, tensor in whole.items()}

    def check(self, data, fixed=(), never=()):
        url = f"/v1/datasets/{data.name}/batches/1.safetensors"
        asked = self.ask_all("/v1/datasets/{name}/batches/{step}", lambda query: self.server.get(
            f"{url}?{urlencode(query)}"), {"n": "3", **dict(fixed)}.items(), never=never)
        for query, told, answer in asked:
            self.check_tensors(told, answer.body, parts_of(query, self.expected(data, query)))

    def test_batches_with_targets_values_and_neighbours(self):
        self.check(self.even, {"method": "fmix"}.items(), {*OF_LENGTHS, "parts=lengths"})

    def test_batches_of_x_alone(self):
        self.check(self.plain, never={*OF_LENGTHS, *OF_ROWS, "parts=lengths", "parts=dense", "parts=dense,labels,rows"})

    def test_batches_of_sequences(self):
        self.check(self.uneven, never={"parts=dense", "parts=dense,labels,rows"})

    def test_shards_of_each(self):
        # A shard of even holds its maps of integers, which no list of two methods here mixes.
        nevers = {*OF_LENGTHS, "alpha=0.2,1"}, {*OF_LENGTHS, *OF_ROWS}, ()
        for data, never in zip((self.even, self.plain, self.uneven), nevers, strict=True):
            asked = self.ask_all("/v1/datasets/{name}/shards", lambda query, name=data.name: self.server.get(
                f"/v1/datasets/{name}/shards?{urlencode(query)}"), {"n": "3"}.items(), never=never)
            for query, told, answer in asked:
                urls = answer.json()["urls"]
                shard = self.server.get(urls[:urls.index("{")] + "000001" + urls[urls.index("}") + 1:])
                self.assertEqual(shard.status, 200, f"{told} {shard.body[:300]!r}")
                rows = min(int(query["n"]), len(data.x) - int(query["n"]))
                mine = ref.rank_rows(rows, int(query.get("rank", 0)), int(query.get("world", 1)))
                samples = {member.name.partition(".")[0] for member, _ in members(shard.body)}
                self.assertEqual(len(samples), len(mine), told)


class Formats(Uploads):
    """Any two parameters, old ones too, in any format: no answer is an error of the server's."""

    ROUTES = {"/v1/masks": {"shape": "6x5", "n": "3"}, "/v1/plans": {"shape": "6x5", "n": "4"},
              "/v1/mix": {"layout": "channels_first", "classes": "0,3"},
              **{f"/v1/datasets/{name}/batches/1": {"n": "3"} for name in ("even", "plain", "uneven")}}
    UNDRAWN = {("/v1/plans", "png"), ("/v1/datasets/uneven/batches/1", "png")}  # of two channels
    test_mix = test_mix_with_partners_that_are_given = None

    def cases(self, source):
        """Targets with all that goes with them; a tenth of them, or at length all."""
        every = [(name, value) for table in (CHOICES, BEFORE) for name, values in table.items() for value in values]
        for route, fixed in self.ROUTES.items():
            known = self.known("/v1/datasets/{name}/batches/{step}" if "datasets" in route else route)
            for (pair, base) in itertools.product(itertools.combinations(every, 2), BESIDE):
                query = {**fixed, **{name: value for name, value in base.items() if name in known}, **dict(pair)}
                form = source.choice(FORMATS[:-1] if route == "/v1/plans" else FORMATS)
                if set(query) <= known and (WHOLE or source.random() < 0.1):
                    yield route, f"{route}.{form}?{urlencode(query)}"

    def test_any_two_are_answered_or_a_parameter_is_named(self):
        source, answered = random.Random("formats"), Counter()
        bodies = [tensors.write_safetensors(self.arrays(foreign)) for foreign in (False, True)]
        for route, target in self.cases(source):
            answer = self.server.post(target, source.choice(bodies), SAFETENSORS) if route == "/v1/mix" else (
                self.server.get(target))
            past_the_end = answer.status == 404 and "drop_last=1" in target
            self.assertTrue(answer.status in (200, 400, 409) or past_the_end, f"{target} {answer.body[:300]!r}")
            if answer.status == 400:
                self.assertTrue(answer.json()["errors"][0].get("parameter"), f"{target} {answer.body[:300]!r}")
            tally[f"in formats {answer.status}"] += 1
            answered[route, target[len(route) + 1:].partition("?")[0]] += answer.status == 200
        for route, form in itertools.product(self.ROUTES, FORMATS):
            if (route, form) not in self.UNDRAWN:
                self.assertGreaterEqual(answered[route, form], 1 if route == "/v1/masks" else 20, f"{route}.{form}")


class Table(harness.ServerTest):
    """Of the parameters."""

    def test_every_parameter_has_a_value_here(self):
        known = self.get("/openapi.json").json()["components"]["parameters"]
        self.assertEqual(set(known) - {"name", "step", "shard", "format"}, {*CHOICES, *BEFORE} - {"step"})


def tearDownModule():
    """Say what was asked."""
    print("\ncombinations:", ", ".join(f"{count} {name}" for name, count in tally.items()), file=sys.stderr)


if __name__ == "__main__":
    unittest.main()
