"""Hosted batches in PyTorch's DataLoader, which resumes and is shared out, and a Mixer as its collate_fn."""

import pickle
import unittest

import numpy as np

from python_client import NO_TORCH, HostedTest, MixingTest  # it knows where the following are
import fmixd
import harness

try:
    import torch
except ImportError:
    torch = None

CONTEXTS = "fork", "spawn"


def loader_of(data, workers=0, **options):
    """Of whole batches."""
    return torch.utils.data.DataLoader(data, batch_size=None, num_workers=workers, **options)


def told(batches):
    """Of pairs of tensors the bytes."""
    return [(x.numpy().tobytes(), y.numpy().tobytes()) for x, y in batches]


class Watched(torch.utils.data.IterableDataset if torch else object):
    """What torchdata's StatefulDataLoader does with a data set in each of its workers: it loads the worker's state,
    if there is one, makes an iterator, and asks for the state before the first batch, after each, and at the end."""

    def __init__(self, data, states=None):
        super().__init__()
        self.data, self.states = data, states

    def __iter__(self):
        worker = torch.utils.data.get_worker_info()
        if self.states:
            self.data.load_state_dict(self.states[worker.id if worker else 0])
        batches = iter(self.data)
        yield None, self.data.state_dict()
        for batch in batches:
            yield batch, self.data.state_dict()
        yield None, self.data.state_dict()


