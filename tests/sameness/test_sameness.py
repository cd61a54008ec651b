"""A part of the matrix of sameness.py, for every test run; `make sameness` runs all of it."""

import os
import pathlib
import subprocess
import tempfile
import unittest

import sameness

BUILD = sameness.ROOT / os.environ.get("BUILD", "build")
RECIPES = 1000


class Sameness(unittest.TestCase):
    """The build under test, as its environment differs."""

    def test_nothing_underneath_shows_in_any_answer(self):
        program = BUILD / "sameness" / "golden"
        matrix = sameness.Matrix(RECIPES)
        with tempfile.TemporaryDirectory() as folder:
            preloaded = pathlib.Path(folder) / "plans.so"
            subprocess.run(["gcc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-o", preloaded,
                            sameness.HERE / "plans.c", "-ldl"], check=True)
            for variant in sameness.variants_of(program, preloaded):
                if "patient" not in variant.name:
                    matrix.take(variant)
        self.assertTrue(matrix.verdict())


if __name__ == "__main__":
    unittest.main()
