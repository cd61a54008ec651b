#!/usr/bin/python3
"""Pictures of your own: a folder of PNG and JPEG files with a folder for each class, read by a DataLoader's workers.

Batches are mixed in the training process, on the model's device, so workers need not know of mixing. (fmixd reads such
a folder, too: `build/fmixd import build/data/photos --from folder photos`, and then hosted.py --set photos --size 64.)
"""

import argparse
import pathlib

import fmixd
import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset


class Pictures(Dataset):
    """Rows [3, size, size] of floats, and class numbers in the order of the folders' names."""

    def __init__(self, folder, size):
        self.files, self.size = sorted(pathlib.Path(folder).glob("*/*.*")), size
        self.classes = sorted({file.parent.name for file in self.files})

    def __len__(self):
        return len(self.files)

    def __getitem__(self, number):
        file = self.files[number]
        picture = np.array(Image.open(file).convert("RGB").resize((self.size, self.size)))
        return torch.from_numpy(picture).permute(2, 0, 1) / 255, self.classes.index(file.parent.name)


def main():
    """Trains; the mean loss of every epoch."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("url", "http://localhost:8080"), ("folder", "photos"), ("size", 64), ("epochs", 10),
                          ("batch", 16)):
        parser.add_argument(f"--{name}", default=default, type=type(default))
    given = parser.parse_args()

    torch.manual_seed(1)
    data = Pictures(given.folder, given.size)
    loader = DataLoader(data, given.batch, shuffle=True, num_workers=2)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * given.size ** 2, len(data.classes)))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    losses = []
    with fmixd.Mixer(given.url, seed=7, method="fmix,mixup", classes=len(data.classes)) as mix:
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
    return losses


if __name__ == "__main__":
    main()
