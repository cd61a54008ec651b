"""The contract implemented a third time, in JavaScript, against the golden vectors."""

import pathlib
import re
import shutil
import subprocess
import unittest

HERE = pathlib.Path(__file__).resolve().parent


class JavaScript(unittest.TestCase):
    """It was written from the contract's text, and shares no code with the others."""

    def test_javascript_passes_the_golden_vectors(self):
        node = shutil.which("node") or shutil.which("nodejs")
        if not node:
            self.skipTest("there is no node here")
        done = subprocess.run([node, HERE / "test.mjs"], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=300, check=False)
        self.assertEqual(done.returncode, 0, done.stdout[-2000:])
        ran = re.search(r"^Ran (\d+) tests$", done.stdout, re.M)
        self.assertIsNotNone(ran, done.stdout[-2000:])
        self.assertGreater(int(ran[1]), 700)


if __name__ == "__main__":
    unittest.main()
