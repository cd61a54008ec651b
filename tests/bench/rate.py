"""Masks that one core makes in a second, over HTTP, and what crosses the wire for a batch of 256
either way: the figures of deploy/README.md, which sizes a cluster by them."""

import math
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "http"))

import harness  # noqa: E402
from process import processor_seconds  # noqa: E402

ROWS = 256
ROUNDS = 5
# Shapes, channels of an image of that shape, and masks that take about a second.
SHAPES = [("32x32", 3, 200000), ("64x64", 3, 50000), ("128x128", 3, 16000), ("224x224", 3, 5000),
          ("512x512", 3, 1000), ("64x64x64", 1, 1000)]


def rate(server, shape, count):
    """Masks for each second of processor time, the median of some rounds."""
    target = f"/v1/masks.raw?shape={shape}&n={count}&dtype=bits&seed="
    server.get(target + "0")  # plans and weights are made
    rates = []
    for seed in range(1, ROUNDS + 1):
        before = processor_seconds(server.process)
        server.get(target + str(seed))
        rates.append(count / (processor_seconds(server.process) - before))
    return sorted(rates)[ROUNDS // 2]


def length(server, target):
    """Bytes of an answer."""
    return int(server.request("HEAD", target).headers["Content-Length"])


def megabytes(count):
    """As the table says it."""
    return f"{count / 1e6:.3g} MB"


def main():
    """Prints the table."""
    print("| shape | masks a second | plans of 256, bits | masks of 256, f32 | "
          "mixed u8 | mixed f32 |\n|---|---|---|---|---|---|")
    with harness.Server("--threads", "1", "--io-threads", "1", "--log", "off") as server:
        for shape, channels, count in SHAPES:
            elements = math.prod(map(int, shape.split("x")))
            plans = length(server, f"/v1/plans.safetensors?shape={shape}&n={ROWS}&dtype=bits")
            masks = length(server, f"/v1/masks.npy?shape={shape}&n={ROWS}")
            mixed = ROWS * channels * elements
            print(f"| {shape} | {rate(server, shape, count):,.0f} | {megabytes(plans)} | "
                  f"{megabytes(masks)} | {megabytes(mixed)} | {megabytes(4 * mixed)} |", flush=True)


if __name__ == "__main__":
    main()
