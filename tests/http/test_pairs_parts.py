"""Every pair of tables for the parts that came with dense targets, values, sequences and rows that differ
in their method: formats, parts, layouts, spatial sides and types, each with each, uploaded and hosted."""

import itertools
import tempfile
import unittest

import numpy as np

import hosting
import tensors
from hosting import Hosted, ref
from batches import query_of
from test_pairs import ALL, COUNT, FORMATS, LAYOUTS, ROWS, SAFETENSORS, SIDES, Kind, PairsTest, labels, some

RECIPE = ref.Recipe(seed=3, method="cutmix,fmix", switch="sample", prob=0.5)
QUERY = ref.query_of(RECIPE)
PARTS = (None, "dense", "labels", "method", "lengths", "mixed,dense", "dense.map", "masks,method,labels")


def targets(kind, rows):
    """Of a kind: bare, with channels of its own where there are any, or both by name."""
    bare = some(kind._replace(layout="none"), rows)
    yield {"dense": bare}
    if kind.layout != "none":
        yield {"dense.map": some(kind._replace(channels=2), rows)}
        yield {"dense": bare, "dense.map": some(kind, rows)}


def heads(rows):
    """Class numbers, and values to predict."""
    return {"y.a": labels(rows), "y.b": np.linspace(-3, 40, rows).astype("<f4")}


class PartsTest(PairsTest):
    """Answers by parts, one or several of them."""

    def check_parts(self, form, parts, target, answer, whole):
        """The tensors of these parts in order, or why there are none."""
        asked = parts.split(",") if parts else None
        families = {name.partition(".")[0] for name in whole}
        wanted = {name: t for name, t in whole.items() if not asked or name.partition(".")[0] in asked}
        if asked and not families.issuperset(asked):
            self.refused(target, answer, 400, "parts")
        elif form not in ALL and asked and len(wanted) > 1:
            self.assertIn("one tensor" if form != "png" or len(asked) > 1 else "png",
                          self.refused(target, answer, 400, "parts"), target)
        elif form == "png" and asked:
            self.undrawable(target, answer)
        elif form == "png":
            self.assertEqual(answer.headers["Content-Type"], "image/png", target)
        elif form in ("npy", "npz") and (bf16 := self.unknown(form, wanted)):
            self.refused(target, answer, 400, bf16, "out_dtype")
        else:
            self.check(target, form, answer, wanted)

    def unknown(self, form, wanted):
        """A tensor of a type that NumPy has not."""
        held = list(wanted) if form in ALL else [next(iter(wanted))]
        return next((name for name in held if wanted[name].dtype == np.uint16), None)


def kinds():
    """Of targets."""
    for layout, sides, dtype in itertools.product(LAYOUTS, SIDES, ref.TYPES):
        yield Kind(layout, sides, dtype)


class Uploads(PartsTest):
    """Targets and values that are sent."""

    def test_every_kind_of_target_in_every_format_and_part(self):
        for kind in kinds():
            x = some(kind._replace(dtype="u8"), ROWS)
            for dense in targets(kind, ROWS):
                made = ref.mix(RECIPE, x, 0, kind.layout, dense=dense, y=heads(ROWS), classes={"y.a": 4})
                whole = {"mixed": made.mixed, "labels.a": made.labels["y.a"], "labels.b": made.labels["y.b"],
                         **made.dense, "pairing": np.array(made.pairing, "<i8"), "lambda": np.array(made.lam),
                         "lambda_eff": np.array(made.lam_eff), "masks": made.masks,
                         "method": np.array(made.method, "u1")}
                body = tensors.write_safetensors({"x": x, **dense, "y.a": labels(ROWS).astype("<i8"),
                                                  "y.b": heads(ROWS)["y.b"]})
                for form, parts in itertools.product(FORMATS, PARTS):
                    target = f"/v1/mix.{form}?" + query_of(layout=kind.layout, classes="4,0", parts=parts, **QUERY)
                    with self.pair(f"{kind} {list(dense)} {target}"):
                        answer = self.server.post(target, body, SAFETENSORS)
                        self.check_parts(form, parts, f"{kind} {list(dense)} {target}", answer, whole)
        self.assertGreater(self.answers, 1500)


class Batches(PartsTest):
    """Sets that hold them, and sequences."""

    @classmethod
    def setUpClass(cls):
        folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.sets = {}
        for kind in kinds():
            *_, dense = targets(kind, COUNT)
            cls.write(folder, Hosted(f"dense-{kind.name}", some(kind._replace(dtype="u8"), COUNT), heads(COUNT),
                                     {"y.a": 4}, kind.layout, dense))
        for dtype, sides in itertools.product(set(ref.TYPES) - {"bf16"}, (0, 1, 2)):  # which npy files have
            kind = Kind("channels_last" if sides else "none", 1, dtype)
            noise = some(kind._replace(layout="none"), 4**sides).reshape(-1, *(4,) * sides)
            y = heads(COUNT)["y.b" if sides == 1 else "y.a"]
            cls.write(folder, Hosted(f"rows-{sides}-{dtype}", [noise[:n] for n in (3, 1, 6, 4, 6, 2, 5)], {"y": y},
                                     {} if sides == 1 else {"y": 4}, kind.layout))
        cls.arguments = "--drain", "0", "--data", folder
        super().setUpClass()

    @classmethod
    def write(cls, folder, data):
        hosting.write(folder, data)
        cls.sets[data.name] = data

    def test_every_kind_in_every_format_and_part(self):
        for name, data in self.sets.items():
            whole = hosting.batch(data, RECIPE, ROWS, 1)
            for form, parts in itertools.product(FORMATS, (*PARTS, "mixed,lengths", "rows,masks")):
                target = f"/v1/datasets/{name}/batches/1.{form}?" + query_of(n=ROWS, parts=parts, **QUERY)
                with self.pair(target):
                    answer = self.server.get(target)
                    if form == "png" and not parts and not self.pictured(data):
                        self.refused(target, answer, 400, "out_dtype", "layout")
                    else:
                        self.check_parts(form, parts, target, answer, whole)
        self.assertGreater(self.answers, 2000)

    def pictured(self, data):
        """Whether mixed is drawn as it is."""
        row = data.x[0]
        depth = {"none": 1, "channels_first": row.shape[0], "channels_last": row.shape[-1]}[data.layout]
        return depth in (1, 3, 4) and (row.dtype.kind not in "i")


if __name__ == "__main__":
    unittest.main()
