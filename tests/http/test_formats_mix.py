"""Mixed batches in every format."""

import itertools
import struct
import unittest

import numpy as np

from formats import FormatsTest, LAST, mix_target, RAW, SHAPES, sides
from harness import NPY, write_npy


def numbers(shape, dtype=np.float32):
    """Values that are all different, as far as the type goes."""
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


def any_floats(shape):
    """Every kind of float32: NaN with payloads, infinities, -0."""
    notable = np.array([0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001,
                        0xffc12345, 0xffffffff, 0x80000000, 1, 0x80000001],
                       np.uint32)
    bits = np.random.default_rng(5).integers(2**32, size=shape,
                                             dtype=np.uint32)
    bits.ravel()[::3] = np.resize(notable, bits.ravel()[::3].size)
    return bits.view(np.float32)


def awkward_npy(x, version, pad):
    """A good npy file whose data lie at any offset."""
    text = f"{{'descr': '{x.dtype.str}', 'fortran_order': False, " \
           f"'shape': {x.shape}, }}{' ' * pad}\n"
    width = "<H" if version == 1 else "<I"
    return (b"\x93NUMPY" + bytes((version, 0)) +
            struct.pack(width, len(text)) + text.encode() + x.tobytes())


def spread(masks, x, layout):
    """Masks with a side where x has its channels."""
    if layout == "none":
        return masks
    return np.expand_dims(masks, 1 if layout == "channels_first" else -1)


