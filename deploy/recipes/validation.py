#!/usr/bin/python3
"""Validation: hosted batches are mixed by fmix by default, so it needs method="none".

Labels are rows of floats here, too, each with a single 1. --validation names another set than the one that is trained
on. Pictures of several sizes need --size: training sees random windows of them, validation their middle.
"""

import argparse

import fmixd
import torch


def accuracy(model, unmixed):
    """The share of the samples whose class the model guesses."""
    right = count = 0
    model.eval()  # without dropout, and by the means that training has found
    with torch.no_grad():
        for x, y in unmixed:
            right += int((model(x).argmax(1) == y.argmax(1)).sum())
            count += len(x)
    return right / count


def main():
    """Trains; the accuracy after every epoch, and the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("url", "http://localhost:8080"), ("set", "garments"), ("validation", ""), ("size", ""),
                          ("epochs", 10), ("batch", 16)):
        parser.add_argument(f"--{name}", default=default, type=type(default))
    given = parser.parse_args()

    law = {"batch": given.batch, "out_dtype": "f32", "layout": "channels_first"}
    views, middle = ({"size": given.size}, {"view": "center"}) if given.size else ({}, {})
    hosted = fmixd.Epochs(given.url, given.set, seed=7, shuffle=1, **law, **views)
    unmixed = fmixd.Epochs(given.url, given.validation or given.set, method="none", **law, **views, **middle)
    x, y = next(iter(unmixed))
    torch.manual_seed(1)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(x[0].numel(), y.shape[1]))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    found = []
    for epoch in range(given.epochs):
        hosted.set_epoch(epoch)
        model.train()
        for x, y in hosted:
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
        found.append(accuracy(model, unmixed))
        print(f"epoch {epoch}: accuracy {found[-1]:.3f}", flush=True)
    return found, model


if __name__ == "__main__":
    main()
