"""Released bytes never change: the daemon and the reference against the golden files."""

import json
import pathlib
import sys
import unittest
from urllib.parse import urlencode

import harness

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "golden"
sys.path.append(str(GOLDEN))

import make  # noqa: E402


def entries(name):
    return json.loads((GOLDEN / name).read_text())


class GoldenFiles(harness.ServerTest):
    def test_daemon_gives_the_golden_masks(self):
        for entry in entries("vectors.json"):
            query = {"method": entry["method"], "seed": entry["seed"],
                     "shape": "x".join(map(str, entry["shape"])),
                     "index": entry["index"], "n": entry["n"],
                     "delta": entry["delta"], "dtype": "bits"}
            law = "alpha" if entry["lambda"] is None else "lambda"
            query[law] = entry[law]
            with self.subTest(**query):
                answer = self.get(f"/v1/masks.json?{urlencode(query)}").json()
                self.assertEqual([bytes(row).hex() for row in answer["masks"]],
                                 entry["masks"])
                self.assertEqual([lam * 2**32 for lam in answer["lambda"]],
                                 entry["L"])

    def test_reference_gives_the_golden_masks(self):
        for entry in entries("vectors.json"):
            with self.subTest(**entry):
                answer = make.answer_of_reference(entry)
                self.assertEqual(answer, {name: entry[name] for name in answer})

    def test_daemon_gives_the_golden_answers_byte_for_byte(self):
        for entry in entries("answers.json"):
            with self.subTest(**entry):
                self.assertEqual(
                    make.digest_of(self.server, entry["target"], entry["post"]),
                    entry["blake2b"])

    def test_every_listed_recipe_and_target_has_its_entry(self):
        self.assertEqual(len(entries("vectors.json")), len(make.RECIPES))
        self.assertEqual([(e["target"], e["post"]) for e in entries("answers.json")],
                         make.TARGETS)


if __name__ == "__main__":
    unittest.main()
