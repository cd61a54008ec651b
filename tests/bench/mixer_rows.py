"""Rows of the bench: a step of the Python client's Mixer against timm's Mixup of mode elem."""

import pathlib
import statistics
import sys
import time

from measuring import REQUEST_ROUNDS, ROOT, Daemon, Row, note

sys.path.insert(0, str(pathlib.Path(ROOT, "deploy", "clients", "python")))

BATCH, CLASSES, SMOOTHING = (64, 3, 224, 224), 1000, 0.1


class Elem:
    """What timm 1.0 does for a batch of mode elem, in our own words: boxes are copied and sums are made row by
    row, in place, from a copy of the batch."""

    def __init__(self, torch, numpy, shares=(0.5, 0.5), alphas=(0.8, 1.0)):
        self.torch, self.random = torch, numpy.random.default_rng(1)
        self.shares, self.alphas = shares, alphas

    def box(self, height, width, lam):
        """Rows and columns of the partner."""
        found = []
        for side in height, width:
            length, middle = int(side * (1 - lam) ** 0.5), int(self.random.integers(side))
            found.append((max(middle - length // 2, 0), min(middle + length // 2, side)))
        return found

    def row(self, own, partner):
        """Mixes it in place, and says its share."""
        cuts = self.random.random() >= self.shares[0]
        lam = float(self.random.beta(*[self.alphas[cuts]] * 2))
        if not cuts:
            own[:] = own * lam + partner * (1 - lam)
            return lam
        (top, bottom), (left, right) = self.box(*own.shape[-2:], lam)
        own[:, top:bottom, left:right] = partner[:, top:bottom, left:right]
        return 1 - (bottom - top) * (right - left) / (own.shape[-2] * own.shape[-1])

    def labels(self, y):
        """Smoothed rows."""
        off = SMOOTHING / CLASSES
        return self.torch.full((len(y), CLASSES), off).scatter_(1, y.view(-1, 1), 1 - SMOOTHING + off)

    def __call__(self, x, y):
        before, last = x.clone(), len(x) - 1
        shares = self.torch.tensor([self.row(x[i], before[last - i]) for i in range(len(x))])[:, None]
        return x, self.labels(y) * shares + self.labels(y.flip(0)) * (1 - shares)


def spent(work, *arguments):
    """Milliseconds of this thread's processor time."""
    before = time.thread_time_ns()
    work(*arguments)
    return (time.thread_time_ns() - before) / 1e6


def mixer_step(law):
    """A step of a Mixer whose plan has come, against timm's. Both by one thread."""
    import numpy  # pylint: disable=import-outside-toplevel  # only this row needs these
    import torch  # pylint: disable=import-outside-toplevel
    import fmixd  # pylint: disable=import-outside-toplevel
    torch.set_num_threads(1)
    x, y, theirs, result = torch.rand(BATCH), torch.randint(0, CLASSES, BATCH[:1]), Elem(torch, numpy), []
    own, times = x.clone(), []
    with Daemon() as server:
        url = "http://{}:{}".format(*server.address)
        with fmixd.Mixer.like_timm(url, mixup_alpha=0.8, cutmix_alpha=1, mode="elem") if law is None else fmixd.Mixer(
                url, classes=CLASSES, smoothing=SMOOTHING, layout="channels_first", **law) as mix:
            for step in range(REQUEST_ROUNDS):
                mix.plan(BATCH[2:], BATCH[0], step)
                times.append((spent(mix, x, y, step), spent(theirs, own, y)))
                result.append(times[-1][0] / times[-1][1])
    ours, timms = (statistics.median(column) for column in zip(*times))
    note(f"mixer step: {ours:.1f} ms, timm's {timms:.1f}")
    return result


ROWS = [
    Row("Mixer step as timm's, 64x3x224x224 f32, CPU", "timm's elem step", lambda: mixer_step(None), 1.1, 1.0),
    Row("Mixer step by fmix, 64x3x224x224 f32, CPU", "timm's elem step", lambda: mixer_step({"method": "fmix"}), 1.1,
        1.0),
]
