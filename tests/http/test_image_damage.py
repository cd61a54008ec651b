"""Image sets with pictures that cannot be decoded, although their digests are right."""

import http.client
import itertools
import tempfile
import unittest

import numpy as np

import harness
import image_sets


def truncated():
    """The first half of a file."""
    whole = image_sets.encoded(image_sets.photograph(np.random.default_rng(2), 30, 40))
    return whole[:len(whole) // 2]


class Damage(unittest.TestCase):
    """Pictures that cannot be decoded after all."""

    def served(self, files, sides=None):
        root = self.enterContext(tempfile.TemporaryDirectory())
        good = image_sets.encoded(image_sets.photograph(np.random.default_rng(1), 30, 40))
        pixels = image_sets.decoded(good)
        data = image_sets.of_files("photos", [good] * len(files))._replace(files=[file or good for file in files],
                                                                           x=[pixels] * len(files))
        image_sets.write(root, data, sides)
        return self.enterContext(harness.Server("--data", root, "--drain", "0"))

    def check(self, files, row, sides=None):
        server = self.served(files, sides)
        answer = server.get(f"/v1/datasets/photos/batches/{row}.npy?n=1&size=8")
        self.assertEqual(answer.status, 503, answer.body)
        self.assertIn(f"row {row} ", answer.json()["detail"])
        for other in range(len(files)):
            if other != row:
                self.assertEqual(server.get(f"/v1/datasets/photos/batches/{other}.npy?n=1&size=8").status, 200)

    def test_a_batch_that_broke_off_is_503_from_then_on(self):
        server = self.served([None] * 40 + [truncated()])
        target = "/v1/datasets/photos/batches/0.npy?n=41&size=120"
        try:
            first = server.get(target, fresh=True)
        except (OSError, http.client.HTTPException):
            pass  # after the first rows
        else:
            self.assertEqual(first.status, 503, first.body[:300])
        answer = server.get(target, fresh=True)
        self.assertEqual(answer.status, 503)
        self.assertIn("row 40 ", answer.json()["detail"])
        self.assertEqual(server.get("/v1/datasets/photos/batches/0.npz?n=41&size=9&parts=labels").status, 200)

    def test_a_wrong_header_anywhere_is_503_before_anything_is_sent(self):
        """Answers are of many slices, and each daemon is asked for the first time."""
        kinds = ["npy", "npz", "safetensors", "shard"]
        ways = [{}, {"Range": "bytes=1000-1009"}, {"Range": "bytes=-30000"}]
        wrong = [(b"nothing at all", None), (truncated()[:20], None), (None, (40, 30))]
        for row, (kind, fields, (file, sides)) in zip(itertools.cycle((0, 20, 40)),
                                                         itertools.product(kinds, ways, wrong)):
            with self.subTest(kind, row=row, fields=fields, file=file):
                server = self.served([file if i == row else None for i in range(41)], sides and {row: sides})
                target = f"/v1/datasets/photos/batches/0.{kind}?n=41&size=120"
                if kind == "shard":
                    target = server.get("/v1/datasets/photos/shards?n=41&size=120").json()["urls"]
                    target = target.replace("{000000..000000}", "000000")
                answer = server.get(target, headers=fields)
                self.assertEqual(answer.status, 503)
                self.assertIn(f"row {row} ", answer.json()["detail"])
                server.until_logged(f"the picture of row {row} cannot be used: ")
                self.assertEqual(server.log_tail().count("cannot be used"), 1)

    def test_bytes_that_are_no_picture(self):
        self.check([None, b"nothing at all", None], 1)

    def test_a_truncated_picture(self):
        self.check([None, None, truncated()], 2)

    def test_a_picture_of_other_sides_than_the_index_says(self):
        self.check([None, None], 0, {0: (40, 30)})


if __name__ == "__main__":
    unittest.main()
