"""Batches that the clients in JavaScript and R mix are those of POST /v1/mix and of the reference, bit for bit."""

import dataclasses
import itertools
import json
import random
import tempfile
import threading
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
            ("classes is .*2, ?10.*a number for each head by its name", {"options": {"classes": [2, 10]}}),
            ("patience is -1; it must be a number of seconds from 0 on", {"options": {"patience": -1}}),
            ("tries is 0; it must be a number from 1 on", {"options": {"tries": 0}}),
            ("soft is 'much'", {"options": {"soft": "much"}}),
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

    def test_pairs_are_averaged_as_the_daemon_does_at_the_ends_of_float64(self):
        x = np.array([[5e-324, 1.5e308, -1.5e308, 3.5], [1e-323, 1.7e308, 1e308, 1e-310]] * 2)
        made, = languages.mixed(self.language, url(), [{
            "options": {"method": "samplepairing", "soft": "0", "tries": 3}, "x": written("f64", x), "y": None,
            "steps": [{"step": step} for step in range(3)]}])
        for step, got in enumerate(made["made"]):
            sent = by_daemon(ref.Recipe(method="samplepairing"), "none", x, {}, 0.0, step)["mixed"]
            self.assertEqual(self.read(got["x"], sent.dtype).tobytes(), sent.tobytes())

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

    def test_a_clock_that_is_set_neither_ends_patience_nor_prolongs_it(self):
        for jump, patience, refusals, wanted in (3600, 60, 1, "TRUE"), (-3600, 0.5, 10**6, "too much to do"):
            asked = itertools.count()
            with languages.Proxy(DAEMON, lambda path, asked=asked, most=refusals: (503, {}) if next(asked) < most
                                 else None) as address:
                said = self.script(self.clock.replace("JUMP", str(jump)).replace("PATIENCE", str(patience)), address)
            self.assertIn(wanted.casefold(), said.casefold())