@unittest.skipUnless(torch, NO_TORCH)
class Epochs(HostedTest):
    """fmixd.Epochs."""

    law = {"batch": 5, "seed": 9, "shuffle": 1}

    def data(self, **options):
        """23 samples: five steps."""
        return fmixd.Epochs(self.url, "colour", **{**self.law, **options})

    def whole(self, epoch=0, **options):
        """The batches of an epoch."""
        return self.all(epoch=epoch, **{**self.law, **options})

    def test_parts_are_tensors_where_a_loader_has_them(self):
        data = fmixd.Epochs(self.url, "heads", batch=40, parts="labels,rows", shuffle=1)
        made, = loader_of(data)
        self.assertEqual(sorted(made["rows"].tolist()), list(range(40)))
        self.assertEqual({name: tuple(head.shape) for name, head in made["labels"].items()},
                         {"a": (40, 4), "b": (40, 7)})

    def test_workers_share_the_steps_and_keep_their_order(self):
        data = self.data()
        data.set_epoch(1)
        for workers in 0, 1, 2:
            loader = loader_of(data, workers)
            self.assertEqual(told(loader), self.whole(1))
            self.assertEqual(len(loader), 5)

    def test_workers_that_persist_are_told_of_the_next_epoch(self):
        for context in CONTEXTS:
            data = self.data(start=3)
            loader = loader_of(data, 2, persistent_workers=True, multiprocessing_context=context)
            for epoch in range(3):
                data.set_epoch(epoch)
                rest = self.whole(epoch)[3 if epoch == 0 else 0:]
                self.assertEqual(len(data), len(rest))
                self.assertEqual(told(loader), rest)

    def test_a_copy_tells_its_own_workers(self):
        copy = pickle.loads(pickle.dumps(self.data()))
        loader = loader_of(copy, 1, persistent_workers=True)
        for epoch in range(2):
            copy.set_epoch(epoch)
            self.assertEqual(told(loader), self.whole(epoch))

    def test_a_state_amid_an_epoch_is_followed_by_the_batches_that_were_left(self):
        data, whole = self.data(), self.whole(2)
        data.set_epoch(2)
        for taken, _ in enumerate(loader_of(data), 1):
            state = pickle.loads(pickle.dumps(data.state_dict()))
            for workers in 0, 2:
                other = self.data()
                other.load_state_dict(state)
                self.assertEqual(len(other), len(whole) - taken)
                self.assertEqual(told(loader_of(other, workers)), whole[taken:])
                other.load_state_dict(state)
                other.set_epoch(2)  # as a loop over epochs does
                self.assertEqual(told(loader_of(other, workers)), whole[taken:])
                other.set_epoch(3)
                self.assertEqual(told(loader_of(other, workers)), self.whole(3))

    def test_the_state_after_an_epoch_is_the_beginning_of_the_next(self):
        data = self.data()
        data.set_epoch(2)
        self.assertEqual(told(data), self.whole(2))
        other = self.data()
        other.load_state_dict(data.state_dict())
        self.assertEqual(told(other), self.whole(3))

    def test_a_state_before_the_first_batch_is_that_of_the_epoch_that_was_set(self):
        data = self.data()
        next(iter(data))
        data.set_epoch(4)
        other = self.data()
        other.load_state_dict(data.state_dict())
        self.assertEqual(told(other), self.whole(4))

    def test_each_worker_goes_on_from_its_own_state(self):
        whole = self.whole(2)
        for workers in 0, 1, 2:
            for taken in range(6):
                data = self.data()
                data.set_epoch(2)
                states, batches = {}, []
                for number, (batch, state) in enumerate(loader_of(Watched(data), workers)):
                    if batch is None and number < max(workers, 1):
                        states[state["worker"]] = state
                    elif len(batches) < taken:
                        batches += told([batch]) if batch else []
                        states[state["worker"]] = state
                self.assertEqual(batches, whole[:taken])
                other = self.data()  # its epoch is 0, unless the states say another
                rest = [batch for batch, _ in loader_of(Watched(other, states), workers) if batch]
                with self.subTest(workers=workers, taken=taken):
                    self.assertEqual(sorted(told(rest)), sorted(whole[taken:]))

    def test_workers_share_out_what_the_state_of_a_loop_without_them_left(self):
        data = self.data()
        batches = iter(data)
        first = [next(batches) for _ in range(2)]
        states = [data.state_dict()] * 2
        rest = [batch for batch, _ in loader_of(Watched(self.data(), states), 2) if batch]
        self.assertEqual(told(first + rest), self.whole())

    def test_the_state_of_batches_that_workers_make_is_not_guessed(self):
        data = self.data()
        loader = loader_of(data, 2)
        batches = iter(loader)
        first = [next(batches) for _ in range(2)]
        with self.assertRaisesRegex(RuntimeError, "tell state_dict how many `step`s"):
            data.state_dict()
        other = self.data()
        other.load_state_dict(data.state_dict(step=2))
        self.assertEqual(told(first) + told(other), self.whole())

    def test_a_state_of_something_else_is_refused(self):
        data = self.data()
        list(data)
        state = data.state_dict()
        for wrong, said in ({"batch": 6}, "batch=5, and this of batch=6"), ({"seed": 8}, "seed=9"), (
                {"flip": 1}, "flip=the default, and this of flip=1"):
            with self.assertRaisesRegex(ValueError, said):
                self.data(**wrong).load_state_dict(state)
        self.data(rank=1, world=2, token=None, ahead=2).load_state_dict(state)
        with self.assertRaisesRegex(ValueError, "what state_dict gave"):
            data.load_state_dict({"epoch": 1})
        with self.assertRaisesRegex(ValueError, "step of the state is -1"):
            data.load_state_dict({**state, "step": -1})
        with self.assertRaisesRegex(ValueError, "worker 1 of 2, and this is 0 of 1"):
            data.load_state_dict({**state, "worker": 1, "workers": 2})
        data.load_state_dict({**state, "step": 2, "digest": "0" * 64})
        with self.assertRaisesRegex(fmixd.Refused, "another version of the set"):
            list(data)
        states = [{**state, "step": 2, "digest": "0" * 64, "worker": 0, "workers": 1}]
        with self.assertRaisesRegex(fmixd.Refused, "another version of the set"):
            list(loader_of(Watched(self.data(), states), 1))

    def test_every_rank_takes_the_same_steps(self):
        for world, steps in (2, 5), (3, 5), (4, 4):  # the fifth batch has three rows
            ranks = [self.data(rank=rank, world=world) for rank in range(world)]
            self.assertEqual({len(data) for data in ranks}, {steps})
            shares = [list(loader_of(data)) for data in ranks]
            self.assertEqual({len(share) for share in shares}, {steps})
            self.assertTrue(all(len(x) for share in shares for x, _ in share))
            together = [tuple(b"".join(part.numpy().tobytes() for part in parts) for parts in zip(*batch))
                        for batch in zip(*shares)]
            self.assertEqual(together, self.whole()[:steps])
        with self.assertRaisesRegex(ValueError, "batch is 5 and world 6"):
            list(self.data(rank=0, world=6))

    def test_what_is_no_whole_number_is_refused_by_name_and_not_rounded(self):
        for wrong in "1", 1.5, None, True, -1:
            for name, use in (("epoch", self.data().set_epoch), ("epoch", lambda value: self.data(epoch=value)),
                              ("start", lambda value: self.data(start=value)),
                              ("batch", lambda value: len(self.data(batch=value)))):
                with self.subTest(name, wrong=wrong), self.assertRaisesRegex(ValueError, f"{name} is .*whole number"):
                    use(wrong)
        with self.assertRaisesRegex(fmixd.Refused, "drop_last is 'true'"):
            list(self.data(drop_last="true"))


