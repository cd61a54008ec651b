"""Batches of image sets: views of stored pictures against the reference and against Pillow."""

import io
import json
import os
import random
import tarfile
import tempfile
import threading
import unittest
from collections import Counter
from urllib.parse import urlencode

import numpy as np
from PIL import Image

import harness
import hosting
import image_sets
import recipes
import tallying
from batches import BatchesTest, share_of
from hosting import ref
from picture import read_png

CASES = tallying.scaled(240)
FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}

tally = Counter()


def some_files(source):
    """Photographs as cameras and programs write them, of any size."""
    ways = [{}, {"progressive": True}, {"subsampling": 0}, {"subsampling": 1}, {"quality": 30}, {"kind": "png"}]
    for i in range(26):
        height, width = source.integers(20, 150, 2)
        grey = i % 5 == 4
        yield image_sets.encoded(image_sets.photograph(source, height, width, 1 if grey else 3),
                                 **ways[i % len(ways)])
    yield image_sets.encoded(image_sets.photograph(source, 1, 90), "png")
    yield image_sets.encoded(image_sets.photograph(source, 70, 1), "png")
    inks = Image.fromarray(image_sets.photograph(source, 41, 33)).convert("CMYK")
    out = io.BytesIO()
    inks.save(out, "jpeg")
    yield out.getvalue()


def some_sets():
    """Files in colour and in grey, and pixels of both; most have neighbours."""
    source = np.random.default_rng(33)
    files = list(some_files(source))
    def friends(count, each):
        return source.integers(0, count, (count, each)).astype("<i8")
    yield image_sets.of_files("photos", files, neighbours=friends(len(files), 3))
    yield image_sets.of_files("scans", files[:21], 1, neighbours=friends(21, 2))
    yield image_sets.of_pixels("tiles", [image_sets.photograph(source, *source.integers(3, 60, 2)) for _ in range(31)],
                               neighbours=friends(31, 1))
    yield image_sets.of_pixels("graphemes", [image_sets.photograph(source, *source.integers(3, 60, 2), 1)
                                             for _ in range(17)])


class ImagesTest(BatchesTest):
    """A daemon that serves pictures of our own."""

    some_sets = staticmethod(some_sets)

    @classmethod
    def setUpClass(cls):
        cls.root = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.sets = {data.name: data for data in cls.some_sets()}
        for data in cls.sets.values():
            image_sets.write(cls.root, data)
        cls.arguments = ("--data", cls.root, "--drain", "0", "--threads", "4")
        super().setUpClass()


# --- Against the reference --------------------------------------------------


def some_view(source):
    """A view as URLs and as the reference take it; its flip is an option of the batch."""
    size = source.choice(((32, 32), (16, 16), (9, 14), (40, 5), (1, 1), (1, 7)))
    kind = source.choice(("random", "random", "center", "stretch"))
    query = {"size": f"{size[0]}x{size[1]}" if size[0] != size[1] or source.randrange(2) else size[0]}
    more = {}
    if kind != "random" or source.randrange(2):
        query["view"] = kind
    if kind == "random" and source.randrange(2):
        more["area"] = tuple(sorted(source.choice((0.01, 0.08, 0.3, 0.5, 1.0)) for _ in range(2)))
        more["ratio"] = tuple(sorted(source.choice((0.01, 0.5, 0.75, 1.0, 4 / 3, 2.5)) for _ in range(2)))
        query |= {name: ",".join(map(repr, pair)) for name, pair in more.items()}
    if kind == "center" and source.randrange(2):
        query["short"] = more["short"] = source.choice((1, 8, 20, 33, 64))
    if source.randrange(2):
        query["filter"] = more["filter"] = source.choice(("bilinear", "bicubic", "nearest"))
    return query, ref.View(size, kind, **more)


def some_options(source, data):
    """Where in which epoch, and what is done to views."""
    options = {"shuffle": source.randrange(2)} if source.randrange(4) else {}
    options |= {"flip": source.randrange(2)} if source.randrange(2) else {}
    if source.randrange(2):
        options["layout"] = source.choice(("channels_first", "channels_last",
                                           *(["none"] if data.layout == "none" else [])))
    if source.randrange(3) == 0:
        options |= {"mean": source.choice((0.5, -3.0)), "std": 0.25}
        options["out_dtype"] = source.choice(ref.FLOATING)
    elif source.randrange(2):
        options["out_dtype"] = source.choice(ref.FLOATING)
    if source.randrange(3) == 0:
        options["smoothing"] = 0.1
    return options


