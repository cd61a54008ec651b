"""`fmixd import --dense` of label maps beside pictures, in folders and in archives: what is stored, against Pillow
and NumPy, what is refused, and what is served of it."""

import io
import os
import struct
import subprocess
import tarfile
import unittest

import numpy as np
from PIL import Image

import harness
import hosting
import image_sets
import pictures
import tensors
import test_image_sets
from hosting import importing, ref
from image_sets import map_file, segmented
from interrupting import Interrupting
from test_image_dense import nearest


class MapsTest(Interrupting):
    """Pictures and maps on a disk."""

    photo, rows = test_image_sets.ImageSets.photo, test_image_sets.ImageSets.rows
    many, shard = test_image_sets.ImageSets.many, test_image_sets.ImageSets.shard

    def scene(self, name, height, width, classes=21, **how):
        """A picture and its map in the folders images and maps: the numbers of the map."""
        numbers = segmented(self.source, height, width, classes)
        kind = name.rpartition(".")[2]
        self.file(f"images/{name}", image_sets.encoded(self.photo(height, width), "png" if kind == "png" else "jpeg"))
        self.file(f"maps/{name.rpartition('.')[0]}.png", map_file(numbers, **how))
        return numbers

    def scenes(self):
        """Of any sizes, in two classes, with names as people give them: the numbers by name."""
        sides = [(30, 40), (41, 23), (64, 64), (9, 70), (33, 50), (20, 31)]
        names = ["a/1.jpg", "a/2.5 m.png", "a/deep/er/3.JPEG", "b/4.jpg", "b/5.png", "b/6.jpg"]
        return {name: self.scene(name, *side, palette=i % 2 == 0)
                for i, (name, side) in enumerate(zip(names, sides))}

    def stored(self, name="set", part="dense"):
        """The bytes of each map, and its sides."""
        folder = self.root / name
        data = (folder / f"{part}.bin").read_bytes()
        index = struct.iter_unpack("<QQII", (folder / f"index.{part}.bin").read_bytes())
        return [(data[at:at + length], height, width) for at, length, height, width in index]

    def bad(self, words, *files, name="bad"):
        """The import is refused in these words."""
        said = importing(self.root / name, "--from", *files, status=1)
        self.assertIn(words, said)
        self.assertFalse((self.root / name).exists())
        return said


