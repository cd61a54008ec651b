"""One answer in every format, and the headers that go with it."""

import io
import itertools
import re
import socket
import struct
import unittest
from urllib.parse import urlencode

import numpy as np

from harness import NPY, ServerTest, write_npy
from picture import chunks, read_png

RAW = "application/octet-stream"
JSON = "application/json"
PNG = "image/png"
TYPES = {"npy": NPY, "raw": RAW, "json": JSON, "png": PNG}
FOR_EVER = "public, max-age=31536000, immutable"
LAST = 2**64 - 1

GAP, GROUND, STRIP = 4, 128, 16
SHAPES = ((13,), (1,), (8,), (5, 7), (1, 1), (1, 9), (9, 1), (32, 32),
          (2, 3, 4), (1, 5, 1), (3, 1, 7), (1, 1, 1))
DTYPES = {"f32": "<f4", "u8": "|u1", "bits": "|u1"}
RECIPES = ({"seed": 7, "n": 3}, {"seed": 2**53 + 1, "index": LAST - 2, "n": 3},
           {"method": "cutmix", "n": 5, "alpha": 0.3},
           {"lambda": 0.25, "delta": 1.5})
BROWSER = ("text/html,application/xhtml+xml,application/xml;q=0.9,"
           "image/avif,image/webp,*/*;q=0.8")


def sides(shape):
    """A shape as the parameter has it."""
    return "x".join(map(str, shape))


def masks_target(suffix, shape=(5, 7), **query):
    """Where masks are."""
    dot = "." if suffix else ""
    return f"/v1/masks{dot}{suffix}?" + urlencode({"shape": sides(shape),
                                                   **query})


def mix_target(suffix, **query):
    """Where mixed batches are."""
    return f"/v1/mix.{suffix}?" + urlencode(query, safe=",")


def header_of_npy(body):
    """The text of an npy header, and where the data begins."""
    length = struct.unpack("<H", body[8:10])[0]
    return body[10:10 + length].decode(), 10 + length