@unittest.skipUnless(torch, NO_TORCH)
class Collate(MixingTest):
    """fmixd.Collate."""

    def samples(self):
        """Twelve, as arrays and as a data set."""
        x, y = self.batch((12, 3, 8, 9))
        return x, y, torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y))

    def test_a_loader_mixes_batch_by_batch(self):
        x, y, data = self.samples()
        collate = fmixd.Collate(self.mixer(seed=7, classes=5), start=4)
        loader = torch.utils.data.DataLoader(data, batch_size=6, collate_fn=collate)
        alone = self.mixer(seed=7, classes=5)
        for number, (mixed, labels) in enumerate(loader):
            part = slice(6 * number, 6 * number + 6)
            expected = alone(x[part], y[part], 4 + number)
            self.assertEqual(mixed.numpy().tobytes(), expected[0].tobytes())
            np.testing.assert_allclose(labels.numpy(), expected[1], atol=1e-6)

    def test_a_second_epoch_goes_on_where_the_first_ended_and_a_state_where_it_was(self):
        x, y, data = self.samples()
        collate = fmixd.Collate(self.mixer(seed=7, classes=5))
        loader = torch.utils.data.DataLoader(data, batch_size=6, collate_fn=collate)
        alone = self.mixer(seed=7, classes=5)
        got = [mixed.numpy().tobytes() for _ in range(2) for mixed, _ in loader]
        parts = [(x[:6], y[:6]), (x[6:], y[6:])] * 2
        wanted = [alone(*part, step)[0].tobytes() for step, part in enumerate(parts)]
        self.assertEqual(got, wanted)
        other = fmixd.Collate(self.mixer(seed=7, classes=5))
        other.load_state_dict({"step": 2})
        loader = torch.utils.data.DataLoader(data, batch_size=6, collate_fn=other)
        self.assertEqual([mixed.numpy().tobytes() for mixed, _ in loader], wanted[2:])
        self.assertEqual(other.state_dict(), collate.state_dict())

    def test_samples_may_be_dictionaries(self):
        x, y, _ = self.samples()
        samples = [{"image": torch.from_numpy(x[i]), "label": y[i], "id": f"a{i}"} for i in range(12)]
        collate = fmixd.Collate(self.mixer(seed=7, classes=5, inputs="image", labels_getter="label"))
        made, = torch.utils.data.DataLoader(samples, batch_size=12, collate_fn=collate)
        mixed, labels = self.mixer(seed=7, classes=5)(x, y, 0)
        self.assertEqual(made["image"].numpy().tobytes(), mixed.tobytes())
        np.testing.assert_allclose(made["label"], labels, atol=1e-6)
        self.assertEqual(made["id"], [f"a{i}" for i in range(12)])

    def test_a_loader_with_workers_is_refused(self):
        _, _, data = self.samples()
        collate = fmixd.Collate(self.mixer(seed=7, classes=5))
        loader = torch.utils.data.DataLoader(data, batch_size=6, collate_fn=collate, num_workers=1,
                                             timeout=harness.PATIENCE)
        with self.assertRaisesRegex(RuntimeError, "num_workers=0"):
            list(loader)


if __name__ == "__main__":
    unittest.main()
