"""Batches that the clients in JavaScript and R mix are those of POST /v1/mix and of the reference, bit for bit."""

import dataclasses
import random
import tempfile
import unittest
from urllib.parse import urlencode

import numpy as np

import languages
from languages import harness
import tallying
import test_recipes_agree as recipes
from hosting import ref
from tensors import read_safetensors, write_safetensors

SHAPES = ((1,), (7,), (20,), (1, 6), (6, 5), (9, 8), (3, 4, 5))
PAIRINGS = sorted(ref.PAIRINGS)
FLOATS = ("f32", "f32", "f64")
COPIED = ("fmix", "cutmix", "none")
DAEMON = harness.Server("--drain", "0")


def setUpModule():
    DAEMON.start()


def tearDownModule():
    DAEMON.stop()


def url():
    return "http://{}:{}".format(*DAEMON.address)


def some_rows(source, recipe, layout, count, shape, types):
    """x of a type that the recipe's methods mix."""
    sides = {"none": shape, "channels_first": (3, *shape), "channels_last": (*shape, 2)}[layout]
    blends = set(recipe.methods) - set(COPIED)
    name = source.choice(FLOATS if "bcplus" in blends else (*FLOATS, *types["blended" if blends else "copied"]))
    noise = np.random.default_rng(source.getrandbits(32))
    values = noise.normal(90, 60, (count, *sides)) if name[0] in "ui" else noise.normal(0.4, 3, (count, *sides))
    return name, ref.round_to(values, name)


def some_heads(source, count):
    """Labels by head, and the classes of each: class numbers, rows and values."""
    names = source.choice(((), ("y",), ("y",), ("y",), ("y.a", "y.b")))
    heads = {name: recipes.some_head(source, count) for name in names}
    return {name: recipes.Head(head.y.astype("<f4") if head.y.dtype.kind == "f" else head.y.astype("<i4"),
                               head.classes) for name, head in heads.items()}


def some_steps(source, number_most):
    """Which batches are asked for, and under which numbers the daemon knows them."""
    if source.random() < 0.5:
        first = source.choice((0, 1, source.randrange(number_most)))
        return {}, [({"step": step}, step) for step in (first, first + 1, first + 2, first + 5)]
    world = source.choice((1, 2, 8192))
    rank, epoch, first = source.randrange(world), source.randrange(2**16), source.randrange(2**24 - 9)
    return {"rank": rank, "world": world}, [
        ({"step": step, "epoch": epoch}, (rank * 2**16 + epoch) * 2**24 + step) for step in (first, first + 1)]


def some_case(source, types, natural):
    """A mixer, and what it is asked: as drivers read it, and as the daemon and the reference do."""
    layout, shape, count = source.choice(recipes.LAYOUTS), source.choice(SHAPES), source.choice((1, 2, 3, 5, 8))
    recipe = dataclasses.replace(recipes.some_recipe(source, shape, PAIRINGS), soft=0.0)
    if source.random() < 0.3:
        recipe = recipes.copying(source, recipe)
    name, x = some_rows(source, recipe, layout, count, shape, types)
    heads = some_heads(source, count)
    law, plain = ref.query_of(recipe), {"layout": layout, "steps": source.choice((1, 2, 16))}
    if heads and any(head.classes or head.y.ndim == 2 for head in heads.values()):
        plain["smoothing"] = source.choice((0.0, 0.0, 0.1, 0.3)) * all(
            head.classes or head.y.ndim == 2 for head in heads.values())
    options = {key: value if natural else str(value) for key, value in law.items() if key not in ("seed", "correct")}
    options |= {**plain, "correct": recipe.correct, **({} if natural else {"seed": str(recipe.seed)})}
    classes = {head_name.partition(".")[2]: head.classes for head_name, head in heads.items() if head.classes}
    if classes:
        options["classes"] = classes.get("", classes)
    ranks, steps = some_steps(source, 2**40)
    case = {"options": options | ranks, "seed": str(recipe.seed), "steps": [asked for asked, _ in steps],
            "x": written(name, x), "y": None}
    if heads:
        case["y"] = {key.partition(".")[2]: written("f32" if head.y.dtype.kind == "f" else "i32", head.y)
                     for key, head in heads.items()}
        case["y"] = case["y"].get("", case["y"])
    return case, (recipe, layout, name, x, heads, plain.get("smoothing", 0.0), [number for _, number in steps])


def written(name, array):
    """An array as drivers read it."""
    return {"dtype": name, "hex": np.ascontiguousarray(array).tobytes().hex(), "shape": list(array.shape)}


def by_reference(recipe, layout, x, heads, smoothing, number):
    """Mixed rows and labels by head."""
    labels = {"y": {name: head.y for name, head in heads.items()}, "smoothing": smoothing,
              "classes": {name: head.classes for name, head in heads.items()}} if heads else {}
    made = ref.mix(recipe, x, number, layout, **labels)
    return {"mixed": made.mixed, **{"labels" + name[1:]: y for name, y in (made.labels or {}).items()}}


