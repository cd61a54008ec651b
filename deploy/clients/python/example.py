"""Mixes two batches here, by plans that fmixd draws, and has fmixd mix them; checks a golden digest.

usage: example.py http://localhost:8080
"""

import hashlib
import sys

import numpy as np

import fmixd

GOLDEN = "/v1/masks.raw?shape=32x32&n=16&seed=7&dtype=bits"
SHA256 = "526dc5be181b78f6856e2ff09924b2e4480db4a58d5947c69e3cb48581da134c"
LAW = "seed=7&method=fmix,mixup"  # the first batch is mixed by FMix, the second by MixUp
TRIES = 10


def say(what, good):
    """What was checked; a wrong one ends it."""
    print(f"{what}: {'ok' if good else 'WRONG'}")
    if not good:
        sys.exit(1)


def main(url):
    """Three checks."""
    x = np.arange(4 * 8 * 8, dtype="<f4").reshape(4, 8, 8) / 256
    server = fmixd.Connection(url, tries=TRIES)
    mix = fmixd.Mixer(url, layout="none", seed=7, method="fmix,mixup")
    for step in range(2):
        here, _ = mix(x, None, step)
        there = server.post(f"/v1/mix.raw?{LAW}&step={step}&layout=none&x_shape=4x8x8&x_dtype=f32", x.tobytes())
        # A float32's rounding: Mixer's weights are such, the server's are not.
        say(f"batch {step}", np.abs(here - np.frombuffer(there, "<f4").reshape(x.shape)).max() < 1e-6)
    mix.close()
    say("golden digest", hashlib.sha256(server.get(GOLDEN)).hexdigest() == SHA256)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: example.py URL")
    try:
        main(sys.argv[1])
    except (fmixd.Refused, OSError) as wrong:
        sys.exit(str(wrong))
