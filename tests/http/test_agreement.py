"""The daemon and an independent implementation of stream v1 agree.

Thousands of random recipes, the same in every run, are asked of the daemon
and compared bit for bit with tests/reference. FMIX_AGREEMENT is their number,
which `make long` raises.
"""

import dataclasses
import math
import pathlib
import random
import sys
import unittest
from collections import Counter
from typing import NamedTuple
from urllib.parse import urlencode

import numpy as np

import harness

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]
                       / "reference"))
import fmixref as ref  # noqa: E402
from recipes import LAST, recipe_by, some_number, some_rows  # noqa: E402
from tallying import AGREEMENT  # noqa: E402

SHARES = {"line": 0.20, "plane": 0.25, "volume": 0.15, "stretched": 0.12,
          "close": 0.03, "tied": 0.02, "ends": 0.06, "large": 0.05,
          "grey": 0.12}
BATCHES = {"fmix": 130, "cutmix": 90, "mixup": 90, "bc": 40, "bcplus": 60,
           "samplepairing": 40, "none": 30, "lists": 80}

LARGE = 50000
JSON_ELEMENTS = 4096
TIED_INDEX = 1166203367
PRIMES = (2, 3, 5, 7, 11, 13, 31, 97, 127, 251, 509, 1021, 2003)

STRETCHED = ((2, 4096), (4096, 2), (1, 513), (513, 1), (1, 1, 700), (700,),
             (3, 1, 700), (700, 1, 3), (3, 700), (127, 3), (1021, 2), (5, 997),
             (2, 2, 1024), (1024, 2, 2), (64, 1, 64), (1, 2, 2048), (8191,),
             (1,), (2,), (1, 1), (1, 2), (2, 1), (1, 1, 1), (1, 1, 2))
CLOSE = ((16, 1024), (16, 1024), (16, 1024), (1024, 16), (1024, 16), (2, 4096),
         (4, 256), (256, 4), (3, 2, 1024), (32, 2048))
TIED = ((2,), (1, 2), (2, 1), (1, 1, 2), (2, 1, 1), (4,), (1, 4), (1, 1, 4))
LARGE_SHAPES = ((224, 224), (256, 256), (227, 223), (251, 211), (50021,),
                (65536,), (50625,), (40, 40, 40), (37, 41, 43), (16, 56, 56),
                (100, 501), (8, 6401), (1, 60000), (3, 17011), (512, 128),
                (299, 299), (64, 1024), (2, 160, 160))

RANKS = {"none": ((9,), (1,), (6, 11), (3, 5, 7), (32, 32), (128,)),
         "channels_first": ((3, 17), (1, 5), (3, 8, 9), (3, 32, 32),
                            (2, 1, 6), (2, 4, 5, 6), (1, 3, 1, 8)),
         "channels_last": ((17, 3), (5, 1), (8, 9, 3), (32, 32, 3),
                           (28, 28, 1), (4, 5, 6, 2), (1, 7, 3, 5))}

tally = Counter()


class Case(NamedTuple):
    """One question about masks."""

    recipe: ref.Recipe
    shape: tuple
    index: int
    count: int
    dtype: str
    output: str = "mask"

    @property
    def size(self):
        """Elements of one mask."""
        return math.prod(self.shape)


def some_case(source, shape, most=4, **fixed):
    method = fixed.pop("method", source.choice(("fmix", "fmix", "cutmix")))
    recipe = recipe_by(source, shape, method, **fixed)
    count = source.randint(1, most)
    floats = ("f32", "f16", "f64")
    types = floats if recipe.softens else ("bits", "u8", *floats)
    return Case(recipe, shape, min(some_number(source), LAST + 1 - count),
                count, source.choice(types))


def line_case(source):
    side = source.choice((source.randint(1, 12), source.randint(1, 130),
                          source.randint(100, 4000), source.choice(PRIMES)))
    return some_case(source, (side,))


def plane_case(source):
    shape = source.choice((
        (source.randint(1, 6), source.randint(1, 6)),
        (source.randint(1, 48), source.randint(1, 48)),
        (source.randint(20, 100), source.randint(20, 100)),
        (source.choice(PRIMES[:9]), source.choice(PRIMES[:9])),
        source.choice(((32, 32), (28, 28), (96, 96), (64, 80)))))
    return some_case(source, shape)


