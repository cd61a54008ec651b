#!/usr/bin/python3
"""Batches that fmixd makes: of a data set that it hosts, shuffled, augmented, mixed and labelled.

Two workers of a DataLoader fetch them ahead. Pictures of several sizes need --size 224 or the like.
"""

import argparse

import fmixd
import torch
from torch.utils.data import DataLoader


def main():
    """Trains; the mean loss of every epoch."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("url", "http://localhost:8080"), ("set", "garments"), ("size", ""), ("epochs", 10),
                          ("batch", 16)):
        parser.add_argument(f"--{name}", default=default, type=type(default))
    given = parser.parse_args()

    views = {"size": given.size} if given.size else {"crop": 2}
    hosted = fmixd.Epochs(given.url, given.set, batch=given.batch, seed=7, shuffle=1, flip=1, method="fmix,mixup",
                          out_dtype="f32", layout="channels_first", **views)
    loader = DataLoader(hosted, batch_size=None, num_workers=2, persistent_workers=True)
    x, y = next(iter(hosted))
    torch.manual_seed(1)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(x[0].numel(), y.shape[1]))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    losses = []
    for epoch in range(given.epochs):
        hosted.set_epoch(epoch)
        total = 0.0
        for x, y in loader:
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            total += loss.item()
        losses.append(total / len(loader))
        print(f"epoch {epoch}: loss {losses[-1]:.3f}", flush=True)
    return losses


if __name__ == "__main__":
    main()