def pairings_of(data):
    """Those that a set has."""
    return (*sorted(ref.PAIRINGS), *ref.CLASS_PAIRINGS, *([] if data.neighbours is None else ["neighbour"] * 3))


class ImagesAgree(ImagesTest):
    """Random recipes, all parts bit for bit."""

    def check_case(self, source, data):
        query, view = some_view(source)
        recipe = recipes.some_recipe(source, view.size, pairings_of(data))
        size = source.choice((1, 2, 3, 5, 8, len(data.x), 100))
        step, epoch = source.randrange(-(-len(data.x) // size)), source.choice((0, 1, 2**40))
        options = some_options(source, data)
        world = source.choice((1, 1, 2, 5))
        rank = source.randrange(world)
        query = {**ref.query_of(recipe), "n": size, "epoch": epoch, **query, **options, "rank": rank, "world": world}
        what = f"{data.name} {step} {urlencode(query)}"
        own = {**options, "shuffle": bool(options.get("shuffle")), "flip": bool(options.get("flip"))}
        try:
            expected = share_of(hosting.batch(data, recipe, size, step, epoch, view=view, **own), rank, world)
        except ValueError:
            self.batch(data.name, step, 400, **query)
            tally["refused by both"] += 1
            return
        self.assert_same(self.parts(data.name, step, **query), expected, what)
        tally["batches"] += 1
        tally["with neighbours"] += recipe.pairing == "neighbour"
        tally[view.kind] += 1

    def check(self, name):
        source, before, count = random.Random(f"images {name}"), tally["batches"], CASES // len(self.sets)
        for _ in range(count):
            self.check_case(source, self.sets[name])
        self.assertGreater(tally["batches"] - before, count // 2, "most cases are compared, not refused by both")

    def test_files_in_colour_agree(self):
        self.check("photos")

    def test_files_in_grey_agree(self):
        self.check("scans")

    def test_pixels_in_colour_agree(self):
        self.check("tiles")

    def test_pixels_in_grey_agree(self):
        self.check("graphemes")


# --- Against Pillow ---------------------------------------------------------


class ImagesArePillows(ImagesTest):
    """Crop, resize and transpose by Pillow of what Pillow decodes."""

    def test_random_views_are_crop_resize_and_transpose(self):
        for name, kind in (("photos", "bilinear"), ("photos", "bicubic"), ("scans", "bilinear")):
            data = self.sets[name]
            got = self.parts(name, 0, n=len(data.x), size=24, filter=kind, flip=1, method="none", seed=5, epoch=3)
            view = ref.View((24, 24), filter=kind)
            for i, (mixed, row) in enumerate(zip(got["mixed"], got["rows"])):
                t = 3 * len(data.x) + i
                picture = Image.fromarray(data.x[row])
                top, left, height, width = ref.random_window(5, t, data.x[row].shape[:2], view)
                made = picture.crop((left, top, left + width, top + height)).resize((24, 24), FILTERS[kind])
                if ref.is_flipped(5, t):
                    made = made.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
                self.assertEqual(mixed.tobytes(), np.asarray(made).tobytes(), (name, row))

    def test_a_center_is_the_middle_of_the_resized_picture(self):
        data = self.sets["photos"]
        got = self.parts("photos", 0, n=len(data.x), size=14, view="center", method="none")
        for mixed, pixels in zip(got["mixed"], data.x):
            (height, width), least = pixels.shape[:2], min(pixels.shape[:2])
            made = Image.fromarray(pixels).resize((16 * width // least, 16 * height // least), FILTERS["bilinear"])
            left, top = round((made.width - 14) / 2), round((made.height - 14) / 2)
            made = made.crop((left, top, left + 14, top + 14))
            self.assertEqual(mixed.tobytes(), np.asarray(made).tobytes())


# --- Once a batch -----------------------------------------------------------

DECODED = "fmixd_pictures_decoded_total"


class Decoding(ImagesTest):
    """Each stored picture is decoded once a batch, whatever asks for it."""

    def decoded_by(self, ask):
        before = self.server.metric(DECODED)
        ask()
        return self.server.metric(DECODED) - before

    def test_a_batch_decodes_its_rows_once(self):
        for n in (1, 2, 7, 29):
            for pairing in ("permutation", "flip", "other_class", "none"):
                self.assertEqual(self.decoded_by(lambda: self.parts("photos", 0, n=n, size=20, pairing=pairing)), n)

    def test_neighbours_are_decoded_once_each(self):
        for seed in range(5):
            got = {}
            count = self.decoded_by(lambda: got.update(
                self.parts("photos", 0, n=29, size=20, pairing="neighbour", seed=seed)))
            self.assertEqual(count, len({*got["rows"], *got["pairing"]}))

    def test_every_tensor_of_a_shard_shares_them(self):
        listed = self.get("/v1/datasets/photos/shards?n=29&size=20").json()
        stem, braces = listed["urls"].split("{")
        self.assertEqual(self.decoded_by(lambda: self.get(f"{stem}000000{braces.split('}')[1]}")), 29)

    def test_what_has_no_pixels_decodes_nothing(self):
        target = "/v1/datasets/photos/batches/0.npy?n=29&size=20"
        tag = self.get(target).headers["ETag"]
        def ask():
            self.batch("photos", 0, n=29, size=20, parts="labels,lambda,rows,masks")
            self.assertEqual(self.server.request("HEAD", target).status, 200)
            self.get(target, 304, headers={"If-None-Match": tag})
            self.get("/v1/datasets/photos/shards?n=29&size=20")
        self.assertEqual(self.decoded_by(ask), 0)

    def test_pixels_are_not_decoded(self):
        self.assertEqual(self.decoded_by(lambda: self.parts("tiles", 0, n=31, size=20)), 0)

    def test_many_at_once_are_all_right(self):
        expected = self.batch("photos", 0, n=29, size=33, suffix=".npy").body
        answers = []
        def ask():
            answers.append(self.server.get("/v1/datasets/photos/batches/0.npy?n=29&size=33", fresh=True).body)
        threads = [threading.Thread(target=ask) for _ in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((len(answers), set(answers)), (24, {expected}))


# --- As any other answer ----------------------------------------------------


class Answers(ImagesTest):
    """Ranks, ranges, shards, tags."""

    def test_an_epoch_on_three_ranks_put_together(self):
        options = {"n": 8, "size": "18x22", "shuffle": 1, "flip": 1, "epoch": 2, "method": "fmix,mixup", "prob": 0.7}
        seen = []
        for step in range(4):
            whole = self.parts("photos", step, **options)
            shares = [self.parts("photos", step, rank=rank, world=3, **options) for rank in range(3)]
            for part, array in whole.items():
                self.assertEqual(np.concatenate([share[part] for share in shares]).tobytes(), array.tobytes(), part)
            seen += list(whole["rows"])
        self.assertEqual(sorted(seen), list(range(29)))

    def test_a_range_is_a_part_of_the_whole(self):
        target = "/v1/datasets/photos/batches/1.npy?n=9&size=20"
        whole = self.get(target).body
        for first, last in ((0, 99), (1000, 5000), (len(whole) - 7, len(whole) - 1)):
            part = self.get(target, 206, headers={"Range": f"bytes={first}-{last}"}).body
            self.assertEqual(part, whole[first:last + 1])

    def test_tags_tell_what_is_given_and_replicas_agree(self):
        def tag(**options):
            return self.batch("photos", 0, suffix=".npy", n=8, **options).headers["ETag"]
        options = [{"size": 20}, {"size": 21}, {"size": 20, "view": "center"}, {"size": 20, "filter": "bicubic"},
                   {"size": 20, "area": "0.1,1"}, {"size": 20, "ratio": "1,1"},
                   {"size": 20, "view": "center", "short": 30}]
        self.assertEqual(len({tag(**each) for each in options}), len(options))
        with harness.Server("--data", self.root, "--drain", "0", "--threads", "1") as other:
            answer = other.get("/v1/datasets/photos/batches/0.npy?n=8&size=20")
            self.assertEqual(answer.headers["ETag"], tag(size=20))
            self.assertEqual(answer.body, self.batch("photos", 0, suffix=".npy", n=8, size=20).body)

    def test_one_side_and_two_equal_sides_are_one_answer(self):
        for suffix in ".npy", ".npz", ".safetensors", ".json", ".png", ".raw":
            one, two = (self.batch("photos", 0, suffix=suffix, n=3, size=size) for size in ("20", "20x20"))
            self.assertEqual((one.headers["ETag"], one.body), (two.headers["ETag"], two.body))

    def test_defaults_may_be_given(self):
        plain = self.batch("photos", 0, suffix=".npy", n=8, size=20).body
        self.assertEqual(plain, self.batch("photos", 0, suffix=".npy", n=8, size="20x20", view="random", area="0.08,1",
                                           ratio=f"0.75,{4 / 3!r}", filter="bilinear", flip=0).body)

    def test_a_shard_holds_views_as_png(self):
        options = {"n": 7, "size": "12x15", "method": "cutmix"}
        listed = self.get(f"/v1/datasets/photos/shards?member=png&{urlencode(options)}").json()
        stem, braces = listed["urls"].split("{")
        expected = self.parts("photos", 2, **options)
        with tarfile.open(fileobj=io.BytesIO(self.get(f"{stem}000002{braces.split('}')[1]}").body)) as archive:
            for i, row in enumerate(expected["mixed"]):
                drawn = read_png(archive.extractfile(f"000002-{i:06d}.png").read()).pixels
                self.assertEqual(drawn.tobytes(), row.tobytes())
                facts = json.loads(archive.extractfile(f"000002-{i:06d}.json").read())
                self.assertEqual(facts["rows"], expected["rows"][i])

    def test_a_sheet_shows_views(self):
        self.assertEqual(self.batch("photos", 0, suffix=".png", n=4, size=20).headers["Content-Type"], "image/png")


class Refusals(ImagesTest):
    """What cannot be asked of a set, and what would do."""

    def test_parameters_and_their_names(self):
        for options, parameter in (
                ({}, "size"), ({"size": "0"}, "size"), ({"size": "2x2x2"}, "size"), ({"size": 9, "crop": 2}, "crop"),
                ({"size": 9, "pad": "zero"}, "pad"), ({"size": 9, "view": "center", "area": "0.1,1"}, "area"),
                ({"size": 9, "view": "stretch", "ratio": "1,1"}, "ratio"), ({"size": 9, "short": 20}, "short"),
                ({"size": 9, "area": "0.5"}, "area"), ({"size": 9, "area": "0.5,0.1"}, "area"),
                ({"size": 9, "area": "0,1"}, "area"), ({"size": 9, "area": "0.1,1.5"}, "area"),
                ({"size": 9, "ratio": "2,1"}, "ratio"), ({"size": 9, "ratio": "3/4,4/3"}, "ratio"),
                ({"size": 9, "view": "center", "short": 0}, "short"), ({"size": 9, "filter": "lanczos"}, "filter"),
                ({"size": 9, "bucket": 2}, "bucket"), ({"size": 9, "parts": "lengths"}, "parts"),
                ({"size": 9, "layout": "none"}, "layout")):
            told, detail = self.refused("photos", 400, n=2, **options)
            self.assertEqual(told, parameter, (options, detail))
        self.assertIn("size=224", self.refused("photos", 400, n=2)[1])

    def test_views_past_the_limit_of_elements_are_413(self):
        parameter, detail = self.refused("photos", 413, n=2, size="100000x100000")
        self.assertEqual(parameter, "size")
        self.assertIn("100000x100000", detail)

    def test_rows_of_one_shape_have_no_views(self):
        with tempfile.TemporaryDirectory() as root:
            hosting.write(root, hosting.Hosted("even", np.zeros((8, 6, 6), "u1"), {}, {}, "none"))
            with harness.Server("--data", root, "--drain", "0") as server:
                for options in ({"size": 3}, {"view": "random"}, {"area": "0.08,1"}, {"ratio": "1,1"}, {"short": 3},
                                {"filter": "bilinear"}):
                    answer = server.get(f"/v1/datasets/even/batches/0?n=2&{urlencode(options)}")
                    self.assertEqual((answer.status, answer.json()["errors"][0]["parameter"]), (400, *options))
                    self.assertIn("leave", answer.json()["detail"])

    def test_a_picture_past_the_memory_is_413(self):
        with tempfile.TemporaryDirectory() as root:
            large = image_sets.encoded(np.zeros((4000, 4000, 3), np.uint8), "png")
            image_sets.write(root, image_sets.of_files("large", [large, large]))
            with harness.Server("--data", root, "--drain", "0", "--memory", "128M") as server:
                answer = server.get("/v1/datasets/large/batches/0.npy?n=2&size=8")
                self.assertEqual(answer.status, 413, answer.body)


def tearDownModule():
    """What the cases came to."""
    if os.environ.get("FMIX_TALLY"):
        print("\nimages:", dict(tally))


if __name__ == "__main__":
    unittest.main()
