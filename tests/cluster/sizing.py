"""The sizing table of deploy/README.md, from what answers cost in `make sizing`."""

import math

GPUS = (8, 64, 500)
IMAGES = 3000     # a second that a GPU takes: a ResNet-50 on one of today's
USED = 0.7        # of the cores, so that bursts and a replica that is away find room
CORES = 16        # of a replica's node
LEAST = 3         # replicas


def amount(value):
    """Two digits of a small number, and a large one whole."""
    return f"{value:.2g}" if value < 10 else f"{value:,.0f}"


def costs_table(costs):
    """What was measured."""
    yield "| an answer, measured | MB | CPU-s of replicas, 1,000 answers | CPU-s of nginx, 1,000 answers |"
    yield "|---|---|---|---|"
    for cost in costs:
        yield (f"| {cost.kind.name} | {cost.size / 1e6:.3g} | {amount(1e3 * cost.replicas)} | "
               f"{amount(1e3 * cost.nginx)} |")


def row(gpus, cost):
    """What so many GPUs need."""
    steps = gpus * IMAGES / cost.kind.rows
    cores, proxy = steps * cost.replicas / USED, steps * cost.nginx / USED
    bits = 8e-9 * cost.size * steps
    replicas = max(LEAST, math.ceil(cores / CORES) + 1)
    return (f"| {gpus} | {cost.kind.name} | {steps / gpus:.1f} | {amount(cores)} | {replicas} | "
            f"{amount(proxy)} | {amount(bits / gpus)} | {amount(bits)} |")


def needs_table(costs):
    """What is multiplied."""
    yield ("| GPUs | each asks for | steps a second of a GPU, assumed | cores of replicas | "
           f"replicas of {CORES} cores | cores of nginx | Gbit/s a GPU | Gbit/s |")
    yield "|---|---|---|---|---|---|---|---|"
    for gpus in GPUS:
        yield from (row(gpus, cost) for cost in costs)


def text(beside, costs):
    """Both tables."""
    return "\n".join([beside, "", *costs_table(costs), "", *needs_table(costs), ""])