class JavaScript(Mixing, unittest.TestCase):
    make = languages.JavaScript
    # Each look at the clock finds it set again.
    clock = """
        let time = Date.now();
        Date.now = () => time += 1000 * JUMP;
        await new fmixd.Connection(url, { patience: PATIENCE }).get("/version")
          .then((body) => console.log(body.byteLength > 9), (error) => console.log(error.message));"""
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

    def test_a_buffer_is_mixed_as_the_array_of_bytes_that_it_is_and_stays_as_it_is(self):
        x = written("u8", np.random.default_rng(5).integers(0, 256, (8, 6, 5), "u1"))
        steps = [{"step": step} for step in range(3)]
        for method in "fmix", "mixup", "samplepairing", "fmix,mixup,none":
            case = {"options": {"method": method, "switch": "sample", "layout": "none"}, "y": None, "steps": steps}
            plain, given = languages.mixed(self.language, url(), [case | {"x": x}, case | {"x": {**x, "buffer": True}}])
            self.assertEqual(given, plain)
            self.assertTrue(given["kept"])

    def test_calls_may_be_concurrent(self):
        x = written("f32", np.random.default_rng(5).random((4, 6), "<f4"))
        steps = [{"step": step, "epoch": epoch} for step in (0, 1, 7) for epoch in (0, 1, 2)]
        case = {"options": {"classes": 3}, "x": x, "y": written("i32", np.arange(4, dtype="<i4") % 3), "steps": steps}
        apart, together = languages.mixed(self.language, url(), [case, case | {"together": True}])
        self.assertEqual(len(together["made"]), len(steps), together)
        self.assertEqual(together, apart)

    def script(self, text, address=None):
        """What a program of these lines says, to which `url` is a daemon's."""
        done = self.language.script(f"import * as fmixd from './deploy/clients/javascript/fmixd.mjs'; const url = "
                                    f"{json.dumps(address or url())};" + text)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_concurrent_calls_of_many_shapes_leave_no_other_s_plan_out(self):
        self.assertEqual(self.script("""
            const mix = fmixd.mixer(url, { tries: 1 }), x = new Float32Array(720).map(Math.random);
            const batches = [1, 2, 3, 4, 5, 6].map((rows) => ({ data: x, shape: [rows, 720 / rows] }));
            const together = await Promise.all(batches.map((batch) => mix(batch, null, 3, { epoch: 1 })));
            for (const [i, batch] of batches.entries()) {
              const alone = await mix(batch, null, 3, { epoch: 1 });
              console.log(alone.x.data.every((value, k) => value === together[i].x.data[k]));
            }
            mix.close();"""), "true\n" * 6)

    def test_closing_ends_every_call_that_waits(self):
        hung = threading.Event()
        self.addCleanup(hung.set)
        with languages.Proxy(DAEMON, lambda path: hung.wait() and None) as address:
            try:  # a request that went on would keep the program from ending
                self.assertEqual(self.script("""
                    const mix = fmixd.mixer(url, { timeout: 7200, patience: 7200 }), data = new Float32Array(720);
                    const calls = [1, 2, 3, 4, 5].flatMap((rows) => [0, 1].map((epoch) =>
                      mix({ data, shape: [rows, 720 / rows] }, null, 0, { epoch })));
                    await new Promise((resolve) => setTimeout(resolve, 0));
                    mix.close();
                    for (const { reason } of await Promise.allSettled(calls))
                      console.log(reason.message);""", address), "nobody waits for this plan any more\n" * 10)
            finally:
                hung.set()

    def test_arrays_of_another_context_are_mixed_alike(self):
        self.assertEqual(self.script("""
            const { runInNewContext } = await import("node:vm");
            const mix = fmixd.mixer(url, { method: "mixup" }), foreign = runInNewContext("Float32Array");
            const of = (type) => ({ data: type.from({ length: 8 }, (_, i) => i * i / 7), shape: [4, 2] });
            const values = (type) => type.from([0.5, 2, 7, 1]);
            const [here, there] = [await mix(of(Float32Array), values(Float32Array), 1, { epoch: 0 }),
                                   await mix(of(foreign), values(foreign), 1, { epoch: 0 })];
            console.log(JSON.stringify(here) === JSON.stringify(there), there.x.data.constructor === Float32Array);
            mix.close();"""), "true true\n")

    def test_times_longer_than_a_timer_s_and_options_of_null_are_taken(self):
        self.assertEqual(self.script("""
            for (const timeout of [Infinity, 1e10]) {
              const answer = await new fmixd.Connection(url, { timeout, tries: 1 }).get("/version", { a: null });
              console.log(answer.byteLength > 9);
            }
            console.log(JSON.stringify(new fmixd.Connection(url, { token: null }).headers));
            const mix = fmixd.mixer(url, { classes: null, method: null });
            console.log((await mix({ data: new Float32Array(6), shape: [2, 3] }, null, 0)).x.data.length);
            for (const wrong of [{ patience: NaN }, { timeout: NaN }, { timeout: 0 }, { tries: "2" }])
              try { new fmixd.Connection(url, wrong); } catch (error) { console.log(error.message.split(";")[0]); }
            mix.close();"""), "true\ntrue\n{}\n6\npatience is NaN\ntimeout is NaN\ntimeout is 0\ntries is \"2\"\n")

    def test_an_abort_before_a_pause_ends_it(self):
        with languages.Proxy(DAEMON, lambda path: (503, {"Retry-After": "7200"})) as address:
            self.assertEqual(self.script("""
                const stop = new AbortController(), warn = () => stop.abort(new Error("enough"));
                await new fmixd.Connection(url, { warn, patience: Infinity, signal: stop.signal }).get("/version")
                  .catch((error) => console.log(error.message));""", address), "enough\n")

    def test_rows_in_plain_arrays_that_are_no_weights_are_refused_with_both_readings(self):
        x = written("f32", np.random.default_rng(5).random((2, 6), "<f4"))
        for y in [[3, 7], [1, 2]], [[3], [0]], [[-1, 0], [0, 1]]:
            self.assertRegex(self.refused(x=x, y={"plain": y}), "holds integers in . columns that are not all 0 and 1")
        for y in [[3, 7.5], [1, 2]], [[0, 1], [1, 0]], [[True, False], [False, True]], [[1], [0]]:
            self.assertEqual(self.refused(x=x, y={"plain": y}), "")
        self.assertIn("class numbers, or one value a row?", self.refused(x=x, y={"plain": [[2], [0]]},
                                                                         options={"classes": 3}))

    def test_what_is_no_batch_is_refused(self):
        self.assertIn("x must be {data, shape}", self.refused(x={"plain": [[1, 2], [3, 4]]}))
        x = written("f32", np.zeros((4, 6), "<f4")) | {"shape": [4, 7]}
        self.assertIn("x has 24 elements and the shape 4x7", self.refused(x=x))
        self.assertIn("give it as a BigInt", self.refused(options={"seed": 2**60}))
        x = written("u8", np.zeros((4, 6), "u1"))
        self.assertIn("bcplus interpolates", self.refused(options={"method": "bcplus"}, x=x))