class Mix(FormatsTest):
    batches = (((2, 5), "none"), ((7, 4, 6), "none"), ((1, 3, 4, 6), "none"),
               ((3, 4, 9), "channels_first"), ((5, 9, 2), "channels_last"),
               ((6, 3, 5, 7), "channels_first"),
               ((13, 5, 7, 3), "channels_last"), ((1, 1, 1), "channels_first"),
               ((3, 2, 2, 3, 4), "channels_first"),
               ((9, 4, 3, 1, 2), "channels_last"))
    methods = "fmix", "cutmix", "mixup"

    def mix(self, x, suffix="npy", **query):
        return self.post(mix_target(suffix, **query), write_npy(x))

    def upload(self, x, body, content_type, **query):
        """A raw or npy body, its type said or not."""
        headers = {} if content_type is None else {"Content-Type":
                                                   content_type}
        target = mix_target("npy", seed=4, layout="none", **query)
        return self.expect(200, target, self.server.request(
            "POST", target, body, headers)).body

    def check_uploads(self, x, dtype, expected):
        described = {"x_shape": sides(x.shape), "x_dtype": dtype}
        curl = "application/x-www-form-urlencoded"
        for content_type in NPY, RAW, curl, None, "Application/X-NPY; a=b":
            self.assertEqual(self.upload(x, write_npy(x), content_type),
                             expected)
        for content_type in RAW, curl, None:
            self.assertEqual(self.upload(x, x.tobytes(), content_type,
                                         **described), expected)

    def test_npy_and_raw_uploads_give_the_same_however_declared(self):
        for dtype, code in (("f32", "<f4"), ("u8", "|u1")):
            for shape in (3, 5), (4, 6, 7), (2, 3, 4, 5):
                with self.subTest(dtype=dtype, shape=shape):
                    x = numbers(shape, code)
                    expected = self.mix(x, seed=4, layout="none").body
                    self.check_uploads(x, dtype, expected)

    def test_data_at_any_offset_of_an_npy_body_are_read(self):
        x = numbers((3, 4, 5))
        expected = self.mix(x, layout="none").body
        for version, pad in itertools.product((1, 2), range(16)):
            with self.subTest(version=version, pad=pad):
                answer = self.post(mix_target("npy", layout="none"),
                                   awkward_npy(x, version, pad))
                self.assertEqual(answer.body, expected)

    def test_the_answer_has_the_type_and_shape_of_x(self):
        for shape, layout in self.batches:
            for dtype in "<f4", "|u1":
                with self.subTest(shape=shape, dtype=dtype):
                    x = numbers(shape, dtype)
                    mixed = self.mix(x, layout=layout).npy()
                    self.assertEqual((mixed.dtype, mixed.shape),
                                     (x.dtype, shape))

    def test_raw_answers_hold_the_same_and_say_what(self):
        for dtype, name in (("<f4", "f32"), ("|u1", "u8")):
            x = numbers((3, 2, 5), dtype)
            raw = self.mix(x, "raw", layout="channels_first")
            npy = self.mix(x, "npy", layout="channels_first").npy()
            self.assertEqual(raw.body, npy.tobytes())
            self.assertEqual(raw.headers["X-Fmix-Shape"], "3x2x5")
            self.assertEqual(raw.headers["X-Fmix-Dtype"], name)

    def test_json_has_every_part_and_the_address_as_text(self):
        said = self.mix(numbers((3, 4)), "json", seed=LAST, step=7).json()
        self.assertEqual(set(said), {"seed", "step", "index", "mixed",
                                     "pairing", "lambda", "lambda_eff",
                                     "masks"})
        self.assertEqual((said["seed"], said["step"], said["index"]),
                         (str(LAST), "7", "21"))

    def test_parts_picks(self):
        whole = self.mix(numbers((3, 4)), "json").json()
        for parts in ("mixed", "pairing,lambda", "masks,lambda_eff,mixed"):
            with self.subTest(parts=parts):
                said = self.mix(numbers((3, 4)), "json", parts=parts).json()
                names = {"seed", "step", "index", *parts.split(",")}
                self.assertEqual(said, {name: whole[name] for name in names})

    def test_one_part_as_npy_or_raw_is_that_part(self):
        whole = self.mix(numbers((3, 4)), "json").json()
        for part, dtype in (("mixed", "<f4"), ("pairing", "<i8"),
                            ("lambda", "<f8"), ("lambda_eff", "<f8"),
                            ("masks", "<f4")):
            with self.subTest(part=part):
                got = self.mix(numbers((3, 4)), parts=part).npy()
                self.assertEqual(got.dtype.str, dtype)
                self.assertEqual(got.tolist(), whole[part])
                raw = self.mix(numbers((3, 4)), "raw", parts=part)
                self.assertEqual(raw.body, got.tobytes())
                self.assertEqual(raw.headers["X-Fmix-Shape"],
                                 sides(got.shape))

    def test_masks_are_those_of_the_masks_resource(self):
        for method in "fmix", "cutmix":
            masks = self.mix(numbers((5, 6, 7)), parts="masks", seed=9,
                             layout="none", step=3, method=method).body
            self.assertEqual(masks, self.masks(
                shape=(6, 7), n=5, seed=9, index=15, method=method).body)

    def parts(self, x, layout, **query):
        """Partners, masks and λ_eff, as json tells them."""
        said = self.mix(x, "json", layout=layout,
                        parts="pairing,masks,lambda_eff", **query).json()
        masks = spread(np.array(said["masks"], np.float32), x, layout)
        return said["pairing"], masks, np.array(said["lambda_eff"])

    def check_choice(self, x, layout, **query):
        pairing, masks, _ = self.parts(x, layout, **query)
        self.assertEqual(sorted(pairing), list(range(len(x))))
        mixed = self.mix(x, layout=layout, **query).npy()
        expected = np.where(masks == 1, x, x[pairing])
        self.assertEqual(mixed.tobytes(), expected.tobytes())

    def test_the_masks_and_the_pairing_reproduce_what_is_mixed(self):
        for (shape, layout), method in itertools.product(self.batches,
                                                         self.methods[:2]):
            with self.subTest(shape=shape, layout=layout, method=method):
                self.check_choice(numbers(shape), layout, method=method,
                                  step=2)

    def test_nan_and_infinities_pass_byte_for_byte(self):
        for method in "fmix", "cutmix":
            for shape, layout in (((5, 7), "none"),
                                  ((4, 3, 8, 9), "channels_first"),
                                  ((4, 8, 9, 3), "channels_last")):
                with self.subTest(method=method, shape=shape):
                    self.check_choice_of_bytes(any_floats(shape), layout,
                                               method)

    def check_choice_of_bytes(self, x, layout, method):
        """As patterns: comparing floats would let a NaN change."""
        pairing, masks, _ = self.parts(x, layout, method=method)
        mixed = self.mix(x, layout=layout, method=method).npy()
        patterns = x.view(np.uint32)
        expected = np.where(masks == 1, patterns, patterns[pairing])
        np.testing.assert_array_equal(mixed.view(np.uint32), expected)

    def test_mixup_has_its_weight_everywhere_and_rounds_once(self):
        for shape, layout in self.batches:
            x = numbers(shape) / np.float32(7)
            with self.subTest(shape=shape, layout=layout):
                pairing, masks, weights = self.parts(x, layout,
                                                     method="mixup")
                weights = weights.reshape((-1,) + (1,) * (x.ndim - 1))
                self.assertTrue((masks == weights.astype(np.float32)).all())
                mixed = self.mix(x, layout=layout, method="mixup").npy()
                np.testing.assert_array_equal(mixed, (
                    weights * x + (1 - weights) * x[pairing]
                ).astype(np.float32))

    def test_lambda_0_is_the_partner_and_1_the_row_itself(self):
        x = numbers((5, 6, 7))
        pairing = self.mix(x, parts="pairing", layout="none").npy()
        for method, weight, expected in (
                ("fmix", 0, x[pairing]), ("mixup", 0, x[pairing]),
                ("fmix", 1, x), ("cutmix", 1, x), ("mixup", 1, x)):
            with self.subTest(method=method, weight=weight):
                mixed = self.mix(x, layout="none", method=method,
                                 **{"lambda": weight}).npy()
                np.testing.assert_array_equal(mixed, expected)

    def test_masks_of_lambda_0_and_1_are_all_0_and_all_1(self):
        for shape in SHAPES:
            for method, weight in (("fmix", 0), ("fmix", 1), ("cutmix", 1)):
                with self.subTest(method=method, shape=shape, weight=weight):
                    masks = self.masks(shape=shape, n=3, method=method,
                                       **{"lambda": weight}).npy()
                    self.assertTrue((masks == weight).all())

    def test_the_box_of_lambda_0_is_clipped_and_counted_as_it_is(self):
        said = self.masks("json", shape=(9, 12), n=40, method="cutmix",
                          dtype="u8", **{"lambda": 0}).json()
        masks = np.array(said["masks"])
        self.assertEqual(said["lambda"], [0.0] * 40)
        self.assertEqual(said["lambda_eff"], masks.mean((1, 2)).tolist())
        self.assertGreater(masks.any((1, 2)).sum(), 20)

    def test_a_batch_of_one_is_mixed_with_itself(self):
        for method in "fmix", "cutmix":
            x = any_floats((1, 4, 5))
            mixed = self.mix(x, layout="none", method=method).npy()
            self.assertEqual(mixed.tobytes(), x.tobytes())

    def test_any_batch_size_is_a_permutation_of_itself(self):
        for count in (*range(1, 18), 31, 100, 257):
            with self.subTest(count=count):
                self.check_choice(numbers((count, 6)), "none", seed=count)

    def test_a_mixed_batch_has_no_validator(self):
        headers = self.mix(numbers((3, 4))).headers
        self.assertNotIn("ETag", headers)
        self.assertNotIn("immutable", headers.get("Cache-Control", ""))


if __name__ == "__main__":
    unittest.main()
