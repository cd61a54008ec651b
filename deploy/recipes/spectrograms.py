#!/usr/bin/python3
"""Spectrograms: rows [bands, time] of floats, which are mixed as grey pictures are.

A mask of fmix spans both axes, so it keeps regions of frequency and time; mixup sounds both words at once. The default
set is that of deploy/datasets/speech_commands.md; --validation speech-val goes with it.
"""

import argparse

import fmixd
import torch


def main():
    """Trains; of every epoch the mean loss, and the accuracy on unmixed samples."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("url", "http://localhost:8080"), ("set", "speech"), ("validation", ""),
                          ("epochs", 10), ("batch", 16)):
        parser.add_argument(f"--{name}", default=default, type=type(default))
    given = parser.parse_args()

    law = {"batch": given.batch, "out_dtype": "f32", "layout": "channels_first"}
    hosted = fmixd.Epochs(given.url, given.set, seed=7, shuffle=1, method="fmix,mixup", **law)
    unmixed = fmixd.Epochs(given.url, given.validation or given.set, method="none", **law)
    x, y = next(iter(unmixed))
    torch.manual_seed(1)
    model = torch.nn.Sequential(
        torch.nn.Conv2d(1, 16, 3, stride=2, padding=1), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(8),
        torch.nn.Flatten(), torch.nn.Linear(16 * 8 * 8, y.shape[1]))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    found = []
    for epoch in range(given.epochs):
        hosted.set_epoch(epoch)
        model.train()
        losses, right, count = [], 0, 0
        for x, y in hosted:
            loss = torch.nn.functional.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        model.eval()
        with torch.no_grad():
            for x, y in unmixed:
                right += int((model(x).argmax(1) == y.argmax(1)).sum())
                count += len(x)
        found.append((sum(losses) / len(losses), right / count))
        print("epoch {}: loss {:.3f}, accuracy {:.3f}".format(epoch, *found[-1]), flush=True)
    return found


if __name__ == "__main__":
    main()
