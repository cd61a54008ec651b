"""Every pair of tables: formats, parts, layouts, spatial sides and types, each with each, on every
resource. An answer is what the reference makes of the request, or a refusal that names a parameter."""

import contextlib
import http.client
import itertools
import re
import tempfile
import unittest
from typing import NamedTuple

import numpy as np

import harness
import hosting
import tensors
from batches import TensorsTest, query_of
from drawing import drawn
from hosting import Hosted, ref
from picture import read_png
from shard_files import expanded, members

FORMATS = ("npy", "raw", "json", "png", "npz", "safetensors")
ALL = ("json", "npz", "safetensors")  # hold every tensor of an answer
PARTS = (None, "mixed", "masks", "pairing", "lambda", "lambda_eff", "labels", "rows", "method",
         "lengths", "dense")
LAYOUTS = ("channels_first", "channels_last", "none")
SIDES = {1: (6,), 2: (4, 6), 3: (5, 2, 3)}
MASK_TYPES = ("f32", "u8", "bits", "f16", "f64")
WHOLE = ("i8", "i16", "i32", "i64")  # have no picture
NAMED = (*PARTS[1:], "ones")
CLASSES = 4
ROWS, COUNT = 3, 7  # of a batch, of a set
SAFETENSORS = "application/x-safetensors"


class Kind(NamedTuple):
    """Of samples."""

    layout: str
    sides: int
    dtype: str
    channels: int = 3

    @property
    def shape(self):
        """Of one."""
        spatial = SIDES[self.sides]
        return {"channels_first": (self.channels, *spatial),
                "channels_last": (*spatial, self.channels), "none": spatial}[self.layout]

    @property
    def name(self):
        """Of a set of such."""
        return "-".join(map(str, self))


def kinds():
    """Each layout with each number of sides and each type; then those of other channels."""
    for layout, sides, dtype in itertools.product(LAYOUTS, SIDES, ref.TYPES):
        yield Kind(layout, sides, dtype)
    for layout, sides, channels in itertools.product(LAYOUTS[:2], SIDES, (1, 2, 4, 5)):
        yield Kind(layout, sides, "u8", channels)


def some(kind, rows):
    """Noise of a kind: floats somewhat past 0 and 1, a NaN among them."""
    source = np.random.default_rng(sum(map(ord, kind.name)))
    shape = rows, *kind.shape
    if kind.dtype == "bool":
        return source.random(shape) < 0.5
    if kind.dtype in ref.FLOATING:
        noise = source.random(shape) * 1.5 - 0.2
        noise.flat[1] = np.nan
        return ref.round_to(noise, kind.dtype)
    limits = np.iinfo(ref.TYPES[kind.dtype])
    return source.integers(limits.min, limits.max, shape, ref.TYPES[kind.dtype], endpoint=True)


def labels(rows):
    """Class numbers."""
    return np.arange(rows) * 3 % CLASSES


