"""The recipe of README.md, run as it is printed: a loop over a hosted set that resumes where it was."""

import contextlib
import re
import unittest

import test_snippets  # it knows where the following are
import fmixd
import harness
from test_snippets import Words, block_with

try:
    import torch
except ImportError:
    torch = None

BATCH, EPOCHS = 8, 3
LAW = {"batch": BATCH, "seed": 7, "shuffle": 1, "out_dtype": "f32", "method": "fmix,mixup"}
PLACE = "if checkpoint:"


class Killed(Exception):
    """A job's end amid an epoch."""


class Model(torch.nn.Module if torch else object):
    """A layer that keeps what it is asked of."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.layer = torch.nn.Linear(28 * 28, 10)
        self.seen, self.most = [], None

    def forward(self, x):
        if len(self.seen) == self.most:
            raise Killed
        self.seen.append(x.detach().clone())
        return self.layer(x.flatten(1))


@unittest.skipUnless(torch, "there is no python3-torch here")
class Recipe(Words):
    def train(self, model, checkpoint=None, rank=0, world=1):
        """What the names of the recipe are at its end, or where its model raises Killed."""
        names = {"fmixd": fmixd, "torch": torch, "model": model, "rank": rank, "world": world,
                 "checkpoint": checkpoint, "optimizer": torch.optim.SGD(model.parameters(), lr=0.1)}
        with contextlib.suppress(Killed):
            exec(compile(self.here(block_with(PLACE).text), PLACE, "exec"), names)  # pylint: disable=exec-used
        return names

    def batches(self):
        """All epochs, by the daemon's own order of steps."""
        return [torch.from_numpy(x.copy()) for epoch in range(EPOCHS) for x, _ in
                fmixd.epoch("http://" + self.address, "garments", epoch=epoch, **LAW)]

    def check_same(self, found, wanted):
        self.assertEqual(len(found), len(wanted))
        for a, b in zip(found, wanted):
            self.assertTrue(torch.equal(a, b))

    def test_it_is_the_only_one(self):
        page = (harness.ROOT / "README.md").read_text(encoding="utf-8")
        printed = re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S)
        self.assertEqual(printed, [block_with(PLACE).text])
        self.assertTrue(test_snippets.Python.is_recipe(block_with(PLACE)))

    def test_each_step_of_each_epoch_has_its_own_batch(self):
        model = Model()
        names = self.train(model)
        wanted = self.batches()
        self.assertEqual(len(wanted), EPOCHS * 64 // BATCH)
        self.check_same(model.seen, wanted)
        self.assertFalse(torch.equal(model.seen[0], model.seen[64 // BATCH]))
        self.assertEqual((names["checkpoint"]["epoch"], names["checkpoint"]["step"]), (2, 8))

    def test_it_resumes_from_a_checkpoint(self):
        whole, model = Model(), Model()
        self.train(whole)
        model.most = 13
        names = self.train(model)
        self.assertEqual((names["checkpoint"]["epoch"], names["checkpoint"]["step"]), (1, 5))
        model.most = None
        self.train(model, names["checkpoint"])
        self.check_same(model.seen, whole.seen)
        self.check_same(list(model.parameters()), list(whole.parameters()))

    def test_ranks_share_each_batch(self):
        models = [Model() for _ in range(2)]
        for rank, model in enumerate(models):
            self.train(model, rank=rank, world=2)
        self.check_same([torch.cat(shares) for shares in zip(models[0].seen, models[1].seen)], self.batches())


if __name__ == "__main__":
    unittest.main()
