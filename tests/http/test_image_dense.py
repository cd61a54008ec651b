"""Label maps of image sets: the views of their pictures, by the nearest pixel, against the reference and against
NumPy; and maps that are damaged."""

import dataclasses
import io
import itertools
import random
import tarfile
import tempfile
import unittest
from collections import Counter
from urllib.parse import urlencode

import numpy as np
from PIL import Image

import harness
import hosting
import image_sets
import pictures
import recipes
import tallying
import tensors
import test_images as images
from batches import share_of
from drawing import drawn
from hosting import ref
from image_sets import map_file, photograph, segmented
from picture import read_png
from test_pairs import FORMATS

CASES = tallying.scaled(180)

tally = Counter()


def some_sets():
    """Files with two maps, files in grey with one, and pixels; each with neighbours."""
    source = np.random.default_rng(41)

    def maps(files, channels, classes=21):
        return [segmented(source, *image_sets.decoded(file, channels).shape[:2], classes) for file in files]

    def friends(count, each):
        return source.integers(0, count, (count, each)).astype("<i8")
    files = list(images.some_files(source))
    yield image_sets.of_files("photos", files, neighbours=friends(len(files), 3),
                              dense={"dense": maps(files, 3), "dense.part": maps(files, 3, 200)})
    yield image_sets.of_files("scans", files[:15], 1, neighbours=friends(15, 2),
                              dense={"dense.map": maps(files[:15], 1)})
    tiles = [photograph(source, *source.integers(3, 60, 2)) for _ in range(22)]
    yield image_sets.of_pixels("tiles", tiles, neighbours=friends(22, 1),
                               dense={"dense": [segmented(source, *tile.shape[:2]) for tile in tiles]})


class MapsTest(images.ImagesTest):
    """A daemon that serves them."""

    some_sets = staticmethod(some_sets)


