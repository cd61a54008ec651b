"""`make proof`: what it runs, and what it writes of it."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

import proof  # noqa: E402

# Fails where it is asked for the target bad; its last words are a line with a bar, and an empty one.
MAKE = """#!/bin/sh
echo "begins with $*"
printf '3 passed | of %s\\n\\n' "$2"
[ "$2" != bad ]
"""


class Proof(unittest.TestCase):
    def run_proof(self, *targets):
        """The exit status, and the rows of the page without those of its head."""
        folder = self.enterContext(tempfile.TemporaryDirectory())
        make, page = pathlib.Path(folder, "make"), pathlib.Path(folder, "build/proof.md")
        make.write_text(MAKE)
        make.chmod(0o755)
        done = subprocess.run([sys.executable, "-B", TESTS / "proof.py", page, *targets], text=True,
                              env={**os.environ, "MAKE": str(make)}, stdout=subprocess.PIPE, check=False)
        return done, page.read_text().splitlines()[2:]

    def test_a_target_that_fails_keeps_no_other_from_running_and_is_told_at_the_end(self):
        done, rows = self.run_proof("good", "bad", "fuzz MINUTES=60")
        self.assertEqual([row.split(" | ")[4] for row in rows], ["passed", "failed (1)", "passed"])
        self.assertEqual(done.returncode, 1)
        self.assertIn("2 of 3 targets passed", done.stdout)
        self.assertIn("begins with --no-print-directory fuzz MINUTES=60\n", done.stdout)

    def test_rows_have_the_last_line_that_says_anything(self):
        done, rows = self.run_proof("good")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(rows[0], r"^\| make good \| .+ \| \d{4}-\d\d-\d\d \d\d:\d\d UTC \| \d+ \| passed "
                                  r"\| 3 passed \\\| of good \|$")

    def test_every_target_that_is_run_is_one_of_make(self):
        rules = (TESTS / "tests.mk").read_text()
        for target in proof.TARGETS:
            self.assertRegex(rules, rf"(?m)^{target.split()[0]}:.* ## ")


if __name__ == "__main__":
    unittest.main()
