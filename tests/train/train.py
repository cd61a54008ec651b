"""What mixing is good for: a small network trained on Fashion-MNIST from the service alone.

Every batch, augmented, mixed and labelled, comes from a daemon of this script's own, which hosts the
set; nothing but the network is computed here. Prints a table of test accuracies by method, mean and
standard deviation over the seeds. `make train`; with --resume it shows instead that an epoch that a
replica began can be ended by another, byte for byte.

The setting is not the paper's: fewer images, a far smaller network, few epochs, no learning-rate
search. See the README for what was measured.
"""

import argparse
import hashlib
import pathlib
import sys
import tempfile
import time

import numpy as np
import torch
from torch import nn

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / name) for name in ("tests/data", "tests/http", "deploy/clients/python")]

import fashion  # noqa: E402
import fmixd  # noqa: E402
import harness  # noqa: E402
import hosting  # noqa: E402

METHODS = {"none": "none", "mixup": "mixup", "cutmix": "cutmix", "fmix": "fmix",
           "fmix+mixup": "fmix,mixup"}
MEAN, STD = 0.2860, 0.3530


def make_sets(root, images):
    """`train` and `test`: so many images, and the next 5,000, by way of import."""
    fashion.fetch()
    x, y = fashion.load(per_class=images // 10 + 500)
    for name, part in (("train", slice(0, images)), ("test", slice(images, images + 5000))):
        for kind, array in (("x", x[part]), ("y", y[part])):
            pathlib.Path(root, f"{kind}.npy").write_bytes(harness.write_npy(np.array(array)))
        hosting.importing(pathlib.Path(root, name), "--from", "npy", f"{root}/x.npy", f"{root}/y.npy")


def network():
    """Two convolutions and two layers: some 200,000 weights."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(32 * 49, 128), nn.ReLU(), nn.Linear(128, 10))


def batches(url, method, seed, epoch, batch):
    """An epoch's, as tensors."""
    for x, y in fmixd.epoch(url, "train", epoch=epoch, batch=batch, seed=seed, shuffle=1, crop=2,
                            flip=1, mean=MEAN, std=STD, method=method):
        yield torch.from_numpy(x.copy())[:, None], torch.from_numpy(y.copy())


def accuracy(model, url):
    """Of the test set, in per cent."""
    model.eval()
    right = count = 0
    with torch.no_grad():
        for x, y in fmixd.epoch(url, "test", batch=1000, mean=MEAN, std=STD, method="none"):
            guesses = model(torch.from_numpy(x.copy())[:, None]).argmax(1).numpy()
            right += int((guesses == y.argmax(1)).sum())
            count += len(x)
    model.train()
    return 100 * right / count


def train(url, method, seed, epochs, batch):
    """The test accuracy at the end."""
    torch.manual_seed(seed)
    model = network()
    optimiser = torch.optim.SGD(model.parameters(), 0.05, 0.9, weight_decay=5e-4, nesterov=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    for epoch in range(epochs):
        for x, y in batches(url, method, seed, epoch, batch):
            loss = -(y * torch.log_softmax(model(x), 1)).sum(1).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        schedule.step()
    return accuracy(model, url)


def compare(root, options):
    """The table."""
    print(f"{options.images} images, {options.epochs} epochs of batches of {options.batch}, "
          f"seeds 0 to {options.seeds - 1}")
    print("| method | test accuracy, % | deviation | by seed |\n|---|---|---|---|")
    with harness.Server("--data", root) as server:
        url = "http://{}:{}".format(*server.address)
        for name, method in METHODS.items():
            found = [train(url, method, seed, options.epochs, options.batch)
                     for seed in range(options.seeds)]
            print(f"| {name} | {np.mean(found):.2f} | {np.std(found, ddof=1):.2f} | "
                  f"{' '.join(f'{a:.2f}' for a in found)} |", flush=True)


def digests(url, start=0, end=None):
    """Of each batch of an epoch, from a step on."""
    found = []
    for x, y in fmixd.epoch(url, "train", epoch=3, batch=64, seed=7, shuffle=1, crop=2, flip=1,
                            mean=MEAN, std=STD, method="fmix,mixup", start=start):
        found.append(hashlib.blake2b(x.tobytes() + y.tobytes()).hexdigest()[:16])
        if start + len(found) == end:
            break
    return found


def resume(root):
    """An epoch of one replica, and the same begun there, broken off, and ended on another."""
    with harness.Server("--data", root, "--threads", "1") as server:
        whole = digests("http://{}:{}".format(*server.address))
    middle = len(whole) // 2
    with harness.Server("--data", root, "--threads", "2") as server:
        begun = digests("http://{}:{}".format(*server.address), end=middle)
        server.process.kill()
    with harness.Server("--data", root, "--threads", "7") as server:
        ended = digests("http://{}:{}".format(*server.address), start=middle)
    if begun + ended != whole:
        sys.exit("the batches differ")
    print(f"{len(whole)} batches; {middle} of a replica that was killed and "
          f"{len(ended)} of another are byte for byte those of a third")


def main():
    """Hosts the set and does what was asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--resume", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(2)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as root:
        make_sets(root, options.images)
        if options.resume:
            resume(root)
        else:
            compare(root, options)
    print(f"{time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
