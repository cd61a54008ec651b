#!/usr/bin/python3
"""One process: batches of your own loader, mixed on the device where they are.

Partners, λ and masks depend on the epoch and on the step within it, so no two epochs share them. cross_entropy takes
the mixed labels as they are: rows of floats.
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
    """Trains; the mean loss of every epoch, and the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("url", "http://localhost:8080"), ("set", "garments"), ("epochs", 10), ("batch", 16)):
        parser.add_argument(f"--{name}", default=default, type=type(default))
    given = parser.parse_args()

    torch.manual_seed(1)
    data, classes = own_data(given.url, given.set)
    loader = DataLoader(data, given.batch, shuffle=True)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(data[0][0].numel(), classes))
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
