"""Windows and resized pictures of random views, in JavaScript and by the reference."""

import json
import math
import random
import unittest

import numpy as np

from test_javascript import NODE, ref, run

WINDOWS, PICTURES = 1500, 300


def next_to(source, number, most):
    """A number, or one of its neighbours in binary64: a root that was half way between integers is near."""
    return min(source.choice((number, math.nextafter(number, 0), math.nextafter(number, 9))), most)


def some_window(source):
    """A draw of random or of hard numbers, and the picture that it is for."""
    sides = [source.choice((source.randint(1, 9), source.randint(1, 3000), 2**20)) for _ in "hw"]
    if source.random() < 0.4:  # (n + 1/2)^2 pixels, if not for a bit
        side = 2 * source.randint(0, 40) + 1
        share = source.choice((1.0, 0.25, 0.0625))
        area = [next_to(source, share, 1.0)] * 2
        power = source.choice((1.0, 4.0, 0.25, 16.0))
        ratio = sorted(next_to(source, power, 1000.0) for _ in "01")
        sides = [side, side * source.choice((1, 4))]
    else:
        area = sorted(10.0 ** source.uniform(-9, 0) if source.random() < 0.2 else source.uniform(0.01, 1)
                      for _ in "01")
        ratio = sorted(source.choice((10.0 ** source.uniform(-3, 3), source.uniform(0.5, 2))) for _ in "01")
    return {"seed": str(source.choice((0, source.getrandbits(64)))), "index": str(source.getrandbits(64)),
            "neighbour": source.random() < 0.5, "sides": sides, "area": area, "ratio": ratio}


def window_of(case):
    """The same by the reference."""
    view = ref.View((1, 1), area=case["area"], ratio=case["ratio"])
    return list(ref.random_window(int(case["seed"]), int(case["index"]), case["sides"], view, case["neighbour"]))


def some_picture(source):
    """Pixels, of which every fourth is black or white."""
    sides, size = ([source.choice((source.randint(1, 5), source.randint(1, 50))) for _ in "hw"] for _ in "01")
    channels = source.choice((1, 3))
    pixels = bytearray(source.randbytes(sides[0] * sides[1] * channels))
    pixels[::4] = bytes(255 * (value > 127) for value in pixels[::4])
    return {"sides": sides, "size": size, "channels": channels, "pixels": pixels.hex(),
            "filter": source.choice(("bilinear", "bicubic", "nearest"))}


def resized_of(case):
    """The same by the reference."""
    pixels = np.frombuffer(bytes.fromhex(case["pixels"]), "u1").reshape(*case["sides"], case["channels"])
    return ref.resized(pixels, case["size"], case["filter"]).tobytes().hex()


@unittest.skipUnless(NODE, "there is no node here")
class Views(unittest.TestCase):
    """Three implementations, one stream."""

    def answers(self, **asked):
        status, said, errors = run("recipes.mjs", json.dumps({"rows": [], "epochs": [], **asked}))
        self.assertEqual(status, 0, errors[-2000:])
        return json.loads(said)

    def test_random_windows_agree(self):
        source = random.Random("windows in JavaScript")
        cases = [some_window(source) for _ in range(WINDOWS)]
        for case, got in zip(cases, self.answers(windows=cases)["windows"], strict=True):
            self.assertEqual(got, window_of(case), case)

    def test_random_pictures_are_resized_alike(self):
        source = random.Random("pictures in JavaScript")
        cases = [some_picture(source) for _ in range(PICTURES)]
        for case, got in zip(cases, self.answers(pictures=cases)["pictures"], strict=True):
            self.assertEqual(got, resized_of(case), case)


if __name__ == "__main__":
    unittest.main()
