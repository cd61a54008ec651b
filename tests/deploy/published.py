"""What the tests of pages share whose command makes all sets of an archive that was unpacked: speech, meshes, texts."""

import contextlib
import json
import pathlib
import sys
import tempfile
import unittest

import numpy as np

import dataset_pages
from dataset_pages import FOLDER, harness

sys.path[:0] = [str(harness.ROOT / "deploy/datasets"), str(harness.ROOT / "deploy/clients/python")]

import fmixd  # noqa: E402


def set_name(title, split):
    """A set by its split: of training it is the data set's own name."""
    return title if split == "train" else f"{title}-{split}"


class Published(dataset_pages.Page, unittest.TestCase):
    """A page, its archive, the sets that its command makes, and a daemon that serves them."""

    @property
    def url(self):
        """The daemon's."""
        return "http://{}:{}".format(*self.server.address)

    @property
    def told(self):
        """What the page's commands said."""
        return "".join(self.said.values())

    def run_line(self, line, status=0):
        """What a command says, on stdout and stderr."""
        done = dataset_pages.run(line, self.folder)
        self.assertEqual(done.returncode, status, f"{line}\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def refused(self, folder, *texts, options="--any-files"):
        """The page's command with another folder names these texts, and leaves nothing behind."""
        with tempfile.TemporaryDirectory(dir=self.folder) as sets:
            said = self.run_line(f"{FOLDER}/{self.page}.py {folder} {sets} {options}", status=1)
            left = [path.name for path in pathlib.Path(sets).iterdir()]
        for text in texts:
            self.assertIn(text, said)
        self.assertNotIn("Traceback", said)
        self.assertEqual(left, [])

    def test_the_requests_of_the_page_are_answered(self):
        """The first tells what the set is, the second is a mixed batch, and the third an unmixed one."""
        describe, mixed, unmixed = [self.run_line(line.replace("localhost:8080", self.url)) or self.fetched(line)
                                    for line in self.printed() if line.startswith("curl ")]
        self.check_requests(json.loads(describe), mixed, unmixed)
        self.assertFalse((mixed["lambda_eff"] == 1).all())
        self.assertTrue((unmixed["lambda_eff"] == 1).all())

    def fetched(self, line):
        """The tensors that a line of curl wrote."""
        with np.load(self.folder / line.split(" -o ")[1].split()[0]) as file:
            return dict(file)

    def pairs(self, name):
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
