"""Hosted batches and collating, as PyTorch's DataLoader takes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch.utils import data

from .connection import api_names, checked
from .epochs import HostedEpoch, describe, drops_last, steps_of
from .integers import integer
from .mixer import Mixer
from .states import position_of, recipe

_EPOCH, _FIRST, _START, _BY_WORKERS = range(4)  # places in what a dataset and its workers share
_MOST = 2**63 - 1  # that they hold
_OWN = ("token", "ahead", "rank", "world", "parts")  # options that may differ where a job goes on


class Epochs(data.IterableDataset):  # type: ignore[type-arg]
    """`fmixd.epoch` as a data set of batches of tensors: give it to a DataLoader with batch_size=None. Its
    workers share the steps, and batches come in the order of steps; set_epoch chooses the next epoch, in workers that
    stay alive, too. `start` is of the epoch that it was made with; other ones begin at 0.

    It has what torch's stateful loaders ask of a data set: torchdata's StatefulDataLoader keeps the state of each
    worker, and resumes within an epoch. So does a plain DataLoader without workers, or a loop over this itself, by
    state_dict and load_state_dict; with workers, which run ahead, tell state_dict the steps that were taken.
    """

    def __init__(self, url: str, name: str, *, epoch: int = 0, start: int = 0, **options: Any) -> None:
        super().__init__()
        checked(url)
        epoch, start = integer("epoch", epoch, 0, _MOST), integer("start", start, 0, _MOST)
        self.url, self.name, self.options = url, name, options
        self._steps: int | None = None
        self._position: tuple[int, int] | None = None  # of this process's iteration
        self._digest: str | None = None                # of the set that it goes through
        self._pinned: str | None = None                # of the set that a loaded state is of
        self._resumed: tuple[int, int] | None = None   # of a worker's own state, for its next iteration
        self._shared = torch.tensor([epoch, epoch, start, 0]).share_memory_()  # workers see what is set later

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._shared.share_memory_()

    def set_epoch(self, number: int) -> None:
        """What the next iteration goes through."""
        self._shared[_EPOCH] = integer("epoch", number, 0, _MOST)
        self._shared[_BY_WORKERS] = 0
        self._position = None

    def _begin(self) -> tuple[int, int]:
        """The epoch, and the step it begins at."""
        number, first, start, _ = self._shared.tolist()
        return number, start if number == first else 0

    def __len__(self) -> int:
        """Batches that the next iteration has, in all workers together; the same on every rank."""
        if self._steps is None:
            facts = describe(self.url, self.name, self.options.get("token"))
            self._steps = steps_of(facts["count"], self.options.get("batch", 64), drops_last(self.options),
                                   int(self.options.get("world", 1)))
        return max(0, self._steps - self._begin()[1])

    def __iter__(self) -> Iterator[Any]:
        worker = data.get_worker_info()
        number, start = self._begin()
        digest, stride = self._pinned if start else None, 1
        self._shared[_BY_WORKERS] = int(worker is not None)
        if worker is not None:
            start, stride = start + worker.id, worker.num_workers
            if self._resumed:
                number, start = self._resumed
                digest, self._resumed = self._pinned, None
        options: dict[str, Any] = {"digest": digest, **self.options}
        hosted = HostedEpoch(self.url, self.name, **options, epoch=number, start=start, stride=stride)
        self._digest, self._position = hosted.facts["digest"], (number, start)
        return self._batches(hosted, number, stride, worker is None)

    def _batches(self, hosted: HostedEpoch, number: int, stride: int, alone: bool) -> Iterator[Any]:
        """Counts what it yields."""
        for step, made in enumerate(hosted):
            self._position = number, hosted.start + (step + 1) * stride
            yield _tensors_of(made)
        if alone:
            self._position = number + 1, 0

    def state_dict(self, step: int | None = None) -> dict[str, Any]:
        """Where it is: the `epoch`, and the next `step` (once the loop over an epoch has ended, the next epoch's 0);
        the digest of the set, and the recipe. step: how many batches of the epoch were taken, where a loader's
        workers make them."""
        worker = data.get_worker_info()
        state: dict[str, Any] = {"recipe": self._recipe(), "worker": 0, "workers": 1}
        if self._digest:
            state["digest"] = self._digest
        if worker is not None:
            epoch, first = self._position or self._begin()
            return {**state, "epoch": epoch, "step": first, "worker": worker.id, "workers": worker.num_workers}
        if step is None and self._shared[_BY_WORKERS]:
            raise RuntimeError("a DataLoader's workers make these batches, and run ahead of who takes them: tell "
                               "state_dict how many `step`s of the epoch were taken, or use torchdata's "
                               "StatefulDataLoader, which asks its workers")
        epoch, first = self._position or self._begin()
        return {**state, "epoch": epoch, "step": first} if step is None else {
            **state, "epoch": self._begin()[0], "step": step}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """The next iteration goes on there, on any rank of any world; set_epoch of the same epoch changes nothing of
        that. Refuses the state of another recipe; the next iteration, another version of the
        set. A worker takes its own state, or that of a process without workers."""
        epoch, step = position_of(state, self._recipe())
        worker, of = data.get_worker_info(), (state.get("worker"), state.get("workers"))
        own = (worker.id, worker.num_workers) if worker else (0, 1)
        if of not in ((0, 1), own):
            raise ValueError(f"the state is of worker {of[0]} of {of[1]}, and this is {own[0]} of {own[1]}: a loader "
                             "resumes with the same num_workers, and gives each worker its own")
        self._pinned, self._position = state.get("digest"), None
        if worker is not None:
            self._resumed = epoch, step + (worker.id if of == (0, 1) != own else 0)
            return
        for place, value in (_EPOCH, epoch), (_FIRST, epoch), (_START, step), (_BY_WORKERS, 0):
            self._shared[place] = value

    def _recipe(self) -> dict[str, str]:
        return recipe({"name": self.name, "batch": 64, **{
            name: value for name, value in api_names(self.options).items() if name not in _OWN}})


def _tensors_of(made: Any) -> Any:
    """The same, of tensors."""
    if isinstance(made, tuple):
        return tuple(map(_tensors_of, made))
    if isinstance(made, dict):
        return {key: _tensors_of(value) for key, value in made.items()}
    return None if made is None else torch.from_numpy(made.copy())


class Collate:
    """A collate_fn that mixes: batches are counted from `start` on, over all epochs. So the loader
    has num_workers=0: each epoch a worker would count from `start` again. Batches are those of
    torch's default_collate, of any form that Mixer.batch takes."""

    def __init__(self, mixer: Mixer, start: int = 0) -> None:
        self.mixer, self.step = mixer, start

    def __call__(self, samples: list[Any]) -> Any:
        if data.get_worker_info() is not None:
            raise RuntimeError("fmixd.Collate counts batches over all epochs, which no worker "
                               "does: give the DataLoader num_workers=0, or mix what it yields")
        batch = data.default_collate(samples)
        self.step += 1
        return self.mixer.batch(batch, self.step - 1)

    def state_dict(self) -> dict[str, int]:
        """Where it is: the next `step`."""
        return {"step": self.step}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Goes on there."""
        self.step = state["step"]
