"""Photographs end to end: imported, served to three ranks and put together again, against Pillow; and a
hundred corrupted variants of each of ten files.

The photographs are tiles of Debian's wallpapers and the wallpapers themselves, or where there are none,
pictures of our own making. FMIX_PHOTOGRAPHS names a folder of others.
"""

import io
import os
import pathlib
import random
import re
import struct
import tempfile
import unittest
import zlib

import numpy as np
from PIL import Image

import harness
import image_sets
import pictures
import tensors
from hosting import importing, ref
from test_storm import sanitized

WALLPAPERS = pathlib.Path("/usr/share/backgrounds")
FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
TILES = 6          # of each wallpaper
LARGEST = 1 << 20  # bytes of a wallpaper that is imported as it is
VARIANTS = 100


def wallpapers():
    """Pillow's pictures of Debian's wallpapers at a quarter of their sides, or some of our own making."""
    paths = sorted(path for path in WALLPAPERS.rglob("*.jpg") if not path.is_symlink())[:5]
    for path in paths:
        with Image.open(path) as image:
            image.draft("RGB", (image.width // 4, image.height // 4))
            yield image.convert("RGB")
    for seed in range(len(paths), 3):
        yield Image.fromarray(image_sets.photograph(np.random.default_rng(seed), 600, 900))


def tiles(height, width):
    """Of each wallpaper some, from all over it; every second one turned."""
    source = np.random.default_rng(9)
    for image in wallpapers():
        for i in range(TILES):
            sides = (width, height) if i % 2 else (height, width)
            left, top = (int(source.integers(0, room)) for room in (image.width - sides[0], image.height - sides[1]))
            yield image.crop((left, top, left + sides[0], top + sides[1]))


def photographs(folder):
    """Writes a folder of classes, as cameras and programs write files; their paths in the order of rows."""
    if os.environ.get("FMIX_PHOTOGRAPHS"):
        (folder / "all").symlink_to(os.environ["FMIX_PHOTOGRAPHS"])
    else:
        ways = ({"quality": 75}, {"quality": 95, "subsampling": 0}, {"progressive": True}, {"subsampling": 1},
                {"optimize": True, "quality": 50}, None)
        for i, tile in enumerate(tiles(375, 500)):
            place = folder / "abc"[i % 3] / f"{i:03}"
            place.parent.mkdir(exist_ok=True)
            how = ways[i // 3 % len(ways)]
            tile = tile.convert("L") if i % 7 == 5 else tile.resize((233 + i, 311 - i)) if i % 5 == 3 else tile
            tile.save(place, **({"format": "png"} if how is None else {"format": "jpeg", **how}))
            place.rename(place.with_suffix(".png" if how is None else ".jpg"))
        for path in WALLPAPERS.glob("*.jpg"):
            if path.stat().st_size < LARGEST:
                (folder / "c" / path.name).write_bytes(path.read_bytes())
    return sorted((path for path in folder.glob("*/*") if path.suffix.lower() in (".jpg", ".jpeg", ".png")),
                  key=lambda path: os.fsencode(path.relative_to(folder)))


def entries(path):
    """(offset, length, height, width) of each row of a set."""
    return list(struct.iter_unpack("<QQII", (path / "index.bin").read_bytes()))


def stored(path):
    """The bytes of each row."""
    data = (path / "data.bin").read_bytes()
    return [data[at:at + length] for at, length, _, _ in entries(path)]


class Epochs(unittest.TestCase):
    """Three ranks of three daemons share an epoch."""

    @classmethod
    def setUpClass(cls):
        folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        (folder / "images").mkdir()
        (folder / "sets").mkdir()
        cls.paths = photographs(folder / "images")
        importing(folder / "sets/files", "--from", "folder", folder / "images")
        importing(folder / "sets/pixels", "--from", "folder", folder / "images", "--store", "pixels", "--short", 128)
        cls.images = [Image.open(path).convert("RGB") for path in cls.paths]
        cls.smaller = [cls.shrunk(image, 128) for image in cls.images]
        cls.servers = [cls.enterClassContext(harness.Server("--data", str(folder / "sets"), "--drain", "0"))
                       for _ in range(3)]

    @staticmethod
    def shrunk(image, least):
        """As --short and Resize do it: the shorter side is `least`."""
        short = min(image.size)
        sides = [least if side == short else least * side // short for side in image.size]
        return image.resize(sides, Image.Resampling.BICUBIC) if short > least else image

    def epoch(self, name, query):
        """All rows of an epoch in the order of the batches, each put together of what each rank got."""
        whole, batches = {}, -(-len(self.paths) // 16)
        for step in range(batches):
            for rank, server in enumerate(self.servers):
                answer = server.get(f"/v1/datasets/{name}/batches/{step}.safetensors?n=16&rank={rank}&world=3&{query}")
                self.assertEqual(answer.status, 200, answer.body[:400])
                for part, tensor in tensors.read_safetensors(answer.body).items():
                    whole.setdefault(part, []).append(tensor)
        made = {part: np.concatenate(shares) for part, shares in whole.items()}
        self.assertEqual(sorted(made["rows"]), list(range(len(self.paths))))
        return made

    def check_random(self, name, images, kind):
        seed, epoch, view = 77, 4, ref.View((64, 48), filter=kind)
        made = self.epoch(name, f"size=64x48&shuffle=1&flip=1&method=none&seed={seed}&epoch={epoch}&filter={kind}")
        flipped = 0
        for place, row in enumerate(made["rows"]):
            t = epoch * len(images) + place
            image = images[row]
            top, left, height, width = ref.random_window(seed, t, (image.height, image.width), view)
            wanted = image.crop((left, top, left + width, top + height)).resize((48, 64), FILTERS[kind])
            if ref.is_flipped(seed, t):
                wanted = wanted.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
                flipped += 1
            self.assertEqual(made["mixed"][place].tobytes(), wanted.tobytes(), self.paths[row])
            self.assertEqual(made["labels"][place].argmax(), "abc".find(self.paths[row].parent.name[0]))
        self.assertTrue(0 < flipped < len(images))

    def test_random_views_of_files(self):
        self.check_random("files", self.images, "bilinear")

    def test_random_views_of_pixels_that_were_shrunk(self):
        self.check_random("pixels", self.smaller, "bicubic")

    def test_centers_of_files(self):
        made = self.epoch("files", "size=56&view=center&short=64&method=none&filter=bicubic")
        for mixed, row in zip(made["mixed"], made["rows"]):
            image = self.shrunk(self.images[row], 64)
            left, top = round((image.width - 56) / 2), round((image.height - 56) / 2)
            self.assertEqual(mixed.tobytes(), image.crop((left, top, left + 56, top + 56)).tobytes(), self.paths[row])

    def test_mixed_batches_are_those_of_one_rank(self):
        query = "size=32&shuffle=1&flip=1&method=fmix,mixup&switch=sample&pairing=derangement&mean=0.4&std=0.2"
        made = self.epoch("files", query)
        for step in range(-(-len(self.paths) // 16)):
            answer = self.servers[0].get(f"/v1/datasets/files/batches/{step}.safetensors?n=16&{query}")
            for part, tensor in tensors.read_safetensors(answer.body).items():
                self.assertEqual(made[part][16 * step:16 * step + len(tensor)].tobytes(), tensor.tobytes(), part)


# --- Corrupted --------------------------------------------------------------


def ten_files():
    """Of each kind that decoders have code of their own for."""
    cut = [np.asarray(tile) for tile in tiles(104, 134)]
    colour, grey = cut[0], np.asarray(Image.fromarray(cut[1]).convert("L"))
    yield "baseline.jpg", pictures.cjpeg(colour, "-quality", "80")
    yield "progressive.jpg", pictures.cjpeg(cut[2], "-progressive")
    yield "restarts.jpg", pictures.cjpeg(cut[3], "-restart", "3B", "-sample", "2x1")
    yield "arithmetic.jpg", pictures.cjpeg(cut[4], "-arithmetic")
    yield "grey.jpg", pictures.cjpeg(grey, "-optimize")
    yield "cmyk.jpg", pictures.jpeg(np.asarray(Image.fromarray(cut[5]).convert("CMYK")), "CMYK", quality=85)
    yield "colour.png", image_sets.encoded(cut[6], "png")
    yield "palette.png", _png(Image.fromarray(cut[7]).quantize(64))
    yield "interlaced.png", pictures.png(cut[8].astype(int), 8, 2, interlaced=True)
    yield "grey.png", image_sets.encoded(grey, "png", optimize=True)


def _png(image):
    out = io.BytesIO()
    image.save(out, "png")
    return out.getvalue()


def corrupted(data, rng):
    """One of the ways in which disks, networks and programs spoil files."""
    bent, kind = bytearray(data), rng.randrange(6)
    if kind == 0:
        return data[:rng.randrange(len(data))]
    if kind == 1:
        for _ in range(rng.choice((1, 1, 2, 8, 50))):
            bent[rng.randrange(len(bent))] ^= 1 << rng.randrange(8)
    elif kind == 2:  # in what says how the rest is read
        for _ in range(rng.choice((1, 1, 3))):
            bent[rng.randrange(min(len(bent), 640))] = rng.choice((0, 1, 0x7f, 0x80, 0xff, rng.randrange(256)))
    elif kind == 3:
        start, length = rng.randrange(len(bent)), rng.randint(1, 600)
        bent[start:start + length] = rng.choice((b"", bytes(len(bent[start:start + length])), bent[:length]))
    elif kind == 4:
        _swap(bent, rng)
    else:
        start, other = rng.randrange(len(bent)), rng.randrange(len(bent))
        bent[start:start] = bent[other:other + rng.randint(1, 300)]
    return _summed(bytes(bent)) if rng.random() < 0.5 else bytes(bent)


def _summed(data):
    """A PNG with true checksums, so that more than those find what is wrong; other files as they are."""
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        return data
    made, at = data[:8], 8
    while at + 12 <= len(data):
        end = at + 8 + struct.unpack(">I", data[at:at + 4])[0]
        if end + 4 > len(data):
            break
        made += data[at:end] + struct.pack(">I", zlib.crc32(data[at + 4:end]))
        at = end + 4
    return made + data[at:]


def _swap(bent, rng):
    """Two markers of JPEG, or two names of PNG's chunks, in each other's place."""
    found = [(m.start(), m.end()) for m in re.finditer(rb"\xff[\xc0-\xfe]|IHDR|PLTE|IDAT|IEND|tRNS", bytes(bent))]
    first, second = sorted(rng.sample(found, 2))
    if bent[first[0]:first[1]] == bent[second[0]:second[1]] or rng.random() < 0.3:
        bent[first[0]:first[1]] = bytes(rng.randrange(256) for _ in range(first[1] - first[0]))
        return
    swapped = bent[second[0]:second[1]], bent[first[0]:first[1]]
    bent[second[0]:second[1]], bent[first[0]:first[1]] = swapped[1], swapped[0]


class Corrupted(unittest.TestCase):
    """What is no longer as it was written is named, or it is a picture all the same; by the sanitized program."""

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        place, rng = cls.folder / "images" / "all", random.Random(5)
        place.mkdir(parents=True)
        for name, data in ten_files():
            stem, kind = name.split(".")
            for number in range(VARIANTS):
                (place / f"{stem}-{number:03}.{kind}").write_bytes(corrupted(data, rng))
            (place / name).write_bytes(data)
        (cls.folder / "sets").mkdir()
        cls.said = importing(cls.folder / "sets/set", "--from", "folder", cls.folder / "images", "--skip-bad",
                             "--store", "files", command=[sanitized()])
        names, rows = sorted((path.name for path in place.iterdir()), key=str.encode), stored(cls.folder / "sets/set")
        cls.names, cls.bad = [], []
        for name in names:
            imported = len(cls.names) < len(rows) and rows[len(cls.names)] == (place / name).read_bytes()
            (cls.names if imported else cls.bad).append(name)
        cls.rows = len(rows)

    def test_each_is_imported_as_it_is_or_named(self):
        self.assertEqual(len(self.names), self.rows)
        for name in self.bad:
            self.assertIn(f"all/{name}': ", self.said)
        self.assertIn(f"{len(self.bad)} files could not be read, named above", self.said)
        self.assertGreater(len(self.bad), 3 * VARIANTS)
        self.assertGreater(len(self.names), 50)
        for name, _ in ten_files():
            self.assertIn(name, self.names)

    def test_what_is_imported_is_served_as_pillow_reads_it(self):
        read = 0
        with harness.Server("--data", str(self.folder / "sets"), "--drain", "0", command=[sanitized()]) as server:
            for step in range(-(-len(self.names) // 8)):
                answer = server.get(f"/v1/datasets/set/batches/{step}.npy?n=8&size=64&view=stretch&method=none&"
                                    "parts=mixed&filter=nearest")
                self.assertEqual(answer.status, 200, answer.body[:400])
                for name, mixed in zip(self.names[8 * step:], answer.npy()):
                    wanted = self.read(name)
                    if wanted is not None:
                        self.assertEqual(mixed.tobytes(), wanted.resize((64, 64), 0).tobytes(), name)
                        read += 1
        self.assertGreater(read, 0.9 * len(self.names))

    def read(self, name):
        """Pillow's picture, or None where it finds the file too bad."""
        try:
            with Image.open(self.folder / "images/all" / name) as image:
                return image.convert("RGB")
        except (OSError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError):
            return None


class Altered(unittest.TestCase):
    """A set that was good when it was imported, and of which a row is altered later."""

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        (self.folder / "images/all").mkdir(parents=True)
        noise = np.random.default_rng(3)
        for number in range(5):  # the middle of each lies in a piece of its own
            pixels = noise.integers(0, 256, (860 + number, 860, 3), dtype=np.uint8)
            (self.folder / f"images/all/{number}.png").write_bytes(image_sets.encoded(pixels, "png", compress_level=1))
        (self.folder / "sets").mkdir()
        self.path = self.folder / "sets/set"
        importing(self.path, "--from", "folder", self.folder / "images", command=[sanitized()])

    def overwrite(self, row, junk):
        """Bytes in the middle of a row."""
        offset, length, _, _ = entries(self.path)[row]
        with open(self.path / "data.bin", "r+b") as file:
            file.seek(offset + length // 2)
            file.write(junk)

    def served(self):
        """A daemon, and a way to ask for a row."""
        server = self.enterContext(harness.Server("--data", str(self.folder / "sets"), "--drain", "0",
                                                  command=[sanitized()]))
        return lambda row: server.get(f"/v1/datasets/set/batches/{row}.npy?n=1&size=9&method=none", fresh=True)

    def test_a_bit_that_turned_is_503_with_its_row(self):
        """Whether or not the picture can be decoded still."""
        self.overwrite(2, b"\0")
        ask = self.served()
        for row in range(5):
            answer = ask(row)
            self.assertEqual(answer.status, 503 if row == 2 else 200, answer.body)
        self.assertRegex(ask(2).json()["detail"], r"of data\.bin \(row 2\) are not what was imported")

    def test_bytes_that_are_altered_while_they_are_served_are_503_with_their_row(self):
        ask = self.served()
        self.assertEqual([ask(row).status for row in range(5)], [200] * 5)
        self.overwrite(3, bytes(5000))
        for row in range(5):
            answer = ask(row)
            self.assertEqual(answer.status, 503 if row == 3 else 200, answer.body)
        self.assertIn("(row 3)", ask(3).json()["detail"])

    def test_a_file_that_ends_while_it_is_served_is_503(self):
        ask = self.served()
        self.assertEqual([ask(row).status for row in range(5)], [200] * 5)
        os.truncate(self.path / "data.bin", entries(self.path)[4][0])
        for row in range(5):
            self.assertEqual(ask(row).status, 503)
        self.assertIn("truncated", ask(0).json()["detail"])


if __name__ == "__main__":
    unittest.main()
