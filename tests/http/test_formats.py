"""One answer in every format, and the headers that go with it."""

import io
import itertools
import unittest

import numpy as np

from formats import (BROWSER, DTYPES, enlarged, FormatsTest, GAP,
                     header_of_npy, JSON, LAST, masks_target, mix_target,
                     montage, near_square, RAW, RECIPES, SHAPES, sides, STRIP,
                     TYPES)
from harness import NPY, write_npy
from picture import read_png


class Sameness(FormatsTest):
    def test_every_format_holds_the_same_masks(self):
        for shape, recipe in itertools.product(SHAPES, RECIPES):
            with self.subTest(shape=shape, recipe=recipe):
                masks = self.masks(shape=shape, **recipe).npy()
                count = recipe.get("n", 1)
                self.assertEqual(masks.shape, (count, *shape))
                self.assertLessEqual(set(masks.ravel()), {0.0, 1.0})
                self.check_raw(masks, shape, recipe)
                self.check_json(masks, shape, recipe)
                self.check_png(masks, shape, recipe)

    def check_raw(self, masks, shape, recipe):
        raw = self.masks("raw", shape=shape, **recipe)
        self.assertEqual(raw.body, masks.tobytes())
        self.assertEqual(raw.headers["X-Fmix-Shape"], sides(masks.shape))
        self.assertEqual(raw.headers["X-Fmix-Dtype"], "f32")

    def check_json(self, masks, shape, recipe):
        said = self.masks("json", shape=shape, **recipe).json()
        self.assertEqual(said["masks"], masks.tolist())

    def check_png(self, masks, shape, recipe):
        """The first mask alone is pixel for pixel, in one strip or slices."""
        picture = read_png(self.masks("png", shape=shape,
                                      **{**recipe, "n": 1}).body)
        first = masks[0].astype(np.uint8) * 255
        slices = np.atleast_2d(first).reshape((-1, *first[None].shape[-2:]))
        expected = montage(slices, near_square(len(slices)), 0)
        np.testing.assert_array_equal(picture.pixels, expected)

    def test_each_dtype_holds_the_same_masks(self):
        for shape, recipe in itertools.product(SHAPES, RECIPES):
            masks = self.masks(shape=shape, **recipe).npy()
            for dtype in DTYPES:
                with self.subTest(shape=shape, dtype=dtype, recipe=recipe):
                    self.check_dtype(dtype, masks, shape, recipe)

    def check_dtype(self, dtype, masks, shape, recipe):
        query = {**recipe, "shape": shape, "dtype": dtype}
        expected = masks.astype(DTYPES[dtype])
        if dtype == "bits":
            flat = expected.reshape(len(masks), -1)
            expected = np.packbits(flat, axis=1)
        got = self.masks(**query).npy()
        self.assertEqual(got.dtype.str, DTYPES[dtype])
        np.testing.assert_array_equal(got, expected)
        raw = self.masks("raw", **query)
        self.assertEqual(raw.body, expected.tobytes())
        self.assertEqual(raw.headers["X-Fmix-Shape"], sides(expected.shape))
        self.assertEqual(raw.headers["X-Fmix-Dtype"],
                         "f32" if dtype == "f32" else "u8")
        self.assertEqual(self.masks("json", **query).json()["masks"],
                         expected.tolist())

    def test_a_batch_in_pieces_is_the_batch(self):
        for method, start in (("fmix", 0), ("fmix", LAST - 10),
                              ("cutmix", 2**32 - 5)):
            query = {"shape": (6, 10), "seed": 3, "method": method}
            whole = self.masks(index=start, n=11, **query).npy()
            for size in 1, 2, 4, 10:
                with self.subTest(method=method, start=start, size=size):
                    pieces = [self.masks(index=start + at,
                                         n=min(size, 11 - at), **query).npy()
                              for at in range(0, 11, size)]
                    np.testing.assert_array_equal(np.concatenate(pieces),
                                                  whole)

    def test_each_format_says_its_media_type(self):
        for suffix, media_type in TYPES.items():
            with self.subTest(suffix=suffix):
                self.assertEqual(self.masks(suffix).headers["Content-Type"],
                                 media_type)

    def test_shape_and_dtype_are_said_of_raw_alone(self):
        for suffix in "npy", "json", "png":
            with self.subTest(suffix=suffix):
                headers = self.masks(suffix).headers
                self.assertNotIn("X-Fmix-Shape", headers)
                self.assertNotIn("X-Fmix-Dtype", headers)


class Npy(FormatsTest):
    def test_data_begin_at_a_multiple_of_64(self):
        for shape, n in itertools.product(SHAPES, (1, 10, 1000)):
            with self.subTest(shape=shape, n=n):
                body = self.masks(shape=shape, n=n, dtype="bits").body
                text, data = header_of_npy(body)
                self.assertEqual((body[:8], data % 64, text[-1]),
                                 (b"\x93NUMPY\x01\x00", 0, "\n"))

    def test_the_header_is_the_one_that_numpy_writes(self):
        for dtype, shape in itertools.product(DTYPES, SHAPES):
            with self.subTest(dtype=dtype, shape=shape):
                body = self.masks(shape=shape, n=2, dtype=dtype).body
                self.assertEqual(body, write_npy(np.load(io.BytesIO(body))))


