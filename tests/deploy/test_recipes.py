"""Every script of deploy/recipes, run by the command that its page prints, against a daemon with garments and with
small twins of the other sets, which have their names."""

import contextlib
import importlib.util
import io
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

import numpy as np

import python_client  # it knows where the following are
import fmixd
import harness
import hosting
import locally
import pictures

try:
    import torch
    from torch.nn.functional import cross_entropy
except ImportError:
    torch = None

RECIPES = harness.ROOT / "deploy/recipes"
CLASSES, IGNORED = 10, 255
PIPE = 4096  # bytes that a job may print and nobody reads
# Recipes that other suites run.
ELSEWHERE = {name: "test_recipes_languages" for name in ("loop.mjs", "loop.R", "preview.sh")}


def printed():
    """The arguments of each Python script's command, by its name."""
    page = (RECIPES / "README.md").read_text(encoding="utf-8")
    return {name: shlex.split(rest) for name, rest in re.findall(
        r"^\|.*\| `python3 deploy/recipes/(\w+\.py)([^`]*)` \|", page, re.M)}


def garments():
    """Samples and class numbers."""
    return (np.load(harness.ROOT / "tests/data" / f"{name}.npy") for name in ("garments", "garments-labels"))


def maps_of(x, y):
    """What segmentation.py makes of pictures of 0 to 1."""
    return np.where(x > 0.25, y[:, None, None] + 1, np.where(x > 0, IGNORED, 0)).astype("u1")


def sets():
    """Garments, and twins of what the pages of deploy/datasets make."""
    x, y = garments()
    y = y.astype("i8")
    noise = np.random.default_rng(5)
    kinds = noise.integers(0, 2, 60)
    texts = [np.where(noise.random(n) < 0.6, noise.integers(2 + 20 * kind, 22 + 20 * kind, n),
                      noise.integers(2, 42, n)).astype("<i4") for n, kind in zip(noise.integers(3, 30, 60), kinds)]
    solids = np.stack([x[:, ::2, ::2] > level for level in range(10, 250, 20)], axis=1)
    yield hosting.Hosted("garments", x, {"y": y}, {"y": CLASSES}, "none")
    yield hosting.Hosted("bengali", x, {"y.root": y, "y.vowel": y % 3}, {}, "none")
    yield hosting.Hosted("streets", x, {}, {}, "none", {"dense": maps_of(x / 255, y)})
    yield hosting.Hosted("imdb", texts, {"y": kinds}, {}, "none")
    yield hosting.Hosted("speech", (x / 255 - 0.5).astype("<f4"), {"y": y}, {}, "none")
    yield hosting.Hosted("modelnet10", solids, {"y": y}, {}, "none")


