"""Pages of deploy/datasets, tried as they are printed on small twins of the published archives.

A twin has the layout of the archive, as the page of the set tells it, and few small files. Its commands are run as the
page prints them, in a folder that holds the archive; --any-files is appended, because a twin has fewer files than was
published.
"""

import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import numpy as np

import test_snippets
import harness

sys.path[:0] = [str(harness.ROOT / "deploy/datasets"), str(harness.ROOT / "deploy/clients/python")]

import fmixd  # noqa: E402

COMMAND = "deploy/datasets/"
SERVE = "build/fmixd --data "


def lines_of(page):
    """All commands of a page, in order."""
    return [line for block in test_snippets.blocks_of(f"deploy/datasets/{page}.md") for line in block.commands()]


class Published(unittest.TestCase):
    """A page, its archive, the sets that its command makes, and a daemon that serves them."""

    page = None

    @classmethod
    def publish(cls, folder):
        """Writes the archive of the twin there."""
        raise NotImplementedError

    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(folder())
        os.symlink(harness.ROOT / "deploy", cls.folder / "deploy")
        (cls.folder / "build").mkdir()
        os.symlink(pathlib.Path(harness.program()).resolve(), cls.folder / "build/fmixd")
        cls.publish(cls.folder)
        cls.environment = {**test_snippets.curled(cls.folder), "FMIXD": str(cls.folder / "build/fmixd")}
        lines = lines_of(cls.page)
        served = next(at for at, line in enumerate(lines) if line.startswith(SERVE))
        cls.before, cls.asked = lines[:served], lines[served + 1:]
        cls.said = "".join(cls.run_line(line + " --any-files" * line.startswith(COMMAND)) for line in cls.before)
        cls.server = cls.enterClassContext(harness.Server(
            "--drain", "0", command=["sh", "-c", f'cd {cls.folder} && exec {lines[served]} "$@"', "sh"]))
        cls.url = "http://{}:{}".format(*cls.server.address)

    @classmethod
    def run_line(cls, line, status=0):
        """What a command says, on stdout and stderr."""
        done = subprocess.run(line, shell=True, cwd=cls.folder, env=cls.environment, check=False, text=True,
                              errors="replace", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=harness.PATIENCE)
        if done.returncode != status:
            raise AssertionError(f"{line} ended with {done.returncode}:\n{done.stdout}")
        return done.stdout

    def refused(self, folder, *texts, options="--any-files"):
        """The page's command with another folder names these texts and leaves nothing behind."""
        command, = (line for line in self.before if line.startswith(COMMAND))
        with tempfile.TemporaryDirectory(dir=self.folder) as sets:
            said = self.run_line(f"{command.split()[0]} {folder} {sets} {options}", status=1)
            left = [path.name for path in pathlib.Path(sets).iterdir()]
        for text in texts:
            self.assertIn(text, said)
        self.assertNotIn("Traceback", said)
        self.assertEqual(left, [])

    def ask(self, line):
        """The tensors that a curl line fetches, or its text."""
        said = self.run_line(line.replace("http://localhost:8080", self.url)
                             .replace("localhost:8080", self.url.removeprefix("http://")))
        if " -o " not in line:
            return said
        with np.load(self.folder / line.split(" -o ")[1].split()[0]) as file:
            return dict(file)

    def rows(self, name):
        """All rows of a set in their order, unmixed: pairs (x, y), where x has its own length."""
        ragged = "lengths" in fmixd.describe(self.url, name)
        made, = fmixd.epoch(self.url, name, batch=1000, method="none",
                            parts=["mixed", "labels", "rows", *["lengths"] * ragged])
        self.assertEqual(sorted(made["rows"]), list(range(len(made["rows"]))))
        return [(made["mixed"][at][:made["lengths"][at] if ragged else None], made["labels"][at])
                for at in np.argsort(made["rows"])]

    def check_mixed_epoch(self, name, x, y):
        """An epoch of fmix takes each element from the row or from its partner, as the mask says."""
        seen = []
        for made in fmixd.epoch(self.url, name, batch=5, seed=3, shuffle=1, method="fmix",
                                parts="mixed,labels,masks,pairing,rows,lambda_eff"):
            rows, partners = made["rows"], made["rows"][made["pairing"]]
            longest = made["mixed"].shape[1]
            own, other = (np.stack([padded(x[row], longest) for row in some]) for some in (rows, partners))
            np.testing.assert_array_equal(made["mixed"], np.where(made["masks"] == 1, own, other))
            share = made["lambda_eff"][:, None]
            np.testing.assert_allclose(made["labels"], share * y[rows] + (1 - share) * y[partners], atol=1e-6)
            seen += rows.tolist()
        self.assertEqual(sorted(seen), list(range(len(x))))


@contextlib.contextmanager
def folder():
    """A folder that goes away."""
    with tempfile.TemporaryDirectory() as path:
        yield pathlib.Path(path)


def padded(row, longest):
    """A row with zeros behind it."""
    row = np.asarray(row)
    return np.concatenate([row, np.zeros((longest - len(row), *row.shape[1:]), row.dtype)])
