"""The daemon and the reference agree on recipes as people write them: prob, switch, lists of alpha,
pairs, partners by class, values and dense targets, together with all that there was before.

Random recipes, the same in every run, bit for bit; FMIX_AGREEMENT scales their number.
"""

import dataclasses
import random
import sys
import tempfile
import unittest
from collections import Counter
from typing import NamedTuple
from urllib.parse import urlencode

import numpy as np

import hosting
import tallying
import tensors
import test_agreement as agreement
from hosting import ref
from recipes import SHAPES, copying, some_recipe, some_rows

PLANS, BATCHES, HOSTED = map(tallying.scaled, (1300, 2200, 1400))
BATCHES = max(BATCHES, 1100)  # soft masks of uploads are rare
SAFETENSORS = "application/x-safetensors"
LAYOUTS = ("none", "channels_first", "channels_last")
FLOATS = ("f16", "f32", "f64")
LABELS = ("<f2", "<f4", "<f8")

tally = Counter()


class RecipesAgree(agreement.Agreement):
    """Tensors by name, all of them."""

    def check_tensors(self, what, body, expected):
        got = tensors.read_safetensors(body)
        self.assertEqual(got.keys(), expected.keys(), what)
        for name, array in expected.items():
            self.check_same(f"{name} of {what}", got[name], np.ascontiguousarray(array))

    def setUp(self):
        self.drawn = tallying.Tally()

    def count(self, recipe):
        """One more that both answer."""
        self.drawn.recipe(recipe)
        tally["recipes"] += 1
        tally["with prob"] += recipe.prob < 1
        tally["that switch rows"] += recipe.switch == "sample" and len(recipe.methods) > 1
        tally["with alphas"] += isinstance(recipe.alpha, tuple)
        tally["of pairs"] += recipe.scope == "pair"
        tally["partners by class"] += recipe.pairing in ref.CLASS_PAIRINGS


def numbers_of(made):
    """The parts of a plan or a batch that are one number a row."""
    return {"pairing": np.array(made.pairing, "<i8"), "lambda": np.array(made.lam),
            "lambda_eff": np.array(made.lam_eff)}


class PlansAgree(RecipesAgree):
    def check(self, source):
        shape, count = source.choice(SHAPES), source.choice((1, 2, 5, 8))
        recipe = dataclasses.replace(some_recipe(source, shape, sorted(ref.PAIRINGS)), correct=True)
        steps = source.choice((1, 1, 3))
        dtype = source.choice(FLOATS if recipe.softens else ("bits", "u8", *FLOATS))
        step = source.choice((0, 1, source.randrange(2**40)))
        query = {**ref.query_of(recipe), "shape": "x".join(map(str, shape)), "n": count, "step": step,
                 "steps": steps, "dtype": dtype}
        target = f"/v1/plans.safetensors?{urlencode(query)}"
        plans = ref.make_plans(recipe, shape, step, steps, count, dtype=dtype)
        parts = [{"masks": plan.masks, **numbers_of(plan), "method": np.array(plan.method, "u1")}
                 for plan in plans]
        self.check_tensors(target, self.get(target).body,
                           {name: np.stack([part[name] for part in parts]) for name in parts[0]})
        self.count(recipe)
        self.drawn[f"masks {dtype}"] += 1

    def test_plans_agree(self):
        source = random.Random("plans of rows")
        for _ in range(PLANS):
            self.check(source)
        self.drawn.require(self, tallying.RECIPES, PLANS / 50)
        self.drawn.require(self, [f"pairing={name}" for name in ref.PAIRINGS], PLANS / 50)
        self.drawn.require(self, [f"masks {dtype}" for dtype in ("bits", "u8", *FLOATS)], PLANS / 50)


# --- Uploads ----------------------------------------------------------------


class Head(NamedTuple):
    """Labels of an upload, and how many classes they have if they are numbers."""

    y: np.ndarray
    classes: int = 0


