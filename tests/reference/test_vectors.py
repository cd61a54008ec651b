"""What the reference computes is what stands in the golden vectors."""

import json
import pathlib
import sys
import unittest

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "golden"
sys.path.insert(0, str(GOLDEN))

import stream  # noqa: E402


class Vectors(unittest.TestCase):
    """Section by section."""

    def test_every_section_is_as_it_was_pinned(self):
        pinned = json.loads((GOLDEN / "stream.json").read_text())
        made = json.loads(json.dumps(stream.sections()))
        self.assertEqual(pinned.keys(), made.keys())
        for name, entries in pinned.items():
            for before, now in zip(entries, made[name], strict=True):
                self.assertEqual(before, now, name)


if __name__ == "__main__":
    unittest.main()
