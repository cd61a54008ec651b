"""torchvision's own MixUp and CutMix, given the λ and the boxes that fmixd's plans have, mix as fmixd does.

They run where Debian has torchvision's transforms v2: test_debian runs this suite in Debian 13.
"""

import contextlib
import unittest
from unittest import mock

import numpy as np

import coming_from
import peers
from test_coming_from import ROUNDED, ROWS, SIDES, Comparing, batch, centres

try:
    import torch
    from torchvision.transforms import v2
    MISSING = None if hasattr(v2, "MixUp") else "torchvision's v2 has no MixUp here"
except ImportError as error:
    MISSING = f"torchvision has no transforms v2 here (test_debian runs this): {error}"

STEPS = 3


def tensors_of(*arrays):
    """Torch's, with memory of their own."""
    return [torch.tensor(np.ascontiguousarray(array)) for array in arrays]


@contextlib.contextmanager
def given(lam, box, label_weight=None):
    """MixUp and CutMix draw this λ and this box, and CutMix weighs labels by what is left of the row or
    as told."""
    if box:
        top, bottom, left, right = box
        left_over = 1 - peers.area(box) / (SIDES[0] * SIDES[1])
        params = {"box": (left, top, right, bottom),
                  "lam_adjusted": left_over if label_weight is None else label_weight}
    else:
        params = None
    with mock.patch.object(v2.MixUp, "make_params", lambda *_: {"lam": float(lam)}), \
            mock.patch.object(v2.CutMix, "make_params", lambda *_: params):
        yield


def partner_of(case, draws, row):
    """The row that a library mixes a row with."""
    if case.call.startswith("Mixup"):
        return ROWS - 1 - row
    return draws.pairing[row] if "V2" in case.call else row - 1


@unittest.skipIf(MISSING, MISSING)
class Torchvision(Comparing):
    def check(self, served, images, labels, copied):
        """Images and labels are torchvision's: every bit of what is copied, the rest but for rounding."""
        for row, exact in enumerate(copied):
            gap = np.abs(served[0][row] - images[row]).max()
            self.assertLessEqual(gap, 0 if exact else ROUNDED)
        self.assertLess(np.abs(served[1] - labels).max(), ROUNDED)

    def test_whole_batches_are_those_of_its_transforms(self):
        x, y = batch()
        for case in coming_from.cases("torchvision"):
            for step in range(12):
                with self.subTest(str(case), step=step):
                    draws = self.draws(case, step)
                    images, labels = self.transformed(case.made(v2), x, y, draws)
                    self.check(self.mixed(case, x, y, step), images, labels,
                               [draws.method[0] != "mixup"] * ROWS)

    def transformed(self, transform, x, y, draws):
        """A batch by a transform that draws what the first row has."""
        method = draws.method[0]
        index = [type(t).__name__ for t in getattr(transform, "transforms", [])]
        chosen = torch.tensor([index.index({"mixup": "MixUp", "cutmix": "CutMix"}[method])
                               if len(index) > 1 else 0])
        applied = torch.tensor([1.0 if method == "none" else 0.0])
        with given(draws.lam[0], draws.box[0]), mock.patch.object(torch, "rand", lambda *_: applied), \
                mock.patch.object(torch, "multinomial", lambda *_: chosen):
            images, labels = transform(*tensors_of(x, y))
        if labels.ndim == 1:  # a batch that is left alone keeps its class numbers
            labels = torch.nn.functional.one_hot(labels, coming_from.CLASSES)
        return images.numpy(), labels.numpy()

    def test_rows_of_every_combination_are_those_of_its_transforms(self):
        """Each row and its partner are a batch of two: torchvision mixes the first with the second."""
        x, y = batch()
        for case in coming_from.cases():
            for step in range(STEPS):
                with self.subTest(str(case), step=step):
                    draws = self.draws(case, step)
                    images, labels = self.by_rows(case, x, self.smooth(case, y), draws)
                    self.check(self.mixed(case, x, y, step), images, labels,
                               [method != "mixup" for method in draws.method])

    @staticmethod
    def smooth(case, y):
        """Rows of labels, smoothed as the call says; torchvision takes such rows too."""
        smoothing = getattr(case.made(), "label_smoothing", 0)
        return peers.one_hot(y, coming_from.CLASSES) * np.float32(1 - smoothing) \
            + np.float32(smoothing / coming_from.CLASSES)

    def by_rows(self, case, x, y, draws):
        """Each row takes the draws of the first of its unit."""
        images, labels = x.copy(), y.copy()
        peer = case.made()
        for rows in peers.units(peer.law().unit, ROWS):
            for row in rows:
                method, partner = draws.method[rows[0]], partner_of(case, draws, row)
                if method == "none":
                    continue
                transform = (v2.MixUp if method == "mixup" else v2.CutMix)()
                told = None if getattr(peer, "correct_lam", True) else float(draws.lam[rows[0]])
                with given(draws.lam[rows[0]], draws.box[rows[0]], told):
                    two = transform(*tensors_of(x[[row, partner]], y[[row, partner]]))
                images[row], labels[row] = (tensor.numpy()[0] for tensor in two)
        return images, labels

    def test_its_own_box_of_the_same_lambda_and_centre_is_that_of_the_plan_if_even(self):
        x, y = batch()
        case, = (case for case in coming_from.cases("torchvision") if case.call == "CutMix()")
        same = 0
        for step in range(60):
            draws = self.draws(case, step)
            lengths = [int(side * np.sqrt(1 - draws.lam[0])) for side in SIDES]
            middles = self.middles(draws.box[0], lengths)
            transform = case.made(v2)
            drawn = iter(torch.tensor([middle]) for middle in middles[::-1])  # the column, then the row
            with mock.patch.object(transform._dist, "sample", lambda _: torch.tensor([draws.lam[0]])), \
                    mock.patch.object(torch, "randint", lambda *_, **__: next(drawn)):
                images, labels = transform(*tensors_of(x, y))
            even = not any(length % 2 for length in lengths)
            served = self.mixed(case, x, y, step)
            if even:
                self.check(served, images.numpy(), labels.numpy(), [True] * ROWS)
            same += even
            theirs = peers.centred_box(SIDES, draws.lam[0], middles)
            expected = peers.cut(x, np.roll(x, 1, 0), theirs)
            np.testing.assert_array_equal(images.numpy(), expected)
        self.assertGreater(same, 5)

    @staticmethod
    def middles(box, lengths):
        """A centre of a box."""
        if not all(lengths):
            return [0, 0]
        return [int(centres(side, length, begin, end)[0]) for side, length, begin, end
                in zip(SIDES, lengths, box[::2], box[1::2])]


if __name__ == "__main__":
    unittest.main()