def some_head(source, count):
    classes = source.choice((1, 2, 3, 10))
    noise = np.random.default_rng(source.getrandbits(32))
    kind = source.choice(("numbers", "numbers", "rows", "values"))
    if kind == "numbers":
        return Head(noise.integers(0, classes, count).astype(source.choice(("u1", "i1", "<i4", "<i8"))), classes)
    if kind == "rows":
        return Head(noise.random((count, classes)).astype(source.choice(LABELS)))
    return Head((100 * noise.normal(size=count)).astype(source.choice(LABELS)))


class Upload(NamedTuple):
    """A batch to mix."""

    arrays: dict
    heads: dict
    layout: str
    shape: tuple


def some_target(source, shape):
    """Of any type, but often of one that every method mixes."""
    target = some_rows(source, shape)
    while target.dtype.kind in "iub" and source.random() < 0.8:
        target = some_rows(source, shape)
    return target


def some_upload(source):
    layout = source.choice(LAYOUTS)
    shape, count = source.choice(SHAPES[:6] if layout == "none" else SHAPES), source.choice((1, 2, 3, 8))
    sides = {"none": shape, "channels_first": (3, *shape), "channels_last": (*shape, 3)}[layout]
    arrays = {"x": some_rows(source, (count, *sides))}
    if source.random() < 0.15:
        arrays["x2"] = arrays["x"][::-1].copy()
    heads = {name: some_head(source, count) for name in source.choice(
        ((), ("y",), ("y",), ("y.a", "y.b"), ("y.c", "y.a", "y.b")))}
    for name, head in heads.items():
        arrays[name] = head.y
        if "x2" in arrays:
            arrays[name.replace("y", "y2", 1)] = head.y[::-1].copy()
    for name in source.choice(((), (), ("dense",), ("dense.map", "dense.depth"))):
        channels = source.choice((None, 1, 2)) if layout != "none" else None
        sides = {"none": shape, "channels_first": (channels, *shape), "channels_last": (*shape, channels)}[
            layout if channels else "none"]
        arrays[name] = some_target(source, (count, *sides))
        if "x2" in arrays:
            arrays[name.replace("dense", "dense2", 1)] = arrays[name][::-1].copy()
    return Upload(arrays, heads, layout, shape)


def targets_of(upload, stem):
    """Dense targets by the names that answers give them."""
    return {"dense" + name.removeprefix(stem): array for name, array in upload.arrays.items()
            if name.partition(".")[0] == stem}


def query_of(source, upload, recipe):
    """What is asked of an upload, beside its recipe."""
    x, heads = upload.arrays["x"], upload.heads.values()
    query = {**ref.query_of(recipe), "step": source.choice((0, 3, source.randrange(2**50)))}
    if x.ndim > 2:
        query["layout"] = upload.layout
    if any(head.classes for head in heads):
        query["classes"] = ",".join(str(head.classes) for head in heads if head.y.ndim == 1)
    if any(head.classes or head.y.ndim == 2 for head in heads) and source.random() < 0.4:
        query["smoothing"] = source.choice((0.1, 0.3, 1.0))
    out = source.choice((None, None, "f32", "f16", *ref.TYPES))
    if x.dtype.kind in "ib" and source.random() < 0.8:
        out = source.choice(ref.FLOATING)  # which may be interpolated
    return query | ({"out_dtype": out} if out else {})


def expected_of(upload, recipe, query):
    """The answer's tensors by the reference."""
    arrays, heads = upload.arrays, upload.heads
    labels = {}
    if heads:
        labels = {"y": {name: head.y for name, head in heads.items()},
                  "classes": {name: head.classes for name, head in heads.items()},
                  "smoothing": query.get("smoothing", 0.0)}
        if "x2" in arrays:
            labels["y2"] = {name: arrays[name.replace("y", "y2", 1)] for name in heads}
    made = ref.mix(recipe, arrays["x"], query["step"], upload.layout if arrays["x"].ndim > 2 else "none",
                   x2=arrays.get("x2"), out_dtype=query.get("out_dtype"),
                   dense=targets_of(upload, "dense"),
                   dense2=targets_of(upload, "dense2") if "x2" in arrays else None, **labels)
    varying = {"method": np.array(made.method, "u1")} if recipe.varies else {}
    return {"mixed": made.mixed, **{"labels" + name[1:]: y for name, y in (made.labels or {}).items()},
            **numbers_of(made), "masks": made.masks, **varying, **made.dense}


