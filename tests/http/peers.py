"""timm's Mixup, torchvision's MixUp, CutMix, RandomChoice and RandomApply, and kornia's RandomMixUpV2
and RandomCutMixV2, in NumPy: what each makes of a batch once its random numbers are drawn.

They are written from the definitions in timm 1.0 (timm/data/mixup.py), torchvision 0.21 (transforms/v2)
and kornia 0.8 (augmentation/_2d/mix and random_generator/_2d). timm and kornia are not Debian packages;
test_torchvision compares with torchvision itself where Debian has it.

Each takes the arguments of its namesake. `mix` asks the draws only for what the namesake draws: a batch
that shares λ takes that of row 0, a pair that of its first row. So it agrees with rows that share
nothing only by being wrong. `law` says how the namesake draws.
"""

import inspect
from typing import NamedTuple

import numpy as np


class Draws(NamedTuple):
    """What is drawn for each row of a batch."""

    lam: np.ndarray      # the weight of the row itself, before any correction
    method: list         # "mixup", "cutmix" or "none"
    pairing: np.ndarray
    box: list            # top, bottom, left, right of what cutmix takes from the partner


class Law(NamedTuple):
    """How a namesake draws."""

    unit: str            # what has a method and λ of its own: batch, pair or elem
    shares: dict         # of the mixed units, by method
    alphas: dict         # of λ's Beta(α, α), by method
    mixed: float = 1.0   # the probability that a unit is mixed ...
    batch: float = 1.0   # ... in a batch that is not left alone, which has this probability
    lam: float = None    # the row's own weight, where it is not drawn


def area(box):
    """Elements in a box."""
    top, bottom, left, right = box
    return (bottom - top) * (right - left)


def cut(x, partner, box):
    """A row with the box of another in it."""
    top, bottom, left, right = box
    out = x.copy()
    out[..., top:bottom, left:right] = partner[..., top:bottom, left:right]
    return out


def centred_box(sides, lam, centre):
    """timm's and torchvision's: an even number of rows and columns around the centre, cut off at the
    border."""
    found = []
    for side, middle in zip(sides, centre):
        half = int(side * np.sqrt(1 - lam)) // 2
        found += [max(middle - half, 0), min(middle + half, side)]
    return tuple(found)


def place_of_kornia(side, length, u):
    """Where a box of such a length begins in a side, for u of [0, 1)."""
    return int(np.floor(u * (side - length - 1)))


def one_hot(y, classes):
    """Rows of float32."""
    return np.eye(classes, dtype=np.float32)[y]


def both(own, partner, weight):
    """w·own + (1−w)·partner in float32, for a weight of each row."""
    weight = np.asarray(weight, np.float32).reshape(-1, *[1] * (own.ndim - 1))
    return own * weight + partner * (np.float32(1) - weight)


class Peer:
    """Arguments are kept under their names."""

    def __init__(self, **arguments):
        known = inspect.signature(self.defaults).parameters
        unknown = set(arguments) - set(known)
        if unknown:
            raise TypeError(f"{type(self).__name__} has no {unknown}")
        for name, parameter in known.items():
            setattr(self, name, arguments.get(name, parameter.default))


class Mixup(Peer):
    """timm's."""

    @staticmethod
    def defaults(mixup_alpha=1.0, cutmix_alpha=0.0, prob=1.0, switch_prob=0.5, mode="batch",
                 correct_lam=True, label_smoothing=0.0, num_classes=1000):
        """Its arguments."""

    def law(self):
        """One method where the other's alpha is 0."""
        alphas = {"mixup": self.mixup_alpha, "cutmix": self.cutmix_alpha}
        shares = {"mixup": 1 - self.switch_prob, "cutmix": self.switch_prob}
        active = [name for name in alphas if alphas[name] > 0]
        if len(active) == 1:
            shares = {active[0]: 1}
        return Law(self.mode, shares, {name: alphas[name] for name in active}, self.prob)

    def mix(self, x, y, draws):
        """Images and labels; a row's partner is the one as far from the end as it is from the start."""
        out, weight = x.copy(), np.ones(len(x))
        for rows in units(self.mode, len(x)):
            for i in rows:
                out[i], weight[i] = self.row(x[i], x[len(x) - 1 - i], draws, rows[0])
        return out, self.labels(y, y[::-1], weight)

    def row(self, x, partner, draws, i):
        """A row as the draws of row i have it, and its label's weight."""
        lam = draws.lam[i]
        if draws.method[i] == "none":
            return x, 1
        if draws.method[i] == "mixup":
            return both(x[None], partner[None], [lam])[0], lam
        share = 1 - area(draws.box[i]) / (x.shape[-2] * x.shape[-1])
        return cut(x, partner, draws.box[i]), share if self.correct_lam else lam

    def labels(self, y, partner, weight):
        """Smoothed, then mixed."""
        off = self.label_smoothing / self.num_classes
        on = 1 - self.label_smoothing + off
        own, other = (np.where(one_hot(labels, self.num_classes) == 1, np.float32(on), np.float32(off))
                      for labels in (y, partner))
        return both(own, other, weight)