def by_daemon(recipe, layout, x, heads, smoothing, number):
    """The same by POST /v1/mix."""
    query = {**ref.query_of(recipe), "step": number, "layout": layout, "smoothing": smoothing}
    if any(head.classes for head in heads.values()):
        query["classes"] = ",".join(str(head.classes) for head in heads.values() if head.y.ndim == 1)
    body = write_safetensors({"x": x, **{name: head.y for name, head in heads.items()}})
    answer = DAEMON.post(f"/v1/mix.safetensors?{urlencode(query)}", body, content_type=recipes.SAFETENSORS)
    if answer.status != 200:
        raise AssertionError(f"{query}: {answer.body}")
    return {name: array for name, array in read_safetensors(answer.body).items()
            if name.partition(".")[0] in ("mixed", "labels")}


class Mixing:
    """What both languages promise."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.language = cls.make(cls.enterClassContext(tempfile.TemporaryDirectory()))

    def read(self, got, dtype):
        """An array that a driver wrote."""
        raise NotImplementedError

    def check(self, got, facts, step):
        recipe, layout, _, x, heads, smoothing, numbers = facts
        expected = by_reference(recipe, layout, x, heads, smoothing, numbers[step])
        for name, array in by_daemon(recipe, layout, x, heads, smoothing, numbers[step]).items():
            self.assertEqual(array.tobytes(), expected[name].tobytes(), name)
        labels = got["y"] or {}
        found = {"mixed": got["x"], **({"labels": labels} if "hex" in labels else {
            f"labels.{name}": head for name, head in labels.items()})}
        self.assertEqual(found.keys(), expected.keys())
        for name, array in expected.items():
            mine = self.read(found[name], array.dtype)
            self.assertEqual((mine.shape, mine.tobytes()), (array.shape, array.tobytes()), name)

    def test_batches_are_those_of_the_daemon_and_of_the_reference(self):
        source, drawn = random.Random("clients"), tallying.Tally()
        cases = [some_case(source, self.types, self.language.natural) for _ in range(self.recipes)]
        outcomes = languages.mixed(self.language, url(), [case for case, _ in cases])
        for (case, facts), outcome in zip(cases, outcomes):
            with self.subTest(case["options"]):
                self.assertNotIn("error", outcome)
                self.assertEqual(outcome.get("kept", True), True)
                self.assertEqual(outcome["warnings"], [])
                self.assertEqual(len(outcome["made"]), len(facts[-1]))
                for step, got in enumerate(outcome["made"]):
                    self.check(got, facts, step)
            drawn.recipe(facts[0])
            drawn.labels({name: head.y for name, head in facts[4].items()},
                         {name: head.classes for name, head in facts[4].items()}, facts[5])
            drawn[f"x {facts[2]}"] += 1
        drawn.require(self, [*(name for name in tallying.RECIPES if name != "soft"), *tallying.LABELS], 1)
        drawn.require(self, [f"x {name}" for name in (*FLOATS, *self.types["copied"])], 1)

    def refusals(self, asked):
        """What is said against each of such cases, in one run of the language."""
        nothing = {"options": {}, "x": written("f32", np.zeros((4, 6), "<f4")), "y": None, "steps": [{"step": 0}]}
        outcomes = languages.mixed(self.language, url(), [{**nothing, **told} for told in asked])
        return [outcome.get("error", "") for outcome in outcomes]

    def refused(self, **told):
        """What is said against one."""
        return self.refusals([told])[0]

    def test_what_cannot_be_mixed_is_refused_by_name(self):
        ints, cube = written("i32", np.arange(24).reshape(4, 6).astype("<i4")), np.zeros((4, 2, 6), "<f4")
        numbers = written("i32", np.array([0, 1, 2, 5], "<i4"))
        cases = (
            ("parameter|'colour'", {"options": {"colour": 1}}),
            ("alpha is '0'", {"options": {"alpha": "0"}}),
            ("steps? is", {"options": {"steps": 0}}),
            ("layout is \"rows\"", {"options": {"layout": "rows"}}),
            ("rank is 2", {"options": {"rank": 2, "world": 2}}),
            ("smoothing is 2", {"options": {"smoothing": 2}}),
            ("correct is", {"options": {"correct": "no"}}),
            ("classes is 0", {"options": {"classes": 0}}),
            ("n follows from each batch", {"options": {"n": 3}}),
            ("soft masks", {"options": {"soft": 0.1}}),
            ("pairing=other_class needs the classes", {"options": {"pairing": "other_class"}}),
            ("pairing=neighbour needs the neighbours", {"options": {"pairing": "neighbour"}}),
            ("step is -1", {"steps": [{"step": -1}]}),
            ("step is 16777216", {"steps": [{"step": 2**24, "epoch": 0}]}),
            ("epoch is 65536", {"steps": [{"step": 0, "epoch": 2**16}]}),
            ("mixup interpolates", {"options": {"method": "mixup"}, "x": ints}),
            ("4x2x6.*channels_first.*tell which", {"x": written("f32", cube)}),
            ("looks like channels_last", {"x": written("f32", np.zeros((2, 8, 8, 3), "<f4"))}),
            ("leaves 4 spatial", {"options": {"layout": "none"},
                                  "x": written("f32", np.zeros((2, 2, 2, 2, 2), "<f4"))}),
            ("y holds class numbers", {"y": numbers}),
            ("y holds 5; class numbers go from 0 to 4", {"options": {"classes": 5}, "y": numbers}),
            ("there are 5 classes", {"options": {"classes": 5}, "y": written("f32", np.zeros((4, 3), "<f4"))}),
            ("must have 4 rows", {"options": {"classes": 5}, "y": written("i32", np.zeros(3, "<i4"))}),
            ("3 columns", {"y": written("i32", np.full((4, 3), 7, "<i4"))}),
            ("smoothing is for classes", {"options": {"smoothing": 0.1},
                                          "y": written("f32", np.zeros(4, "<f4"))}),
            ("same names", {"options": {"classes": {"a": 3}}, "y": numbers}))
        for (wanted, _), said in zip(cases, self.refusals([told for _, told in cases])):
            with self.subTest(wanted):
                self.assertRegex(said, wanted)

    def test_a_step_that_goes_back_without_an_epoch_is_warned_of(self):
        x = written("f32", np.zeros((4, 6), "<f4"))
        steps = [{"step": step} for step in (0, 1, 0)]
        told, quiet = languages.mixed(self.language, url(), [
            {"options": {}, "x": x, "y": None, "steps": steps},
            {"options": {}, "x": x, "y": None, "steps": [step | {"epoch": 3} for step in steps]}])
        self.assertRegex("".join(told["warnings"]), "went back from 1 to 0")
        self.assertEqual(quiet["warnings"], [])

    def test_an_address_that_is_none_is_refused(self):
        for address in ("localhost:8080", "ftp://localhost", "http://", "http://localhost/?a=1"):
            outcome, = languages.mixed(self.language, address, [{
                "options": {}, "x": written("f32", np.zeros((4, 6), "<f4")), "y": None, "steps": [{"step": 0}]}])
            self.assertIn("url is", outcome.get("error", ""), address)


class JavaScript(Mixing, unittest.TestCase):
    make = languages.JavaScript
    recipes = 300
    # What is copied keeps its bytes, whatever they are; u8 is rounded as the daemon rounds it.
    types = {"copied": ("u8", "i8", "i32", "i64", "f16", "bf16"), "blended": ("u8",)}

    def read(self, got, dtype):
        return np.frombuffer(bytes.fromhex(got["hex"]), dtype).reshape(got["shape"])

    def test_labels_may_be_plain_arrays(self):
        x = np.random.default_rng(5).random((4, 6), "<f4")
        typed = [np.array([2, 0, 1, 1], "<i4"), np.eye(3, dtype="<f4")[[2, 0, 1, 1]]]
        cases = [{"options": {"classes": 3, "method": "mixup"}, "x": written("f32", x), "y": y, "steps": [{"step": 3}]}
                 for y in ({"plain": typed[0].tolist()}, written("i32", typed[0]), {"plain": typed[1].tolist()})]
        first, *others = (outcome["made"][0]["y"] for outcome in languages.mixed(self.language, url(), cases))
        self.assertEqual(others, [first] * 2)
        self.assertIn("class numbers, or values", self.refused(y={"plain": [0, 1, 2, 0]}))
        strange = {"null": None, '""': "", '"1"': "1"}  # the first two would count as class 0
        cases = [(told, y) for told, one in strange.items() for y in ([0, 1, one, 2], [[0, 1], [1, one]])]
        for (told, _), said in zip(cases, self.refusals([
                {"options": {"classes": 3}, "x": written("f32", x[:len(y)]), "y": {"plain": y}} for _, y in cases])):
            self.assertRegex(said, f"y holds {told} in place [23]; labels are numbers")

    def test_what_is_no_batch_is_refused(self):
        self.assertIn("x must be {data, shape}", self.refused(x={"plain": [[1, 2], [3, 4]]}))
        x = written("f32", np.zeros((4, 6), "<f4")) | {"shape": [4, 7]}
        self.assertIn("x has 24 elements and the shape 4x7", self.refused(x=x))
        self.assertIn("give it as a BigInt", self.refused(options={"seed": 2**60}))
        x = written("u8", np.zeros((4, 6), "u1"))
        self.assertIn("bcplus interpolates", self.refused(options={"method": "bcplus"}, x=x))


class R(Mixing, unittest.TestCase):
    make = languages.R
    recipes = 90
    types = {"copied": ("u8", "i8", "i32", "i64", "f16", "bf16"), "blended": ("f16", "bf16")}

    def read(self, got, dtype):
        """R has doubles for all floats: rounded once, as the daemon rounds."""
        values = np.frombuffer(bytes.fromhex(got["hex"]), "<f8").reshape(got["shape"])
        name = next(name for name, code in ref.TYPES.items() if np.dtype(code) == dtype)
        return ref.round_to(values, name)

    def test_what_is_no_batch_is_refused(self):
        self.assertIn("rows first", self.refused(x=written("f32", np.zeros(4, "<f4"))))
        self.assertIn("give it as a string", self.refused(options={"seed": 2**60}))


if __name__ == "__main__":
    unittest.main()