class Stored(MapsTest):
    """What lies in a set."""

    def test_files_of_maps_are_stored_byte_for_byte(self):
        scenes = self.scenes()
        said = self.take("folder", self.folder / "images", "--dense", f"part={self.folder}/maps")
        self.assertEqual([data for data, _, _ in self.stored(part="dense.part")],
                         [(self.folder / "maps" / name).with_suffix(".png").read_bytes() for name in scenes])
        self.assertEqual([sides for _, *sides in self.stored(part="dense.part")],
                         [list(numbers.shape) for numbers in scenes.values()])
        self.assertIn(f"dense.part: a label map for each row, type u8, from '{self.folder}/maps'", said)

    def test_pixels_of_maps_are_the_numbers_shrunk_by_the_nearest(self):
        scenes = self.scenes()
        for name, *options in ("plain", "--store", "pixels"), ("short", "--store", "pixels", "--short", "22"):
            importing(self.root / name, "--from", "folder", self.folder / "images", *options, "--dense",
                      self.folder / "maps", "--dense", f"again={self.folder}/maps")
            for (data, height, width), (row, *sides), numbers in zip(
                    self.stored(name), self.rows(name), scenes.values()):
                low = min(numbers.shape)
                made = numbers if name == "plain" or low <= 22 else nearest(
                    numbers, *(22 * side // low for side in numbers.shape))
                self.assertEqual([height, width], sides)
                self.assertEqual(len(row), 3 * height * width)
                self.assertEqual((height, width), made.shape)
                self.assertEqual(data, made.tobytes())
            self.assertEqual(self.stored(name), self.stored(name, "dense.again"))

    def test_numbers_are_those_that_pillow_reads_in_mode_p_and_those_of_few_bits(self):
        numbers = segmented(self.source, 12, 13) % 2
        for name, file in (("1", pictures.png(numbers[..., None].astype(int), 1, 0)), ("2", map_file(numbers, bits=1)),
                           ("3", pictures.png(numbers[..., None].astype(int), 4, 0, interlaced=True))):
            self.file(f"images/a/{name}.jpg", pictures.jpeg(self.photo(12, 13)))
            self.file(f"maps/a/{name}.png", file)
        np.testing.assert_array_equal(np.asarray(Image.open(self.folder / "maps/a/2.png")), numbers)
        said = self.take("folder", self.folder / "images", "--store", "pixels", "--dense", self.folder / "maps")
        self.assertEqual([data for data, _, _ in self.stored()], [numbers.tobytes()] * 3)
        self.assertIn("converted 2 files: grey label maps of less than 8 bits, values as stored (first: '", said)

    def test_pictures_of_one_size_have_rows_of_maps(self):
        made = [self.scene(f"a/{i}.png", 8, 9) for i in range(5)]
        self.take("folder", self.folder / "images", "--dense", self.folder / "maps")
        self.assertEqual((self.root / "set" / "dense.bin").read_bytes(), np.stack(made).tobytes())
        with harness.Server("--data", str(self.root), "--drain", "0") as server:
            self.assertEqual(server.get("/v1/datasets/set").json()["dense"],
                             [{"name": "dense", "dtype": "u8", "shape": [8, 9], "layout": "none"}])
            got = server.get("/v1/datasets/set/batches/0.npy?n=5&method=none&parts=dense").npy()
            np.testing.assert_array_equal(got, np.stack(made))

    def test_info_and_verify_know_them(self):
        self.scenes()
        self.take("folder", self.folder / "images", "--dense", f"map={self.folder}/maps")
        def run(command, status=0):
            done = subprocess.run([harness.program(), command, self.root / "set"], text=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, check=False)
            self.assertEqual(done.returncode, status, done.stdout)
            return done.stdout
        told = run("info")
        for words in ("dense.map   HxW, type u8, layout none", "bytes in dense.map.bin",
                      "144 bytes in index.dense.map.bin"):
            self.assertIn(words, told)
        self.assertIn("is whole: 6 rows", run("verify"))
        path = self.root / "set" / "dense.map.bin"
        data = bytearray(path.read_bytes())
        data[700] ^= 1
        path.write_bytes(data)
        self.assertIn("of dense.map.bin (rows 0 to 5) are not what was imported", run("verify", 1))
        with harness.Server("--data", str(self.root), "--drain", "0") as server:
            answer = server.get("/v1/datasets/set/batches/0.npz?n=6&size=8")
            self.assertEqual(answer.status, 503)
            self.assertIn("of dense.map.bin (rows 0 to 5) are not what was imported", answer.json()["detail"])
            self.assertEqual(server.get("/v1/datasets/set/batches/0.npz?n=6&size=8&parts=mixed").status, 200)

    def test_an_import_that_is_killed_goes_on_with_its_maps(self):
        self.many(320)
        numbers = [map_file(segmented(self.source, 512, 512 + number)) for number in range(8)]
        for number, file in enumerate(numbers):
            self.file(f"maps/a/{number:06}.png", file)
        for number in range(8, 320):
            os.link(self.folder / f"maps/a/{number % 8:06}.png", self.folder / f"maps/a/{number:06}.png")
        more = ["folder", self.folder / "images", "--dense", self.folder / "maps"]
        self.killed(*more)
        said = self.take(*more)
        self.assertRegex(said, r"goes on with an earlier import that did not finish: [1-9]\d* of 320 rows are there")
        importing(self.root / "other", "--from", *more)
        for file in os.listdir(self.root / "other"):
            self.assertEqual((self.root / "set" / file).read_bytes(), (self.root / "other" / file).read_bytes(), file)
        self.assertEqual(len(self.stored()), 320)


class Sources(MapsTest):
    """Folders, lists and archives, from the import to a batch."""

    def batch(self, name, server, **options):
        query = "&".join(f"{key}={value}" for key, value in options.items())
        return tensors.read_safetensors(server.get(f"/v1/datasets/{name}/batches/0.safetensors?{query}").body)

    def check(self, scenes, name="set", part="dense"):
        """Batches are those of the reference, of what Pillow reads of the files."""
        rows = [image_sets.decoded((self.folder / "images" / path).read_bytes()) for path in scenes]
        data = hosting.Hosted(name, rows, {}, {}, "channels_last", {part: list(scenes.values())})
        with harness.Server("--data", str(self.root), "--drain", "0") as server:
            for kind, more in (("random", {"flip": 1}), ("center", {"short": 9}), ("stretch", {"flip": 1})):
                view = ref.View((17, 12), kind, short=more.get("short"), filter="bilinear")
                got = self.batch(name, server, n=6, size="17x12", view=kind, seed=3, parts="mixed,dense,rows", **more)
                made = hosting.batch(data, ref.Recipe(seed=3), 6, 0, 0, view=view, flip=bool(more.get("flip")))
                for tensor in ("mixed", "rows", part):
                    self.assertEqual(got[tensor].tobytes(), made[tensor].tobytes(), (kind, tensor))

    def test_a_folder(self):
        scenes = self.scenes()
        self.take("folder", self.folder / "images", "--dense", f"map={self.folder}/maps")
        self.check(scenes, part="dense.map")

    def test_a_list_whose_paths_begin_at_its_folder(self):
        scenes = self.scenes()
        lines = ["path,y", *(f'"{name}",{i % 2}' for i, name in enumerate(scenes))]
        listed = self.file("images/list.csv", "\n".join(lines).encode())
        for name, where in (("from-root", listed), ("from-here", os.path.relpath(listed))):
            importing(self.root / name, "--from", "list", where, "--dense", self.folder / "maps")
            self.check(scenes, name)

    def shards(self, scenes, end):
        """Two archives of them."""
        paths = [self.folder / "a.tar", self.folder / "b.tar"]
        for number, path in enumerate(paths):
            with tarfile.open(path, "w") as archive:
                for name in list(scenes)[3 * number:3 * number + 3]:
                    key, _, kind = name.replace(".5", "").rpartition(".")
                    place = (self.folder / "maps" / name).with_suffix(".png")
                    for suffix, data in (("cls", b"1"), (end, place.read_bytes()),
                                         (kind, (self.folder / "images" / name).read_bytes())):
                        member = tarfile.TarInfo(f"{key}.{suffix}")
                        member.size = len(data)
                        archive.addfile(member, io.BytesIO(data))
        return paths

    def test_archives_whose_maps_stand_beside_their_pictures(self):
        scenes = self.scenes()
        for number, (end, given, part) in enumerate((("seg.png", "seg", "dense"),
                                                     ("seg.png", "map=seg.png", "dense.map"),
                                                     ("dense.map.png", "map=dense.map", "dense.map"))):
            name = f"s{number}"
            said = importing(self.root / name, "--from", "tar", *self.shards(scenes, end), "--dense", given)
            self.assertNotIn("are not read", said)
            self.check(scenes, name, part)

    def test_shards_of_a_set_can_be_imported_again(self):
        self.scenes()
        self.take("folder", self.folder / "images", "--dense", f"map={self.folder}/maps", "--store", "pixels")
        with harness.Server("--data", str(self.root), "--drain", "0") as server:
            options = "n=6&size=20&method=none&member=png"
            listed = server.get(f"/v1/datasets/set/shards?{options}").json()["urls"]
            shard = self.file("again.tar", server.get(listed.replace("{000000..000000}", "000000")).body)
            whole = self.batch("set", server, n=6, size=20, method="none")
        importing(self.root / "again", "--from", "tar", shard, "--dense", "map=dense.map")
        self.assertEqual((self.root / "again" / "dense.map.bin").read_bytes(), whole["dense.map"].tobytes())
        self.assertEqual((self.root / "again" / "data.bin").read_bytes(), whole["mixed"].tobytes())


class Refused(MapsTest):
    """What is no map of its picture."""

    def spoil(self):
        """Bad maps of scenes by name, and what is said of each."""
        numbers = segmented(self.source, 30, 40)
        whole = map_file(numbers)
        return {"b/1.jpg": (map_file(numbers.T.copy()), "the label map has 30 x 40 pixels (width x height); it must "
                                                        "have the 40 x 30 of its picture"),
                "b/2.jpg": (whole[:-30], "the file is truncated after"),
                "b/3.jpg": (image_sets.encoded(self.photo(30, 40), "png"), "palette indices or grey values; the file "
                                                                           "has RGB pixels"),
                "b/4.jpg": (pictures.png(np.zeros((30, 40, 1), int), 16, 0),
                            "at most 8 bits in a pixel; the file has 16"),
                "b/5.jpg": (None, "the label map of the picture is missing: No such file or directory"),
                "b/6.jpg": (image_sets.encoded(numbers, "jpeg"), "a label map must be a PNG file; the file is JPEG"),
                "b/7.jpg": (b"", "")}

    def scenes_of(self, spoilt):
        """Good ones, and the bad ones among them."""
        good = {name: self.scene(name, *sides) for name, sides in (("a/1.jpg", (31, 40)), ("a/2.png", (30, 41)))}
        for name, (file, _) in spoilt.items():
            self.scene(name, 30, 40)
            place = (self.folder / "maps" / name).with_suffix(".png")
            if file is None:
                place.unlink()
            else:
                place.write_bytes(file)
        return good | {"b/8.jpg": self.scene("b/8.jpg", 30, 40)}

    def test_each_is_named_with_what_it_is_and_what_it_must_be(self):
        spoilt = self.spoil()
        self.scenes_of(spoilt)
        said = self.bad("some files cannot be read; --skip-bad imports the others", "folder", self.folder / "images",
                        "--dense", self.folder / "maps")
        for name, (_, words) in spoilt.items():
            if name != "b/2.jpg":  # whose header is good
                self.assertRegex(said, f"maps/{name[:-4]}.png': .*" + words.replace("(", r"\(").replace(")", r"\)"))

    def test_rows_of_bad_maps_are_skipped_and_counted(self):
        spoilt = self.spoil()
        good = self.scenes_of(spoilt)
        for store in "files", "pixels":
            said = importing(self.root / store, "--from", "folder", self.folder / "images", "--store", store, "--dense",
                             self.folder / "maps", "--skip-bad")
            for name, (_, words) in spoilt.items():
                self.assertIn(f"maps/{name[:-4]}.png': ", said)
                self.assertIn(words, said)
            self.assertIn("7 files could not be read, named above", said)
            self.assertEqual([(height, width) for _, height, width in self.stored(store)],
                             [numbers.shape for numbers in good.values()])
            self.assertEqual([sides for _, *sides in self.rows(store)], [sides for _, *sides in self.stored(store)])
        self.assertEqual([data for data, _, _ in self.stored("pixels")],
                         [numbers.tobytes() for numbers in good.values()])

    def test_members_that_are_missing_or_twice(self):
        picture, numbers = pictures.jpeg(self.photo(9, 8)), map_file(segmented(self.source, 9, 8))
        other = pictures.jpeg(self.photo(9, 10))
        for samples, words in (([("1", "jpg", picture), ("1", "seg.png", numbers), ("2", "jpg", other)],
                                "a.tar: 2.seg.png': the label map of the picture is missing"),
                               ([("1", "jpg", picture), ("1", "seg.png", numbers), ("1", "seg.png", numbers)],
                                "a.tar: 1.jpg': the key has a label map twice"),
                               ([("1", "jpg", picture), ("1", "seg.png", numbers[:-9])],
                                "a.tar: 1.seg.png': the file is truncated")):
            self.bad(words, "tar", self.shard("a.tar", samples, tarfile.USTAR_FORMAT), "--dense", "seg")

    def test_paths_that_have_no_map_and_options_that_make_no_sense(self):
        self.scenes()
        listed = self.file("images/list.csv", f"path\n{self.folder}/images/a/1.jpg\na/deep/er/3.JPEG\n".encode())
        self.bad("images/a/1.jpg': the path is absolute", "list", listed, "--dense", self.folder / "maps")
        np.save(self.folder / "y.npy", np.zeros((6, 8, 8), np.uint8))
        maps, images = self.folder / "maps", self.folder / "images"
        self.bad("y.npy' holds dense targets of one size, but the pictures have sizes of their own", "folder", images,
                 "--dense", self.folder / "y.npy")
        for words, *options in (("nowhere' cannot be read: No such file", self.folder / "nowhere"),
                                (f"dense.a is given twice by --dense, as '{maps}' and as '{images}'", f"a={maps}",
                                 "--dense", f"a={images}")):
            said = importing(self.root / "bad", "--from", "folder", images, "--dense", *options, status=2)
            self.assertIn(words, said)


if __name__ == "__main__":
    unittest.main()
