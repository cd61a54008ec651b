"""A short soak, and fewer shapes than `make soak` asks for: tests/load plays both."""

import pathlib
import sys
import unittest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "load"))

import catalogue  # noqa: E402
import soak  # noqa: E402
from process import SHADOW  # noqa: E402

REQUESTS = 8000
SHAPES = 1500
SLACK = None if SHADOW else soak.SHORT_DRIFT


class Soak(unittest.TestCase):
    def test_every_answer_is_right_and_the_daemon_is_what_it_was(self):
        errors, counts = soak.soak(REQUESTS, REQUESTS // 2, SLACK)
        self.assertEqual(errors, [], "\n".join(errors))
        for what in (200, 206, 304, 400, 404, 405, 406, 413, 415, 416, "closed", "vanished"):
            self.assertGreater(counts[what], 0, counts)

    def test_different_shapes_do_not_grow_the_cache_past_its_bound(self):
        errors = soak.many_shapes(SHAPES, 4 << 20, SLACK)
        self.assertEqual(errors, [], "\n".join(errors))

    def test_a_wrong_answer_is_seen(self):
        player = soak.Player(("127.0.0.1", 1), 0, "none")
        card = soak.deck.Card("masks", b"", 200, 3, catalogue.digest(b"abc"))
        head = b"HTTP/1.1 200 OK\r\nETag: \"x\"\r\n"
        for status, text, body, wrong in ((200, head, b"abc", 0), (200, head, b"abd", 1),
                                          (404, head, b"abc", 1), (200, head, b"ab", 1),
                                          (503, head, b"", 1),
                                          (503, head + b"Retry-After: 2\r\n", b"", 0)):
            with self.subTest(status=status, body=body):
                before = player.counts["wrong"]
                player.check(card, soak.client.Reply(status, text, len(body), body))
                self.assertEqual(player.counts["wrong"] - before, wrong)
        self.assertEqual(player.again, [card, card])

    def test_the_catalogue_has_every_method_type_format_and_number_of_sides(self):
        entries = catalogue.entries()
        self.assertGreater(len(entries), 400)
        text = "\n".join(entry["target"] for entry in entries) + "\n"
        uploads = {entry["upload"]["format"] for entry in entries if entry["upload"]}
        self.assertEqual(uploads, {"raw", "npy", "npz", "safetensors"})
        for word in (*catalogue.ref.METHODS, "dtype=f32", "dtype=u8", "dtype=bits", "dtype=f16",
                     "dtype=f64", ".npy?", ".raw?", ".json?", ".png?", ".npz?", ".safetensors?",
                     "soft=", "output=grey", "spectrum=official", "classes=", "policy=random"):
            self.assertIn(word, text)
        for sides in (r"shape=\d+&", r"shape=\d+x\d+&", r"shape=\d+x\d+x\d+&"):
            self.assertRegex(text, sides)


if __name__ == "__main__":
    unittest.main()
