"""Mixed batches as pictures, pixel for pixel what the npy answer holds."""

import pathlib
import subprocess
import tempfile
import unittest
from urllib.parse import urlencode

import numpy as np

import harness
from drawing import GAP, STRIP, levels, sheet
from picture import read_png

GARMENTS = harness.ROOT / "tests" / "data" / "garments.npy"


def some(shape, dtype="u1", seed=1):
    """Noise: bytes of any value, or floats somewhat past 0 and 1."""
    noise = np.random.default_rng(seed).random(shape)
    if dtype == "u1":
        return (noise * 256).astype("u1")
    return ((noise - 0.2) * 1.5).astype(dtype)


class MixedPictures(harness.ServerTest):
    def both(self, x, **query):
        """The levels of the npy answer, and the png."""
        body = harness.write_npy(x)
        drawn = {name: query.pop(name) for name in ("columns", "scale")
                 if name in query}
        more = urlencode(query)
        mixed = self.post(f"/v1/mix.npy?{more}", body).npy()
        png = self.post(f"/v1/mix.png?{more}&{urlencode(drawn)}", body)
        self.assertEqual(png.headers["Content-Type"], "image/png")
        return levels(mixed), png.body

    def check(self, x, tiles_of, columns, gap=GAP, **query):
        mixed, png = self.both(x, columns=columns, **query)
        np.testing.assert_array_equal(
            read_png(png).pixels, sheet(tiles_of(mixed), columns, gap))

    def test_colours_of_either_layout_are_the_same_picture(self):
        x = some((5, 6, 7, 3))
        last = lambda mixed: list(mixed)
        self.check(x, last, 3, layout="channels_last", method="mixup")
        first = lambda mixed: list(np.moveaxis(mixed, 1, -1))
        self.check(np.moveaxis(x, -1, 1).copy(), first, 3,
                   layout="channels_first", method="mixup")

    def test_four_channels_are_rgba_and_one_is_grey(self):
        self.check(some((4, 5, 6, 4)), list, 2, layout="channels_last")
        grey = lambda mixed: [tile[..., 0] for tile in mixed]
        self.check(some((4, 5, 6, 1)), grey, 2, layout="channels_last")
        self.check(some((4, 5, 6)), list, 2, layout="none")

    def test_one_row_is_itself_pixel_for_pixel(self):
        self.check(some((1, 9, 4, 3)), list, 1, gap=0, method="none",
                   layout="channels_last")

    def test_scale_repeats_each_pixel(self):
        mixed, png = self.both(some((1, 3, 4, 3)), scale=3,
                               layout="channels_last")
        large = mixed[0].repeat(3, axis=0).repeat(3, axis=1)
        np.testing.assert_array_equal(read_png(png).pixels, large)

    def test_floats_run_from_black_at_0_to_white_at_1(self):
        for dtype in "<f4", "<f8", "<f2":
            x = some((4, 6, 6, 3), dtype)
            x[0, 0, 0] = np.nan
            self.check(x, list, 2, layout="channels_last", method="fmix")

    def test_truths_are_black_and_white(self):
        self.check(some((4, 8, 8)) > 99, list, 2, layout="none")

    def test_one_side_is_a_strip_and_three_are_slices(self):
        strips = lambda mixed: [np.tile(row, (STRIP, 1, 1)) for row in mixed]
        self.check(some((3, 20, 3)), strips, 1, layout="channels_last")
        slices = lambda mixed: [sheet(list(volume), 2, 0) for volume in mixed]
        self.check(some((2, 4, 5, 6)), slices, 2, layout="none")

    def test_what_no_picture_can_show_is_400_and_named(self):
        for x, layout, parameter in (
                (some((4, 5, 6, 2)), "channels_last", "layout"),
                (some((4, 5, 6, 6)), "channels_first", "layout"),
                (some((4, 5, 6)).astype("i4"), "none", "out_dtype")):
            answer = self.post(f"/v1/mix.png?layout={layout}",
                               harness.write_npy(x), 400)
            errors = answer.json()["errors"]
            self.assertEqual([e["parameter"] for e in errors], [parameter])

    def test_a_part_without_pixels_is_400_and_named(self):
        for shape, layout in ((4, 6), "none"), ((1, 4, 6), "none"), ((2, 3, 4, 6), "channels_first"):
            for part in "lambda", "lambda_eff", "pairing":
                with self.subTest(part, shape=shape):
                    answer = self.post(f"/v1/mix.png?layout={layout}&parts={part}",
                                       harness.write_npy(some(shape)), 400)
                    self.assertEqual([e["parameter"] for e in answer.json()["errors"]], ["parts"])

    def test_masks_are_grey_whatever_the_channels_of_x(self):
        for sides in (12,), (8, 6), (3, 5, 4):
            for channels in None, 1, 2, 3, 4, 7:
                for layout in ("none",) if channels is None else ("channels_first", "channels_last"):
                    shape = {"none": (2, *sides), "channels_first": (2, channels, *sides),
                             "channels_last": (2, *sides, channels)}[layout]
                    query = f"layout={layout}&parts=masks&lambda=0.5&seed=4"
                    body = harness.write_npy(some(shape))
                    masks = self.post(f"/v1/mix.npy?{query}", body).npy()
                    png = self.post(f"/v1/mix.png?{query}&columns=1", body).body
                    tiles = [np.tile(row, (STRIP, 1)) if row.ndim == 1 else
                             sheet(list(row), 2, 0) if row.ndim == 3 else row for row in levels(masks)]
                    with self.subTest(shape, layout=layout):
                        self.assertEqual(masks.shape, (2, *sides))
                        np.testing.assert_array_equal(
                            np.squeeze(read_png(png).pixels), np.squeeze(sheet(tiles, 1, GAP)))

    def test_pngcheck_finds_nothing_wrong(self):
        garments = GARMENTS.read_bytes()
        for target in ("/v1/masks.png?shape=9x14&n=5", "/v1/masks.png?shape=7",
                       "/v1/masks.png?shape=32x32&n=4&output=grey",
                       "/v1/masks.png?shape=32x32&n=4&soft=0.2",
                       "/v1/masks.png?shape=5x6x7&n=3&scale=2"):
            self.check_file(self.get(target).body)
        self.check_file(self.post("/v1/mix.png?layout=none&columns=8",
                                  garments).body)
        self.check_file(self.post("/v1/mix.png?layout=channels_last",
                                  harness.write_npy(some((3, 8, 9, 4)))).body)

    def check_file(self, png):
        done = subprocess.run(["pngcheck", "-q"], input=png, timeout=harness.PATIENCE,
                              capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, b""))


