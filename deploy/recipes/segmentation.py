#!/usr/bin/python3
"""Segmentation: label maps of your own are mixed by the masks of their pictures, and keep their integers.

fmix and cutmix copy elements, so a pixel's class is its own or the partner's, and a pixel to be ignored stays one. The
maps here are made of the pictures: the class of a garment where it is, 0 elsewhere, IGNORED on its faint border.
"""

import argparse

import fmixd
import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset

IGNORED = 255


def samples(url, name):
    """Rows [n, 1, height, width] of floats and maps [n, height, width] of class numbers: they stand for your own."""
    rows = fmixd.epoch(url, name, method="none", out_dtype="f32", layout="channels_first")
    x, y = (torch.from_numpy(np.concatenate(parts)) for parts in zip(*rows))
    grey, classes = x.mean(1), y.argmax(1)[:, None, None] + 1
    maps = torch.where(grey > 0.25, classes, torch.where(grey > 0, IGNORED, 0))
    return x, maps, y.shape[1] + 1


def main():
    """Trains; the mean loss of every epoch, and the last batch with its maps."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("url", "http://localhost:8080"), ("set", "garments"), ("epochs", 10), ("batch", 16)):
        parser.add_argument(f"--{name}", default=default, type=type(default))
    given = parser.parse_args()

    torch.manual_seed(1)
    x, maps, classes = samples(given.url, given.set)
    loader = DataLoader(TensorDataset(x, maps), given.batch, shuffle=True)
    model = torch.nn.Sequential(torch.nn.Conv2d(x.shape[1], 16, 5, padding=2), torch.nn.ReLU(),
                                torch.nn.Conv2d(16, classes, 5, padding=2))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    losses = []
    with fmixd.Mixer(given.url, seed=7, method="fmix") as mix:
        for epoch in range(given.epochs):
            total = 0.0
            for step, (x, maps) in enumerate(loader):
                plan = mix.plan(x.shape[2:], len(x), mix.number(step, epoch))
                x, maps = mix.apply(plan, x), mix.apply(plan, maps, "none")
                loss = torch.nn.functional.cross_entropy(model(x), maps, ignore_index=IGNORED)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += loss.item()
            losses.append(total / len(loader))
            print(f"epoch {epoch}: loss {losses[-1]:.3f}", flush=True)
    return losses, x, maps


if __name__ == "__main__":
    main()
