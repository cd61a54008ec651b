"""The Debian that this machine is not: the same golden digest, and what its libraries may change.

`make test13` runs every suite there that needs no browser.
"""

import os
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import debian  # noqa: E402
import programs  # noqa: E402

MISSING = debian.missing()
# By library: libpng, libdeflate, libjpeg, jansson, libmicrohttpd, GnuTLS, FFTW and MPFR; cmocka and
# pytest themselves; Pillow; and torchvision, whose transforms v2 Debian 12 does not have.
UNIT = ("test_image", "test_png", "test_npz", "test_json", "test_safetensors", "test_daemon",
        "test_healthcheck", "test_mask", "test_transform", "test_exact")
SUITES = ("tests/http/test_golden.py", "tests/http/test_guard.py", "tests/http/test_heads.py",
          "tests/http/test_containers.py", "tests/http/test_container_ranges.py",
          "tests/http/test_pictures.py", "tests/http/test_tls.py",
          "tests/http/test_torchvision.py", "tests/reference/test_refview_torchvision.py",
          "tests/reference/test_refresize.py", "tests/runner/test_suites.py")


@unittest.skipIf(MISSING, MISSING)
@unittest.skipIf(os.environ.get("BUILD", "build") != "build", "a build of its own is tested there")
class OtherDebian(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.root = cls.enterClassContext(debian.Root(debian.other(), "packages-part").held())
        cls.units = [source for source in programs.unit_sources() if source.stem in UNIT]
        # Without a warning: one would be an error.
        cls.root.build("all", "lib", *(f"build/tests/{source.stem}" for source in cls.units))

    def test_the_golden_digest_is_the_same(self):
        ours = debian.run(os.environ.get("FMIXD", debian.ROOT / "build/fmixd"), "selftest")
        self.assertEqual(self.root.golden(), debian.digest(ours))

    def test_suites_that_its_libraries_may_change_pass(self):
        units = [str(source.relative_to(debian.ROOT)) for source in self.units]
        done = subprocess.run(
            self.root.command("/usr/bin/python3", "tests/suites.py", *units, *SUITES),
            check=False, capture_output=True, text=True, errors="replace",
            timeout=debian.COMMAND_SECONDS)
        sys.stderr.write(done.stdout[-30000:])
        count = re.search(r"(\d+) passed, (\d+) failed, \d+ skipped\n\Z", done.stdout)
        self.assertIsNotNone(count, done.stderr)
        self.assertGreater(int(count[1]), 150)
        self.assertEqual(int(count[2]), 0)
        if self.root.release == "trixie":
            self.assertNotIn("torchvision has no", done.stdout)  # why its suite would be skipped


if __name__ == "__main__":
    unittest.main()
