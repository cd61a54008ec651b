#!/usr/bin/python3
"""No daemon: libfmix.so draws the same plans in this process, so a laptop gives the run that the cluster gives.

The rows are your own: two files of NumPy here. `pip install ./deploy/clients/python` brings the library where it can
be built; FMIX_LIBRARY names another one, such as build/libfmix.so of `make lib`.
"""

import argparse

import fmixd
import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset


def main():
    """Trains; the mean loss of every epoch, and the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", help="a daemon; without it, none is needed")
    for name, default in (("x", "tests/data/garments.npy"), ("y", "tests/data/garments-labels.npy"),
                          ("epochs", 10), ("batch", 16)):
        parser.add_argument(f"--{name}", default=default, type=type(default))
    given = parser.parse_args()

    torch.manual_seed(1)
    x = torch.from_numpy(np.load(given.x)[:, None].astype("f4") / 255)
    y = torch.from_numpy(np.load(given.y).astype("i8"))
    classes = int(y.max()) + 1
    loader = DataLoader(TensorDataset(x, y), given.batch, shuffle=True)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(x[0].numel(), classes))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    losses = []
    with fmixd.Mixer(given.url, seed=7, method="fmix,mixup", classes=classes) as mix:
        for epoch in range(given.epochs):
            total = 0.0
            for x, y in mix.epoch(loader, epoch):
                optimizer.zero_grad()
                loss = torch.nn.functional.cross_entropy(model(x), y)
                loss.backward()
                optimizer.step()
                total += loss.item()
            losses.append(total / len(loader))
            print(f"epoch {epoch}: loss {losses[-1]:.3f}", flush=True)
    return losses, model


if __name__ == "__main__":
    main()
