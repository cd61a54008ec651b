"""The Python package as a whole: its names, its types and what `help` says."""

import os
import pathlib
import pydoc
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import numpy as np

from python_client import HAS_TORCH, PACKAGE, ROOT, MixingTest  # it knows where the following are
import fmixd
import harness

NAMES = {"Collate", "Epochs"} if HAS_TORCH else set()


def python(code, **environment):
    """What another interpreter prints."""
    return subprocess.run([sys.executable, "-B", "-c", code], check=True, text=True, stdout=subprocess.PIPE,
                          timeout=harness.PATIENCE,
                          env={**os.environ, "PYTHONPATH": str(PACKAGE), **environment}).stdout


class Package(unittest.TestCase):
    def public(self):
        """Objects by name, and the methods of classes by theirs."""
        for name in fmixd.__all__:
            made = getattr(fmixd, name)
            yield name, made
            if isinstance(made, type):
                yield from ((f"{name}.{key}", value) for key, value in vars(made).items()
                            if not key.startswith("_") and callable(value))

    def test_every_public_name_is_there_and_documented(self):
        self.assertGreaterEqual(set(fmixd.__all__), NAMES | {"Mixer", "Plan", "Connection", "epoch", "tensors"})
        for name, made in self.public():
            if callable(made):
                with self.subTest(name):
                    self.assertTrue((made.__doc__ or "").strip(), "has no docstring")

    def test_help_tells_of_all(self):
        page = pydoc.plain(pydoc.render_doc(fmixd))
        self.assertIn("Batches mixed by fmixd, for trainers in Python", page)
        for name in {"Mixer", "epoch", "like_timm", "state_dict", fmixd.__version__} | NAMES:
            self.assertRegex(page, rf"\b{re.escape(name)}\b")
        self.assertNotRegex(page, r"\b_digest\b")

    def test_the_version_is_that_of_the_daemon(self):
        said = re.search(r"^VERSION := (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
        self.assertEqual(fmixd.__version__, said[1])

    def test_files_are_short(self):
        for path in (PACKAGE / "fmixd").glob("*.py"):
            lines = path.read_text(encoding="utf-8").split("\n")
            self.assertLess(len(lines), 450, path)
            self.assertLessEqual(max(map(len, lines)), 120, path)

    def test_importing_it_imports_no_torch_until_that_is_needed(self):
        self.assertEqual(python("import sys, fmixd; print('torch' in sys.modules)").strip(), "False")
        if HAS_TORCH:
            self.assertEqual(python("import sys, fmixd; fmixd.Epochs; print('torch' in sys.modules)").strip(), "True")

    def test_without_torch_the_rest_is_there(self):
        hide = ("import importlib.util as u; find = u.find_spec; "
                "u.find_spec = lambda name, *of: None if name == 'torch' else find(name, *of); import fmixd; ")
        self.assertEqual(python(hide + "print(hasattr(fmixd, 'Epochs'), 'Epochs' in fmixd.__all__)").strip(),
                         "False False")
        said = python(hide + "from fmixd import *\ntry: fmixd.Epochs\nexcept AttributeError as e: print(Mixer, e)")
        self.assertIn("fmixd.Epochs needs PyTorch", said)

    def test_a_name_that_is_not_there_is_said_as_python_does(self):
        with self.assertRaisesRegex(AttributeError, "module 'fmixd' has no 'Mixers'"):
            fmixd.Mixers  # pylint: disable=pointless-statement

    @unittest.skipUnless(shutil.which("mypy"), "there is no mypy here")
    def test_types_are_checked(self):
        with tempfile.TemporaryDirectory() as folder:
            use = pathlib.Path(folder, "use.py")
            use.write_text("import fmixd\nmix: fmixd.Mixer = fmixd.Mixer('http://x', rank=0)\n"
                           "mix.state_dict().keys()\nfmixd.Mixer(1)\nfmixd.steps_of('a', 1)\n", encoding="utf-8")
            said = subprocess.run(
                ["mypy", "--strict", "--allow-untyped-calls", "--allow-subclassing-any", "--no-warn-unused-ignores",
                 "--follow-imports=skip", "--ignore-missing-imports", f"--cache-dir={folder}", "--no-error-summary",
                 PACKAGE / "fmixd", use], check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                timeout=600, env={**os.environ, "MYPYPATH": str(PACKAGE)}).stdout
            errors = re.findall(r"^(.*?):(\d+): error: (.*)$", said, re.M)
            self.assertEqual([(pathlib.Path(path).name, line) for path, line, _ in errors],
                             [("use.py", "4"), ("use.py", "5")], said)


class Sources(MixingTest):
    """Where a Mixer's plans come from is one class, of which a daemon is one."""

    def test_a_source_answers_with_the_tensors_of_plans(self):
        source = fmixd.sources.source_class(self.url)(self.url, None, {"seed": 7, "method": ["fmix", "mixup"]})
        self.addCleanup(source.close)
        drawn = source.plans((8, 9), 6, 2**40, 3)
        there = fmixd.tensors(self.get("/v1/plans.safetensors?shape=8x9&n=6&seed=7&method=fmix,mixup&dtype=bits"
                                       f"&step={2**40}&steps=3").body)
        for name, array in there.items():
            np.testing.assert_array_equal(drawn[name], array)
        self.assertEqual({name: (drawn[name].dtype.str, drawn[name].shape) for name in drawn},
                         {"lambda": ("<f8", (3, 6)), "lambda_eff": ("<f8", (3, 6)), "masks": ("|u1", (3, 6, 9)),
                          "method": ("|u1", (3, 6)), "pairing": ("<i8", (3, 6))})


if __name__ == "__main__":
    unittest.main()
