"""torchvision's own transforms of PIL pictures, given the words that fmixd has, make the same views.

They run where Debian has torchvision: test_debian runs this suite in Debian 13.
"""

import contextlib
import random
import unittest
from unittest import mock

import numpy as np

import fmixref as ref
from test_refview import inception_crop, some_recipes

try:
    import torch
    from PIL import Image
    from torchvision import transforms
    from torchvision.transforms import InterpolationMode
    MISSING = None
except ImportError as error:
    MISSING = f"torchvision has no transforms here (test_debian runs this): {error}"

NEAR = 1e-2  # torchvision's uniform numbers and logarithms are float32


class Words:
    """Hands a transform the words of a row, as the numbers that it draws."""

    def __init__(self, seed, index):
        self.drawn = ref.words(seed, 8, index, 40).reshape(10, 4) / 2**32
        self.flip = int(ref.words(seed, 6, index, 3)[2]) / 2**32
        self.uniforms = self.places = 0

    def uniform(self, tensor, low, high):
        k, which = divmod(self.uniforms, 2)
        self.uniforms += 1
        return tensor.fill_(float(low) + float(high - low) * self.drawn[k][which])

    def randint(self, low, high, **_):
        word = self.drawn[self.uniforms // 2 - 1][2 + self.places]
        self.places += 1
        return torch.tensor([low + int(word * (high - low))])

    @contextlib.contextmanager
    def handed(self):
        with mock.patch.object(torch.Tensor, "uniform_", lambda *which: self.uniform(*which)), \
                mock.patch.object(torch, "randint", self.randint), \
                mock.patch.object(torch, "rand", lambda _: torch.tensor([self.flip])):
            yield


def a_picture(source, sides):
    return np.frombuffer(source.randbytes(3 * sides[0] * sides[1]), np.uint8).reshape(*sides, 3)


def mode(name):
    return InterpolationMode.BICUBIC if name == "bicubic" else InterpolationMode.BILINEAR


@unittest.skipIf(MISSING, MISSING)
class Torchvision(unittest.TestCase):
    def test_random_resized_crop_and_flip(self):
        source, compared = random.Random(1), 0
        for seed, t, sides, area, ratio in some_recipes(250):
            # Of a few pixels torchvision's fallback can be an empty window.
            sides = [min(max(side, 8), 640) for side in sides]
            words = Words(seed, t)
            wanted, _, margin = inception_crop(sides, area, ratio, words.drawn.tolist())
            if margin < NEAR:
                continue
            compared += 1
            view = ref.View((source.randint(1, 60), source.randint(1, 60)), area=area, ratio=ratio,
                            filter=source.choice(("bilinear", "bicubic")), flip=True)
            picture = a_picture(source, sides)
            transform = transforms.Compose([
                transforms.RandomResizedCrop(view.size, area, ratio, mode(view.filter)),
                transforms.RandomHorizontalFlip()])
            with words.handed():
                made = np.asarray(transform(Image.fromarray(picture)))
            self.assertEqual(ref.random_window(seed, t, sides, view), wanted)
            self.assertTrue(np.array_equal(made, ref.viewed(picture, view, seed, t)), (sides, view))
        self.assertGreater(compared, 150)

    def test_resize_and_center_crop(self):
        source = random.Random(2)
        for _ in range(300):
            sides = [source.choice((source.randint(1, 30), source.randint(1, 300))) for _ in "hw"]
            view = ref.View((source.randint(1, 90), source.randint(1, 90)), "center",
                            short=source.randint(1, 100),
                            filter=source.choice(("bilinear", "bicubic")))
            picture = a_picture(source, sides)
            transform = transforms.Compose([transforms.Resize(view.short, mode(view.filter)),
                                            transforms.CenterCrop(view.size)])
            made = np.asarray(transform(Image.fromarray(picture)))
            self.assertTrue(np.array_equal(made, ref.viewed(picture, view)), (sides, view))

    def test_validation_as_it_is_usual(self):
        source = random.Random(3)
        usual = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224)])
        for sides in ((375, 500), (500, 333), (256, 256), (64, 64), (1200, 230)):
            picture = a_picture(source, sides)
            made = np.asarray(usual(Image.fromarray(picture)))
            self.assertTrue(np.array_equal(made, ref.viewed(picture, ref.View((224, 224), "center"))))

    def test_resize_to_a_size_stretches(self):
        source = random.Random(4)
        for size in ((7, 9), (64, 64), (3, 200)):
            picture = a_picture(source, (50, 80))
            made = transforms.Resize(size)(Image.fromarray(picture))
            self.assertTrue(np.array_equal(np.asarray(made),
                                           ref.viewed(picture, ref.View(size, "stretch"))))


if __name__ == "__main__":
    unittest.main()