class Json(FormatsTest):
    def test_it_is_one_flat_object_with_every_tensor(self):
        said = self.masks("json", n=3, seed=LAST, index=2**53 + 1).json()
        self.assertEqual(set(said), {"seed", "index", "masks", "lambda",
                                     "lambda_eff", "ones"})
        self.assertEqual((said["seed"], said["index"]),
                         (str(LAST), str(2**53 + 1)))
        self.assertEqual([len(said[name]) for name in
                          ("masks", "lambda", "lambda_eff", "ones")], [3] * 4)

    def test_what_it_says_of_the_masks_is_so(self):
        for method in "fmix", "cutmix":
            said = self.masks("json", n=20, method=method, dtype="u8").json()
            masks = np.array(said["masks"])
            ones = masks.sum(axis=(1, 2))
            self.assertEqual(said["ones"], ones.tolist())
            self.assertEqual(said["lambda_eff"], (ones / 35).tolist())
            scaled = np.array(said["lambda"]) * 2**32
            np.testing.assert_array_equal(scaled, np.rint(scaled))

    def test_a_given_lambda_is_the_lambda_of_each_row(self):
        said = self.masks("json", n=3, **{"lambda": 0.75}).json()
        self.assertEqual(said["lambda"], [0.75] * 3)

    def test_an_answer_too_large_for_it_is_413_and_told_what_to_do(self):
        for query in ({"shape": (2048, 1024)},
                      {"shape": (1,), "n": 2**24}):
            with self.subTest(**query):
                problem = self.masks("json", 413, **query).json()
                for word in "json", "fewer", "npy", "raw":
                    self.assertIn(word, problem["detail"])

    def test_a_mixed_batch_too_large_for_it_is_413_and_told_what_to_do(self):
        body = write_npy(np.zeros((1025, 1024), np.uint8))
        problem = self.post(mix_target("json"), body, 413).json()
        self.assertIn("npy", problem["detail"])
        self.post(mix_target("json", parts="pairing,lambda"), body)


class Png(FormatsTest):
    def picture(self, **query):
        return read_png(self.masks("png", **query).body)

    def check_sheet(self, shape, n, across, repeat=1, **query):
        """Masks of one or two sides in so many columns."""
        scale = query.get("scale", 1)
        masks = self.masks(shape=shape, n=n, dtype="u8").npy() * 255
        lines = masks.reshape((n, -1, shape[-1])).repeat(repeat, 1)
        tiles = [enlarged(tile, scale) for tile in lines]
        np.testing.assert_array_equal(
            self.picture(shape=shape, n=n, **query).pixels,
            montage(tiles, across, GAP))

    def test_sixteen_masks_are_a_sheet_of_four_by_four(self):
        self.check_sheet((5, 7), 16, 4)

    def test_a_sheet_is_about_square(self):
        for n, columns in ((2, 2), (3, 2), (4, 2), (5, 3), (9, 3), (10, 4)):
            with self.subTest(n=n):
                self.check_sheet((6, 4), n, columns)

    def test_columns_are_as_asked_and_no_more_than_masks(self):
        for columns, used in ((1, 1), (2, 2), (5, 5), (6, 6), (9, 6)):
            with self.subTest(columns=columns):
                self.check_sheet((6, 4), 6, used, columns=columns)

    def test_an_element_takes_scale_pixels_and_the_gap_stays(self):
        for scale in 2, 3, 10:
            with self.subTest(scale=scale):
                self.check_sheet((3, 5), 4, 2, scale=scale)

    def test_one_scaled_mask_has_no_gap(self):
        mask = self.masks(dtype="u8").npy()[0] * 255
        np.testing.assert_array_equal(self.picture(scale=3).pixels,
                                      enlarged(mask, 3))

    def test_masks_of_one_side_are_strips_one_below_the_other(self):
        self.check_sheet((23,), 5, 1, repeat=STRIP)
        self.check_sheet((23,), 5, 2, repeat=STRIP, columns=2)
        self.check_sheet((23,), 2, 1, repeat=STRIP, scale=2)

    def test_masks_of_three_sides_are_their_slices(self):
        for depth, across in ((1, 1), (2, 2), (4, 2), (5, 3), (7, 3)):
            shape = depth, 3, 4
            with self.subTest(shape=shape):
                masks = self.masks(shape=shape, n=3, dtype="u8").npy() * 255
                tiles = [montage(mask, across, 0) for mask in masks]
                np.testing.assert_array_equal(
                    self.picture(shape=shape, n=3).pixels,
                    montage(tiles, 2, GAP))

    def test_the_recipe_stands_in_it(self):
        text = self.picture(seed=LAST, index=5, alpha=0.5, n=2,
                            method="cutmix").text
        self.assertEqual(set(text), {"fmixd"})
        self.assertLessEqual({"stream=1", f"seed={LAST}", "index=5", "n=2",
                              "shape=5x7", "alpha=0.5", "method=cutmix"},
                             set(text["fmixd"].split()))

    def test_the_recipe_of_a_given_lambda_has_no_alpha(self):
        words = self.picture(**{"lambda": 0.25}).text["fmixd"].split()
        self.assertIn("lambda=0.25", words)
        self.assertFalse([word for word in words if word[:6] == "alpha="])

    def test_the_dtype_does_not_show(self):
        pixels = [self.picture(dtype=dtype, n=3).pixels for dtype in DTYPES]
        for other in pixels[1:]:
            np.testing.assert_array_equal(other, pixels[0])

    def test_a_sheet_too_large_is_413_and_told_what_to_do(self):
        for query in ({"n": 10**6}, {"shape": (2000, 2000), "scale": 40},
                      {"shape": (70000,)}, {"n": 20000, "columns": 1},
                      {"shape": (1,), "n": 2**24}):
            with self.subTest(**query):
                problem = self.masks("png", 413, **query).json()
                for word in "fewer", "npy":
                    self.assertIn(word, problem["detail"])


