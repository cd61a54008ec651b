#!/usr/bin/python3
"""The last batch of an epoch has fewer rows: it has a plan of its own, or is dropped.

It is mixed among its rows (one row alone stays as it is). Where all batches must be equal, as for a compiled model, a
loader drops it by drop_last, and a hosted set by drop_last=1. Of ranks, all do the same number of steps either way.
"""

import argparse

import fmixd
import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset


def own_data(url, name):
    """Samples with class numbers, and how many classes there are. Put yours here; this is a hosted set, unmixed."""
    rows = fmixd.epoch(url, name, method="none", out_dtype="f32", layout="channels_first")
    x, y = (torch.from_numpy(np.concatenate(parts)) for parts in zip(*rows))
    return TensorDataset(x, y.argmax(1)), y.shape[1]


def main():
    """The rows of every batch, in four ways."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("url", "http://localhost:8080"), ("set", "garments"), ("batch", 24)):
        parser.add_argument(f"--{name}", default=default, type=type(default))
    given = parser.parse_args()

    data, classes = own_data(given.url, given.set)
    law = {"batch": given.batch, "seed": 7, "shuffle": 1}
    with fmixd.Mixer(given.url, seed=7, method="fmix", classes=classes) as mix:
        found = {
            "own loader": mix.epoch(DataLoader(data, given.batch), 0),
            "own loader, drop_last": mix.epoch(DataLoader(data, given.batch, drop_last=True), 0),
            "hosted": fmixd.Epochs(given.url, given.set, **law),
            "hosted, drop_last": fmixd.Epochs(given.url, given.set, drop_last=1, **law),
        }
        rows = {name: [len(x) for x, y in batches] for name, batches in found.items()}
    for name, each in rows.items():
        print(f"{name}: batches of {', '.join(map(str, each))} rows")
    return rows


if __name__ == "__main__":
    main()