class R(Mixing, unittest.TestCase):
    make = languages.R
    clock = """
        time <- 1e9; unlockBinding("Sys.time", baseenv())
        assign("Sys.time", function() .POSIXct(time <<- time + JUMP), baseenv())
        cat(tryCatch(length(fmixd_connection(url, patience = PATIENCE)$get("/version")) > 9,
                     error = conditionMessage))"""
    recipes = 90
    types = {"copied": ("u8", "i8", "i32", "i64", "f16", "bf16"), "blended": ("f16", "bf16")}

    def read(self, got, dtype):
        """R has doubles for all floats: rounded once, as the daemon rounds."""
        values = np.frombuffer(bytes.fromhex(got["hex"]), "<f8").reshape(got["shape"])
        name = next(name for name, code in ref.TYPES.items() if np.dtype(code) == dtype)
        return ref.round_to(values, name)

    def test_an_array_of_one_dimension_is_a_vector_of_values_or_of_class_numbers(self):
        x = written("f32", np.random.default_rng(5).random((4, 6), "<f4"))
        for classes, y in ({}, written("f64", np.array([0.5, 2, 7, 1]))), (
                {"classes": 3}, written("i32", np.array([0, 2, 1, 1], "<i4"))):
            case = {"options": {"method": "mixup", **classes}, "x": x, "steps": [{"step": 1}]}
            vector, array = languages.mixed(self.language, url(), [case | {"y": y}, case | {"y": {**y, "array": True}}])
            self.assertEqual(array, vector)
            self.assertEqual(vector["made"][0]["y"]["shape"], [4, 3] if classes else [4])
        self.assertIn("smoothing is for classes", self.refused(options={"smoothing": 0.1}, x=x, y={
            **written("f64", np.zeros(4)), "array": True}))

    def script(self, text, address=None):
        """What a program of these lines says, to which `url` is a daemon's."""
        done = self.language.script(f"library(fmixd); url <- '{address or url()}'; " + text)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_classes_of_heads_may_be_a_vector_with_names(self):
        self.assertEqual(self.script("""
            x <- matrix(runif(24), 4); y <- list(kind = c(0L, 1L, 1L, 0L), item = c(9L, 0L, 3L, 3L))
            made <- lapply(list(c(kind = 2, item = 10), list(kind = 2, item = 10)), function(classes)
              fmixd_mixer(url, classes = classes)(x, y, 0))
            cat(identical(made[[1]], made[[2]]), dim(made[[1]]$y$kind), dim(made[[1]]$y$item))"""), "TRUE 4 2 4 10")

    def test_fractions_are_sent_with_points_whatever_outdec_says(self):
        self.assertEqual(self.script("""
            options(OutDec = ","); x <- matrix(seq_len(24) / 8, 4)
            cat(dim(fmixd_mixer(url, method = "mixup", alpha = c(0.1), lambda = NULL, prob = 1/3)(x, NULL, 0)$x))"""),
                         "4 6")

    def test_what_is_no_batch_is_refused(self):
        self.assertIn("rows first", self.refused(x=written("f32", np.zeros(4, "<f4"))))
        self.assertIn("give it as a string", self.refused(options={"seed": 2**60}))


if __name__ == "__main__":
    unittest.main()
