"""The recipes of README.md, run as they are printed, one after the other, in one namespace."""

import re
import unittest
from unittest import mock

import numpy as np

import test_snippets  # it knows where the following are
import fmixd
import harness
from test_snippets import Words, block_with

try:
    import torch
except ImportError:
    torch = None

ROWS, EPOCHS = 8, 3


def garments():
    """The hosted set's samples and class numbers."""
    x, y = (np.load(harness.ROOT / "tests/data" / f"{name}.npy")
            for name in ("garments", "garments-labels"))
    return torch.from_numpy(x[:, None].astype("f4") / 255), torch.from_numpy(y.astype("i8"))


class Model(torch.nn.Module if torch else object):
    """A layer that keeps what it is asked of."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(28 * 28, 10)
        self.seen = []

    def forward(self, x):
        self.seen.append(x.detach().clone())
        return self.layer(x.flatten(1))

    def take(self):
        """What was asked since it was taken last."""
        seen, self.seen = self.seen, []
        return seen


@unittest.skipUnless(torch, "there is no python3-torch here")
class Recipes(Words):
    def setUp(self):
        torch.manual_seed(1)
        self.model = Model()
        self.x, self.y = garments()
        self.loader = self.loading(None)
        self.names = {"model": self.model, "loader": self.loader,
                      "optimizer": torch.optim.SGD(self.model.parameters(), lr=0.1)}
        self.run_block("def train(x, y)")
        self.url = self.names["url"]
        self.addCleanup(lambda: self.names["mix"].close())
        self.trained = self.model.take()

    def loading(self, sampler):
        data = torch.utils.data.TensorDataset(self.x, self.y)
        return torch.utils.data.DataLoader(data, batch_size=ROWS, sampler=sampler)

    def run_block(self, text):
        """A block, in the names that those before it left."""
        printed = self.here(block_with(text).text)
        exec(compile(printed, text, "exec"), self.names)  # pylint: disable=exec-used

    def mixed(self, batch, step, epoch, **options):
        """What a Mixer makes of a batch of the loader."""
        with fmixd.Mixer(self.url, seed=7, method="fmix,mixup", classes=10, **options) as mix:
            return mix(*batch, step, epoch=epoch)

    def batches(self, epoch, **options):
        """Hosted ones, as arrays."""
        return [(torch.from_numpy(x.copy()), torch.from_numpy(y.copy())) for x, y in
                fmixd.epoch(self.url, "garments", epoch=epoch, **options)]

    def check_same(self, found, wanted):
        self.assertEqual(len(found), len(wanted))
        for a, b in zip(found, wanted):
            self.assertTrue(torch.equal(a, b))

    def test_every_recipe_is_run_here(self):
        with open(__file__, encoding="utf-8") as file:
            run = re.findall(r"self\.run_block\((\"(?:[^\"\\]|\\.)*\")\)", file.read())
        texts = [block_with(eval(text)).text for text in run]  # pylint: disable=eval-used
        page = (harness.ROOT / "README.md").read_text(encoding="utf-8")
        printed = re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S)
        self.assertGreater(len(printed), 6)
        self.assertEqual(set(printed), set(texts))
        self.assertEqual(set(printed), {block.text for block in test_snippets.blocks("python")
                                        if test_snippets.Python.is_recipe(block)})

    def test_steps_over_epochs_are_those_of_their_epoch(self):
        self.check_same(self.trained, [self.mixed(batch, step, epoch)[0] for epoch in range(EPOCHS)
                                       for step, batch in enumerate(self.loader)])
        self.assertFalse(torch.equal(self.trained[0], self.trained[8]))

    def test_ranks_have_plans_of_their_own_and_share_hosted_batches(self):
        seen = []
        for rank in range(2):
            self.names["loader"] = self.loading(torch.utils.data.DistributedSampler(
                self.x, num_replicas=2, rank=rank))
            with mock.patch.object(torch.distributed, "get_rank", return_value=rank), \
                 mock.patch.object(torch.distributed, "get_world_size", return_value=2):
                self.run_block("torch.distributed.get_rank()")
            seen.append(self.model.take())
            self.names["loader"].sampler.set_epoch(2)
            last = list(self.names["loader"])[-1]
            self.check_same(seen[rank][11:12], [self.mixed(last, 3, 2, rank=rank, world=2)[0]])
        law = {"batch": 64, "seed": 7, "shuffle": 1, "out_dtype": "f32"}
        self.check_same([torch.cat(shares) for shares in zip(seen[0][12:], seen[1][12:])],
                        [x for epoch in range(EPOCHS) for x, _ in self.batches(epoch, **law)])

    def test_validation_sees_unmixed_samples(self):
        self.run_block("right = count = 0")
        self.check_same([torch.cat(self.model.take())], [self.x[:, 0]])
        right = (self.model(self.x).argmax(1) == self.y).sum()
        self.assertEqual(self.names["count"], 64)
        self.assertAlmostEqual(self.names["accuracy"], float(right) / 64)

    def test_accuracy_on_mixed_labels_weighs_both(self):
        x, y = self.mixed((self.x, self.y), 1, 0)
        self.names.update(x=x, y=y)
        self.run_block("mixed_accuracy = ")
        guess = self.model(x).argmax(1)
        with fmixd.Mixer(self.url, seed=7, method="fmix,mixup", classes=10) as mix:
            plan = mix.plan((28, 28), 64, mix.number(1, 0))
        share, partners = torch.from_numpy(plan.lam_eff.copy()), self.y[torch.from_numpy(plan.pairing.copy())]
        wanted = (share * (guess == self.y) + (1 - share) * (guess == partners)).mean()
        self.assertAlmostEqual(float(self.names["mixed_accuracy"]), float(wanted), places=5)

    def test_the_last_batch_is_dropped_where_that_is_asked(self):
        self.run_block("whole = torch.utils.data.DataLoader")
        self.assertEqual([len(x) for x, _ in self.names["whole"]], [48])
        self.assertEqual([len(x) for x, _ in self.names["hosted"]], [48])

    def test_a_last_batch_has_a_plan_of_its_rows(self):
        short = self.x[:3], self.y[:3]
        x, y = self.mixed(short, 5, 0)
        self.assertEqual((x.shape[0], y.shape), (3, (3, 10)))
        one = self.x[:1], self.y[:1]
        for step in range(2):
            x, y = self.mixed(one, step, 0)
            torch.testing.assert_close(x, one[0])
            self.assertEqual(int(y.argmax()), int(one[1]))

    def test_a_job_resumes_where_it_was(self):
        self.run_block("saved = {")
        self.check_same(self.model.take(), self.trained[ROWS + 5:])
        last = self.batches(1, batch=8)[-1]
        np.testing.assert_array_equal(self.names["x"], last[0])
        self.assertEqual(self.names["start"], 0)

    def test_x_keeps_its_type_under_amp(self):
        self.run_block("with torch.autocast(")
        self.assertEqual({x.dtype for x in self.model.take()}, {torch.bfloat16})
        self.assertEqual(self.names["x"].dtype, torch.bfloat16)
        self.assertEqual(self.names["y"].dtype, torch.float32)
        self.assertEqual(self.names["logits"].dtype, torch.bfloat16)
        self.assertTrue(torch.isfinite(self.names["loss"]))


if __name__ == "__main__":
    unittest.main()
