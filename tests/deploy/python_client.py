"""The Python package, a daemon with data sets, and batches of one's own to mix."""

import importlib.util
import pathlib
import sys
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "deploy/clients/python"
sys.path[:0] = [str(PACKAGE), str(ROOT / "tests/http")]

import fmixd  # noqa: E402
import harness  # noqa: E402
import hosting  # noqa: E402
from containers import read_safetensors, write_safetensors  # noqa: E402

HAS_TORCH = importlib.util.find_spec("torch") is not None
NO_TORCH = "there is no python3-torch here"


class Served(harness.ServerTest):
    """A daemon with data sets."""

    @classmethod
    def setUpClass(cls):
        cls.root = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.sets = {data.name: data for data in (*hosting.some_sets(), *hosting.rich_sets())}
        for data in cls.sets.values():
            hosting.write(cls.root, data)
        cls.arguments = ("--data", cls.root, "--drain", "0")
        super().setUpClass()
        cls.url = "http://{}:{}".format(*cls.server.address)


class MixingTest(Served):
    """A batch of one's own."""

    def mixer(self, **law):
        """One that ends with the test."""
        mixer = fmixd.Mixer(self.url, steps=3, **law)
        self.addCleanup(mixer.close)
        return mixer

    def batch(self, shape=(6, 3, 8, 9)):
        """Any, with class numbers."""
        source = np.random.default_rng(3)
        return source.random(shape, dtype="f4"), source.integers(0, 5, shape[0])

    def of_daemon(self, x, y, step, **query):
        """The same by /v1/mix."""
        body = write_safetensors({"x": x, "y": y})
        target = "&".join(f"{key}={fmixd.connection.text(value, key)}" for key, value in query.items())
        answer = self.post(f"/v1/mix.safetensors?{target}&classes=5&step={step}", body,
                           content_type="application/x-safetensors")
        return read_safetensors(answer.body)[0]


class HostedTest(Served):
    """Data that the daemon has."""

    def all(self, name="colour", **options):
        """The batches of an epoch, as bytes."""
        return [(x.tobytes(), y.tobytes()) for x, y in fmixd.epoch(self.url, name, **options)]
