"""`fmixd import` of pictures of any sizes: files and pixels, against Pillow."""

import io
import os
import resource
import signal
import struct
import subprocess
import tarfile
import unittest

import numpy as np
from PIL import Image

import harness
import pictures
from hosting import importing
from interrupting import Interrupting


def entries(folder):
    """(offset, length, height, width) of each row."""
    return list(struct.iter_unpack("<QQII", (folder / "index.bin").read_bytes()))


class ImageSets(Interrupting):
    """Image sets, as they lie on the disk."""

    def photo(self, height, width, number=0):
        """Noise on something smooth."""
        noise = self.source.integers(-20, 20, (height, width, 3))
        return np.clip(pictures.photo(height, width) + noise + number, 0, 255).astype(np.uint8)

    def odd(self):
        """(name, bytes) of pictures of every mode, in the order of their names."""
        def saved(image, kind, **options):
            out = io.BytesIO()
            image.save(out, kind, **options)
            return out.getvalue()
        colour = Image.fromarray(self.photo(41, 57))
        exif = Image.Exif()
        exif[0x112] = 6  # turned by 90 degrees
        noise = self.source
        return sorted([
            ("cmyk.jpg", saved(colour.convert("CMYK"), "JPEG", quality=90)),
            ("colour.jpg", saved(colour, "JPEG", quality=85)),
            ("grey.jpg", saved(colour.convert("L").resize((33, 20)), "JPEG")),
            ("grey.png", saved(colour.convert("L"), "PNG")),
            ("alpha.png", saved(colour.convert("RGBA"), "PNG")),
            ("palette.png", saved(colour.quantize(37), "PNG")),
            ("one bit.png", saved(colour.convert("1"), "PNG")),
            ("turned.png", saved(colour.resize((30, 20)), "PNG", exif=exif)),
            ("wide.png", pictures.png(pictures.noise(noise, 30, 20, 16, 2), 16, 2)),
            ("progressive.JPEG", saved(colour.resize((99, 300)), "JPEG", progressive=True)),
            ("turned.jpeg", saved(colour.resize((50, 60)), "JPEG", exif=exif)),
        ])

    def rows(self, name="set"):
        """The bytes of each row, and its sides."""
        data = (self.root / name / "data.bin").read_bytes()
        return [(data[at:at + length], height, width)
                for at, length, height, width in entries(self.root / name)]

    @staticmethod
    def pixels(data, mode):
        """As Pillow decodes and converts them; of 16 bits the high byte."""
        image = Image.open(io.BytesIO(data))
        return image.convert("RGB").convert(mode) if image.mode in ("P", "1", "RGBA", "CMYK") else image.convert(mode)

    def test_files_are_stored_byte_for_byte(self):
        odd = self.odd()
        for name, data in odd:
            self.file(f"images/a/{name}", data)
        said = self.take("folder", self.folder / "images")
        self.assertEqual([row for row, _, _ in self.rows()], [data for _, data in odd])
        for (_, height, width), (name, data) in zip(self.rows(), odd):
            self.assertEqual((width, height), Image.open(io.BytesIO(data)).size, name)
        for words in ("the sizes differ, so the files are stored as they are, as with --store files",
                      "rows have shape HxWx3, type u8 and layout channels_last",
                      "stored unchanged, converted when served: 1 file: CMYK to RGB (first: '",
                      "stored unchanged, converted when served: 3 files: grey to RGB",
                      "not turned: 2 files: an Exif orientation, which is not applied (first: '"):
            self.assertIn(words, said)
        with harness.Server("--data", str(self.root), "--drain", "0") as server:
            told = server.get("/v1/datasets/set").json()
            self.assertEqual(told["images"], {"store": "files", "channels": 3})
            self.assertEqual((told["shape"], told["count"]), ([None, None, 3], len(odd)))

    def test_pixels_are_those_of_pillow(self):
        odd = self.odd()
        for name, data in odd:
            self.file(f"images/a/{name}", data)
        for channels, mode in ((3, "RGB"), (1, "L")):
            for shorter in (None, 16, 40):
                name = f"s{channels}-{shorter}"
                options = ["--short", shorter] if shorter else []
                importing(self.root / name, "--from", "folder", self.folder / "images", "--store", "pixels",
                          "--channels", channels, *options)
                for (row, height, width), (file, data) in zip(self.rows(name), odd):
                    image = self.pixels(data, mode)
                    low = min(image.size)
                    if shorter and low > shorter:
                        image = image.resize(tuple(shorter * side // low for side in image.size), Image.BICUBIC)
                    self.assertEqual((width, height), image.size, (name, file))
                    if file != "wide.png":  # Pillow reads other bytes of 16-bit RGB
                        self.assertEqual(row, image.tobytes(), (name, file))

    def test_names_in_any_bytes(self):
        names = [b"a b.jpg", b"new\nline.jpg", b"\xff\xfe.jpg", "zürich.jpg".encode()]
        for number, name in enumerate(sorted(names)):
            self.file("images/a/x", pictures.jpeg(self.photo(8 + number, 9)))
            os.rename(self.folder / "images/a/x", os.fsencode(self.folder / "images/a") + b"/" + name)
        self.take("folder", self.folder / "images")
        self.assertEqual([height for _, _, height, _ in entries(self.root / "set")], [8, 9, 10, 11])
        with open(os.fsencode(self.folder / "images/a") + b"/\xff\x1b.jpg", "wb") as file:
            file.write(b"none")
        said = importing(self.root / "bad", "--from", "folder", self.folder / "images", status=1)
        self.assertIn(r"a/\xff\x1b.jpg': the file is neither PNG nor JPEG", said)

    def test_skip_bad_names_every_bad_file(self):
        good = pictures.jpeg(self.photo(20, 30))
        for number in range(60):
            self.file(f"images/a/{number:02}.jpg", good if number % 2 else good[:-100] if number % 4 else b"?")
        self.file("images/a/z.jpg", pictures.jpeg(self.photo(9, 9)))
        said = self.take("folder", self.folder / "images", "--skip-bad")
        for number in range(0, 60, 2):
            self.assertIn(f"a/{number:02}.jpg': the file is ", said)
        self.assertIn("30 files could not be read, named above", said)
        self.assertEqual(len(entries(self.root / "set")), 31)

    def many(self, count, side=512):
        """A folder of so many JPEG files of different sizes, mostly links."""
        for number in range(8):
            self.file(f"images/a/{number:06}.jpg", pictures.jpeg(self.photo(side, side + number), quality=90))
        for number in range(8, count):
            os.link(self.folder / f"images/a/{number % 8:06}.jpg", self.folder / f"images/a/{number:06}.jpg")

    def test_an_import_that_is_killed_goes_on_where_it_was(self):
        self.many(600)
        self.file("images/a/0.png", dict(self.odd())["alpha.png"])  # among the first rows
        self.file("images/a/1.jpeg", dict(self.odd())["turned.jpeg"])
        self.killed("folder", self.folder / "images")
        said = self.take("folder", self.folder / "images")
        self.assertRegex(said, r"goes on with an earlier import that did not finish: [1-9]\d* of 602 rows are there")
        self.assertIn("imported 602 files", said)
        self.assertIn("1 file: alpha channel or transparent colour dropped (first: '", said)
        self.assertIn("not turned: 1 file: an Exif orientation", said)
        importing(self.root / "other", "--from", "folder", self.folder / "images")
        for file in ("data.bin", "index.bin", "labels.bin", "manifest.json"):
            self.assertEqual((self.root / "set" / file).read_bytes(), (self.root / "other" / file).read_bytes())
        self.assertEqual(sorted(os.listdir(self.root / "set")), sorted(os.listdir(self.root / "other")))

    def test_a_list_names_pictures_and_labels_in_its_order(self):
        odd = self.odd()
        lines = ["path,y,y.age"]
        for number, (name, data) in enumerate(odd):
            self.file(f"in, a \"folder\"/{name}", data)
            lines.append(f'"in, a ""folder""/{name}",{("cat", "dog", "ÄÖ")[number % 3]},{number * 0.5}')
        listed = self.file("list.csv", b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
        said = self.take("list", listed, "--values", "--store", "files")
        self.assertEqual([row for row, _, _ in self.rows()], [data for _, data in odd])
        labels = np.fromfile(self.root / "set" / "labels.bin", "<i4").tolist()
        self.assertEqual(labels, [number % 3 for number in range(len(odd))])
        ages = np.fromfile(self.root / "set" / "labels.age.bin", "<f4").tolist()
        self.assertEqual(ages, [number * 0.5 for number in range(len(odd))])
        self.assertIn("y: 3 classes; rows per class: 'cat': 4, 'dog': 4, 'ÄÖ': 3", said)
        self.assertIn("y.age: values from 0 to 5", said)
        with harness.Server("--data", str(self.root), "--drain", "0") as server:
            self.assertEqual(server.get("/v1/datasets/set").json()["heads"][0]["class_names"], ["cat", "dog", "ÄÖ"])

    def shard(self, name, samples, form):
        """A tar file of (key, extension, bytes), by Python's tarfile."""
        path = self.folder / name
        with tarfile.open(path, "w", format=form) as archive:
            for key, extension, data in samples:
                member = tarfile.TarInfo(f"{key}.{extension}")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
        return path

    def test_shards_of_every_form_hold_the_same(self):
        odd = [(name, data) for name, data in self.odd() if name.endswith((".jpg", ".png"))]
        long = "folder/" + "long " * 40 + "ü"
        samples = []
        for number, (name, data) in enumerate(odd):
            key = f"{long}{number}"
            samples += [(key, name.rsplit(".", 1)[1], data), (key, "cls", b"%d" % (number % 4)),
                        (key, "txt", b"a caption")]
        digests = set()
        for number, form in enumerate((tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)):
            half = len(samples) // 6 * 3
            shards = [self.shard(f"{number}-a.tar", samples[:half], form),
                      self.shard(f"{number}-b.tar", samples[half:], form)]
            said = importing(self.root / f"s{number}", "--from", "tar", *shards)
            self.assertIn(f"skipped {len(odd)} files: members .txt are not read", said)
            self.assertEqual([row for row, _, _ in self.rows(f"s{number}")], [data for _, data in odd])
            self.assertEqual(np.fromfile(self.root / f"s{number}" / "labels.bin", "<i4").tolist(),
                             [n % 4 for n in range(len(odd))])
            digests.add((self.root / f"s{number}" / "manifest.json").read_text())
        self.assertEqual(len(digests), 1)

    def test_a_sets_own_webdataset_shards_are_refused_when_they_are_cut(self):
        shard = self.shard("a.tar", [("1", "jpg", pictures.jpeg(self.photo(9, 9))), ("1", "cls", b"0")],
                           tarfile.USTAR_FORMAT)
        whole = shard.read_bytes()
        for length in (len(whole) - len(whole.rstrip(b"\0")) + 100, 600, 100, 0):
            self.refused("tar", self.file("cut.tar", whole[:length] if length < 1000 else whole.rstrip(b"\0")))
        self.assertIn("if archives were joined", self.refused("tar", self.file("twice.tar", whole + whole)))

    def test_classes_of_shards_without_labels_are_refused(self):
        shard = self.shard("a.tar", [("1", "jpg", pictures.jpeg(self.photo(9, 9)))], tarfile.USTAR_FORMAT)
        self.assertIn("--classes applies to labels, but the shards have none",
                      self.refused("tar", shard, "--classes", "5"))
        self.take("tar", shard)

    def test_a_disk_that_fills_is_said_and_leaves_nothing(self):
        self.many(40)

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))
        done = subprocess.run([harness.program(), "import", self.root / "set", "--from", "folder",
                               self.folder / "images", "--store", "pixels"], stderr=subprocess.PIPE, text=True,
                              preexec_fn=limit, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "cannot write .*/data.bin: File too large")
        self.assertEqual(list(self.root.iterdir()), [])


if __name__ == "__main__":
    unittest.main()