class Sheets(harness.ServerTest):
    def test_the_sheets_of_the_readme_are_what_curl_gets_today(self):
        data = harness.ROOT / "tests" / "data"
        kept = sorted((data / "methods").glob("*.png"))
        self.assertEqual(len(kept), 7)
        with tempfile.TemporaryDirectory() as drawn:
            host, port = self.server.address
            subprocess.run([data / "sheets", f"http://{host}:{port}", drawn],
                           check=True, timeout=harness.PATIENCE)
            for path in kept:
                now = read_png(pathlib.Path(drawn, path.name).read_bytes())
                np.testing.assert_array_equal(
                    now.pixels, read_png(path.read_bytes()).pixels)


class MaskPictures(harness.ServerTest):
    def test_greys_are_their_levels(self):
        query = "shape=12x10&n=3&output=grey&seed=3"
        grey = self.get(f"/v1/masks.npy?{query}&dtype=u8").npy()
        self.assertEqual((grey.min(), grey.max()), (0, 255))
        png = self.get(f"/v1/masks.png?{query}&columns=3").body
        np.testing.assert_array_equal(read_png(png).pixels,
                                      sheet(list(grey), 3, GAP))

    def test_soft_masks_fade_from_black_to_white(self):
        query = "shape=12x10&n=3&soft=0.3&lambda=0.5"
        soft = self.get(f"/v1/masks.npy?{query}&dtype=f64").npy()
        self.assertGreater(len(np.unique(soft)), 50)
        png = self.get(f"/v1/masks.png?{query}&columns=3").body
        np.testing.assert_array_equal(read_png(png).pixels,
                                      sheet(list(levels(soft)), 3, GAP))


if __name__ == "__main__":
    unittest.main()
