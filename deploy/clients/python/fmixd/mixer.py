"""A batch that you have, mixed where it is."""

import functools
import os
import threading
import warnings

import numpy as np

from .arrays import is_torch, kind, like, namespace, rows_of
from .blend import interpolate, interpolate_some
from .connection import Refused, api_names
from .labels import Labels
from .plans import METHODS, Stream
from .sources import source_class

# Steps of an epoch, and epochs of a rank, that have numbers of their own.
STEPS, EPOCHS = 2**24, 2**16

# Pairings that hang on the samples, of which plans know nothing.
BY_CLASS = ("the classes of the samples, which plans do not have: POST x and y to /v1/mix, or take batches of a "
            "hosted data set by fmixd.epoch")
BY_SAMPLES = {"other_class": BY_CLASS, "same_class": BY_CLASS,
              "neighbour": "the neighbours of a hosted data set: take its batches by fmixd.epoch"}


class Mixer:
    """Mixes batches by plans that it fetches ahead. Parameters are those of /v1/plans: seed, method,
    alpha, delta, lambda (as `lam`), policy, weights, pairing, scope, prob, switch, … ; soft masks are
    not for it. Of several methods each may have an alpha of its own: alpha=[1, 0.2]. With prob below 1,
    or switch="sample", the rows of a batch differ in method; a row that is not mixed stays as it is.

    url: of a daemon. None: libfmix.so draws the same plans in this process, and nothing else is needed.
    layout: where x has its channels: channels_first, channels_last or none. It must be told where the
    shape of x leaves it open; x of four or five dimensions has its channels first unless told.
    classes: y holds class numbers of so many classes; else y is rows of floats, or [n] of floats, which
    are values. With several heads y is a dictionary of arrays, and classes may be one with the same keys.
    smoothing, correct: of labels, as /v1/mix has them; values are not smoothed.
    rank, world: each rank mixes its own batches, by plans of its own.
    steps: how many plans one request fetches at most; four such requests are held ahead. token: of
    the daemon, if it asks one. Close a Mixer, or use it by `with`; threads may share one.
    """

    def __init__(self, url, *, layout=None, classes=None, steps=16, token=None, smoothing=0.0, correct=True,
                 rank=0, world=1, **law):
        source_class(url)  # refuses what cannot be asked
        for name in {"index", "step", "n", "shape", "dtype", "parts", "epoch"} & set(law):
            raise ValueError(f"{name} follows from each batch; a Mixer does not take it")
        if law.get("soft"):
            raise ValueError("soft masks do not fit into bits; use /v1/mix for them")
        if law.get("pairing") in BY_SAMPLES:
            raise ValueError(f"pairing={law['pairing']!r} needs {BY_SAMPLES[law['pairing']]}")
        if layout not in (None, "channels_first", "channels_last", "none"):
            raise ValueError(f"layout is {layout!r}; it must be channels_first, channels_last or none")
        if not isinstance(rank, int) or not isinstance(world, int) or not 0 <= rank < world <= 2**16:
            raise ValueError(f"rank is {rank} of world {world}; ranks count from 0, and world is at most 65536")
        if not 0 <= smoothing <= 1:
            raise ValueError(f"smoothing is {smoothing}; it must be from 0 to 1")
        for told in classes.values() if isinstance(classes, dict) else (classes,):
            if told is not None and (not isinstance(told, int) or told < 1):
                raise ValueError(f"classes is {told!r}; it must be a whole number from 1 on")
        if not isinstance(steps, int) or steps < 1:
            raise ValueError(f"steps is {steps!r}; it must be a whole number from 1 on")
        self.url, self.token, self.layout, self.classes, self.steps = url, token, layout, classes, steps
        self.smoothing, self.correct, self.rank, self.world = smoothing, correct, rank, world
        self._law = api_names(law)
        self._begin()

    def _begin(self):
        """With nothing fetched."""
        self._process, self._streams, self._last = os.getpid(), {}, None
        self._taking = threading.RLock()  # threads may share a Mixer

    def __getstate__(self):
        return {**self.__dict__, "_streams": {}, "_last": None, "_process": None, "_taking": None}

    def epoch(self, batches, epoch, start=0):
        """Pairs (x, y) of an iterable, mixed as the steps of that epoch from `start` on. To resume amid an
        epoch, give what is left of the batches, and how many went before."""
        for step, (x, y) in enumerate(batches, start):
            yield self(x, y, step, epoch=epoch)

    def __call__(self, x, y, step, *, epoch=None):
        """The mixed batch number `step` (of an epoch, if that is told): x and, unless it is None, its
        labels. x stays as it is."""
        plan = self.plan(self._spatial(x), len(x), self.number(step, epoch))
        return self._mix(plan, x), None if y is None else Labels(
            self.classes, self.smoothing, self.correct).mixed(plan, y)

    def number(self, step, epoch=None):
        """Under which the daemon knows a step of an epoch of this rank."""
        if epoch is None:
            self._look_back(step)
        elif not 0 <= epoch < EPOCHS:
            raise ValueError(f"epoch is {epoch}; it must be from 0 to {EPOCHS - 1}")
        if not 0 <= step < (2**64 if epoch is None and self.world == 1 else STEPS):
            raise ValueError(f"step is {step}; of an epoch it must be from 0 to {STEPS - 1}")
        return (self.rank * EPOCHS + (epoch or 0)) * STEPS + step

    def _look_back(self, step):
        """The commonest mistake: steps of each epoch counted from 0, and no epoch told."""
        if self._last is not None and step < self._last:
            warnings.warn(f"step went back from {self._last} to {step} and no epoch is told, so masks, lambdas and "
                          "pairings repeat: call mix(x, y, step, epoch=…), or count steps on", stacklevel=4)
        self._last = step

    def plan(self, shape, rows, number):
        """The plan of a step, by its number."""
        if self._process != os.getpid():
            self._begin()  # a fork has no threads, and its parent's connections are not its own
        with self._taking:
            return self._plan(shape, rows, number)

    def _plan(self, shape, rows, number):
        stream = self._streams.pop((shape, rows), None)
        if stream is None:
            make_source = functools.partial(source_class(self.url), self.url, self.token, self._law)
            stream = Stream(make_source, shape, rows, self.steps)
        # An epoch's last batch of fewer rows comes alone: what would follow it is not fetched.
        eager = not any(other.used > 1 for other in self._streams.values()) or stream.used > 1
        self._streams[shape, rows] = stream  # the last used stands last
        while len(self._streams) > 3:
            self._streams.pop(next(iter(self._streams))).stop()
        return stream.plan(number, eager)

    def _spatial(self, x):
        layout = self.layout or self._guessed(x)
        cut = {"channels_first": slice(2, None), "channels_last": slice(1, -1), "none": slice(1, None)}[layout]
        sides = tuple(int(side) for side in x.shape[cut])
        if not 1 <= len(sides) <= 3:
            raise ValueError(f"x has the shape {tuple(x.shape)}, of which layout={layout!r} leaves {len(sides)} "
                             "spatial dimensions; masks have one, two or three")
        return sides

    def _guessed(self, x):
        shape = tuple(x.shape)
        if len(shape) == 2:
            return "none"
        if len(shape) == 3:
            raise ValueError(f"x has the shape {shape}: layout='none' says rows of {shape[1]} x {shape[2]} without "
                             f"channels, 'channels_first' rows of length {shape[2]} with {shape[1]} channels; tell "
                             "Mixer which")
        if len(shape) in (4, 5) and shape[-1] in (1, 3, 4) and shape[1] not in (1, 3, 4):
            raise ValueError(f"x has the shape {shape}, which looks like channels_last, and channels_first is what "
                             "Mixer takes unless told: say layout='channels_last' or layout='channels_first'")
        return "channels_first"

    def _mix(self, plan, x):
        if plan.method == "none":
            return x
        if plan.sums.any():
            self._check_sums(plan, x)
        partners, weights = plan.partners(), plan.weights()
        if plan.sums.all():
            return interpolate(x, partners, weights)
        mixed = rows_of(x, partners)
        if plan.chooses.any():
            mixed = self._choose(plan, x, mixed)
        if plan.sums.any():
            mixed = interpolate_some(x, partners, weights, np.flatnonzero(plan.sums), mixed)
        return mixed

    @staticmethod
    def _check_sums(plan, x):
        """Refuses weighted sums that are not for here."""
        names = {METHODS[number] for number in plan.methods[plan.sums]}
        if "bcplus" in names:
            raise Refused("bcplus needs the samples themselves: use /v1/mix for it")
        if kind(x) != "f":
            raise TypeError(f"x is of {x.dtype}, and {min(names)} interpolates: make it a float first")

    def _choose(self, plan, x, partners):
        """By masks, into the copy that holds the partners' rows."""
        space, mask, layout = namespace(x), plan.masks(), self.layout or self._guessed(x)
        mask = mask[:, None] if layout == "channels_first" else mask[..., None] if layout == "channels_last" else mask
        if space is np:
            np.copyto(partners, x, where=mask)
            return partners
        mask = like(mask, x)
        if is_torch(space) and not x.requires_grad:
            return space.where(mask, x, partners, out=partners)
        return space.where(mask, x, partners)

    def close(self):
        """Stops fetching."""
        streams, self._streams = self._streams, {}
        for stream in streams.values() if self._process == os.getpid() else ():
            stream.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        streams = self.__dict__.get("_streams", {})
        for stream in streams.values() if self.__dict__.get("_process") == os.getpid() else ():
            stream.drop()
