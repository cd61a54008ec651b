"""The recipes in JavaScript, R and sh, run as they are printed, against a daemon with the garments."""

import pathlib
import re
import tempfile
import unittest

import numpy as np

import languages
from languages import harness
import hosting
import picture

RECIPES = harness.ROOT / "deploy" / "recipes"
DATA = harness.ROOT / "tests" / "data"
SHEETS = {"masks": 16, "cutmix": 16, "soft": 16, "lines": 16, "slices": 4, "plain": 16, "batch": 16, "batch-masks": 16,
          "first": 1, "second": 1, "pictures": 2}


class Recipes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        hosting.importing(cls.folder / "sets" / "garments", "--from", "npy", DATA / "garments.npy",
                          DATA / "garments-labels.npy")
        cls.daemon = cls.enterClassContext(harness.Server("--data", str(cls.folder / "sets"), "--drain", "0"))
        cls.url = "http://{}:{}".format(*cls.daemon.address)

    def loop(self, name, environment=None):
        """What a loop prints: losses, and at the end what was learnt. Its command is the page's."""
        page = (RECIPES / "README.md").read_text(encoding="utf-8")
        command, = re.findall(rf"`(\w+ deploy/recipes/{re.escape(name)}) http://localhost:8080`", page)
        done = languages.run([*command.split(), self.url], environment=environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def javascript(self):
        languages.require(languages.JavaScript.needs)
        return self.loop("loop.mjs")

    def test_the_loop_in_javascript_learns(self):
        printed = self.javascript()
        for name in ("hosted", "own arrays"):
            losses = [float(loss) for loss in re.findall(rf"^{name}, epoch \d+: loss ([\d.]+)$", printed, re.M)]
            self.assertEqual(len(losses), 20)
            self.assertLess(losses[-1], losses[0] / 2)
        guessed = [float(share) for share in re.findall(r"(?:hosted|arrays) ([\d.]+)(?:,|$)", printed, re.M)[-2:]]
        self.assertEqual(len(guessed), 2)
        self.assertGreater(min(guessed), 0.9)

    def test_the_loop_in_r_prints_what_the_one_in_javascript_prints(self):
        language = languages.R(self.enterContext(tempfile.TemporaryDirectory()))
        self.assertEqual(self.loop("loop.R", language.environment()), self.javascript())

    def preview(self, *arguments, url=None):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()), "pictures")
        done = languages.run([str(RECIPES / "preview.sh"), url or self.url, str(folder), *arguments])
        return done, folder

    def test_the_preview_draws_every_sheet(self):
        done, folder = self.preview()
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout.splitlines(), [str(folder / f"{name}.png") for name in SHEETS])
        drawn = {name: picture.read_png((folder / f"{name}.png").read_bytes()).pixels for name in SHEETS}
        garments = np.load(DATA / "garments.npy")
        np.testing.assert_array_equal(drawn["first"].reshape(28, 28), garments[0])
        np.testing.assert_array_equal(drawn["second"].reshape(28, 28), garments[1])
        self.assertGreater(len({image.tobytes() for image in drawn.values()}), len(SHEETS) - 1)
        answer = self.daemon.get("/v1/datasets/garments/batches/0.png?n=16&seed=7&shuffle=1&columns=4&scale=3&flip=1"
                                 "&crop=2").body
        self.assertEqual((folder / "batch.png").read_bytes(), answer)

    def test_the_preview_mixes_pictures_of_ones_own(self):
        mine = [str(path) for path in sorted((DATA / "methods").glob("*.png"))[:2]]
        done, folder = self.preview(*mine)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        drawn = picture.read_png((folder / "pictures.png").read_bytes()).pixels
        self.assertEqual(drawn.shape, (232, 460))  # two rows of 224, framed
        self.assertFalse((folder / "first.png").exists())

    def test_the_preview_says_what_the_daemon_has_against_it(self):
        with tempfile.TemporaryDirectory() as empty, harness.Server("--data", empty, "--drain", "0") as daemon:
            done, folder = self.preview(url="http://{}:{}".format(*daemon.address))
        self.assertEqual(done.returncode, 1)
        self.assertIn("garments", done.stderr)
        self.assertTrue((folder / "masks.png").exists())
        self.assertFalse((folder / "plain.png").exists())

    def test_each_says_how_it_is_used(self):
        for command in (["node", RECIPES / "loop.mjs"], [RECIPES / "preview.sh"], ["Rscript", RECIPES / "loop.R"]):
            with self.subTest(command[-1].name):
                if command[0] == "Rscript":
                    language = languages.R(self.enterContext(tempfile.TemporaryDirectory()))
                done = languages.run([str(word) for word in command],
                                     environment=language.environment() if command[0] == "Rscript" else None)
                self.assertNotEqual(done.returncode, 0)
                self.assertRegex(done.stderr, r"usage: (loop|preview)\S* URL")


if __name__ == "__main__":
    unittest.main()