class UploadsAgree(RecipesAgree):
    def check(self, source):
        upload = some_upload(source)
        paired = ref.CLASS_PAIRINGS if any(head.classes for head in upload.heads.values()) else ()
        recipe = some_recipe(source, upload.shape, (*sorted(ref.PAIRINGS), *paired * 2))
        if source.random() < 0.6 and any(ref.type_name(target) not in ref.FLOATING
                                         for target in targets_of(upload, "dense").values()):
            recipe = copying(source, recipe)
        query = query_of(source, upload, recipe)
        target = f"/v1/mix.safetensors?{urlencode(query)}"
        told = f"{target} {[(name, a.dtype, a.shape) for name, a in upload.arrays.items()]}"
        body = tensors.write_safetensors(upload.arrays)
        try:
            expected = expected_of(upload, recipe, query)
        except ValueError:
            self.post(target, body, 400, content_type=SAFETENSORS)
            tally["refused by both"] += 1
            return
        self.check_tensors(told, self.post(target, body, content_type=SAFETENSORS).body, expected)
        tally["mixed"] += 1
        self.count_upload(upload, recipe, query)

    def count_upload(self, upload, recipe, query):
        """What both had to mix."""
        targets, x = targets_of(upload, "dense"), upload.arrays["x"]
        tally["mixed with dense targets"] += bool(targets)
        self.count(recipe)
        self.drawn.labels({name: head.y for name, head in upload.heads.items()},
                          {name: head.classes for name, head in upload.heads.items()}, query.get("smoothing"))
        self.drawn.dense(targets, upload.layout, x.ndim)
        self.drawn.update((f"x {ref.type_name(x)}", f"out {query.get('out_dtype')}", upload.layout))
        self.drawn["x2"] += "x2" in upload.arrays
        self.drawn["x2 with dense2"] += "x2" in upload.arrays and bool(targets)

    def require(self, least):
        """Each thing that both had to mix."""
        types = (*ref.TYPES, "bf16")
        self.drawn.require(self, (*tallying.RECIPES, *tallying.LABELS, "x2", *LAYOUTS), 2 * least)
        self.drawn.require(self, [f"pairing={name}" for name in (*ref.PAIRINGS, *ref.CLASS_PAIRINGS)], 2 * least)
        self.drawn.require(self, [f"{what} {name}" for name in types for what in ("x", "out")], least)
        self.drawn.require(self, [f"dense {name}" for name in (*types, "bare", *LAYOUTS[1:])], least)
        self.drawn.require(self, ["x2 with dense2"], least)

    def test_uploads_agree(self):
        source = random.Random("uploads of rows")
        for _ in range(BATCHES):
            self.check(source)
        self.require(BATCHES / 100)
        self.assertGreater(tally["mixed"], BATCHES / 2)
        self.assertGreater(tally["refused by both"], BATCHES / 20)


# --- Data sets --------------------------------------------------------------


def some_window(source, data):
    """Which window of each row, and how it is normalised, as the URL and as the reference take it."""
    options = {"shuffle": source.randrange(2)}
    if isinstance(data.x, list):
        options |= {"bucket": source.choice((1, 2, 3, 50)), "pad_value": source.choice((0, 1, 2999))}
        if data.name != "texts" and source.random() < 0.4:
            options["pad_value"] = source.choice((-2.5, 0.1))
    else:
        options |= {"crop": source.choice((0, 0, 1, 3)), "flip": source.randrange(2),
                    "pad": source.choice(("zero", "reflect")),
                    "layout": source.choice((data.layout, "channels_first", "channels_last"))}
    if data.name != "texts" and source.random() < 0.4:
        options |= {"mean": 0.5, "std": 0.25, "out_dtype": source.choice(("f32", "f16", "bf16"))}
    elif source.random() < (0.8 if data.name == "texts" else 0.4):
        options["out_dtype"] = source.choice(("f32", "f64"))
    if data.classes and source.random() < 0.4:
        options["smoothing"] = 0.1
    return options