def load(name):
    """A script as a module."""
    spec = importlib.util.spec_from_file_location(f"recipe_{pathlib.Path(name).stem}", RECIPES / name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class ServedTest(harness.ServerTest):
    """A daemon with the sets."""

    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        for data in sets():
            hosting.write(cls.folder, data)
        cls.arguments = ("--data", cls.folder, "--drain", "0")
        super().setUpClass()
        cls.url = "http://{}:{}".format(*cls.server.address)


@unittest.skipUnless(torch and importlib.util.find_spec("PIL"), "there is no python3-torch or no python3-pil here")
class Recipes(ServedTest):
    """Those of one process."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        torch.set_num_threads(1)  # small networks, beside other suites

    def run_it(self, name, *more, folder=harness.ROOT):
        """What main gives, of the command as it is printed and this daemon's URL."""
        told = [] if name == "locally.py" else ["--url", self.url]
        said = io.StringIO()
        with mock.patch.object(sys, "argv", [name, *printed()[name], *told, *more]), \
             contextlib.redirect_stdout(said), contextlib.chdir(folder):
            found = load(name).main()
        self.assertGreater(len(said.getvalue().splitlines()), 3)
        return found

    def check_falls(self, losses):
        self.assertEqual(len(losses), 10)
        self.assertLess(losses[-1], 0.8 * losses[0])

    def batches(self, name="garments", **options):
        """Of a hosted set, as tensors."""
        return fmixd.Epochs(self.url, name, **options)

    def test_single_learns_and_needs_no_daemon_for_the_same_weights(self):
        losses, model = self.run_it("single.py")
        self.check_falls(losses)
        locally.require()
        same, twin = self.run_it("locally.py")
        self.assertEqual(same, losses)
        for one, other in zip(model.parameters(), twin.parameters()):
            self.assertTrue(torch.equal(one, other))

    def test_a_folder_of_pictures_learns(self):
        with tempfile.TemporaryDirectory() as folder:
            noise = np.random.default_rng(9)
            for number in range(48):
                shade = noise.integers(0, 80, (20 + number, 50, 3)) + np.eye(3, dtype=int)[number % 3] * 150
                file = pathlib.Path(folder, "photos", "abc"[number % 3], f"{number}.png")
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(pictures.png(shade.astype("u1"), 8, 2))
            losses = self.run_it("pictures.py", folder=folder)
            first, label = load("pictures.py").Pictures(f"{folder}/photos", 24)[20]
        self.check_falls(losses)
        self.assertEqual((tuple(first.shape), label), ((3, 24, 24), 1))
        self.assertEqual(int(first.mean((1, 2)).argmax()), label)

    def test_hosted_batches_of_workers_are_those_of_a_loop(self):
        losses = self.run_it("hosted.py")
        self.check_falls(losses)
        torch.manual_seed(1)
        model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, CLASSES))
        x, y = next(iter(self.batches(batch=16, seed=7, shuffle=1, flip=1, crop=2, method="fmix,mixup",
                                      out_dtype="f32")))
        first = cross_entropy(model(x), y).item()
        with mock.patch.object(torch.nn.functional, "cross_entropy", side_effect=cross_entropy) as seen:
            self.run_it("hosted.py", "--epochs", "4", "--batch", "16")
        logits, labels = seen.call_args_list[0].args
        self.assertAlmostEqual(cross_entropy(logits, labels).item(), first, places=6)

    def test_validation_counts_unmixed_samples(self):
        found, model = self.run_it("validation.py")
        x, y = garments()
        guesses = model(torch.from_numpy(x.astype("f4") / 255)).argmax(1).numpy()
        self.assertAlmostEqual(found[-1], (guesses == y).mean())
        self.assertGreater(found[-1], 0.8)

    def test_validation_is_without_gradients_and_what_is_of_training_alone(self):
        for name in ("validation.py", "soft_labels.py", "heads.py", "segmentation_hosted.py", "tokens.py",
                     "spectrograms.py", "voxels.py"):
            seen = set()
            hook = torch.nn.modules.module.register_module_forward_pre_hook(
                lambda module, _, seen=seen: seen.add((module.training, torch.is_grad_enabled())))
            with self.subTest(name):
                try:
                    self.run_it(name, "--epochs", "4", *["--classes", "11"] * ("segmentation" in name))
                finally:
                    hook.remove()
                self.assertEqual(seen, {(True, True), (False, False)})

    def test_ranks_validate_without_gradients_and_what_is_of_training_alone(self):
        script, model, seen = load("ddp_hosted.py"), torch.nn.Linear(2, 2), set()
        model.register_forward_pre_hook(lambda module, _: seen.add((module.training, torch.is_grad_enabled())))
        with mock.patch.object(torch.distributed, "all_reduce"):
            self.assertEqual(script.accuracy(model, [(torch.zeros(3, 2), torch.ones(3, 2))] * 2), float(
                model(torch.zeros(1, 2)).argmax() == 0))
        self.assertEqual(seen, {(False, False)} | {(False, True)})  # the latter is this test's own call

    def test_soft_labels_count_each_row_once(self):
        script = load("soft_labels.py")
        self.assertEqual(script.mean([(1.0, 16), (1.0, 16), (0.0, 4)]), 32 / 36)

    def test_amp_keeps_x_in_bfloat16_and_labels_in_float32(self):
        losses, x, y, logits = self.run_it("amp.py")
        self.check_falls(losses)
        self.assertEqual([x.dtype, y.dtype, logits.dtype], [torch.bfloat16, torch.float32, torch.bfloat16])

    def test_soft_labels_weigh_both_classes(self):
        found = self.run_it("soft_labels.py")
        self.check_falls([loss for loss, _, _ in found])
        self.assertGreater(found[-1][2], found[-1][1])
        made = next(iter(self.batches(batch=64, seed=7, parts="labels,pairing,lambda_eff")))
        _, y = garments()
        logits = torch.from_numpy(np.random.default_rng(1).normal(size=(64, CLASSES)))
        guess, share, partner = logits.argmax(1).numpy(), made["lambda_eff"].numpy(), y[made["pairing"].numpy()]
        self.assertAlmostEqual(load("soft_labels.py").mixed_accuracy(logits, made["labels"]),
                               (share * (guess == y) + (1 - share) * (guess == partner)).mean(), places=6)

    def test_last_batches_are_smaller_or_dropped(self):
        self.assertEqual(list(self.run_it("last_batch.py").values()), [[24, 24, 16], [24, 24]] * 2)

    def test_heads_all_learn(self):
        found = self.run_it("heads.py")
        self.check_falls([loss for loss, _ in found])
        self.assertEqual(set(found[-1][1]), {"root", "vowel"})
        self.assertGreater(min(found[-1][1].values()), 0.6)

    def test_maps_are_mixed_as_their_pictures(self):
        losses, x, maps = self.run_it("segmentation.py")
        self.check_falls(losses)
        grey = x[:, 0]
        self.assertTrue(torch.equal(maps == IGNORED, (grey > 0) & (grey <= 0.25)))
        self.assertTrue(torch.equal(maps == 0, grey == 0))
        classes = [set(each[(each > 0) & (each < IGNORED)].tolist()) for each in maps]
        self.assertEqual(max(map(len, classes)), 2)

    def test_hosted_maps_learn(self):
        found = self.run_it("segmentation_hosted.py", "--classes", "11")
        self.check_falls([loss for loss, _ in found])
        self.assertGreater(found[-1][1], found[0][1])

    def test_tokens_learn(self):
        found = self.run_it("tokens.py")
        self.check_falls([loss for loss, _ in found])
        self.assertGreater(found[-1][1], 0.9)

    def test_spectrograms_learn(self):
        found = self.run_it("spectrograms.py")
        self.check_falls([loss for loss, _ in found])
        self.assertGreater(found[-1][1], 0.6)

    def test_voxels_learn(self):
        found = self.run_it("voxels.py")
        self.check_falls([loss for loss, _ in found])
        self.assertGreater(found[-1][1], 0.4)


