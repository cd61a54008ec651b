"""A part of the matrix of sameness.py, for every test run; `make sameness` runs all of it."""

import os
import pathlib
import subprocess
import tempfile
import unittest

import sameness
import served

BUILD = sameness.ROOT / os.environ.get("BUILD", "build")
RECIPES = 600
REQUESTS = 150  # of the first of the catalogue, and as many of the last
SERVED = ("served by three replicas", "served a row a request, by three",
          "served by a glibc without FMA and AVX2")


class Sameness(unittest.TestCase):
    """The build under test, as its environment differs."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.preloaded = pathlib.Path(folder) / "plans.so"
        subprocess.run(["gcc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-o", cls.preloaded,
                        sameness.HERE / "plans.c", "-ldl"], check=True)

    def test_nothing_underneath_shows_in_any_answer(self):
        program = BUILD / "sameness" / "golden"
        matrix = sameness.Matrix(RECIPES)
        for variant in sameness.variants_of(program, self.preloaded):
            if "patient" not in variant.name:
                matrix.take(variant)
        self.assertTrue(matrix.verdict())

    def test_replicas_and_the_split_into_requests_do_not_show(self):
        matrix = sameness.Matrix(0)
        entries = served.catalogue.entries()
        entries = entries[:REQUESTS] + entries[-REQUESTS:]
        for service in served.services_of(str(BUILD / "fmixd"), self.preloaded):
            if service.name in SERVED:
                matrix.serve(service, entries)
        self.assertEqual((matrix.count, matrix.wrong), (len(SERVED), 0))

    def test_plans_and_instructions_do_not_show_in_hosted_batches(self):
        matrix = sameness.Matrix(0)
        for service in served.services_of(str(BUILD / "fmixd"), self.preloaded):
            if len(service.options) == 1:
                matrix.host(service)
        self.assertEqual((matrix.count > 4, matrix.wrong), (True, 0))


if __name__ == "__main__":
    unittest.main()