class DataSetsAgree(RecipesAgree):
    @classmethod
    def setUpClass(cls):
        root = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.sets = {data.name: data for data in hosting.rich_sets()}
        for data in cls.sets.values():
            hosting.write(root, data)
        cls.arguments = ("--data", root, "--drain", "0")
        super().setUpClass()

    def check(self, source, data):
        pairings = (*sorted(ref.PAIRINGS), *["neighbour"] * 3, *ref.CLASS_PAIRINGS * bool(data.classes))
        shape = (12,) if isinstance(data.x, list) else data.x.shape[hosting.SPATIAL[data.layout]]
        recipe = some_recipe(source, shape, pairings)
        if data.name == "streets" and source.random() < 0.7:  # whose label maps are not interpolated
            recipe = copying(source, recipe)
        size, options = source.choice((1, 2, 3, 8, 50)), some_window(source, data)
        world = source.choice((1, 1, 2, 3))
        rank = source.randrange(world)
        epoch, step = source.choice((0, 1, 2**40)), source.randrange(-(-len(data.x) // size))
        query = {**ref.query_of(recipe), "n": size, "epoch": epoch, **options, "world": world, "rank": rank}
        target = f"/v1/datasets/{data.name}/batches/{step}.safetensors?{urlencode(query)}"
        try:
            whole = hosting.batch(data, recipe, size, step, epoch,
                                  **{name: bool(value) if name in ("shuffle", "flip") else value
                                     for name, value in options.items()})
        except ValueError:
            self.get(target, 400)
            tally["refused by both"] += 1
            return
        if recipe.spectrum == "official" and "fmix" in recipe.methods and whole["masks"].shape[1] == 1:
            self.get(target, 400)  # of a batch of sequences of one element
            return
        mine = ref.rank_rows(len(whole["rows"]), rank, world)
        if not mine:
            return
        self.check_tensors(target, self.get(target).body,
                           {name: tensor[mine.start:mine.stop] for name, tensor in whole.items()})
        tally[f"of {data.name}"] += 1
        self.count(recipe)
        tally["neighbours"] += recipe.pairing == "neighbour"
        self.drawn.labels(data.labels, data.classes, options.get("smoothing"))
        self.drawn.update(f"{name}={value}" for name, value in options.items())
        self.drawn["a share"] += world > 1
        self.drawn["normalised"] += "mean" in options

    def check_set(self, name):
        source = random.Random(f"rows of {name}")
        for _ in range(HOSTED // len(self.sets)):
            self.check(source, self.sets[name])
        self.assertGreater(tally[f"of {name}"], HOSTED / len(self.sets) / 3)
        least = HOSTED / 400
        rare = ["bcplus", *["mixup", "bc", "samplepairing"] * (name == "streets")]  # refused mostly
        self.drawn.require(self, set(tallying.RECIPES) - {f"method={one}" for one in rare} - {
            "soft" if name == "streets" else ""}, least)
        self.drawn.require(self, ("pairing=neighbour", "a share", "shuffle=1", "scope=pair", "correct=0"), 4 * least)
        if isinstance(self.sets[name].x, list):
            self.drawn.require(self, ("bucket=1", "bucket=2", "bucket=50", "pad_value=0", "pad_value=1"), 4 * least)
        else:
            self.drawn.require(self, ("crop=1", "crop=3", "pad=reflect", "flip=1", "layout=channels_first",
                                      "layout=channels_last", "normalised"), 4 * least)

    def test_images_with_label_maps_agree(self):
        self.check_set("streets")

    def test_fields_with_values_agree(self):
        self.check_set("fields")

    def test_token_ids_agree(self):
        self.check_set("texts")

    def test_embeddings_agree(self):
        self.check_set("speech")


def tearDownModule():
    """Say what was compared."""
    print("\nrecipes of rows:", ", ".join(f"{count} {name}" for name, count in tally.items()), file=sys.stderr)


if __name__ == "__main__":
    unittest.main()
