#!/usr/bin/python3
"""AMP in bfloat16, on a GPU where there is one: x is mixed on its device and keeps its type.

float16 works too, with torch's GradScaler. Labels from class numbers are float32, and so is the loss.
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
    """Trains; the mean loss of every epoch, and the last batch with its logits."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("url", "http://localhost:8080"), ("set", "garments"), ("epochs", 10), ("batch", 16)):
        parser.add_argument(f"--{name}", default=default, type=type(default))
    given = parser.parse_args()

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(1)
    data, classes = own_data(given.url, given.set)
    loader = DataLoader(data, given.batch, shuffle=True)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(data[0][0].numel(), classes)).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    losses = []
    with fmixd.Mixer(given.url, seed=7, method="fmix,mixup", classes=classes) as mix:
        for epoch in range(given.epochs):
            total = 0.0
            batches = ((x.to(device, torch.bfloat16), y.to(device)) for x, y in loader)
            for x, y in mix.epoch(batches, epoch):
                with torch.autocast(device.type, dtype=torch.bfloat16):
                    logits = model(x)
                loss = torch.nn.functional.cross_entropy(logits.float(), y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                total += loss.item()
            losses.append(total / len(loader))
            print(f"epoch {epoch}: loss {losses[-1]:.3f}", flush=True)
    return losses, x, y, logits


if __name__ == "__main__":
    main()