class MapsAgree(MapsTest):
    """Random recipes, all parts bit for bit."""

    def some_mixing(self, source, view, data):
        """A recipe; most of them mix label maps."""
        made = recipes.some_recipe(source, view.size, images.pairings_of(data))
        if source.random() < 0.25:
            return made
        copying = ",".join(source.choice(("fmix", "cutmix", "none")) for _ in made.methods)
        return dataclasses.replace(made, method=copying, soft=0.0)

    def check_case(self, source, data):
        query, view = images.some_view(source)
        recipe = self.some_mixing(source, view, data)
        size = source.choice((1, 2, 3, 5, 8, len(data.x), 100))
        step, epoch = source.randrange(-(-len(data.x) // size)), source.choice((0, 1, 2**40))
        options = images.some_options(source, data)
        world = source.choice((1, 1, 2, 5))
        rank = source.randrange(world)
        query = {**ref.query_of(recipe), "n": size, "epoch": epoch, **query, **options, "rank": rank, "world": world}
        what = f"{data.name} {step} {urlencode(query)}"
        own = {**options, "shuffle": bool(options.get("shuffle")), "flip": bool(options.get("flip"))}
        try:
            whole = hosting.batch(data, recipe, size, step, epoch, view=view, **own)
        except ValueError:
            self.batch(data.name, step, 400, **query)
            tally["refused by both"] += 1
            return
        expected = share_of(whole, rank, world)
        self.assert_same(self.parts(data.name, step, **query), expected, what)
        tally[f"{data.name} {view.kind}"] += 1

    def check(self, name):
        source = random.Random(f"maps {name}")
        for _ in range(CASES // len(self.sets)):
            self.check_case(source, self.sets[name])
        self.assertGreater(sum(count for what, count in tally.items() if what.startswith(name)), CASES / 9)

    def test_two_maps_beside_files_agree(self):
        self.check("photos")

    def test_a_map_beside_files_in_grey_agrees(self):
        self.check("scans")

    def test_a_map_beside_pixels_agrees(self):
        self.check("tiles")


# --- Against NumPy ----------------------------------------------------------


def nearest(numbers, height, width):
    """By the rule of the contract, in its own words."""
    rows = [(2 * i + 1) * numbers.shape[0] // (2 * height) for i in range(height)]
    columns = [(2 * i + 1) * numbers.shape[1] // (2 * width) for i in range(width)]
    return numbers[np.ix_(rows, columns)]


class MapsAreNumPys(MapsTest):
    """Slices, the nearest rule and a mirror, of what Pillow reads of the files."""

    def viewed(self, name, part="dense", **options):
        """(numbers, t, view) of each row of the first epoch but two, unmixed."""
        data = self.sets[name]
        got = self.parts(name, 0, n=len(data.x), method="none", seed=5, epoch=2, shuffle=1, **options)
        for i, (mixed, row) in enumerate(zip(got[part], got["rows"])):
            stored = data.dense[part][row]
            read = np.asarray(Image.open(io.BytesIO(map_file(stored)))) if data.files else stored
            yield read, 2 * len(data.x) + i, mixed

    def test_a_random_view_is_the_window_of_its_picture_whatever_the_filter(self):
        for name, part in (("photos", "dense"), ("photos", "dense.part"), ("scans", "dense.map"), ("tiles", "dense")):
            view, turned = ref.View((24, 17)), 0
            for numbers, t, mixed in self.viewed(name, part, size="24x17", flip=1, filter="bicubic"):
                top, left, height, width = ref.random_window(5, t, numbers.shape, view)
                made = nearest(numbers[top:top + height, left:left + width], 24, 17)
                if ref.is_flipped(5, t):
                    made, turned = made[:, ::-1], turned + 1
                np.testing.assert_array_equal(mixed, made)
            self.assertGreater(turned, 1)

    def test_a_center_has_zeros_where_its_picture_has_them(self):
        for numbers, _, mixed in self.viewed("photos", size="30x40", view="center", short=20):
            least = min(numbers.shape)
            made = nearest(numbers, *(20 if side == least else 20 * side // least for side in numbers.shape))
            for axis, wanted in enumerate((30, 40)):
                missing = max(wanted - made.shape[axis], 0)
                room = [(0, 0), (0, 0)]
                room[axis] = missing // 2, missing - missing // 2
                made = np.pad(made, room)
                begin = round((made.shape[axis] - wanted) / 2)
                made = made.take(range(begin, begin + wanted), axis)
            np.testing.assert_array_equal(mixed, made)

    def test_stretch_takes_all_of_it(self):
        for numbers, _, mixed in self.viewed("tiles", size=13, view="stretch"):
            np.testing.assert_array_equal(mixed, nearest(numbers, 13, 13))

    def test_class_numbers_stay_class_numbers(self):
        for numbers, _, mixed in self.viewed("photos", size=32, view="stretch"):
            self.assertLessEqual(set(np.unique(mixed)), set(np.unique(numbers)))


# --- As any other answer ----------------------------------------------------


class Answers(MapsTest):
    """Parts, formats, ranks, shards, what is decoded."""

    def test_every_format_with_every_part(self):
        for name, data in self.sets.items():
            whole = self.parts(name, 0, n=5, size=12)
            for form, parts in itertools.product(FORMATS, (None, "dense", "mixed", "mixed,dense", "labels,dense")):
                options = {"n": 5, "size": 12} | ({"parts": parts} if parts else {})
                target = f"/v1/datasets/{name}/batches/0.{form}?{urlencode(options)}"
                answer = self.server.get(target)
                wanted = {part: array for part, array in whole.items()
                          if not parts or part.partition(".")[0] in parts.split(",")}
                if (form in ("npy", "raw") and parts and len(wanted) > 1) or (form == "png" and parts not in (
                        None, "mixed")):
                    self.assertEqual(answer.status, 400, target)
                else:
                    self.assertEqual(answer.status, 200, target)
                    self.check_form(target, form, answer, wanted, data.layout)

    def check_form(self, target, form, answer, wanted, layout):
        """What a format holds of an answer's tensors, all or the first."""
        first = "mixed" if "mixed" in wanted else next(iter(wanted))
        if form == "png":
            np.testing.assert_array_equal(read_png(answer.body).pixels, drawn(wanted[first], layout), target)
            return
        if form == "json":
            found = {name: value for name, value in answer.json().items() if name in wanted}
            self.assertEqual(found, {name: tensors.listed(array) for name, array in wanted.items()}, target)
            return
        if form in ("npy", "raw"):
            found = {first: answer.npy() if form == "npy" else tensors.read_raw(answer.headers, answer.body)}
        else:
            found = getattr(tensors, f"read_{form}")(answer.body)
            self.assertEqual(found.keys(), wanted.keys(), target)
        for name, array in found.items():
            self.assertEqual((array.dtype, array.shape, array.tobytes()),
                             (wanted[name].dtype, wanted[name].shape, wanted[name].tobytes()), f"{name} of {target}")

    def test_ranks_put_together_are_the_batch(self):
        options = {"n": 11, "size": "18x22", "shuffle": 1, "flip": 1, "epoch": 2, "method": "fmix,cutmix", "prob": 0.7}
        for step in range(3):
            whole = self.parts("photos", step, **options)
            shares = [self.parts("photos", step, rank=rank, world=3, **options) for rank in range(3)]
            for part, array in whole.items():
                self.assertEqual(np.concatenate([share[part] for share in shares]).tobytes(), array.tobytes(), part)

    def shard(self, number, **options):
        """The files of one, by name."""
        listed = self.get(f"/v1/datasets/photos/shards?{urlencode(options)}").json()
        stem, braces = listed["urls"].split("{")
        with tarfile.open(fileobj=io.BytesIO(self.get(f"{stem}{number:06}{braces.split('}')[1]}").body)) as archive:
            return {member.name: archive.extractfile(member).read() for member in archive}

    def test_shards_hold_them_as_npy_or_as_indexed_colour(self):
        options = {"n": 7, "size": "12x15", "method": "cutmix", "flip": 1}
        expected = self.parts("photos", 2, **options)
        for member in ("npy", "png"):
            files = self.shard(2, member=member, **options)
            for i, part in itertools.product(range(7), ("dense", "dense.part")):
                data = files[f"000002-{i:06}.{part}.{member}"]
                if member == "npy":
                    np.testing.assert_array_equal(harness.read_npy(data), expected[part][i])
                    continue
                picture = Image.open(io.BytesIO(data))
                self.assertEqual(picture.mode, "P")
                np.testing.assert_array_equal(np.asarray(picture), expected[part][i])

    def test_each_map_is_decoded_once_and_only_where_it_is_wanted(self):
        def decoded(ask):
            before = self.server.metric(images.DECODED)
            ask()
            return self.server.metric(images.DECODED) - before
        for n, pairing in ((1, "none"), (7, "flip"), (29, "permutation")):
            ask = {"n": n, "size": 20, "pairing": pairing}
            self.assertEqual(decoded(lambda: self.parts("photos", 0, **ask)), 3 * n)
            self.assertEqual(decoded(lambda: self.parts("photos", 0, parts="dense", **ask)), 2 * n)
            self.assertEqual(decoded(lambda: self.parts("photos", 0, parts="mixed,labels", **ask)), n)
        got = self.parts("scans", 0, n=15, size=20, pairing="neighbour")
        count = decoded(lambda: self.parts("scans", 0, n=15, size=20, pairing="neighbour"))
        self.assertEqual(count, 2 * len({*got["rows"], *got["pairing"]}))

    def test_the_description_says_them(self):
        told = self.get("/v1/datasets/photos").json()
        self.assertEqual(told["dense"], [{"name": name, "dtype": "u8", "shape": [None, None], "layout": "none"}
                                         for name in ("dense", "dense.part")])

    def test_methods_that_would_blend_them_are_refused(self):
        for options in ({"method": "mixup"}, {"method": "bc"}, {"method": "samplepairing"}, {"soft": 0.2}):
            parameter, detail = self.refused("tiles", 400, n=4, size=8, **options)
            self.assertEqual(parameter, "method")
            self.assertIn("dense has dtype u8", detail)
            self.batch("tiles", 0, n=4, size=8, parts="mixed,labels", **options)
        self.batch("tiles", 0, n=4, size=8, method="mixup", **{"lambda": 1})

    def test_mean_std_and_type_leave_them_alone(self):
        plain = self.parts("photos", 0, n=6, size=20)
        other = self.parts("photos", 0, n=6, size=20, mean=0.5, std=0.25, out_dtype="f16", layout="channels_first")
        for part in ("dense", "dense.part"):
            self.assertEqual(plain[part].tobytes(), other[part].tobytes())


# --- Damage -----------------------------------------------------------------


def as_jpeg(numbers):
    """What people may have taken for a map."""
    return image_sets.encoded(numbers, "jpeg")


class Damage(unittest.TestCase):
    """Maps that cannot be used after all."""

    def served(self, maps, *arguments):
        """A set of four pictures, of which some have other maps."""
        root = self.enterContext(tempfile.TemporaryDirectory())
        source = np.random.default_rng(1)
        file = image_sets.encoded(photograph(source, 30, 40))
        data = image_sets.of_files("photos", [file] * 4, dense={"dense.map": [segmented(source, 30, 40)] * 4})
        image_sets.write(root, data, maps={("dense.map", row): numbers for row, numbers in maps.items()})
        return self.enterContext(harness.Server("--data", root, "--drain", "0", *arguments))

    def test_a_map_that_cannot_be_decoded_is_503_with_its_row(self):
        numbers = segmented(np.random.default_rng(2), 30, 40)
        good = map_file(numbers)
        wide = pictures.png(np.zeros((30, 40, 1), int), 16, 0)
        colour = image_sets.encoded(photograph(np.random.default_rng(3), 30, 40), "png")
        clear = pictures.png(np.zeros((30, 40, 2), int), 8, 4)
        sums = bytearray(good)
        sums[-13] ^= 1
        for bad, words in ((good[:len(good) // 2], "the file is truncated"), (b"nothing", "neither PNG nor JPEG"),
                           (map_file(numbers[:, :39]), "the file has 39 x 30 pixels"),
                           (map_file(numbers.T.copy()), "the file has 30 x 40 pixels"), (colour, "has RGB pixels"),
                           (clear, "grey pixels with alpha"), (wide, "at most 8 bits in a pixel; the file has 16"),
                           (as_jpeg(numbers), "must be a PNG file; the file is JPEG"), (bytes(sums), "CRC error")):
            with self.subTest(words):
                server = self.served({2: bad})
                for why in words, "it could not be decoded before":
                    answer = server.get("/v1/datasets/photos/batches/2.npz?n=1&size=30x40&view=stretch")
                    self.assertEqual(answer.status, 503, answer.body[:300])
                    told = answer.json()["detail"]
                    self.assertIn("the label map dense.map of row 2 of the data set photos cannot be used", told)
                    self.assertIn(why, told)
                self.assertEqual(server.get("/v1/datasets/photos/batches/2.npy?n=1&size=8").status, 200)
                self.assertEqual(server.get("/v1/datasets/photos/batches/2.npz?n=1&size=8&parts=mixed").status, 200)
                self.assertEqual(server.get("/v1/datasets/photos/batches/1.npz?n=1&size=8").status, 200)

    def test_indices_past_the_palette_and_few_bits_are_class_numbers(self):
        numbers = segmented(np.random.default_rng(2), 30, 40) % 4
        short = pictures.png(60 * numbers[..., None].astype(int), 8, 3, before=[(b"PLTE", bytes(9))])  # three colours
        server = self.served({0: pictures.png(numbers[..., None].astype(int), 2, 0), 1: map_file(numbers, bits=2),
                              2: short, 3: map_file(numbers, palette=False)})
        answer = server.get("/v1/datasets/photos/batches/0.npy?n=4&size=30x40&view=stretch&method=none&parts=dense")
        for got, factor in zip(answer.npy(), (1, 1, 60, 1)):
            np.testing.assert_array_equal(got, numbers * np.uint8(factor))

    def test_a_map_past_the_memory_is_413(self):
        root = self.enterContext(tempfile.TemporaryDirectory())
        pixels = np.zeros((3000, 3000), np.uint8)
        data = image_sets.of_files("large", [image_sets.encoded(pixels, "png")] * 2, 1, dense={"dense": [pixels] * 2})
        image_sets.write(root, data)
        with harness.Server("--data", root, "--drain", "0", "--memory", "96M") as server:
            for parts in ("mixed", "dense"):
                answer = server.get(f"/v1/datasets/large/batches/0.npy?n=2&size=8&parts={parts}")
                self.assertEqual(answer.status, 413, answer.body)


if __name__ == "__main__":
    unittest.main()
