"""Hosted batches and collating, as PyTorch's DataLoader takes them."""

import torch
from torch.utils import data

from .connection import checked
from .epochs import describe, epoch, steps_of


class Epochs(data.IterableDataset):
    """`epoch` as a data set of batches: give it to a DataLoader with batch_size=None. Its workers
    share the steps; set_epoch chooses the next epoch, in workers that stay alive too. `start` is of
    the epoch that it was made with; later ones begin at 0."""

    def __init__(self, url, name, *, epoch=0, start=0, **options):
        super().__init__()
        checked(url)
        self.url, self.name, self.options = url, name, options
        self._first, self._start, self._steps = epoch, start, None
        self._epoch = torch.tensor([epoch]).share_memory_()  # workers see what is set later

    def set_epoch(self, number):
        """What the next iteration goes through."""
        self._epoch[0] = number

    def _begin(self):
        """The epoch, and the step it begins at."""
        number = int(self._epoch[0])
        return number, self._start if number == self._first else 0

    def __len__(self):
        if self._steps is None:
            facts = describe(self.url, self.name, self.options.get("token"))
            self._steps = steps_of(facts["count"], self.options.get("batch", 64),
                                   int(self.options.get("drop_last", 0)))
        return max(0, self._steps - self._begin()[1])

    def __iter__(self):
        worker = data.get_worker_info()
        first, stride = (worker.id, worker.num_workers) if worker else (0, 1)
        number, start = self._begin()
        yield from map(_tensors_of, epoch(self.url, self.name, **self.options, epoch=number,
                                          start=start + first, stride=stride))


def _tensors_of(made):
    """The same, of tensors."""
    if isinstance(made, tuple):
        return tuple(map(_tensors_of, made))
    if isinstance(made, dict):
        return {key: _tensors_of(value) for key, value in made.items()}
    return None if made is None else torch.from_numpy(made.copy())


class Collate:
    """A collate_fn that mixes: batches of (x, y) are counted from `start` on, over all epochs. So
    the loader has num_workers=0: each epoch a worker would count from `start` again."""

    def __init__(self, mixer, start=0):
        self.mixer, self.step = mixer, start

    def __call__(self, samples):
        if data.get_worker_info() is not None:
            raise RuntimeError("fmixd.Collate counts batches over all epochs, which no worker "
                               "does: give the DataLoader num_workers=0, or mix what it yields")
        x, y = data.default_collate(samples)
        self.step += 1
        return self.mixer(x, y, self.step - 1)