class PairsTest(TensorsTest):
    """What every answer must be."""

    arguments = "--drain", "0"

    def setUp(self):
        self.answers = 0

    @contextlib.contextmanager
    def pair(self, target):
        """One that ends the daemon fails its own test, and the next tests have a daemon again."""
        with self.subTest(target):
            try:
                yield
            except (OSError, http.client.HTTPException) as lost:
                try:
                    self.server.stop()
                finally:
                    self.server.start()
                raise AssertionError(f"no answer to {target}") from lost

    def refused(self, target, answer, status, *parameters):
        """By a problem that names one of these."""
        self.assertEqual(answer.status, status, f"{target}\n{answer.body[:500]!r}")
        self.assertEqual(answer.headers["Content-Type"], "application/problem+json", target)
        errors = answer.json()["errors"]
        self.assertIn(errors[0].get("parameter"), parameters, f"{target}\n{errors}")
        return errors[0]["detail"]

    def undrawable(self, target, answer):
        """A part without pixels, and which parts have them is said."""
        detail = self.refused(target, answer, 400, "parts")
        for word in "mixed", "masks":
            self.assertRegex(detail, rf"\b{word}\b", target)

    def read(self, form, answer):
        """The tensors by name; of a format of one it is None."""
        if form == "npy":
            return {None: answer.npy()}
        if form == "raw":
            return {None: tensors.read_raw(answer.headers, answer.body)}
        return getattr(tensors, f"read_{form}")(answer.body)

    def check(self, target, form, answer, wanted, layout="none"):
        """An answer of the tensors wanted, by name in order, or a refusal of what this cannot hold."""
        self.answers += 1
        first = next(iter(wanted))
        held = wanted if form in ALL else {first: wanted[first]}
        if form in ("npy", "npz") and any(t.dtype == np.uint16 for t in held.values()):
            self.refused(target, answer, 400, "parts", "out_dtype")
            return
        self.assertEqual(answer.status, 200, f"{target}\n{answer.body[:500]!r}")
        self.assertEqual(answer.headers["Content-Length"], str(len(answer.body)), target)
        if form == "png":
            pixels = read_png(answer.body).pixels
            np.testing.assert_array_equal(pixels, drawn(wanted[first], layout), target)
            return
        found = self.read(form, answer)
        if form == "json":
            found = {name: value for name, value in found.items() if name.partition(".")[0] in NAMED}
            self.assertEqual(found, {n: tensors.listed(t) for n, t in wanted.items()}, target)
        elif form in ALL:
            self.assertEqual(found.keys(), wanted.keys(), target)
            for name, tensor in wanted.items():
                self.same(found[name], tensor, f"{name} of {target}")
        else:
            self.same(found[None], wanted[first], target)

    def check_batch(self, kind, form, part, target, answer, whole):
        """A mixed batch, uploaded or hosted, of which this part is wanted; whole: of every part."""
        if part == "method":  # a default part only where rows can differ in it
            whole = {**whole, "method": np.zeros(ROWS, "u1")}
        if part not in (None, *whole):
            self.refused(target, answer, 400, "parts")
            return
        if form == "png" and part not in (None, "mixed", "masks"):
            self.undrawable(target, answer)
            return
        drawn_mixed = form == "png" and part != "masks"
        if drawn_mixed and kind.dtype in WHOLE:
            self.refused(target, answer, 400, "out_dtype")
        elif drawn_mixed and kind.layout != "none" and kind.channels not in (1, 3, 4):
            self.refused(target, answer, 400, "layout")
        else:
            self.check(target, form, answer, {part: whole[part]} if part else whole,
                       "none" if part == "masks" else kind.layout)


class Uploads(PairsTest):
    """Mixed batches of every kind."""

    def whole(self, kind, x):
        """Every part by the reference."""
        made = ref.mix(ref.Recipe(), x, 0, kind.layout, y=labels(ROWS), classes=CLASSES)
        return {"mixed": made.mixed, "labels": made.labels, "masks": made.masks,
                "pairing": np.array(made.pairing, "<i8"), "lambda": np.array(made.lam),
                "lambda_eff": np.array(made.lam_eff)}

    def test_every_kind_in_every_format_and_part(self):
        for kind in kinds():
            x = some(kind, ROWS)
            body = tensors.write_safetensors({"x": x, "y": labels(ROWS).astype("<i8")})
            whole = self.whole(kind, x)
            for form, part in itertools.product(FORMATS, PARTS):
                target = f"/v1/mix.{form}?" + query_of(layout=kind.layout, classes=CLASSES,
                                                       parts=part)
                with self.pair(f"{kind} {target}"):
                    answer = self.server.post(target, body, SAFETENSORS)
                    self.check_batch(kind, form, part, f"{kind} {target}", answer, whole)
        self.assertGreater(self.answers, 3000)

    def test_soft_masks_of_every_kind_are_drawn_as_they_are(self):
        for layout, sides, dtype in itertools.product(LAYOUTS, SIDES, ("u8", "f32", "bool")):
            kind = Kind(layout, sides, dtype)
            body = tensors.write_safetensors({"x": some(kind, ROWS)})
            query = query_of(layout=layout, soft=0.3, out_dtype="f32", parts="masks")
            with self.pair(f"{kind} {query}"):
                masks = self.post(f"/v1/mix.npy?{query}", body, content_type=SAFETENSORS).npy()
                png = self.post(f"/v1/mix.png?{query}", body, content_type=SAFETENSORS).body
                np.testing.assert_array_equal(read_png(png).pixels, drawn(masks), f"{kind}")

    def test_every_method_takes_the_types_that_the_reference_takes(self):
        for method, dtype, out in itertools.product(ref.METHODS, ref.TYPES, (None, *ref.TYPES)):
            x = some(Kind("none", 1, dtype), ROWS)
            target = "/v1/mix.raw?" + query_of(method=method, out_dtype=out)
            with self.pair(f"{dtype} {target}"):
                answer = self.server.post(target, tensors.write_safetensors({"x": x}), SAFETENSORS)
                try:
                    wanted = ref.mix(ref.Recipe(method=method), x, 0, out_dtype=out).mixed
                except ValueError:
                    self.refused(target, answer, 400, "method")
                else:
                    self.check(target, "raw", answer, {"mixed": wanted})
        self.assertGreater(self.answers, 300)


