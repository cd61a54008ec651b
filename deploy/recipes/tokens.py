#!/usr/bin/python3
"""Token ids, of rows that differ in length: fmix and cutmix take each id from the row or from its partner.

Batches have rows of similar lengths, padded at the end with 0 to the longest; `lengths` are the rows' own. A row
that is mixed with a longer partner has the partner's ids past its own length, so what is padding is told by x != 0.
The default set is that of deploy/datasets/imdb.md; --validation imdb-test goes with it.
"""

import argparse

import fmixd
import torch


class Model(torch.nn.Module):
    """The mean of the words' vectors, and a layer."""

    def __init__(self, words, classes):
        super().__init__()
        self.vectors = torch.nn.Embedding(words, 32, padding_idx=0)
        self.layer = torch.nn.Linear(32, classes)

    def forward(self, x):
        count = (x != 0).sum(1, keepdim=True).clamp(min=1)
        return self.layer(self.vectors(x).sum(1) / count)


def main():
    """Trains; of every epoch the mean loss, and the accuracy on unmixed samples."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("url", "http://localhost:8080"), ("set", "imdb"), ("validation", ""),
                          ("words", 30002), ("epochs", 10), ("batch", 16)):
        parser.add_argument(f"--{name}", default=default, type=type(default))
    given = parser.parse_args()

    hosted = fmixd.Epochs(given.url, given.set, batch=given.batch, seed=7, shuffle=1, method="fmix,cutmix", prob=0.5)
    unmixed = fmixd.Epochs(given.url, given.validation or given.set, batch=given.batch, method="none")
    x, y, lengths = next(iter(unmixed))
    torch.manual_seed(1)
    model = Model(given.words, y.shape[1])
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    found = []
    for epoch in range(given.epochs):
        hosted.set_epoch(epoch)
        model.train()
        losses, right, count = [], 0, 0
        for x, y, lengths in hosted:
            loss = torch.nn.functional.cross_entropy(model(x.long()), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        model.eval()
        with torch.no_grad():
            for x, y, lengths in unmixed:
                right += int((model(x.long()).argmax(1) == y.argmax(1)).sum())
                count += len(x)
        found.append((sum(losses) / len(losses), right / count))
        print("epoch {}: loss {:.3f}, accuracy {:.3f}".format(epoch, *found[-1]), flush=True)
    return found


if __name__ == "__main__":
    main()