def montage(tiles, columns, gap):
    """Tiles left to right and down, with a gap around each."""
    rows = -(-len(tiles) // columns)
    height, width = tiles[0].shape
    sheet = np.full((rows * (height + gap) + gap,
                     columns * (width + gap) + gap), GROUND, np.uint8)
    for i, tile in enumerate(tiles):
        top = gap + i // columns * (height + gap)
        left = gap + i % columns * (width + gap)
        sheet[top:top + height, left:left + width] = tile
    return sheet


def enlarged(tile, scale):
    """Each pixel as a square."""
    return tile.repeat(scale, 0).repeat(scale, 1)


def near_square(count):
    """The columns of the smallest square with so many places."""
    return next(i for i in itertools.count(1) if i * i >= count)


class FormatsTest(ServerTest):
    """With a daemon that stops at once."""

    arguments = "--drain", "0"

    def ask(self, method, target, status=200, **headers):
        """A request with these headers, `_` for `-`."""
        named = {name.replace("_", "-"): value
                 for name, value in headers.items()}
        return self.expect(status, f"{method} {target} {named}",
                           self.server.request(method, target, None, named))

    def masks(self, suffix="npy", status=200, **query):
        return self.get(masks_target(suffix, **query), status)

    def mask_count(self):
        """How many masks the daemon has computed."""
        text = self.get("/metrics").body.decode()
        return int(re.search(r"^fmixd_masks_total (\d+)$", text, re.M)[1])


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


class Validators(FormatsTest):
    equivalents = (
        ("shape=5x7", "shape=5x7&seed=0", "seed=0&shape=5x7", "shape=5x7&n=1",
         "shape=5x7&alpha=1", "shape=5x7&alpha=1.0", "shape=5x7&alpha=1e0",
         "shape=5x7&alpha=10E-1", "alpha=01.000&index=0&shape=5x7",
         "shape=5x7&delta=3", "shape=5x7&delta=3.0&method=fmix",
         "shape=%35x7", "shape=5x7&dtype=f32&scale=1", "seed=000&shape=5x7"),
        ("shape=9&lambda=0.5", "lambda=.5&shape=9", "shape=9&lambda=5e-1",
         "shape=9&lambda=0.50&delta=3", "shape=9&lambda=0.500000000000000000"),
        ("shape=9&lambda=0", "shape=9&lambda=0.0", "shape=9&lambda=-0",
         "shape=9&lambda=0e9"),
        ("shape=9&delta=0.1", "shape=9&delta=0.1000000000000000055",
         "shape=9&delta=1e-1"),
    )
    different = ("shape=5x7", "shape=7x5", "shape=35", "shape=5x7x1",
                 "shape=5x7&seed=1", f"shape=5x7&seed={LAST}",
                 "shape=5x7&index=1", "shape=5x7&n=2", "shape=5x7&delta=2",
                 "shape=5x7&delta=3.0000000000000004",
                 "shape=5x7&alpha=1.0000000000000002", "shape=5x7&lambda=0.5",
                 "shape=5x7&lambda=1", "shape=5x7&method=cutmix",
                 "shape=5x7&dtype=u8", "shape=5x7&dtype=bits",
                 "shape=5x7&seed=1&index=1", "shape=5x7&seed=11")

    def tag(self, query, suffix="npy"):
        return self.get(f"/v1/masks.{suffix}?{query}").headers["ETag"]

    def test_it_is_strong(self):
        for suffix in TYPES:
            self.assertRegex(self.tag("shape=5x7", suffix),
                             r'\A"[!#-+\--~]+"\Z')

    def test_it_is_one_for_every_spelling_of_a_request(self):
        for queries in self.equivalents:
            with self.subTest(queries=queries):
                self.assertEqual(len(set(map(self.tag, queries))), 1)

    def test_it_differs_between_recipes(self):
        tags = set(map(self.tag, self.different))
        self.assertEqual(len(tags), len(self.different))

    def test_it_differs_between_formats(self):
        tags = {self.tag("shape=5x7", suffix) for suffix in TYPES}
        self.assertEqual(len(tags), len(TYPES))

    def test_it_differs_between_sheets(self):
        queries = ("shape=5x7&n=9", "shape=5x7&n=9&scale=2",
                   "shape=5x7&n=9&columns=2", "shape=5x7&n=9&columns=4")
        tags = {self.tag(query, "png") for query in queries}
        self.assertEqual(len(tags), len(queries))

    def test_it_differs_between_negotiated_formats(self):
        tags = {self.ask("GET", masks_target(""), Accept=accept)
                .headers["ETag"] for accept in TYPES.values()}
        self.assertEqual(len(tags), len(TYPES))

    def test_masks_may_be_kept_for_ever(self):
        for suffix in TYPES:
            self.assertEqual(self.masks(suffix).headers["Cache-Control"],
                             FOR_EVER)

    def test_refusals_and_health_are_not_kept(self):
        for target, status in (("/v1/masks", 400), ("/v1/nothing", 404),
                               ("/v1/mix", 405), ("/livez", 200),
                               ("/metrics", 200), ("/version", 200)):
            with self.subTest(target=target):
                headers = self.get(target, status).headers
                self.assertEqual(headers["Cache-Control"], "no-store")
                self.assertNotIn("ETag", headers)


class NotModified(FormatsTest):
    def matching(self, tag):
        """Values of If-None-Match that name the tag."""
        return (tag, f"W/{tag}", "*", f'"other", {tag}', f'"a",{tag},"b"',
                f'W/"a", W/{tag}', f" {tag} ", f'"a"\t,\t{tag}')

    def other(self, tag):
        """Values of If-None-Match that do not."""
        return ('"other"', tag[1:-1], f'"{tag[1:-2]}"', f'"x{tag[1:]}', '""',
                f'"W/{tag[1:]}', f"w/{tag}", '"a", "b"', '"*"', '"a,*,b"')

    def test_a_tag_that_is_named_gives_304_and_computes_nothing(self):
        for suffix in ("", *TYPES):
            target = masks_target(suffix, n=3)
            fresh = self.get(target)
            before = self.mask_count()
            for value in self.matching(fresh.headers["ETag"]):
                with self.subTest(suffix=suffix, value=value):
                    self.check_not_modified(target, value, fresh)
            self.assertEqual(self.mask_count(), before)

    def check_not_modified(self, target, value, fresh):
        for method in "GET", "HEAD":
            answer = self.ask(method, target, 304, If_None_Match=value)
            self.assertEqual(answer.body, b"")
            for name in "ETag", "Cache-Control", "Vary", "X-Fmix-Stream":
                self.assertEqual(answer.headers[name], fresh.headers[name])

    def test_other_tags_give_the_whole_answer(self):
        for suffix in ("", *TYPES):
            target = masks_target(suffix, n=3)
            fresh = self.get(target)
            for value in self.other(fresh.headers["ETag"]):
                with self.subTest(suffix=suffix, value=value):
                    answer = self.ask("GET", target, If_None_Match=value)
                    self.assertEqual(answer.body, fresh.body)

    def test_several_lines_of_if_none_match_are_one_list(self):
        target = masks_target("npy")
        connection = self.server.connect()
        self.addCleanup(connection.close)
        connection.putrequest("GET", target)
        connection.putheader("If-None-Match", '"other"')
        connection.putheader("If-None-Match", self.get(target).headers["ETag"])
        connection.endheaders()
        self.assertEqual(connection.getresponse().status, 304)

    def test_what_is_refused_is_refused_whatever_is_kept(self):
        for target, status in (("/v1/masks?shape=0", 400),
                               ("/v1/masks.bmp", 404),
                               (masks_target("json", n=10**6), 413),
                               (masks_target("png", n=10**6), 413)):
            with self.subTest(target=target):
                self.ask("GET", target, status, If_None_Match="*")


class Head(FormatsTest):
    unlike = {"Date", "Content-Length", "Transfer-Encoding", "Connection",
              "X-Request-ID"}

    def headers(self, answer):
        return {name: value for name, value in answer.headers.items()
                if name not in self.unlike}

    def test_its_headers_are_those_of_get(self):
        for suffix in ("", *TYPES):
            for n in 1, 100:
                with self.subTest(suffix=suffix, n=n):
                    target = masks_target(suffix, n=n)
                    head = self.ask("HEAD", target)
                    self.assertEqual(head.body, b"")
                    self.assertEqual(self.headers(head),
                                     self.headers(self.get(target)))

    def test_the_length_of_npy_and_raw_is_known_ahead(self):
        for suffix, dtype in itertools.product(("npy", "raw"), DTYPES):
            with self.subTest(suffix=suffix, dtype=dtype):
                target = masks_target(suffix, n=33, dtype=dtype)
                head, got = self.ask("HEAD", target), self.get(target)
                self.assertEqual(head.headers["Content-Length"],
                                 str(len(got.body)))
                self.assertEqual(got.headers["Content-Length"],
                                 str(len(got.body)))

    def head_then_livez(self, target):
        """All that comes back when two requests are sent at once."""
        lines = (f"HEAD {target} HTTP/1.1\r\nHost: fmixd\r\n\r\n"
                 "GET /livez HTTP/1.1\r\nHost: fmixd\r\n"
                 "Connection: close\r\n\r\n")
        with socket.create_connection(self.server.address, 30) as connection:
            connection.sendall(lines.encode())
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def test_nothing_follows_its_headers_but_the_next_answer(self):
        for suffix in ("", *TYPES):
            with self.subTest(suffix=suffix):
                got = self.head_then_livez(masks_target(suffix))
                self.assertTrue(got.startswith(b"HTTP/1.1 200"))
                rest = got.partition(b"\r\n\r\n")[2]
                self.assertIn(rest[:12], (b"HTTP/1.1 200", b""))

    def test_it_computes_nothing(self):
        before = self.mask_count()
        for suffix in ("", *TYPES):
            self.ask("HEAD", masks_target(suffix, n=50))
        self.ask("HEAD", masks_target("npy", shape=(4096, 4096), n=2**24))
        self.assertEqual(self.mask_count(), before)
        self.get(masks_target("npy", n=50))
        self.assertEqual(self.mask_count(), before + 50)

    def test_it_is_refused_as_get_is(self):
        for target, status in ((masks_target("npy", shape=(0,)), 400),
                               (masks_target("json", n=10**6), 413),
                               (masks_target("png", n=10**6), 413),
                               ("/v1/masks.bmp", 404)):
            with self.subTest(target=target):
                self.assertEqual(self.ask("HEAD", target, status).body, b"")


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
