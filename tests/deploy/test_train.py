"""The training script, as far as a test can go: epochs go on elsewhere, byte for byte."""

import importlib.util
import os
import pathlib
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/data"), str(ROOT / "tests/http")]

import fashion  # noqa: E402
import harness  # noqa: E402


@unittest.skipUnless(importlib.util.find_spec("torch"), "there is no python3-torch here")
class Training(unittest.TestCase):
    """tests/train/train.py."""

    def run_it(self, *arguments):
        """What it prints."""
        try:
            fashion.fetch()
        except fashion.Unreachable as error:
            self.skipTest(str(error))
        done = subprocess.run([sys.executable, "-B", ROOT / "tests/train/train.py", *arguments],
                              env={**os.environ, "FMIXD": harness.program()}, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def test_an_epoch_is_ended_by_another_replica_byte_for_byte(self):
        self.assertIn("byte for byte", self.run_it("--resume", "--images", "1000"))

    def test_every_method_trains(self):
        said = self.run_it("--images", "500", "--epochs", "1", "--seeds", "2")
        self.assertEqual(said.count("\n| "), 6)


if __name__ == "__main__":
    unittest.main()
