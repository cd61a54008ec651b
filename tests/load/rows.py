"""Requests whose rows choose: prob, switch, lists of alpha, pairs, partners by class, values to
predict, labels of several classes and dense targets."""

import pathlib
import sys
from urllib.parse import urlencode

import numpy as np

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "reference"), str(TESTS / "http")]

import fmixref as ref  # noqa: E402
import recipes  # noqa: E402
import test_recipes_agree as agreement  # noqa: E402
from uploads import array_of, named  # noqa: E402

PARTS = ("pairing", "lambda", "lambda_eff", "masks", "method")


def some_plans(source, _):
    """Some steps of plans."""
    shape, count = source.choice(recipes.SHAPES), source.choice((1, 2, 5, 8))
    recipe = recipes.some_recipe(source, shape, sorted(ref.PAIRINGS))
    recipe = ref.Recipe(**{**vars(recipe), "correct": True})
    steps, step = source.choice((1, 1, 3)), source.choice((0, 1, source.randrange(2**40)))
    dtype = source.choice(("f16", "f32", "f64") if recipe.softens else ("bits", "u8", "f32"))
    suffix = source.choice(("npy", "raw", "json", "npz", "safetensors"))
    query = {"shape": "x".join(map(str, shape)), **ref.query_of(recipe), "n": count, "step": step,
             "steps": steps, "dtype": dtype}
    parts = PARTS
    if suffix in ("npy", "raw"):
        query["parts"] = source.choice(parts)
        parts = [query["parts"]]
    plans = ref.make_plans(recipe, shape, step, steps, count, dtype=dtype)
    made = [{"masks": plan.masks, **agreement.numbers_of(plan), "method": np.array(plan.method, "u1")}
            for plan in plans]
    return (f"/v1/plans.{suffix}?{urlencode(query)}", None,
            {name: np.stack([plan[name] for plan in made]) for name in parts})


def some_head(source, count):
    """Labels, and how many classes they have if they are numbers."""
    classes = source.choice((1, 2, 3, 10))
    return source.choice((
        ({"kind": f"{source.choice(('u8', 'i32', 'i64'))} below {classes}", "shape": [count]}, classes),
        ({"kind": "unit", "shape": [count, classes]}, 0),
        ({"kind": "u8 below 2", "shape": [count, classes + 1]}, 0),
        ({"kind": "unit", "shape": [count]}, 0)))


def some_arrays(source, shape, layout):
    """What an upload holds: its arrays, and the classes of its heads."""
    count = source.choice((2, 3, 8))
    sides = {"none": shape, "channels_first": (3, *shape), "channels_last": (*shape, 3)}[layout]
    arrays = {"x": {"kind": source.choice(("u8", "u8", "unit", "unit", "i64")),
                    "shape": [count, *sides]}}
    heads = {name: some_head(source, count) for name in source.choice(
        (("y",), ("y",), ("y.a", "y.b"), ("y.c", "y.a", "y.b")))}
    arrays.update({name: spec for name, (spec, _) in heads.items()})
    for name in source.choice(((), (), ("dense",), ("dense.map", "dense.depth"))):
        arrays[name] = {"kind": source.choice(("u8", "bool", "i64", "unit")),
                        "shape": [count, *shape]}
    if source.random() < 0.15:
        stems = ("x", "y", "dense")
        arrays.update({name.replace(stem, f"{stem}2", 1): dict(spec) for name, spec in
                       list(arrays.items()) for stem in stems if name.partition(".")[0] == stem})
    return arrays, {name: classes for name, (_, classes) in heads.items()}


def some_batch(source, kind):
    """A batch to mix, in a file."""
    layout = source.choice(("none", "channels_first", "channels_last"))
    shape = source.choice(recipes.SHAPES[:6] if layout == "none" else recipes.SHAPES)
    specs, classes = some_arrays(source, shape, layout)
    told = named({"format": kind.rpartition(" ")[2], "deflated": source.random() < 0.5,
                  "arrays": specs}, source)
    arrays = {name: array_of(spec) for name, spec in specs.items()}
    upload = agreement.Upload(arrays, {name: agreement.Head(arrays[name], classes[name])
                                       for name in classes}, layout, shape)
    paired = ref.CLASS_PAIRINGS if any(classes.values()) and "x2" not in arrays else ()
    recipe = recipes.some_recipe(source, shape, (*sorted(ref.PAIRINGS), *paired * 2))
    query = agreement.query_of(source, upload, recipe)
    suffix = source.choice(("npz", "safetensors", "npz", "safetensors", "npy", "raw"))
    if query.get("out_dtype") == "bf16":
        suffix = "safetensors"
    return (f"/v1/mix.{suffix}?{urlencode(query)}", told,
            agreement.expected_of(upload, recipe, query))
