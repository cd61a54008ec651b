"""What mixing is good for: small networks trained from the service alone, with and without mixing.

Every batch, shuffled, mixed and labelled, comes from a daemon of this script's own, which hosts the
sets; nothing but the network is computed here. `make train` prints a table for each regime: accuracies
in per cent of unmixed rows, those trained on and those held out, as means and standard deviations
over the seeds. The accuracy on the rows trained on tells which regime one is in.

    --only NAME      one regime
    --curve FILE     instead, accuracy against the number of images, as a table and as an SVG
    --resume         instead, that an epoch which a replica began can be ended by another
"""

import argparse
import hashlib
import resource
import sys
import tempfile
import time
from typing import NamedTuple

import numpy as np

import curve
import hosts
import trial

import fmixd
import harness

BLENDS = ("none", "mixup", "cutmix", "fmix", "fmix,mixup")
COPIES = ("none", "cutmix", "fmix")  # token ids cannot be blended
IMAGES = "images of Fashion-MNIST"
PASSAGES = "passages of each of four groups of the Brown corpus"


class Regime(NamedTuple):
    """How much of what is trained on, and for how long."""

    name: str
    what: str
    count: int      # images, or passages of each group
    epochs: int
    methods: tuple

    def described(self, seeds):
        """A line above the table."""
        return (f"{self.name}: {self.count:,} {self.what}, {self.epochs} epochs of batches of {trial.BATCH}, "
                f"seeds 0 to {seeds - 1}")


REGIMES = (Regime("memorising", IMAGES, 1000, 120, BLENDS),
           Regime("short", IMAGES, 10000, 4, BLENDS),
           Regime("text", PASSAGES, 1000, 20, COPIES))


def imported(root, regime, held):
    """Imports what a regime needs, with so many images held out: the names of the sets, and how many token ids
    there are."""
    if regime.what == PASSAGES:
        return "passages", "passages-test", hosts.passages(root, regime.count)
    hosts.garments(root, [regime.count], held)
    return f"garments-{regime.count}", "garments-test", 0


def row(method, results):
    """Of a table."""
    accuracies = ([result.train for result in results], [result.test for result in results])
    means = [f"{np.mean(found):.2f} ± {np.std(found, ddof=min(1, len(found) - 1)):.2f}" for found in accuracies]
    return f"| {method} | {' | '.join(means)} | {' '.join(f'{one:.2f}' for one in accuracies[1])} |"


def compare(root, regimes, seeds, held):
    """Prints each regime's table; what is done so far goes to stderr."""
    sets = {regime: imported(root, regime, held) for regime in regimes}
    with harness.Server("--data", root) as server, trial.cores() as begin:
        url = "http://{}:{}".format(*server.address)
        promised = {}
        for seed in range(seeds):  # all of the first seed before the second, whatever is stopped early
            for regime, (train, test, tokens) in sets.items():
                for method in regime.methods:
                    promised[regime, method, seed] = begin(
                        trial.Trial(url, train, test, method, seed, regime.epochs, tokens),
                        f"{regime.name}, {method}, seed {seed}")
        for regime in regimes:
            print(f"\n{regime.described(seeds)}\n\n| method | trained on, % | held out, % | held out, by seed |"
                  "\n|---|---|---|---|", flush=True)
            for method in regime.methods:
                print(row(method, [promised[regime, method, seed].result() for seed in range(seeds)]), flush=True)


def digests(url, start=0, end=None):
    """Of each batch of an epoch, from a step on."""
    found = []
    for x, y in fmixd.epoch(url, "garments-1000", epoch=3, seed=7, shuffle=1, crop=2, flip=1, out_dtype="f32",
                            method="fmix,mixup", start=start):
        found.append(hashlib.blake2b(x.tobytes() + y.tobytes()).hexdigest()[:16])
        if start + len(found) == end:
            break
    return found


def resume(root):
    """An epoch of one replica, and the same begun there, broken off, and ended on another."""
    hosts.garments(root, [1000])
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


def cost(begun):
    """Seconds that it took, and those of processors in this process and its children."""
    used = sum(taken.ru_utime + taken.ru_stime for taken in
               map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))
    return f"{time.monotonic() - begun:.0f} s, {used:.0f} s of processors"


def main():
    """Hosts the sets and does what was asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=[regime.name for regime in REGIMES])
    parser.add_argument("--curve", metavar="FILE.svg")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--count", type=int, help="images or passages, instead of each regime's own number")
    parser.add_argument("--epochs", type=int, help="instead of each regime's own number")
    parser.add_argument("--methods", type=lambda text: tuple(text.split()), help="of each regime's, in a word each")
    parser.add_argument("--held-out", type=int, default=hosts.HELD_OUT, help="images")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    given = {name: value for name in ("count", "epochs", "methods") if (value := getattr(options, name))}
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as root:
        if options.resume:
            resume(root)
        elif options.curve:
            curve.measure(root, options.curve, options.seeds)
        else:
            compare(root, [regime._replace(**given) for regime in REGIMES if options.only in (None, regime.name)],
                    options.seeds, options.held_out)
    print(f"\n{cost(begun)}")


if __name__ == "__main__":
    main()
