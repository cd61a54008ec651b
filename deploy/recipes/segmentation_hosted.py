#!/usr/bin/python3
"""Segmentation of a hosted set: label maps come mixed with their pictures, cropped and flipped alike.

Maps are imported as dense targets, and ../API.md says more of them ("Dense targets of data sets"):

    build/fmixd import build/data/streets --from npy x.npy --layout channels_last --dense maps.npy

Pixels of the number --ignored count neither in training nor in validation.
"""

import argparse

import fmixd
import torch


def main():
    """Trains; of every epoch the mean loss, and the share of the pixels of unmixed samples that are right."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("url", "http://localhost:8080"), ("set", "streets"), ("validation", ""), ("classes", 20),
                          ("ignored", 255), ("epochs", 10), ("batch", 16)):
        parser.add_argument(f"--{name}", default=default, type=type(default))
    given = parser.parse_args()

    law = {"batch": given.batch, "out_dtype": "f32", "layout": "channels_first", "parts": "mixed,dense"}
    hosted = fmixd.Epochs(given.url, given.set, seed=7, shuffle=1, method="fmix,cutmix", flip=1, **law)
    unmixed = fmixd.Epochs(given.url, given.validation or given.set, method="none", **law)
    x = next(iter(unmixed))["mixed"]
    torch.manual_seed(1)
    model = torch.nn.Sequential(torch.nn.Conv2d(x.shape[1], 16, 5, padding=2), torch.nn.ReLU(),
                                torch.nn.Conv2d(16, given.classes, 5, padding=2))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    found = []
    for epoch in range(given.epochs):
        hosted.set_epoch(epoch)
        model.train()
        losses, right, count = [], 0, 0
        for batch in hosted:
            maps = batch["dense"].long()
            loss = torch.nn.functional.cross_entropy(model(batch["mixed"]), maps, ignore_index=given.ignored)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        model.eval()
        with torch.no_grad():
            for batch in unmixed:
                maps = batch["dense"]
                counts = maps != given.ignored
                right += int((model(batch["mixed"]).argmax(1) == maps)[counts].sum())
                count += int(counts.sum())
        found.append((sum(losses) / len(losses), right / count))
        print("epoch {}: loss {:.3f}, right pixels {:.3f}".format(epoch, *found[-1]), flush=True)
    return found


if __name__ == "__main__":
    main()