def volume_case(source):
    side = source.choice((3, 7, 12, 20))
    return some_case(source, tuple(source.randint(1, side) for _ in range(3)))


def stretched_case(source):
    case = some_case(source, source.choice(STRETCHED))
    if case.recipe.delta <= 6:
        return case
    # there every pixel of a band is contested, and mpmath is slow
    recipe = dataclasses.replace(case.recipe, soft=min(case.recipe.soft, 0.001),
                                 spectrum="paper")
    return case._replace(recipe=recipe)


def close_case(source):
    """Values that agree to more digits than float64 has."""
    return some_case(source, source.choice(CLOSE), most=2, method="fmix",
                     delta=10.0, frequency="pixel", spectrum="paper",
                     soft=source.choice((0.0, 0.0, 0.001)))


def tied_case(source):
    """Around a row whose values are exactly equal in pairs."""
    case = some_case(source, source.choice(TIED), method="fmix", seed=0,
                     lam=source.choice((0.25, 0.5, 0.75)), alpha=1.0,
                     reformulate=False, spectrum="paper")
    return case._replace(index=TIED_INDEX - source.randrange(case.count))


def ends_case(source):
    """One row at either end of the seeds and indices."""
    shape = source.choice(((5,), (8, 9), (3, 4, 5), (32, 32)))
    case = some_case(source, shape, most=1, seed=source.choice((0, LAST)))
    return case._replace(index=source.choice((0, LAST)))


def large_case(source):
    method = source.choice(("fmix",) * 5 + ("cutmix",))
    return some_case(source, source.choice(LARGE_SHAPES), most=1,
                     method=method)


def grey_case(source):
    """The images before the threshold."""
    make = source.choice((line_case, plane_case, volume_case,
                          stretched_case, tied_case))
    case = make(source)
    recipe = dataclasses.replace(case.recipe, method="fmix")
    return case._replace(recipe=recipe, output="grey", dtype=source.choice(
        ("u8", "f32", "f16", "f64")))


def cases(stratum):
    """All the cases of a stratum, the same in every run."""
    source = random.Random(stratum)
    make = globals()[f"{stratum}_case"]
    return [make(source) for _ in range(round(AGREEMENT * SHARES[stratum]))]


def masks_target(case, suffix):
    query = {"shape": "x".join(map(str, case.shape)), **ref.query_of(case.recipe),
             "index": case.index, "n": case.count, "dtype": case.dtype}
    if case.output != "mask":
        query["output"] = case.output
    return f"/v1/masks.{suffix}?{urlencode(query)}"


def encoded(masks, dtype):
    """Masks as the daemon sends them, soft ones as they are."""
    if masks.dtype != np.uint8:
        return masks
    if dtype == "bits":
        return ref.pack(masks)
    return masks.astype({"u8": "u1", "f16": "<f2", "f32": "<f4",
                         "f64": "<f8"}[dtype])


def reference(case):
    """What the reference makes of a case."""
    arguments = case.recipe, case.shape, case.index, case.count
    if case.output == "grey":
        return ref.make_greys(*arguments, case.dtype)
    return ref.make_masks(*arguments,
                          case.dtype if case.recipe.softens else None)


def first_difference(got, expected):
    """Where two arrays differ first, in words; nothing if nowhere."""
    if (got.dtype, got.shape) != (expected.dtype, expected.shape):
        return (f"{got.dtype}{got.shape} instead of "
                f"{expected.dtype}{expected.shape}")
    if got.tobytes() == expected.tobytes():
        return ""
    patterns = np.dtype(f"u{got.itemsize}")
    differ = got.view(patterns) != expected.view(patterns)
    place = tuple(int(i) for i in np.argwhere(differ)[0])
    return (f"{int(differ.sum())} differ, first at {place}: "
            f"{got[place]!r} instead of {expected[place]!r}")