class Batches(PairsTest):
    """Batches of a set of every kind."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.sets = {}
        for kind in kinds():
            data = Hosted(kind.name, some(kind, COUNT), {"y": labels(COUNT)}, {"y": CLASSES},
                          kind.layout)
            hosting.write(folder.name, data)
            cls.sets[kind] = data
        cls.arguments = "--drain", "0", "--data", folder.name
        super().setUpClass()

    def test_every_kind_in_every_format_and_part(self):
        for kind, data in self.sets.items():
            whole = hosting.batch(data, ref.Recipe(), ROWS, 1)
            for form, part in itertools.product(FORMATS, PARTS):
                target = f"/v1/datasets/{data.name}/batches/1.{form}?" + query_of(n=ROWS, parts=part)
                with self.pair(target):
                    self.check_batch(kind, form, part, target, self.server.get(target), whole)
        self.assertGreater(self.answers, 3000)

    def test_augmented_and_normalised_ones_too(self):
        more = {"n": ROWS, "crop": 1, "flip": 1, "mean": 0.25, "out_dtype": "f32"}
        for kind, data in self.sets.items():
            if kind.dtype not in (*ref.FLOATING, "u8"):
                continue
            whole = hosting.batch(data, ref.Recipe(), ROWS, 1, crop=1, flip=True, mean=0.25,
                                  out_dtype="f32")
            for form, part in itertools.product(FORMATS, ("mixed", "masks")):
                target = f"/v1/datasets/{data.name}/batches/1.{form}?" + query_of(parts=part, **more)
                with self.pair(target):
                    self.check_batch(kind._replace(dtype="f32"), form, part, target,
                                     self.server.get(target), whole)

    def test_shards_of_every_kind_and_member(self):
        for (kind, data), member in itertools.product(self.sets.items(), ("npy", "png")):
            target = f"/v1/datasets/{data.name}/shards?" + query_of(n=ROWS, member=member)
            with self.pair(target):
                answer = self.server.get(target)
                if answer.status == 200:
                    target = expanded(answer.json()["urls"])[1]
                    answer = self.server.get(target)
                self.check_member(target, answer, kind, member, data)

    def check_member(self, target, answer, kind, member, data):
        """A shard, or why there is none."""
        pictured = (kind.dtype == "u8" and kind.sides < 3 and
                    (kind.layout == "none" or kind.channels in (1, 3, 4)))
        if member == "png" and not pictured:
            self.refused(target, answer, 400, "member")
        elif member == "npy" and kind.dtype == "bf16":
            self.refused(target, answer, 400, "member", "out_dtype")
        else:
            self.check_shard(target, answer, kind, member,
                             hosting.batch(data, ref.Recipe(), ROWS, 1)["mixed"])

    def check_shard(self, target, answer, kind, member, mixed):
        """Its samples are the rows of the batch."""
        self.assertEqual(answer.status, 200, f"{target}\n{answer.body[:500]!r}")
        samples = [data for name, data in members(answer.body) if not name.name.endswith("json")]
        self.assertEqual(len(samples), ROWS, target)
        for row, data in zip(mixed, samples):
            if member == "npy":
                self.same(harness.read_npy(data), row, target)
            else:
                np.testing.assert_array_equal(read_png(data).pixels,
                                              drawn(row[np.newaxis], kind.layout), target)


class Masks(PairsTest):
    """Masks and greys, hard and soft, of every type and number of sides."""

    def test_every_type_in_every_format(self):
        kinds_of = ({}, {"output": "grey"}, {"soft": 0.3}, {"method": "cutmix"})
        for sides, dtype, form, options in itertools.product(SIDES, MASK_TYPES, FORMATS, kinds_of):
            shape = "x".join(map(str, SIDES[sides]))
            query = query_of(shape=shape, n=ROWS, dtype=dtype, **options)
            target = f"/v1/masks.{form}?{query}"
            unfit = form != "png" and ((dtype == "bits" and "output" in options) or
                                       (dtype in ("bits", "u8") and "soft" in options))
            with self.pair(target):
                answer = self.server.get(target)
                if unfit:
                    self.refused(target, answer, 400, "dtype")
                else:
                    self.check(target, form, answer, self.whole(sides, dtype, form, options))

    def whole(self, sides, dtype, form, options):
        """Every tensor by the reference; a picture is of masks of any type."""
        recipe = ref.Recipe(method=options.get("method", "fmix"), soft=options.get("soft", 0.0))
        if form == "png":
            dtype = "u8" if "output" in options else "f64"
        if "output" in options:
            made = ref.make_greys(recipe, SIDES[sides], 0, ROWS, dtype)
        else:
            made = ref.make_masks(recipe, SIDES[sides], 0, ROWS, dtype)
        return {"masks": made.masks, "lambda": np.array(made.lam),
                "lambda_eff": np.array(made.lam_eff), "ones": np.array(made.ones, "<i8")}

    def test_every_part_of_plans_in_every_format_and_type(self):
        for sides, dtype, form, part in itertools.product(SIDES, MASK_TYPES, FORMATS, PARTS):
            shape = "x".join(map(str, SIDES[sides]))
            target = f"/v1/plans.{form}?" + query_of(
                shape=shape, n=ROWS, dtype=dtype, parts=part, step=1, method="fmix,mixup",
                seed=4, steps=None)
            answer = self.server.get(target)
            if form == "png":
                self.assertEqual(answer.status, 404, target)
            elif part in ("mixed", "labels", "rows", "lengths", "dense"):
                self.refused(target, answer, 400, "parts")
            else:
                self.check(target, form, answer, self.plan(sides, dtype, part))

    def plan(self, sides, dtype, part):
        """Its tensors by the reference, or one of them."""
        made = ref.make_plan(ref.Recipe(seed=4, method="fmix,mixup"), SIDES[sides], 1, ROWS,
                             dtype=dtype)
        whole = {"masks": made.masks, "pairing": np.array(made.pairing, "<i8"),
                 "lambda": np.array(made.lam), "lambda_eff": np.array(made.lam_eff),
                 "method": np.array(made.method, "u1")}
        return {part: whole[part]} if part else whole


class Ranges(PairsTest):
    """Of every format of every resource: the slice of the whole, or the whole."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        kind = Kind("channels_last", 2, "u8")
        hosting.write(folder.name, Hosted("set", some(kind, COUNT), {"y": labels(COUNT)},
                                          {"y": CLASSES}, kind.layout))
        cls.arguments = "--drain", "0", "--data", folder.name
        super().setUpClass()

    def targets(self):
        """One of each resource and format, and whether parts of it are sent."""
        for form in FORMATS:
            parted = form in ("npy", "raw", "safetensors")
            yield f"/v1/masks.{form}?shape=4x6&n=3", parted
            yield f"/v1/datasets/set/batches/1.{form}?n=3", parted
            if form != "png":
                yield f"/v1/plans.{form}?shape=4x6&n=3", parted
        listed = self.get("/v1/datasets/set/shards?n=3").json()["urls"]
        yield expanded(listed)[1], True

    def test_every_range_is_the_slice_of_the_whole(self):
        for target, parted in self.targets():
            whole = self.get(target)
            size, tag = len(whole.body), whole.headers["ETag"]
            for first, last in ((0, 0), (0, size - 1), (3, 17), (size - 1, size + 9), (0, 2**64),
                                (None, 5), (None, 2**70), (7, None)):
                part = slice(size - min(last, size), size) if first is None else slice(
                    first, size if last is None else last + 1)
                sent = f"bytes={'' if first is None else first}-{'' if last is None else last}"
                for condition, holds in (({}, True), ({"If-Range": tag}, True), ({"If-Range": '"x"'}, False)):
                    answer = self.server.get(target, headers={"Range": sent, **condition})
                    wanted = whole.body[part] if parted and holds else whole.body
                    self.assertEqual((answer.status, answer.body),
                                     (206 if parted and holds else 200, wanted), (target, sent, condition))
                    if answer.status == 206:
                        start = part.start
                        self.assertEqual(answer.headers["Content-Range"],
                                         f"bytes {start}-{start + len(wanted) - 1}/{size}", target)

    def test_a_range_past_the_end_is_416_with_the_length(self):
        for target, parted in self.targets():
            whole = self.get(target)
            for sent in (f"bytes={len(whole.body)}-", "bytes=-0", f"bytes={2**64}-"):
                answer = self.server.get(target, headers={"Range": sent})
                if not parted:
                    self.assertEqual(answer.body, whole.body)
                    continue
                self.assertEqual(answer.status, 416, (target, sent))
                self.assertEqual(answer.headers["Content-Range"], f"bytes */{len(whole.body)}")

    def test_a_range_of_no_bytes_is_416_with_the_length(self):
        answer = self.server.get("/v1/datasets/set/batches/0.raw?n=3&world=8&rank=0",
                                 headers={"Range": "bytes=0-9"})
        self.assertEqual((answer.status, answer.headers["Content-Range"]), (416, "bytes */0"))

    def test_conditions_come_before_ranges(self):
        for target, _ in self.targets():
            whole = self.get(target)
            tag = whole.headers["ETag"]
            for headers in ({"If-None-Match": tag}, {"If-None-Match": f'"x", W/{tag}'},
                            {"If-None-Match": tag, "Range": "bytes=0-3"}, {"If-None-Match": "*"}):
                for method in "GET", "HEAD":
                    answer = self.server.request(method, target, None, headers)
                    self.assertEqual((answer.status, answer.body), (304, b""), (target, headers))
                    self.assertEqual(answer.headers["ETag"], tag)
                    self.assertIn(answer.headers["Content-Length"], (None, str(len(whole.body))),
                                  f"{target}: RFC 9110 8.6")
            answer = self.server.get(target, headers={"If-Match": '"x"'})
            self.assertEqual(answer.status, 412, target)
            answer = self.server.get(target, headers={"If-Match": tag})
            self.assertEqual((answer.status, answer.body), (200, whole.body), target)

    def test_heads_are_those_of_the_answers(self):
        for target, _ in self.targets():
            whole, head = self.get(target), self.server.request("HEAD", target)
            self.assertEqual((head.status, head.body), (200, b""), target)
            for name in ("ETag", "Content-Type", "Cache-Control", "Accept-Ranges", "Vary"):
                self.assertEqual(head.headers[name], whole.headers[name], (target, name))
            length = head.headers["Content-Length"]
            known = not re.search(r"\.(png|json|npz)", target)
            self.assertIn(length, ((str(len(whole.body)),) if known else (None, str(len(whole.body)))),
                          target)


if __name__ == "__main__":
    unittest.main()
