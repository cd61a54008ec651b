#!/usr/bin/python3
"""Several heads: each label of a sample is mixed by the same weight, and the losses are summed.

Hosted batches of a set with several heads have a dictionary of labels. So have a loader's batches of your own:
fmixd.Mixer(url, classes={"kind": 2, "item": 10}) takes x and a dictionary of class numbers by the same names. The
default set is that of deploy/datasets/bengali.md.
"""

import argparse

import fmixd
import torch


class Model(torch.nn.Module):
    """Features that all heads share, and a layer for each head."""

    def __init__(self, elements, classes):
        super().__init__()
        self.features = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(elements, 64), torch.nn.ReLU())
        self.heads = torch.nn.ModuleDict({name: torch.nn.Linear(64, count) for name, count in classes.items()})

    def forward(self, x):
        features = self.features(x)
        return {name: head(features) for name, head in self.heads.items()}


def main():
    """Trains; of every epoch the mean loss, and the accuracy of each head on unmixed samples."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("url", "http://localhost:8080"), ("set", "bengali"), ("validation", ""),
                          ("epochs", 10), ("batch", 16)):
        parser.add_argument(f"--{name}", default=default, type=type(default))
    given = parser.parse_args()

    law = {"batch": given.batch, "out_dtype": "f32"}
    hosted = fmixd.Epochs(given.url, given.set, seed=7, shuffle=1, method="fmix,cutmix", **law)
    unmixed = fmixd.Epochs(given.url, given.validation or given.set, method="none", **law)
    x, y = next(iter(unmixed))
    torch.manual_seed(1)
    model = Model(x[0].numel(), {name: labels.shape[1] for name, labels in y.items()})
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    found = []
    for epoch in range(given.epochs):
        hosted.set_epoch(epoch)
        model.train()
        losses = []
        for x, y in hosted:
            logits = model(x)
            loss = sum(torch.nn.functional.cross_entropy(logits[name], y[name]) for name in y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        right, count = dict.fromkeys(y, 0), 0
        model.eval()
        with torch.no_grad():
            for x, y in unmixed:
                count += len(x)
                for name, logits in model(x).items():
                    right[name] += int((logits.argmax(1) == y[name].argmax(1)).sum())
        found.append((sum(losses) / len(losses), {name: number / count for name, number in right.items()}))
        print(f"epoch {epoch}: loss {found[-1][0]:.3f}, accuracy " + ", ".join(
            f"{name} {share:.3f}" for name, share in found[-1][1].items()), flush=True)
    return found


if __name__ == "__main__":
    main()