class Agreement(harness.ServerTest):
    def check_same(self, target, got, expected):
        difference = first_difference(got, expected)
        self.assertFalse(difference, f"{target}\n{difference}")

    def check_fields(self, target, got, expected):
        for name, value in expected.items():
            self.assertEqual(got.get(name), value, f"{target}\n{name}")


class MasksAgree(Agreement):
    def check_stratum(self, stratum):
        source = random.Random(f"{stratum} as json")
        for case in cases(stratum):
            made = reference(case)
            expected = encoded(made.masks, case.dtype)
            target = masks_target(case, "npy")
            self.check_same(target, self.get(target).npy(), expected)
            if expected.size <= JSON_ELEMENTS and source.random() < 0.6:
                self.check_json(case, made, expected)
            self.count(case, made)

    def check_json(self, case, made, expected):
        target = masks_target(case, "json")
        self.check_fields(target, self.get(target).json(), {
            "masks": expected.tolist(), "lambda": made.lam,
            "lambda_eff": made.lam_eff, "ones": made.ones,
            "seed": str(case.recipe.seed), "index": str(case.index)})
        tally["as json too"] += 1

    def count(self, case, made):
        tally["recipes"] += 1
        tally["masks"] += case.count
        tally["large"] += case.count * (case.size > LARGE)
        tally["contested"] += made.contested
        tally["soft"] += case.count * case.recipe.softens
        tally["official"] += case.count * (case.recipe.spectrum == "official")
        tally["grey"] += case.count * (case.output == "grey")
        tally["comparisons settled by mpmath"] += made.exactly_settled

    def test_lines_agree(self):
        self.check_stratum("line")

    def test_planes_agree(self):
        self.check_stratum("plane")

    def test_volumes_agree(self):
        self.check_stratum("volume")

    def test_tiny_and_stretched_shapes_agree(self):
        self.check_stratum("stretched")

    def test_grey_images_agree(self):
        self.check_stratum("grey")

    def test_the_first_and_last_seeds_and_indices_agree(self):
        self.check_stratum("ends")

    def test_large_masks_agree(self):
        self.check_stratum("large")

    def test_values_too_close_for_float64_agree(self):
        before = tally["contested"]
        self.check_stratum("close")
        self.assertGreater(tally["contested"], before)

    def test_exact_ties_agree(self):
        before = tally["comparisons settled by mpmath"]
        self.check_stratum("tied")
        self.assertGreater(tally["comparisons settled by mpmath"], before)