def units(kind, count):
    """The rows of a batch that share what is drawn."""
    if kind == "batch":
        return [range(count)]
    if kind == "elem":
        return [(i,) for i in range(count)]
    return [(i, count - 1 - i) for i in range(count // 2)]


class MixUp(Peer):
    """torchvision's: a row's partner is the one before it."""

    method = "mixup"

    @staticmethod
    def defaults(alpha=1.0, num_classes=1000):
        """Its arguments."""

    def law(self):
        """One λ for the batch."""
        return Law("batch", {self.method: 1}, {self.method: self.alpha})

    def mix(self, x, y, draws):
        """Images and labels."""
        return self.both(x, draws.lam[0]), self.labels(y, draws.lam[0])

    @staticmethod
    def both(x, lam):
        """A batch with the one that is a row further on."""
        return both(x, np.roll(x, 1, 0), [lam] * len(x))

    def labels(self, y, lam):
        """Rows of floats."""
        return self.both(one_hot(y, self.num_classes), lam)


class CutMix(MixUp):
    """torchvision's: the label's weight is what is left of the row."""

    method = "cutmix"

    def mix(self, x, y, draws):
        """Images and labels."""
        share = 1 - area(draws.box[0]) / (x.shape[-2] * x.shape[-1])
        return cut(x, np.roll(x, 1, 0), draws.box[0]), self.labels(y, share)


class RandomChoice:
    """torchvision's."""

    def __init__(self, transforms, p=None):
        self.transforms = transforms
        self.p = p or [1] * len(transforms)

    def law(self):
        """One method for the batch."""
        return Law("batch", {t.method: p / sum(self.p) for t, p in zip(self.transforms, self.p)},
                   {t.method: t.alpha for t in self.transforms})

    def mix(self, x, y, draws):
        """By the transform of row 0's method."""
        chosen, = (t for t in self.transforms if t.method == draws.method[0])
        return chosen.mix(x, y, draws)


class RandomApply:
    """torchvision's, of one transform. A batch that is left alone keeps class numbers there; here it has
    their rows."""

    def __init__(self, transforms, p=0.5):
        self.transform, = transforms
        self.p = p

    def law(self):
        """The transform's, but for the batches that are left alone."""
        return self.transform.law()._replace(mixed=self.p)

    def mix(self, x, y, draws):
        """All or nothing."""
        if draws.method[0] == "none":
            return x, one_hot(y, self.transform.num_classes)
        return self.transform.mix(x, y, draws)


class RandomMixUpV2(Peer):
    """kornia's: λ is the partner's weight, and uniform."""

    method = "mixup"

    @staticmethod
    def defaults(lambda_val=(0.0, 1.0), same_on_batch=False, p=1.0, num_classes=1000):
        """Its arguments, and how many classes rows of labels have."""

    def law(self):
        """p is asked twice: of the batch, and of each row or, where a batch is the same, once more."""
        low, high = self.range()
        if (low, high) != (0, 1) and low != high:
            raise ValueError("λ of a range: no request says this")
        return Law("batch" if self.same_on_batch else "elem", {self.method: 1},
                   {self.method: self.alpha()}, self.p, self.p, low if low == high else None)

    def range(self):
        """Of the row's own weight."""
        return 1 - self.lambda_val[1], 1 - self.lambda_val[0]

    def alpha(self):
        """Of λ's distribution."""
        return 1

    def mix(self, x, y, draws):
        """Images and labels."""
        partner_weight = self.drawn([1 - lam for lam in draws.lam], draws)
        return both(x[draws.pairing], x, partner_weight), self.labels(y, draws, partner_weight)

    def drawn(self, partner_weight, draws):
        """Of each row: row 0's where a batch is the same, and 0 where it is left alone."""
        row = [0] * len(partner_weight) if self.same_on_batch else range(len(partner_weight))
        return np.array([partner_weight[i] if draws.method[i] == self.method else 0 for i in row])

    def labels(self, y, draws, partner_weight):
        """kornia gives class, partner's class and λ, which its loss takes as (1−λ)·own + λ·partner's:
        so these are rows of floats with the same loss."""
        own = one_hot(y, self.num_classes)
        return both(own[draws.pairing], own, partner_weight)


class RandomCutMixV2(RandomMixUpV2):
    """kornia's: the box lies within the image; λ is the box's share of it, or with use_correct_lambda the
    rest, and either way says the same of the label."""

    method = "cutmix"

    @staticmethod
    def defaults(num_mix=1, cut_size=(0.0, 1.0), beta=1.0, same_on_batch=False, p=1.0,
                 use_correct_lambda=False, num_classes=1000):
        """Its arguments, and how many classes rows of labels have."""

    def range(self):
        """Of the row's own weight."""
        return self.cut_size

    def alpha(self):
        """Of λ's distribution."""
        return self.beta

    def mix(self, x, y, draws):
        """Images and labels."""
        sides = x.shape[-2:]
        share = self.drawn([np.prod([int(side * np.sqrt(1 - lam)) / side for side in sides])
                            for lam in draws.lam], draws)
        boxes = [draws.box[0]] * len(x) if self.same_on_batch else draws.box
        mixed = np.stack([cut(row, x[j], box) if weight else row
                          for row, j, box, weight in zip(x, draws.pairing, boxes, share)])
        return mixed, self.labels(y, draws, share)
