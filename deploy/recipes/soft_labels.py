#!/usr/bin/python3
"""Soft labels: the loss, label smoothing, and an accuracy in training.

The loss is the cross entropy of rows of floats, −Σ y·log softmax. (Labels of several classes at once go into
binary_cross_entropy_with_logits, which takes the same rows.) A guess counts by its class's share of the mixed label, so
this accuracy is below 1 even for a model that is never wrong: measure what a model has learnt on unmixed samples.
"""

import argparse

import fmixd
import torch


def mixed_accuracy(logits, y):
    """The mean share that guesses have of their labels."""
    return y.gather(1, logits.argmax(1, keepdim=True)).mean().item()


def mean(batches):
    """Over all rows, of pairs of a batch's mean and its rows: the last batch may have fewer."""
    return sum(value * rows for value, rows in batches) / sum(rows for _, rows in batches)


def main():
    """Trains; of every epoch the mean loss, and the accuracy on mixed and on unmixed samples."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("url", "http://localhost:8080"), ("set", "garments"), ("epochs", 10), ("batch", 16)):
        parser.add_argument(f"--{name}", default=default, type=type(default))
    given = parser.parse_args()

    law = {"batch": given.batch, "out_dtype": "f32"}
    hosted = fmixd.Epochs(given.url, given.set, seed=7, shuffle=1, method="mixup", smoothing=0.1, **law)
    unmixed = fmixd.Epochs(given.url, given.set, method="none", **law)
    x, y = next(iter(unmixed))
    torch.manual_seed(1)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(x[0].numel(), y.shape[1]))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    found = []
    for epoch in range(given.epochs):
        hosted.set_epoch(epoch)
        model.train()
        losses, mixed = [], []
        for x, y in hosted:
            logits = model(x)
            loss = torch.nn.functional.cross_entropy(logits, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append((loss.item(), len(x)))
            mixed.append((mixed_accuracy(logits, y), len(x)))
        model.eval()
        with torch.no_grad():
            plain = [(mixed_accuracy(model(x), y), len(x)) for x, y in unmixed]
        found.append([mean(each) for each in (losses, mixed, plain)])
        print("epoch {}: loss {:.3f}, accuracy on mixed samples {:.3f}, on unmixed ones {:.3f}".format(
            epoch, *found[-1]), flush=True)
    return found


if __name__ == "__main__":
    main()
