"""Runs the commands of a page of deploy/datasets as they are printed, on twins of published files, and
serves the sets that come out."""

import io
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "http"))

import harness  # noqa: E402
import test_snippets  # noqa: E402

FOLDER = "deploy/datasets"


def run(command, folder, **environment):
    """A shell's command, as it ends."""
    return subprocess.run(command, shell=True, cwd=folder, check=False, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=harness.PATIENCE,
                          env={**test_snippets.curled(folder), "FMIXD": harness.program(), **environment})


class Page:
    """What each page's tests share. `page` is its name; `twin` writes the files into a folder."""

    page = None
    environment = {}
    # The sums in the page are of the published files, so twins are taken by what the page offers.
    not_run = r"build/fmixd --|curl |echo .*md5sum"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        (cls.folder / "build").mkdir()
        os.symlink(pathlib.Path(harness.program()).resolve(), cls.folder / "build" / "fmixd")
        os.symlink(harness.ROOT / "deploy", cls.folder / "deploy")
        cls.twin(cls.folder)
        cls.said = {}
        for command in cls.printed():
            if not re.match(cls.not_run, command):
                cls.said[command] = cls.carry_out(command)
        cls.server = cls.enterClassContext(harness.Server(
            "--drain", "0", "--data", str(cls.folder / "sets")))

    @classmethod
    def printed(cls):
        """The commands of the page."""
        return [command for block in test_snippets.blocks_of(f"{FOLDER}/{cls.page}.md")
                if block.kind != "python" for command in block.commands()]

    @classmethod
    def carry_out(cls, command):
        """A command of the page. What it said."""
        any_files = " --any-files" if command.startswith(FOLDER) else ""
        done = run(command + any_files, cls.folder, **cls.environment)
        if done.returncode:
            raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def facts(self, name):
        """What the daemon says of a set."""
        return self.server.get(f"/v1/datasets/{name}").json()

    def rows(self, name, query=""):
        """A set's rows as they are, and their labels by part."""
        answer = self.server.get(f"/v1/datasets/{name}/batches/0.npz?n=1000&method=none{query}")
        self.assertEqual(answer.status, 200, answer.body[:1000])
        return dict(np.load(io.BytesIO(answer.body)))

    def numbers(self, rows, part="labels"):
        """The class numbers of labels that are rows of one 1."""
        labels = rows[part]
        np.testing.assert_array_equal(np.sort(labels, 1)[:, -2:], [[0, 1]] * len(labels))
        return labels.argmax(1)

    def test_the_requests_of_the_page_are_answered(self):
        requests = [command for command in self.printed() if command.startswith("curl ")]
        self.assertGreater(len(requests), 1)
        for request in requests:
            with self.subTest(request):
                done = run(request.replace("localhost:8080", "{}:{}".format(*self.server.address)), self.folder)
                self.assertEqual(done.returncode, 0, done.stderr)
                answer = np.load(self.folder / re.search(r"-o (\S+)", request)[1])
                self.assertEqual(answer["mixed"].dtype, np.float32)
                self.assertEqual("validation" in request, bool((answer["lambda_eff"] == 1).all()))

    def test_nothing_temporary_is_left(self):
        self.assertEqual([path.name for path in (self.folder / "sets").iterdir() if path.name.startswith(".")], [])
