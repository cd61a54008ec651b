"""Imports of files of our own, for tests of `fmixd import`."""

import contextlib
import os
import pathlib
import subprocess
import tempfile
import unittest

import numpy as np

import harness
from hosting import importing


class Importing(unittest.TestCase):
    """Files of our own, in a folder that goes with the test."""

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.root = self.folder / "sets"
        self.root.mkdir()
        self.source = np.random.default_rng(1)

    def file(self, name, data):
        """A file of these bytes. Its time is so long ago that whatever is written later has another, however
        coarse the file system's clock is."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (10**9, 10**9))
        return path

    def npy(self, name, array):
        """A file as numpy.save writes it."""
        return self.file(name, harness.write_npy(array))

    def held_import(self, *arguments, name="set", prefix=(), **options):
        """An import that has begun to write, and stands still: for the first line that it says there is no
        room until let_go reads it."""
        reads, writes = os.pipe()
        os.set_blocking(writes, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writes, bytes(4096))
        os.set_blocking(writes, True)
        process = subprocess.Popen([*prefix, harness.program(), "import", self.root / name, "--from", *arguments],
                                   stderr=writes, **options)
        os.close(writes)
        process.said = open(reads, "rb")
        self.addCleanup(process.said.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.until_it_writes(process, name)
        return process

    def let_go(self, process):
        """To its end; what it said."""
        said = process.said.read().lstrip(b"\0").decode()
        process.wait(harness.PATIENCE)
        return said

    def until_it_writes(self, process, name):
        """The first file is there: and so is the process."""
        def writes():
            self.assertIsNone(process.poll())
            return (self.root / f".{name}.partial/data.bin").exists()
        harness.until(writes)

    def take(self, *arguments):
        """Imports as `set`, in plain lines."""
        return importing(self.root / "set", "--from", *arguments)

    def refused(self, *arguments, status=1):
        """What is said where nothing is written."""
        said = importing(self.root / "set", "--from", *arguments, status=status)
        self.assertEqual(list(self.root.iterdir()), [], said)
        return said

    def served(self, rows):
        """The set as the daemon tells of it, its rows unmixed, and its labels' classes."""
        with harness.Server("--data", str(self.root), "--drain", "0") as server:
            facts = server.get("/v1/datasets/set").json()
            made = {}
            for part in ("mixed", "labels"):
                answer = server.get(
                    f"/v1/datasets/set/batches/0.npy?n={rows}&method=none&parts={part}")
                if answer.status == 200:
                    made[part] = answer.npy()
        return facts, made["mixed"], made.get("labels")
