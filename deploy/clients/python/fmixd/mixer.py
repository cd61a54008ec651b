"""A batch that you have, mixed where it is."""

from __future__ import annotations

import functools
import os
import threading
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arrays import Array, kind_of, library_of
from .batches import DEFAULT, Fields, replaced
from .connection import Refused, api_names, bearer
from .integers import integer
from .labels import Labels
from .large_rows import LargeRows, large_rows
from .layouts import LAYOUTS, guessed, spatial
from .plans import METHODS, Plan, Stream
from .sources import source_class
from .states import EPOCHS, STEPS, position_of, recipe
from .timm import options_of

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

    url: of a daemon, as http://localhost:8080. None: libfmix.so draws the same plans in this process, and nothing else
    is needed.
    x: [n, …], of any type for fmix and cutmix, which copy elements; of floats for the other methods. Its mix is a
    new array of the same shape, type and device. y: [n] class numbers, or [n, classes] or [n] of floats (or
    integers 0 and 1, or truths); its mix is [n, classes] or [n], float32 unless y was of other floats.
    layout: where x has its channels: channels_first, channels_last or none. It must be told where the
    shape of x leaves it open; x of four or five dimensions has its channels first by default.
    classes: y holds class numbers of so many classes; else y is rows of floats, or [n] of floats, which
    are values. With several heads y is a dictionary of arrays, and classes may be one with the same keys.
    smoothing, correct: of labels, as /v1/mix has them; values are not smoothed.
    inputs, labels_getter: which entries of a batch are x and y, for `epoch` and `batch`. inputs: a name in a
    dictionary or a place in a tuple; "x", or 0, by default. labels_getter, as torchvision's v2.MixUp has it: such a
    name or place; a function of the batch that gives the entry; None, if there are no labels; "y", or 1, by default.
    Or a list of names, for several heads.
    rank, world: each rank mixes its own batches, by plans of its own.
    steps: how many plans one request fetches at most; four such requests are held ahead. token: of the daemon, if it
    asks for one; without a url it is refused. Close a Mixer, or use it by `with`; threads may share one. It can be
    pickled, and used after a fork.
    """

    def __init__(self, url: str | None, *, layout: str | None = None, classes: int | dict[Any, int] | None = None,
                 steps: int = 16, token: str | None = None, smoothing: float = 0.0, correct: bool = True,
                 inputs: Any = None, labels_getter: Any = DEFAULT, rank: int = 0, world: int = 1, **law: Any) -> None:
        if url is None and token is not None:
            raise ValueError("token is given and url is None: a token is for a daemon, and without a url none is "
                             "asked; give the daemon's url, or leave the token out")
        source_class(url)  # refuses what cannot be asked
        bearer(token)  # refuses what is no token
        _check_law(law)
        if layout not in (None, *LAYOUTS):
            raise ValueError(f"layout is {layout!r}; it must be channels_first, channels_last or none")
        if not isinstance(smoothing, (int, float, np.floating)) or not 0 <= smoothing <= 1:
            raise ValueError(f"smoothing is {smoothing!r}; it must be a number from 0 to 1")
        if correct not in (0, 1):
            raise ValueError(f"correct is {correct!r}; it must be True or False")
        self.url, self.token, self.layout, self.classes = url, token, layout, _counts(classes)
        self.steps, self.world = integer("steps", steps, 1), integer("world", world, 1, 2**16)
        self.smoothing, self.correct = float(smoothing), bool(correct)
        self.rank = integer("rank", rank, 0)
        if self.rank >= self.world:
            raise ValueError(f"rank is {rank} of world {world}; ranks are numbered from 0")
        self._fields, self._law = Fields(inputs, labels_getter), api_names(law)
        self._position: tuple[int, int] = 0, 0
        self._resumed: tuple[int, int] | None = None
        self._begin()

    @classmethod
    def like_timm(cls, url: str | None, *, mixup_alpha: float = 1.0, cutmix_alpha: float = 0.0,
                  cutmix_minmax: Any = None, prob: float = 1.0, switch_prob: float = 0.5, mode: str = "batch",
                  correct_lam: bool = True, label_smoothing: float = 0.1, num_classes: int = 1000,
                  **options: Any) -> Mixer:
        """A Mixer with the law of timm's Mixup of these arguments, whose defaults are timm's (among them a
        label_smoothing of 0.1 and 1000 classes). λ and boxes are fmixd's own draws from the same distributions, but
        for the sides of boxes, of which README tells. cutmix_minmax and mode="half" are refused. options: others of a
        Mixer, such as seed, rank and world."""
        return cls(url, **options_of(mixup_alpha, cutmix_alpha, cutmix_minmax, prob, switch_prob, mode, correct_lam,
                                     label_smoothing, num_classes), **options)

    def _begin(self) -> None:
        """With nothing fetched."""
        self._process: int | None = os.getpid()
        self._streams: dict[tuple[tuple[int, ...], int], Stream] = {}
        self._last: int | None = None
        self._taking = threading.RLock()  # threads may share a Mixer

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_streams": {}, "_last": None, "_process": None, "_taking": None}

    def epoch(self, batches: Iterable[Any], epoch: int, start: int | None = None) -> Iterator[Any]:
        """The batches of an iterable, each mixed as `batch` does, as the steps of that epoch from `start` on (unless
        told 0, or where a loaded state says). To resume within an epoch, give what is left of the batches."""
        if start is None:
            start = self._resumed[1] if self._resumed and self._resumed[0] == epoch else 0
        self._resumed = None
        for step, batch in enumerate(batches, start):
            yield self.batch(batch, step, epoch=epoch)
        self._position = epoch + 1, 0

    def batch(self, batch: Any, step: int, *, epoch: int | None = None) -> Any:
        """A batch with x and its labels mixed, in the form that it has: a pair (x, y), or any tuple, list or
        dictionary (lists become tuples). Its other entries stay what they are, which is each row's own before it
        was mixed. But an array with the rows and the spatial shape of x is refused, for its rows would
        need mixing, too: see `apply`."""
        x, y = self._fields.inputs_of(batch), self._fields.labels_of(batch)
        mixed, labels = self(x, y, step, epoch=epoch)
        pairs = [(x, mixed)]
        if isinstance(y, dict):
            pairs += [(y[name], labels[name]) for name in y]
        elif y is not None:
            pairs.append((y, labels))
        sides, rows = spatial(x, self.layout), x.shape[0]

        def check(entry: Any, name: str) -> None:
            shape = tuple(getattr(entry, "shape", ()))
            if len(shape) > len(sides) and shape[0] == rows and sides in (
                    shape[-len(sides):], shape[1:1 + len(sides)]):
                raise ValueError(f"{name} has the shape {shape}, with the rows and the sides {sides} of x, so it would "
                                 "need mixing as x does: mix it by Mixer.apply, and leave it out of the batch")
        return replaced(batch, pairs, check)

    def __call__(self, x: Array, y: Array | dict[Any, Array] | None, step: int, *,
                 epoch: int | None = None) -> tuple[Array, Any]:
        """The mixed batch number `step` (of an epoch, if that is told): x and, unless it is None, its
        labels. x stays as it is."""
        plan = self.plan(spatial(x, self.layout), int(x.shape[0]), self._number(step, epoch))
        labels = None if y is None else Labels(self.classes, self.smoothing, self.correct).mixed(plan, y)
        made = self.apply(plan, x), labels
        self._position = int(epoch or 0), int(step) + 1
        return made

    def state_dict(self) -> dict[str, Any]:
        """Where it is: `epoch`, and the `step` after the last batch that was mixed, or whose `number` was asked for
        (after an epoch's last batch, once the loop of `epoch` has ended, the next epoch's 0); and the `recipe`. It is
        the same on every rank."""
        epoch, step = self._position
        return {"epoch": epoch, "step": step, "recipe": self._recipe()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """The next call of `epoch` for the epoch of the state goes on at its step: give it the batches that are left.
        Refuses a state of another recipe: of another seed, method, alpha, …"""
        self._position = self._resumed = position_of(state, self._recipe())

    def _recipe(self) -> dict[str, str]:
        return recipe({**self._law, "smoothing": float(self.smoothing), "correct": bool(self.correct)})

    def number(self, step: int, epoch: int | None = None) -> int:
        """Under which the daemon knows a step of an epoch of this rank. Who asks is about to mix that step by `plan`
        and `apply`, so it counts as done in `state_dict`."""
        number = self._number(step, epoch)
        self._position = int(epoch or 0), int(step) + 1
        return number

    def _number(self, step: int, epoch: int | None) -> int:
        step = integer("step", step, 0, (2**64 if epoch is None and self.world == 1 else STEPS) - 1)
        epoch = None if epoch is None else integer("epoch", epoch, 0, EPOCHS - 1)
        if epoch is None:
            self._look_back(step)
        return (self.rank * EPOCHS + (epoch or 0)) * STEPS + step

    def _look_back(self, step: int) -> None:
        """The commonest mistake: steps of each epoch counted from 0, and no epoch told."""
        if self._last is not None and step < self._last:
            warnings.warn(f"step went back from {self._last} to {step} and no epoch is told, so masks, lambdas and "
                          "pairings repeat: call mix(x, y, step, epoch=…), or count steps on", stacklevel=4)
        self._last = step

    def plan(self, shape: tuple[int, ...], rows: int, number: int) -> Plan:
        """The plan of a step, by its `number`, for so many rows of that spatial shape."""
        if self._process != os.getpid():
            self._begin()  # a fork has no threads, and its parent's connections are not its own
        with self._taking:
            return self._plan(shape, rows, number)

    def _plan(self, shape: tuple[int, ...], rows: int, number: int) -> Plan:
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

    def apply(self, plan: Plan, x: Array, layout: str | None = None) -> Array:
        """x as a plan of its rows and spatial shape mixes it: a new array of its shape, type and device, or x itself
        where nothing is mixed. layout: of x, if it is not the Mixer's. So are targets of each element mixed, such
        as the label maps of a segmentation, by fmix and cutmix, which copy:

            plan = mix.plan(x.shape[2:], len(x), mix.number(step, epoch))
            x, maps = mix.apply(plan, x), mix.apply(plan, maps, "none")
        """
        _check_fit(plan, x, layout or self.layout)
        if plan.method == "none":
            return x
        library = library_of(x)
        if plan.sums.any():
            _check_sums(plan, x)
        room = large_rows(x)
        if room:
            return self._by_rows(plan, room, layout)
        partners, weights = plan.partners(), plan.weights()
        if plan.sums.all():
            return library.interpolate(x, partners, weights)
        mixed = library.rows(x, partners)
        if plan.chooses.any():
            mixed = library.choose(self._mask(plan, x, layout), x, mixed)
        if plan.sums.any():
            mixed = library.interpolate_some(x, partners, weights, np.flatnonzero(plan.sums), mixed)
        return mixed

    def _by_rows(self, plan: Plan, room: LargeRows, layout: str | None) -> Array:
        """The same for a batch of large rows."""
        weights = plan.weights()
        behind = plan.chooses.any() and (layout or self.layout or guessed(room.x)) == "channels_last"
        for i, j in enumerate(plan.partners().tolist()):
            if plan.sums[i]:
                room.add(i, j, weights[i])
            elif plan.chooses[i]:
                mask = plan.mask(i)
                if behind:  # a mask without channels would be broadcast an element at a time
                    mask = np.repeat(mask, room.x.shape[-1]).reshape(room.x.shape[1:])
                room.choose(i, j, mask)
            else:
                room.keep(i)
        return room.out

    def _mask(self, plan: Plan, x: Array, layout: str | None) -> NDArray[Any]:
        """The masks of a plan, with as many dimensions as x has."""
        mask, layout = plan.masks(), layout or self.layout or guessed(x)
        return mask[:, None] if layout == "channels_first" else mask[..., None] if layout == "channels_last" else mask

    def close(self) -> None:
        """Stops fetching."""
        streams, self._streams = self._streams, {}
        for stream in streams.values() if self._process == os.getpid() else ():
            stream.close()

    def __enter__(self) -> Mixer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        streams = self.__dict__.get("_streams", {})
        for stream in streams.values() if self.__dict__.get("_process") == os.getpid() else ():
            stream.drop()


def _counts(classes: int | dict[Any, int] | None) -> int | dict[Any, int] | None:
    """Classes of one head, or of each."""
    if isinstance(classes, dict):
        return {name: integer(f"classes[{name!r}]", count, 1) for name, count in classes.items()}
    return None if classes is None else integer("classes", classes, 1)


def _check_fit(plan: Plan, x: Array, layout: str | None) -> None:
    """Refuses x of other rows than a plan's, and of other sides where masks choose; weights know of no sides."""
    rows = len(plan.pairing)
    if not hasattr(x, "shape"):
        raise TypeError(f"x is a {type(x).__name__}; give an array or a tensor")
    if not len(x.shape) or x.shape[0] != rows:
        raise ValueError(f"x has the shape {tuple(x.shape)}; it must have {rows} rows, as the plan has")
    if plan.chooses.any() and spatial(x, layout) != tuple(plan.shape):
        raise ValueError(f"x has the shape {tuple(x.shape)}, whose sides are {spatial(x, layout)}; they must be "
                         f"{tuple(plan.shape)}, as the plan's masks have them")


def _check_sums(plan: Plan, x: Array) -> None:
    """Refuses weighted sums that are not for here."""
    names = {METHODS[number] for number in plan.methods[plan.sums]}
    if "bcplus" in names:
        raise Refused("bcplus needs the samples themselves: use /v1/mix for it")
    if kind_of(x) != "f":
        raise TypeError(f"x is of {x.dtype}, and {min(names)} interpolates: make it a float first")


def _number_of(soft: Any) -> float:
    """0 of what is no number, against which the daemon has something."""
    try:
        return float(soft or 0)
    except (TypeError, ValueError):
        return 0


def _check_law(law: dict[str, Any]) -> None:
    """Refuses what no Mixer can do."""
    for name in {"index", "step", "n", "shape", "dtype", "parts", "epoch"} & set(law):
        raise ValueError(f"{name} follows from each batch; a Mixer does not take it")
    if _number_of(law.get("soft")):
        raise ValueError("soft masks do not fit into bits; use /v1/mix for them")
    if law.get("pairing") in BY_SAMPLES:
        raise ValueError(f"pairing={law['pairing']!r} needs {BY_SAMPLES[law['pairing']]}")
