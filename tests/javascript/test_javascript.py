"""The contract implemented a third time, in JavaScript, against the golden vectors and the reference.

It was written from the contract's text, and shares no code with the others.
"""

import json
import pathlib
import random
import re
import shutil
import subprocess
import sys
import unittest

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "http"))

import recipes  # noqa: E402
import tallying  # noqa: E402
from hosting import ref  # noqa: E402

RECIPES = max(375, tallying.AGREEMENT // 8)
SHAPES = (1,), (7,), (20,), (1, 6), (6, 5), (3, 2, 4)
TYPES = "u8", "i32", "f16", "bf16", "f32", "f64"
NODE = shutil.which("node") or shutil.which("nodejs")


def run(script, text=None):
    """What it prints."""
    done = subprocess.run([NODE, HERE / script], text=True, input=text, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=600, check=False)
    return done.returncode, done.stdout, done.stderr


def some_case(source):
    """A batch, and the recipe by which its rows are mixed."""
    shape, count = source.choice(SHAPES), source.choice((1, 2, 3, 5, 8))
    recipe = recipes.some_recipe(source, shape, (*ref.PAIRINGS, *ref.CLASS_PAIRINGS))
    noise = np.random.default_rng(source.getrandbits(32))
    name, classes = source.choice(TYPES), source.choice((1, 2, 3, 6))
    values = noise.normal(0.4, 3, (count, *shape)) * (60 if name in ("u8", "i32") else 1)
    return {"recipe": recipe, "shape": shape, "x": ref.round_to(values, name), "dtype": name,
            "out": source.choice((name, name, "f32", "f16", "bf16", "f64")), "labels": classes,
            "classes": noise.integers(0, classes, count), "smoothing": source.choice((0.0, 0.1)),
            "batch": source.choice((0, 3, source.randrange(2**50)))}


def written(case):
    """As the other implementation reads it."""
    recipe, count = case["recipe"], len(case["x"])
    names = ("seed", "pairing", "scope", "prob", "switch", "policy", "delta", "soft", "frequency", "spectrum", "box",
             "reformulate", "correct")
    alphas = recipe.alpha if isinstance(recipe.alpha, tuple) else [recipe.alpha] * len(recipe.methods)
    return {**{name: getattr(recipe, name) for name in names}, "seed": str(recipe.seed), "lambda": recipe.lam,
            "methods": recipe.methods, "alphas": alphas, "weights": recipe.weights or [1] * len(recipe.methods),
            "shape": case["shape"], "n": count, "batch": str(case["batch"]), "index": str(case["batch"] * count),
            "x": [row.tobytes().hex() for row in case["x"]], "dtype": case["dtype"], "out": case["out"],
            "classes": case["classes"].tolist(), "labels": case["labels"], "smoothing": case["smoothing"]}


def expected_of(case):
    """The same by the reference: each row's facts. ValueError: it refuses the types."""
    made = ref.mix(case["recipe"], case["x"], case["batch"], out_dtype=case["out"], mask_dtype="f64",
                   y=case["classes"], classes=case["labels"], smoothing=case["smoothing"])
    return [{"method": made.method[i], "L": str(round(made.lam[i] * 2**32)), "partner": made.pairing[i],
             "effective": made.lam_eff[i], "mask": made.masks[i].tobytes().hex(),
             "labels": made.labels[i].tobytes().hex(), "mixed": made.mixed[i].tobytes().hex()}
            for i in range(len(case["x"]))]


def some_epoch(source):
    """Sequences, and how they are cut into batches."""
    return {"seed": source.choice((0, 7, 2**64 - 1)), "epoch": source.choice((0, 1, 2**40)),
            "lengths": [source.randint(1, 9) for _ in range(source.choice((1, 2, 11, 40)))],
            "size": source.choice((1, 2, 5, 16)), "bucket": source.choice((1, 2, 3, 50)),
            "shuffle": source.random() < 0.7}


def epoch_of(case):
    """Its batches by the reference."""
    size = min(case["size"], len(case["lengths"]))
    batches = [ref.bucket_batch(step=step, **case) for step in range(-(-len(case["lengths"]) // size))]
    return [{"batch": str(number), "samples": samples, "t": [str(t) for t in indices]}
            for samples, indices, number in batches]


@unittest.skipUnless(NODE, "there is no node here")
class JavaScript(unittest.TestCase):
    """Three implementations, one stream."""

    def test_javascript_passes_the_golden_vectors(self):
        status, said, errors = run("test.mjs")
        self.assertEqual(status, 0, said[-2000:] + errors)
        ran = re.search(r"^Ran (\d+) tests$", said, re.M)
        self.assertIsNotNone(ran, said[-2000:])
        self.assertGreater(int(ran[1]), 700)

    def test_random_recipes_of_rows_agree(self):
        source, drawn, cases = random.Random("rows in JavaScript"), tallying.Tally(), []
        while len(cases) < RECIPES:
            case = some_case(source)
            try:
                cases.append((case, expected_of(case)))
            except ValueError:
                continue
            drawn.recipe(case["recipe"])
            drawn.update((f"x {case['dtype']}", f"out {case['out']}"))
        got = self.answers(rows=[written(case) for case, _ in cases])["rows"]
        for (case, expected), rows in zip(cases, got, strict=True):
            for i, (row, wanted) in enumerate(zip(rows, expected, strict=True)):
                self.assertEqual(row, wanted, f"row {i} of {written(case)}")
        drawn.require(self, (*tallying.RECIPES, *(f"pairing={name}" for name in (*ref.PAIRINGS, *ref.CLASS_PAIRINGS))),
                      RECIPES / 50)
        drawn.require(self, [f"{what} {name}" for name in TYPES for what in ("x", "out")], RECIPES / 100)

    def test_random_buckets_agree(self):
        source = random.Random("buckets in JavaScript")
        cases = [some_epoch(source) for _ in range(RECIPES // 2)]
        asked = [{**case, "seed": str(case["seed"])} for case in cases]
        for case, got in zip(cases, self.answers(epochs=asked)["epochs"], strict=True):
            self.assertEqual(got, epoch_of(case), case)

    def answers(self, rows=(), epochs=()):
        status, said, errors = run("recipes.mjs", json.dumps({"rows": rows, "epochs": epochs}))
        self.assertEqual(status, 0, errors[-2000:])
        return json.loads(said)


if __name__ == "__main__":
    unittest.main()