class SamplePromises(unittest.TestCase):
    def test_the_sample_is_as_large_and_as_wide_as_promised(self):
        sample = [case for stratum in SHARES for case in cases(stratum)]
        self.assertGreater(len(sample), AGREEMENT - len(SHARES))  # each stratum is rounded
        self.assertGreater(sum(case.size > LARGE for case in sample), AGREEMENT // 20)
        for values, found in ((range(1, 4), {len(case.shape) for case in sample}),
                              (range(1, 5), {case.count for case in sample}),
                              ((0.0, 10.0), {case.recipe.delta for case in sample}),
                              (("fmix", "cutmix"), {case.recipe.method for case in sample}),
                              (("bits", "u8", "f32"), {case.dtype for case in sample}),
                              (("paper", "official"), {case.recipe.spectrum for case in sample}),
                              (("mask", "grey"), {case.output for case in sample})):
            self.assertLessEqual(set(values), found)


class Batch(NamedTuple):
    """One batch to mix."""

    recipe: ref.Recipe
    x: np.ndarray
    layout: str
    step: int
    index: int
    out: str

    @property
    def type(self):
        """The type of x by its name."""
        return ref.type_name(self.x)


def some_methods(source):
    """A list of methods and how one of it is chosen."""
    names = [source.choice(ref.METHODS) for _ in range(source.randint(2, 4))]
    policy = source.choice(("alternate", "random"))
    weights = None
    if policy == "random" and source.random() < 0.7:
        weights = tuple(source.choice((0, 1, 3, 2**28)) for _ in names)
        weights = weights if any(weights) else None
    return {"method": ",".join(names), "policy": policy, "weights": weights}


def some_batch(source, method):
    layout = source.choice(sorted(RANKS))
    count = source.choice((1, 2, 3, 5, 8, 13))
    row = source.choice(RANKS[layout])
    more = some_methods(source) if method == "lists" else {"method": method}
    name = more.pop("method")
    spatial = row[{"none": slice(None), "channels_first": slice(1, None),
                   "channels_last": slice(-1)}[layout]]
    recipe = recipe_by(source, spatial, name,
                         pairing=source.choice(sorted(ref.PAIRINGS)), **more)
    last = (LAST + 1) // count - 1
    step = min(source.choice((0, 7, last, some_number(source))), last)
    index = step * count
    if source.random() < 0.2:
        index = min(some_number(source), LAST + 1 - count)
    out = source.choice((None, None, "f32", *ref.TYPES))
    return Batch(recipe, some_rows(source, (count, *row)), layout,
                 step, index, out)


def batches(method):
    """All the batches of a method, the same in every run."""
    source = random.Random(f"mix {method}")
    count = BATCHES[method] * AGREEMENT // 2000
    return [some_batch(source, method) for _ in range(count)]


def mix_target(batch, suffix, **more):
    """Where to post x as it is in memory."""
    query = {**ref.query_of(batch.recipe), "step": batch.step, **more,
             "x_shape": "x".join(map(str, batch.x.shape)),
             "x_dtype": batch.type}
    if batch.out:
        query["out_dtype"] = batch.out
    if batch.index != batch.step * len(batch.x):
        query["index"] = batch.index
    if batch.x.ndim > 2:
        query["layout"] = batch.layout
    return f"/v1/mix.{suffix}?{urlencode(query)}"


class MixedBatchesAgree(Agreement):
    def check_method(self, method):
        drawn, before = batches(method), tally["batches"]
        for batch in drawn:
            try:
                expected = ref.mix(batch.recipe, batch.x, batch.step,
                                   batch.layout, batch.index,
                                   out_dtype=batch.out)
            except ValueError:
                self.check_refused(batch)
                continue
            answer = self.post(mix_target(batch, "raw"), batch.x.tobytes(),
                               content_type="application/octet-stream")
            self.assertEqual(answer.headers["X-Fmix-Dtype"],
                             batch.out or batch.type)
            got = np.frombuffer(answer.body, expected.mixed.dtype)
            self.check_same(mix_target(batch, "raw"),
                            got.reshape(expected.mixed.shape), expected.mixed)
            self.check_json(batch, expected)
            tally["batches"] += 1
        self.assertGreater(tally["batches"] - before, len(drawn) // 2, "most are compared, not refused by both")

    def check_refused(self, batch):
        answer = self.post(mix_target(batch, "raw"), batch.x.tobytes(), 400,
                           content_type="application/octet-stream")
        self.assertEqual(answer.json()["errors"][0]["parameter"], "method")
        tally["batches refused by both"] += 1

    def check_json(self, batch, expected):
        target = mix_target(batch, "json", parts="lambda,lambda_eff,pairing")
        answer = self.post(target, batch.x.tobytes(),
                           content_type="application/octet-stream")
        self.check_fields(target, answer.json(), {
            "pairing": expected.pairing, "lambda": expected.lam,
            "lambda_eff": expected.lam_eff, "seed": str(batch.recipe.seed),
            "step": str(batch.step), "index": str(batch.index)})

    def test_fmix_batches_agree(self):
        self.check_method("fmix")

    def test_cutmix_batches_agree(self):
        self.check_method("cutmix")

    def test_mixup_batches_agree(self):
        self.check_method("mixup")

    def test_bc_batches_agree(self):
        self.check_method("bc")

    def test_bcplus_batches_agree(self):
        self.check_method("bcplus")

    def test_samplepairing_batches_agree(self):
        self.check_method("samplepairing")

    def test_unmixed_batches_agree(self):
        self.check_method("none")

    def test_batches_of_several_methods_agree(self):
        self.check_method("lists")


def tearDownModule():
    """Say what was compared."""
    print("\nagreement:", ", ".join(f"{count} {name}"
                                    for name, count in tally.items()),
          file=sys.stderr)


if __name__ == "__main__":
    unittest.main()
