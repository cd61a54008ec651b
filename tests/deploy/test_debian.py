"""The Debian that this machine is not: the same golden digest, and the suites pass there."""

import os
import re
import subprocess
import sys
import unittest

import debian

MISSING = debian.missing()
SECONDS = 2000


@unittest.skipIf(MISSING, MISSING)
@unittest.skipIf(os.environ.get("BUILD", "build") != "build", "a build of its own is tested there")
class OtherDebian(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.root = cls.enterClassContext(debian.Root(debian.other()).held())
        cls.said = cls.root.build()

    def test_it_builds_without_a_warning(self):
        self.assertNotIn("warning", self.said)

    def test_the_golden_digest_is_the_same(self):
        ours = debian.run(os.environ.get("FMIXD", debian.ROOT / "build/fmixd"), "selftest")
        self.assertEqual(self.root.golden(), debian.digest(ours))

    def test_suites_that_need_no_browser_pass(self):
        done = subprocess.run(
            self.root.command("FMIX_AGREEMENT=1000", "FMIX_SUITES=1", "/usr/bin/python3", "tests/run.py",
                              *debian.suites()),
            check=False, capture_output=True, text=True, errors="replace", timeout=SECONDS)
        sys.stderr.write(done.stdout[-30000:])
        count = re.search(r"(\d+) passed, (\d+) failed, \d+ skipped\n\Z", done.stdout)
        self.assertIsNotNone(count, done.stderr)
        self.assertGreater(int(count[1]), 500)
        self.assertEqual(int(count[2]), 0)


if __name__ == "__main__":
    unittest.main()