@unittest.skipUnless(torch, python_client.NO_TORCH)
class Ranks(ServedTest):
    """Jobs of two processes."""

    def start(self, name, folder):
        """A job that prints a line a step, and waits where nobody reads them."""
        job = subprocess.Popen(
            [sys.executable, "-B", RECIPES / name, *printed()[name], "--url", self.url, "--epochs", "30", "--batch",
             "4" if name == "ddp.py" else "8"], cwd=folder, bufsize=0, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(python_client.PACKAGE),
                                         "PYTHONUNBUFFERED": ""},  # with it, lines of two ranks may run together
            pipesize=PIPE)
        self.addCleanup(job.wait, harness.PATIENCE)
        self.addCleanup(job.kill)
        return job

    def said_by(self, job):
        """What a job prints that nothing disturbs."""
        said, wrong = job.communicate(timeout=3 * harness.PATIENCE)
        self.assertIn(b"weights ", said, wrong.decode())
        return said.decode()

    def killed(self, name, folder):
        """A job of which a rank was killed amid an epoch."""
        job, said = self.start(name, folder), ""
        while "\nepoch 1 step 4:" not in said:
            said += job.stdout.readline().decode()
            self.assertIsNone(job.poll(), said)
        # The job is not over: more lines are left than the pipe takes.
        pid, = re.findall(r"^rank 1 is process (\d+)$", said, re.M)
        os.kill(int(pid), signal.SIGKILL)
        rest, wrong = job.communicate(timeout=harness.PATIENCE)
        self.assertNotEqual(job.returncode, 0)
        self.assertIn(b"SIGKILL", wrong)
        self.assertNotIn(b"weights", rest)

    def check_resumed(self, name):
        with tempfile.TemporaryDirectory() as whole, tempfile.TemporaryDirectory() as folder:
            undisturbed = self.start(name, whole)
            self.killed(name, folder)
            epoch, step = self.place(folder, name)
            self.assertIn(step, (3, 6))
            again = self.said_by(self.start(name, folder))
            self.assertIn(f"epoch {epoch} step {step}: ", again)
            self.assertNotIn(f"epoch {epoch} step {step - 1}: ", again)
            self.assertEqual(again.splitlines()[-1], self.said_by(undisturbed).splitlines()[-1])
            self.check_same(*(torch.load(pathlib.Path(place, name).with_suffix(".pt"))["model"]
                              for place in (whole, folder)))

    def test_a_killed_rank_changes_nothing_with_own_loaders(self):
        self.check_resumed("ddp.py")

    def test_a_killed_rank_changes_nothing_with_hosted_batches(self):
        self.check_resumed("ddp_hosted.py")

    @staticmethod
    def place(folder, name):
        """Where a checkpoint resumes."""
        saved = torch.load(pathlib.Path(folder, name).with_suffix(".pt"))
        state = saved.get("mix") or saved["hosted"]
        return state["epoch"], state["step"]

    def check_same(self, one, other):
        self.assertEqual(set(one), set(other))
        for key, value in one.items():
            self.assertEqual(value.numpy().tobytes(), other[key].numpy().tobytes())


class Page(unittest.TestCase):
    """What deploy/recipes has."""

    def test_every_recipe_is_run(self):
        files = {path.name for path in RECIPES.iterdir() if path.is_file()} - {"README.md"}
        own = pathlib.Path(__file__).read_text(encoding="utf-8")
        run = {*re.findall(r'(?:run_it|check_resumed)\("([\w.]+)"', own), *ELSEWHERE}
        self.assertEqual(files, run)

    def test_every_recipe_is_listed_and_small(self):
        main = (harness.ROOT / "README.md").read_text(encoding="utf-8")
        page = (RECIPES / "README.md").read_text(encoding="utf-8")
        for path in RECIPES.iterdir():
            if path.is_file() and path.name != "README.md":
                self.assertIn(f"deploy/recipes/{path.name}", page)
                self.assertIn(f"`{path.name}`", main)
                self.assertLessEqual(len(path.read_text(encoding="utf-8").splitlines()), 80, path.name)

    def test_what_the_page_links_to_is_there(self):
        page = (RECIPES / "README.md").read_text(encoding="utf-8")
        links = re.findall(r"\]\(([^)#]+)", page)
        self.assertGreater(len(links), 3)
        for link in links:
            self.assertTrue((RECIPES / link).exists(), link)

    def test_suites_that_run_recipes_name_them(self):
        for name, suite in ELSEWHERE.items():
            self.assertIn(name, (harness.ROOT / "tests/deploy" / f"{suite}.py").read_text(encoding="utf-8"))


if __name__ == "__main__":
    unittest.main()