class Negotiation(FormatsTest):
    cases = {
        "application/x-npy": "npy", "application/octet-stream": "raw",
        "application/json": "json", "image/png": "png",
        "*/*": "npy", "application/*": "npy", "image/*": "png",
        "IMAGE/PNG": "png", "Application/*": "npy", BROWSER: "npy",
        "image/avif,image/webp,image/png,image/svg+xml,*/*;q=0.5": "png",
        "text/html, application/json": "json",
        "text/html,application/json;q=0.1": "json",
        "application/json;q=0.5, image/png;q=0.6": "png",
        "application/json;q=0.501,image/png;q=0.5": "json",
        "image/png ; q=0.2 , application/json ; q=0.3": "json",
        "image/png;Q=0.2,application/json;Q=0.3": "json",
        "application/json;q=1.000,application/x-npy;q=0.999": "json",
        "application/x-npy;q=0,*/*": "raw",
        "application/x-npy;q=0.0, */*;q=0.1": "raw",
        "*/*;q=0.1, image/png": "png", "*/*, application/x-npy;q=0.5": "raw",
        "application/*;q=0.2, image/*;q=0.3": "png",
        "application/*;q=0.9, application/json": "json",
        "application/*;q=0, */*;q=0.1": "png",
        "application/json;charset=utf-8": "json",
        "application/json;charset=utf-8;q=0.4, image/png;q=0.3": "json",
        ",, application/json ,": "json",
    }

    def test_accept_decides_without_a_suffix(self):
        for accept, name in self.cases.items():
            with self.subTest(accept=accept):
                headers = self.ask("GET", masks_target(""),
                                   Accept=accept).headers
                self.assertEqual(headers["Content-Type"], TYPES[name])
                self.assertEqual(headers["Vary"], "Accept")

    def test_the_default_is_npy(self):
        headers = self.ask("GET", masks_target("")).headers
        self.assertEqual((headers["Content-Type"], headers["Vary"]),
                         (NPY, "Accept"))

    def test_a_suffix_beats_accept_and_nothing_varies(self):
        for suffix, media_type in TYPES.items():
            for accept in "text/html", "image/png", "*/*;q=0", "junk":
                with self.subTest(suffix=suffix, accept=accept):
                    headers = self.ask("GET", masks_target(suffix),
                                       Accept=accept).headers
                    self.assertEqual(headers["Content-Type"], media_type)
                    self.assertNotIn("Vary", headers)

    def test_a_refusal_for_accept_varies_too(self):
        headers = self.ask("GET", masks_target(""), 406,
                           Accept="text/html").headers
        self.assertEqual(headers["Vary"], "Accept")

    def test_several_lines_of_accept_are_one_list(self):
        connection = self.server.connect()
        self.addCleanup(connection.close)
        connection.putrequest("GET", masks_target(""))
        connection.putheader("Accept", "text/html")
        connection.putheader("Accept", "application/json")
        connection.endheaders()
        response = connection.getresponse()
        self.assertEqual((response.status, response.headers["Content-Type"]),
                         (200, JSON))

    def test_a_mixed_batch_is_negotiated_as_well(self):
        body = write_npy(np.zeros((2, 3), np.uint8))
        for accept in NPY, RAW, JSON:
            with self.subTest(accept=accept):
                headers = self.post("/v1/mix", body,
                                    headers={"Accept": accept}).headers
                self.assertEqual((headers["Content-Type"], headers["Vary"]),
                                 (accept, "Accept"))
        self.assertNotIn("Vary", self.post("/v1/mix.npy", body).headers)


if __name__ == "__main__":
    unittest.main()
