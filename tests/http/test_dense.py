"""Dense targets in uploads: they go the way of their rows, as the reference has it, bit for bit."""

import itertools
import unittest

import numpy as np

import tensors
from batches import TensorsTest, query_of
from hosting import ref

ROWS = 4
SIDES = (5, 3)
SAFETENSORS = "application/x-safetensors"
WHOLE = ("u8", "i8", "i16", "i32", "i64", "bool")


def some(dtype, *sides, rows=ROWS, seed=1):
    """Noise of a type."""
    source = np.random.default_rng(seed)
    if dtype == "bool":
        return source.random((rows, *sides)) < 0.5
    if dtype in ref.FLOATING:
        return ref.round_to(source.random((rows, *sides)) * 3 - 1, dtype)
    limits = np.iinfo(ref.TYPES[dtype])
    return source.integers(limits.min, limits.max, (rows, *sides), ref.TYPES[dtype], endpoint=True)


class Dense(TensorsTest):
    """Uploads with targets beside x."""

    def mix(self, arrays, status=200, form="safetensors", **options):
        """The tensors of the answer, or its refusal."""
        answer = self.post(f"/v1/mix.{form}?{query_of(**options)}",
                           tensors.write_safetensors(arrays), status, content_type=SAFETENSORS)
        return tensors.read_safetensors(answer.body) if status == 200 else answer.json()["errors"][0]

    def refused(self, parameter, words, arrays, **options):
        """By this name, with these words."""
        error = self.mix(arrays, 400, **options)
        self.assertEqual(error.get("parameter"), parameter, error)
        for word in words:
            self.assertIn(word, error["detail"])

    def test_every_type_and_method_is_as_the_reference_has_it_or_refused_by_both(self):
        x = some("f32", *SIDES)
        for dtype, method, lam, soft in itertools.product(
                ref.TYPES, ref.METHODS, (None, 0, 1, 0.25), (0, 0.3)):
            target = some(dtype, *SIDES, seed=2)
            recipe = ref.Recipe(seed=3, method=method, lam=lam, soft=soft)
            with self.subTest(dtype=dtype, method=method, lam=lam, soft=soft):
                options = {"seed": 3, "method": method, "lambda": lam, "soft": soft,
                           "layout": "none"}
                try:
                    made = ref.mix(recipe, x, 0, dense={"dense": target})
                except ValueError:
                    self.refused("method", ("dense", dtype), {"x": x, "dense": target}, **options)
                else:
                    got = self.mix({"x": x, "dense": target}, **options)
                    self.same(got["dense"], made.dense["dense"])
                    self.same(got["mixed"], made.mixed)

    def test_label_maps_follow_their_images_pixel_by_pixel(self):
        """In plain NumPy, without the reference: what the mask keeps of x it keeps of the target."""
        x = some("u8", 3, *SIDES)
        maps = some("i64", *SIDES, seed=5)
        got = self.mix({"x": x, "dense": maps}, layout="channels_first", method="fmix,cutmix",
                       switch="sample", seed=9)
        keeps, partner = got["masks"] == 1, got["pairing"]
        self.same(got["dense"], np.where(keeps, maps, maps[partner]))
        self.same(got["mixed"], np.where(keeps[:, None], x, x[partner]))

    def test_a_target_may_have_channels_where_x_has_them(self):
        for layout in "channels_first", "channels_last":
            shape = (3, *SIDES) if layout == "channels_first" else (*SIDES, 3)
            deep = (2, *SIDES) if layout == "channels_first" else (*SIDES, 2)
            x, flow, depth = some("u8", *shape), some("f16", *deep), some("f64", *SIDES)
            dense = {"dense.flow": flow, "dense.depth": depth}
            for method in "fmix", "mixup", "bcplus", "cutmix":
                x_now = x if method != "bcplus" else x.astype("f4")
                made = ref.mix(ref.Recipe(method=method), x_now, 7, layout, dense=dense)
                got = self.mix({"x": x_now, **dense}, layout=layout, method=method, step=7)
                for name in dense:
                    self.same(got[name], made.dense[name], (layout, method, name))

    def test_types_of_the_answer_are_those_of_the_targets_whatever_x_becomes(self):
        got = self.mix({"x": some("u8", *SIDES), "dense": some("u8", *SIDES)}, layout="none",
                       out_dtype="f32")
        self.assertEqual(got["mixed"].dtype, np.float32)
        self.assertEqual(got["dense"].dtype, np.uint8)

    def names(self, arrays, **options):
        """Of the tensors of an npz answer, in order."""
        answer = self.post(f"/v1/mix.npz?{query_of(**options)}", tensors.write_safetensors(arrays),
                           content_type=SAFETENSORS)
        return list(tensors.read_npz(answer.body))

    def test_tensors_stand_in_their_order_and_only_where_they_are_wanted(self):
        x, y = some("u8", *SIDES), np.arange(ROWS)
        arrays = {"x": x, "dense.b": x, "y": y, "dense.a": x}
        base = {"layout": "none", "classes": ROWS}
        first = next(name for name in tensors.read_safetensors(tensors.write_safetensors(arrays))
                     if name.startswith("dense"))
        targets = [first, *{"dense.a", "dense.b"} - {first}]
        self.assertEqual(self.names(arrays, **base),
                         ["mixed", "labels", *targets, "pairing", "lambda", "lambda_eff", "masks"])
        self.assertEqual(self.names(arrays, parts="dense", **base), targets)
        self.assertEqual(self.names(arrays, parts="lambda,mixed", **base), ["mixed", "lambda"])
        self.refused("parts", ("holds no dense",), {"x": x}, parts="dense", layout="none")
        self.refused("parts", ("dense.", "safetensors"), arrays, form="npy", parts="dense", **base)

    def test_one_target_can_be_an_npy_answer(self):
        x = some("u8", *SIDES)
        answer = self.post("/v1/mix.npy?layout=none&parts=dense",
                           tensors.write_safetensors({"x": x, "dense": x}),
                           content_type=SAFETENSORS)
        mixed = self.post("/v1/mix.npy?layout=none",
                          tensors.write_safetensors({"x": x}), content_type=SAFETENSORS)
        self.same(answer.npy(), mixed.npy())

    def test_a_png_shows_mixed_and_not_the_targets(self):
        x = some("u8", *SIDES)
        arrays = {"x": x, "dense": x}
        body = tensors.write_safetensors(arrays)
        with_it, without = (
            self.post("/v1/mix.png?layout=none", sent, content_type=SAFETENSORS).body
            for sent in (body, tensors.write_safetensors({"x": x})))
        self.assertEqual(with_it, without)
        self.refused("parts", ("mixed", "masks"), arrays, form="png", layout="none", parts="dense")

    def test_with_x2_the_partners_have_targets_of_their_own(self):
        x, x2 = some("f32", *SIDES), some("f32", *SIDES, seed=2)
        own, other = some("i16", *SIDES, seed=3), some("i16", *SIDES, seed=4)
        arrays = {"x": x, "x2": x2, "dense.a": own, "dense2.a": other}
        made = ref.mix(ref.Recipe(), x, 0, x2=x2, dense={"dense.a": own}, dense2={"dense.a": other})
        self.same(self.mix(arrays, layout="none")["dense.a"], made.dense["dense.a"])
        for missing, blamed in (("x2", "dense2.a"), ("dense2.a", "dense2.a"), ("dense.a", "dense.a")):
            rest = {name: array for name, array in arrays.items() if name != missing}
            self.refused(blamed, ("dense",), rest, layout="none")
        self.refused("dense2.a", ("shape and dtype",), {**arrays, "dense2.a": other.astype("i4")},
                     layout="none")

    def test_a_target_of_another_shape_is_refused_with_both_shapes(self):
        x = some("u8", 3, *SIDES)
        for shape, words in (((3, 5), ("3x5", "5x3 or Cx5x3")), ((5,), ("shape 5,", "5x3")),
                             ((5, 3, 3), ("5x3x3", "5x3")), ((1, 5, 3, 1), ("1x5x3x1", "5x3"))):
            self.refused("dense", words, {"x": x, "dense": some("u8", *shape)},
                         layout="channels_first")
        self.refused("dense", ("3 rows", "x has 4"),
                     {"x": x, "dense": some("u8", *SIDES, rows=3)}, layout="channels_first")
        self.refused("dense", ("3x5x3", "must have shape 5x3;", "give x a dimension for channels"),
                     {"x": some("u8", *SIDES), "dense": x}, layout="none")

    def test_eight_targets_and_eight_heads_with_partners_fit_one_body(self):
        x = some("u8", *SIDES)
        letters = "abcdefgh"
        arrays = {"x": x, "x2": x}
        for stem, array in ("y", np.arange(ROWS)), ("dense", x):
            for partner in "", "2":
                arrays.update({f"{stem}{partner}.{letter}": array for letter in letters})
        got = self.mix(arrays, layout="none", classes=ROWS, prob=0.5)
        self.assertEqual(len(got), 1 + 8 + 8 + 5)
        self.refused("body", ("more than 34 arrays",), {**arrays, "dense.i": x}, layout="none")

    def test_one_method_of_a_list_that_would_blend_labels_refuses_all_batches(self):
        arrays = {"x": some("f32", *SIDES), "dense": some("u8", *SIDES)}
        for step in 0, 1:
            self.refused("method", ("mixup", "dense", "u8", "lambda=0"), arrays, layout="none",
                         method="fmix,mixup", step=step)
        self.mix(arrays, layout="none", method="fmix,mixup", **{"lambda": 0})

    def test_unmixed_rows_keep_their_targets(self):
        x, target = some("f32", *SIDES, rows=64), some("f32", *SIDES, rows=64, seed=2)
        got = self.mix({"x": x, "dense": target}, layout="none", method="mixup", prob=0.5,
                       pairing="roll")
        kept = got["method"] == ref.METHODS.index("none")
        self.assertTrue(0 < kept.sum() < 64)
        self.same(got["dense"][kept], target[kept])
        self.assertFalse((got["dense"][~kept] == target[~kept]).all((1, 2)).any())


if __name__ == "__main__":
    unittest.main()
