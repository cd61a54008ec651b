"""Imports of pictures by a list and from shards that are killed, run out of disk, or whose sources change."""

import functools
import io
import itertools
import os
import re
import resource
import signal
import struct
import subprocess
import tarfile
import unittest

import numpy as np

import harness
import image_sets
import pictures
import tensors
from hosting import importing
from interrupting import Interrupting
from test_image_sets import entries

COUNT = 960  # pictures of an import that is killed
SHARDS = 8


def touch(path):
    """Writes the last byte once more."""
    with open(path, "r+b") as file:
        file.seek(-1, os.SEEK_END)
        last = file.read()
        file.seek(-1, os.SEEK_END)
        file.write(last)


def cut(path):
    """Keeps the first half."""
    os.truncate(path, path.stat().st_size // 2)


# What is altered while it is read, how, and what is said then. Shards are links to one file, so that the shard in work
# is cut with the others: whether it, one of its pictures or the next shard is found so hangs on who reads first.
ALTERED = (((r"list\.csv", touch, r"list\.csv' was truncated or changed while it was read"),
            (r"7.*\.jpg", cut, r"7.*\.jpg'.*truncated")),
           ((r"shard-5\.tar", touch, r"shard-\d\.tar' was truncated or changed while it was read"),
            (r"shard-6\.tar", cut, r"shard-\d\.tar(: \d{5}\.jpg)?'.* (truncated|cut short|cut off|ends)")))
WORDS = r"goes on with an earlier import that did not finish: [1-9]\d* of 960 rows are there|" \
        r"what an earlier import left unfinished is removed: it had not saved any rows"


class Sources(Interrupting):
    """The same pictures, as a list and as shards."""

    def photos(self, side):
        """Bytes of eight JPEG files of different sizes."""
        return [pictures.jpeg(image_sets.photograph(self.source, side, side + number), quality=90)
                for number in range(8)]

    def listed(self, photos, count):
        """A list of so many lines, by turns; its names hold commas, quotes, newlines and bytes that are not UTF-8."""
        names = [b'"a, ""%d""\n\xff\xfe.jpg"' % number for number in range(len(photos))]
        for number, photo in enumerate(photos):
            path = os.fsencode(self.folder) + b'/a, "%d"\n\xff\xfe.jpg' % number
            with open(path, "wb") as file:
                file.write(photo)
        lines = [b"%s,kind %d\n" % (names[row % len(photos)], row % 3) for row in range(count)]
        return ["list", self.file("list.csv", b"path,y\n" + b"".join(lines))]

    def shards(self, photos, count):
        """Shards that are links to one; rows are those of the list where 24 divides the count of each."""
        path = self.folder / "shard-0.tar"
        with tarfile.open(path, "w") as archive:
            for row in range(count // SHARDS):
                label = b'{"label": "kind %d"}' % (row % 3)
                for extension, data in ("jpg", photos[row % len(photos)]), ("json", label):
                    member = tarfile.TarInfo(f"{row:05}.{extension}")
                    member.size = len(data)
                    archive.addfile(member, io.BytesIO(data))
        others = [self.folder / f"shard-{number}.tar" for number in range(1, SHARDS)]
        for other in others:
            os.link(path, other)
        return ["tar", path, *others]

    def each(self, photos, count):
        """Arguments of both kinds."""
        return self.listed(photos, count), self.shards(photos, count)


class Killed(Sources):
    """SIGKILL at random moments."""

    def run_until(self, name, arguments, most):
        """Runs an import until it has written so much, and kills it then. Its exit status, what it said, and
        whether it had saved rows."""
        process = self.start(name, arguments)
        if most > 0:
            self.pause(process, name)
        while self.written(name)[0] < most:
            if not self.step(process):
                return process.wait(), process.said.decode(), False
        process.send_signal(signal.SIGKILL)
        said = self.rest(process)
        return process.wait(), said, self.written(name)[1]

    def check_kind(self, arguments):
        """However often it is killed, it ends as one that was not."""
        kind = arguments[0]
        importing(self.root / f"{kind}-whole", "--from", *arguments)
        whole = {path.name: path.read_bytes() for path in (self.root / f"{kind}-whole").iterdir()}
        length, saved, resumed = len(whole["data.bin"]), False, 0
        # Whoever reads that 70 % are written lets the import go on to 90.
        moments = sorted(self.source.uniform(0, 0.7, 4)) + [2]
        moments[0] = 0  # before it has looked at all of them
        for moment in moments:
            left = (self.root / f".{kind}.partial").exists()
            status, said, later = self.run_until(kind, arguments, moment * length)
            begun = re.search(WORDS, said)
            if begun:  # it came so far that it said what it does with what was left
                self.assertEqual("goes on" in begun[0], saved, said)
                resumed += saved
            elif left:
                self.assertLess(status, 0, said)
            saved = later
            if status == 0:
                break
            self.assertEqual(status, -signal.SIGKILL, said)
            self.assertFalse((self.root / kind).exists())
        self.assertEqual(status, 0, said)
        self.assertGreater(resumed, 0)
        self.assertEqual({path.name: path.read_bytes() for path in (self.root / kind).iterdir()}, whole)

    def test_imports_that_are_killed_at_random_moments_go_on_where_they_were(self):
        for arguments in self.each(self.photos(280), COUNT):
            with self.subTest(arguments[0]):
                self.check_kind(arguments)

    def test_an_import_that_is_killed_behind_its_last_row_goes_on(self):
        """It is held while it writes dense targets: its labels are on the disk then."""
        photos = [pictures.jpeg(image_sets.photograph(self.source, 32, 32), quality=90) for _ in range(8)]
        targets = self.source.integers(0, 9, (COUNT, 32, 32), np.uint8)
        np.save(self.folder / "targets.npy", targets)
        np.save(self.folder / "near.npy", (np.arange(COUNT)[:, None] + 1) % COUNT)
        for arguments in self.each(photos, COUNT):
            with self.subTest(arguments[0]):
                arguments += ["--dense", self.folder / "targets.npy", "--neighbours", self.folder / "near.npy"]
                whole = self.root / f"{arguments[0]}-whole"
                importing(whole, "--from", *arguments)
                process = self.start(arguments[0], arguments)
                self.pause(process, arguments[0])
                partial = self.root / f".{arguments[0]}.partial"
                while not (partial / "dense.bin").exists():
                    self.assertTrue(self.step(process), process.said)
                process.send_signal(signal.SIGKILL)
                said = self.rest(process)
                self.assertEqual(process.wait(), -signal.SIGKILL, said)
                self.assertTrue((partial / "labels.bin").exists() and (partial / "journal").exists(), said)
                said = importing(self.root / arguments[0], "--from", *arguments)
                self.assertIn("goes on with an earlier import that did not finish", said)
                for path in whole.iterdir():
                    self.assertEqual((self.root / arguments[0] / path.name).read_bytes(), path.read_bytes(), path.name)
                self.assertEqual(len(list((self.root / arguments[0]).iterdir())), len(list(whole.iterdir())))

    def test_what_is_told_of_rows_counts_no_picture_that_became_none(self):
        """Its header can be read and its pixels cannot; an earlier import found that out."""
        samples = self.source.integers(0, 256, (40, 30, 4))
        whole = pictures.png(samples, 8, 6)
        damaged = bytearray(whole)
        damaged[len(whole) // 2] ^= 1
        for arguments in self.each([whole, bytes(damaged), pictures.png(samples[:30], 8, 6), whole], COUNT):
            with self.subTest(arguments[0]):
                arguments += ["--skip-bad", "--store", "pixels"]
                undisturbed = importing(self.root / f"{arguments[0]}-whole", "--from", *arguments)
                self.assertIn(f"converted {COUNT // 4 * 3} files: alpha channel", undisturbed)
                self.killed(*arguments)
                said = importing(self.root / "set", "--from", *arguments)
                self.assertIn("goes on with an earlier import", said)
                converted, = re.findall(r"converted \d+ files: alpha.*", said)
                self.assertIn(converted, undisturbed)
                subprocess.run(["rm", "-r", self.root / "set"], check=True)

    def test_what_was_left_of_other_sources_is_not_gone_on_with(self):
        for arguments, alter in zip(self.each(self.photos(280), COUNT), ("list.csv", "shard-0.tar")):
            with self.subTest(arguments[0]):
                self.killed(*arguments)
                path = self.folder / alter
                if alter == "list.csv":  # another class of the first row
                    path.write_bytes(path.read_bytes().replace(b"kind 0", b"kind 1", 1))
                else:
                    os.utime(path, (1, 1))
                said = importing(self.root / "set", "--from", *arguments)
                self.assertIn("left unfinished is removed: the files or the options are not those that it had", said)
                importing(self.root / "fresh", "--from", *arguments)
                self.assertEqual(*((self.root / name / "manifest.json").read_text() for name in ("set", "fresh")))
                for name in "set", "fresh":
                    subprocess.run(["rm", "-r", self.root / name], check=True)


class Troubled(Sources):
    """Disks that fill, and sources that change."""

    def test_the_same_rows_come_from_a_list_and_from_shards(self):
        photos = self.photos(60)
        digests = set()
        for arguments in self.each(photos, 24 * SHARDS):
            importing(self.root / arguments[0], "--from", *arguments)
            digests.add((self.root / arguments[0] / "manifest.json").read_text())
            rows = entries(self.root / arguments[0])
            data = (self.root / arguments[0] / "data.bin").read_bytes()
            self.assertEqual([data[at:at + length] for at, length, _, _ in rows], photos * (3 * SHARDS))
            labels = np.fromfile(self.root / arguments[0] / "labels.bin", "<i4")
            self.assertEqual(labels.tolist(), [row % 3 for row in range(24 * SHARDS)])
        self.assertEqual(len(digests), 1)

    def test_a_disk_that_fills_is_said_and_leaves_nothing(self):
        def limit(most):
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        full = ((1000, "what was found in the files cannot be kept: File too large"),
                (500_000, "cannot write .*/data.bin: File too large"))
        for arguments in self.each(self.photos(200), 24 * SHARDS):
            for store, (most, why) in itertools.product(("pixels", "files"), full):
                process = self.start("set", [*arguments, "--store", store], preexec_fn=functools.partial(limit, most))
                said = self.rest(process)
                self.assertEqual(process.wait(), 1, said)
                self.assertRegex(said, why)
                self.assertEqual(list(self.root.iterdir()), [])

    def test_a_source_that_changes_meanwhile_is_named_and_leaves_nothing(self):
        photos = self.photos(300)
        for arguments, names in zip(self.each(photos, COUNT), ALTERED):
            for name, alter, explained in names:
                with self.subTest(name):
                    process = self.start("set", arguments)
                    self.hold(process)
                    path, = (path for path in self.folder.iterdir() if re.search(name, path.name, re.S))
                    whole = path.read_bytes()
                    alter(path)
                    said = self.rest(process)
                    self.assertEqual(process.wait(), 1, said)
                    self.assertRegex(said, explained)
                    path.write_bytes(whole)
                    self.assertEqual(list(self.root.iterdir()), [])

    def test_labels_that_change_while_what_stands_beside_them_is_written_are_named(self):
        """The rows are written by then, and the labels are read once more for the summary."""
        x, y, beside = np.zeros((COUNT, 4), np.uint8), np.zeros(COUNT, np.int32), np.zeros((COUNT, 4), np.float32)
        for kind, changed in (("npy", "y.npy"), ("safetensors", "all")):
            with self.subTest(kind):
                files = [self.file("x.npy", harness.write_npy(x)), self.file("y.npy", harness.write_npy(y))] \
                    if kind == "npy" else [self.file("all", tensors.write_safetensors({"x": x, "y": y}))]
                dense = self.file("beside.npy", harness.write_npy(beside))
                process = self.start("set", [kind, *files, "--dense", dense])
                while b" rows of dense" not in process.said:
                    self.assertTrue(self.step(process), process.said)
                with open(self.folder / changed, "r+b") as file:  # the last label
                    file.seek(-4, os.SEEK_END)
                    file.write(struct.pack("<i", 1 << 30))
                said = self.rest(process)
                self.assertEqual(process.wait(), 1, said)
                self.assertRegex(said, f"{changed}' was truncated or changed while it was read")
                self.assertEqual(list(self.root.iterdir()), [])


if __name__ == "__main__":
    unittest.main()
