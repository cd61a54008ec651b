"""One network, trained on a hosted set from its first weights to its accuracies, on one core.

Networks this small gain nothing from several threads, so trials run beside each other instead.
"""

import concurrent.futures
import contextlib
import multiprocessing
import os
import pathlib
import sys
from typing import NamedTuple

import torch
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "deploy/clients/python"))

import fmixd  # noqa: E402

# The allocator keeps the memory of one step for the next. Without that, a third of the time is page faults.
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "MALLOC_MMAP_THRESHOLD_": str(10**9), "MALLOC_TRIM_THRESHOLD_": str(4 * 10**9),
               "MALLOC_TOP_PAD_": str(10**8)}
BATCH = 50
MEASURED = 250    # rows of a batch that is only looked at
GARMENTS = {"layout": "channels_first", "mean": 0.2860, "std": 0.3530}


class Trial(NamedTuple):
    """What is trained, and on which batches."""

    url: str
    train: str            # hosted sets
    test: str
    method: str
    seed: int
    epochs: int
    tokens: int = 0       # of passages: how many ids there are


class Result(NamedTuple):
    """Accuracies in per cent, of unmixed rows."""

    train: float
    test: float


class Garments(nn.Sequential):
    """Three convolutions of 32, 64 and 128 channels with batch norm: 94,186 weights."""

    def __init__(self):
        super().__init__(*self._block(1, 32, 2), *self._block(32, 64, 2), *self._block(64, 128, 1),
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10))

    @staticmethod
    def _block(before, behind, pooled):
        return (nn.Conv2d(before, behind, 3, padding=1, bias=False), nn.MaxPool2d(pooled), nn.BatchNorm2d(behind),
                nn.ReLU())


class Passages(nn.Module):
    """Embeddings of 32, convolutions over one, two and three words, and the largest answer of each."""

    def __init__(self, tokens, classes=4, wide=64):
        super().__init__()
        self.embedding = nn.Embedding(tokens, 32, padding_idx=0)
        self.convolutions = nn.ModuleList(nn.Conv1d(32, wide, words) for words in (1, 2, 3))
        self.last = nn.Linear(3 * wide, classes)

    def forward(self, ids):
        """ids: [n, longest], 0 behind the words of each row."""
        x = self.embedding(ids).transpose(1, 2)
        return self.last(torch.cat([torch.relu(f(x)).amax(2) for f in self.convolutions], 1))


def batches(trial, name, batch, **options):
    """Of one epoch of a hosted set, as tensors."""
    kind = {} if trial.tokens else {**GARMENTS, "out_dtype": "f32"}
    for x, y, *_ in fmixd.epoch(trial.url, name, batch=batch, **kind, **options):
        yield torch.from_numpy(x.copy()), torch.from_numpy(y.copy())


def accuracy(model, trial, name):
    """Of a set's unmixed rows, in per cent."""
    model.eval()
    right = count = 0
    with torch.no_grad():
        for x, y in batches(trial, name, MEASURED, method="none"):
            right += int((model(x).argmax(1) == y.argmax(1)).sum())
            count += len(x)
    model.train()
    return 100 * right / count


def run(trial):
    """The accuracies at the end."""
    torch.set_num_threads(1)
    torch.manual_seed(trial.seed)
    if trial.tokens:
        model = Passages(trial.tokens)
        optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    else:
        model = Garments().to(memory_format=torch.channels_last)
        optimizer = torch.optim.SGD(model.parameters(), 0.05, 0.9, weight_decay=5e-4, nesterov=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, trial.epochs)
    for epoch in range(trial.epochs):
        for x, y in batches(trial, trial.train, BATCH, epoch=epoch, seed=trial.seed, shuffle=1, method=trial.method):
            loss = nn.functional.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
    return Result(accuracy(model, trial, trial.train), accuracy(model, trial, trial.test))


@contextlib.contextmanager
def cores(count=2):
    """A function that begins a trial and returns the promise of its result, which stderr tells under
    a name."""
    os.environ.update(ENVIRONMENT)
    with concurrent.futures.ProcessPoolExecutor(count, multiprocessing.get_context("spawn")) as pool:
        def begin(trial, name):
            promise = pool.submit(run, trial)
            promise.add_done_callback(lambda done: done.cancelled() or done.exception() or sys.stderr.write(
                f"{name}: {done.result().train:.2f} % of those trained on, {done.result().test:.2f} % of others\n"))
            return promise
        yield begin
