"""What the ranks of training jobs ask for."""

import itertools
from typing import NamedTuple

from replicated import SET
from trainers import Step

WORLD = 8  # ranks of a job
# Numbers of a rank's steps, as the Python client's Mixer has them.
STEPS, EPOCHS = 2**24, 2**16
PLAN_STEPS = 20  # of an epoch


class Kind(NamedTuple):
    """A kind of answer. `world` ranks share what a job's epoch has; of plans each has its own."""

    name: str
    rows: int
    world: int
    steps: int
    form: str

    def target(self, job, rank, epoch, step):
        """Of a step."""
        return self.form.format(seed=job, rank=rank, epoch=epoch, step=step,
                                number=(rank * EPOCHS + epoch) * STEPS + step)

    def all_steps(self, job, rank):
        """A rank's, without an end."""
        for epoch in itertools.count():
            for step in range(self.steps):
                yield Step(self.name, job, rank, epoch, step, self.target(job, rank, epoch, step))


def plans(rows, side):
    """Plans for a batch of so many rows, of which the trainer has the samples."""
    return Kind(f"plans of {rows}", rows, WORLD, PLAN_STEPS,
                f"/v1/plans.safetensors?shape={side}x{side}&n={rows}&dtype=bits&method=fmix"
                "&seed={seed}&step={number}")


def batches(rows, side, world, facts):
    """Views of pictures, mixed, so many for each of the ranks."""
    name = f"images, {rows}" + (f", a rank of {world}" if world > 1 else "")
    steps = facts["count"] // (rows * world)
    if steps < 1:
        raise ValueError(f"the set has {facts['count']} rows, and a batch {rows * world}")
    return Kind(name, rows, world, steps,
                f"/v1/datasets/{SET}/batches/{{step}}.safetensors?n={rows * world}&shuffle=1&size={side}"
                f"&view=random&flip=1&method=fmix&drop_last=1&world={world}&rank={{rank}}"
                f"&parts=mixed,labels&digest={facts['digest']}&seed={{seed}}&epoch={{epoch}}")
