"""A sentence classifier that learns from hosted sequences by deploy/clients/python/fmixd: its epoch
is the same whole, resumed and on two ranks."""

import tempfile
import unittest

import numpy as np

import python_client  # it knows where the following are
import fmixd
import harness
import hosting

try:
    import torch
    from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
except ImportError:
    torch = None

SENTENCES, WORDS, CLASSES, BATCH = 203, 60, 3, 8
LAW = {"batch": BATCH, "seed": 5, "shuffle": True, "bucket": 3, "method": "cutmix", "prob": 0.5}


def sentences():
    """Token ids of 1 to 59, most of them from a third that tells the class; 0 is no word."""
    source = np.random.default_rng(1)
    classes = source.integers(0, CLASSES, SENTENCES)
    return [np.where(source.random(length) < 0.7, source.integers(1 + 20 * kind, 20 * kind + 20, length),
                     source.integers(1, WORDS, length)).astype("<i4")
            for kind, length in zip(classes, source.integers(1, 41, SENTENCES))], classes


if torch:
    class Bag(torch.nn.Module):
        """The mean of a sentence's words, and a layer."""

        def __init__(self):
            super().__init__()
            torch.manual_seed(2)
            self.words = torch.nn.Embedding(WORDS, 16, padding_idx=0)
            self.layer = torch.nn.Linear(16, CLASSES)

        def forward(self, x):
            count = (x != 0).sum(1, keepdim=True)
            return self.layer(self.words(x.long()).sum(1) / count)

    def train(model, batches):
        """A step for each batch, which is one or several ranks' parts."""
        optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
        for parts in batches:
            optimizer.zero_grad()
            rows = sum(len(x) for x, *_ in parts)
            for x, y, _ in parts:
                (torch.nn.functional.cross_entropy(model(x), y, reduction="sum") / rows).backward()
            optimizer.step()


class Sentences(harness.ServerTest):
    """One daemon with a set of them."""

    @classmethod
    def setUpClass(cls):
        root = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.texts, cls.classes = sentences()
        hosting.write(root, hosting.Hosted("sentences", cls.texts, {"y": cls.classes}, {"y": CLASSES}, "none"))
        cls.arguments = ("--data", root)
        super().setUpClass()
        cls.url = "http://{}:{}".format(*cls.server.address)

    def epoch(self, **options):
        """Its batches, whole."""
        return list(fmixd.epoch(self.url, "sentences", **{**LAW, **options}))

    def loader(self, **options):
        """The same as a trainer has them."""
        return torch.utils.data.DataLoader(fmixd.Epochs(self.url, "sentences", **{**LAW, **options}), batch_size=None)

    def check_same(self, found, wanted):
        self.assertEqual(len(found), len(wanted))
        for these, those in zip(found, wanted):
            for a, b in zip(these, those):
                np.testing.assert_array_equal(np.asarray(a), np.asarray(b))

    def test_every_sentence_comes_once_whole_and_with_its_length(self):
        for drop_last in False, True:
            seen = []
            made = self.epoch(epoch=2, method="none", prob=1, parts="mixed,labels,lengths,rows", drop_last=drop_last)
            self.assertEqual(len(made), SENTENCES // BATCH + (not drop_last))
            for batch in made:
                self.assertEqual(batch["mixed"].shape, (len(batch["rows"]), batch["lengths"].max()))
                seen += batch["rows"].tolist()
                for x, y, length, row in zip(*(batch[part] for part in ("mixed", "labels", "lengths", "rows"))):
                    np.testing.assert_array_equal(x[:length], self.texts[row])
                    self.assertFalse(x[length:].any())
                    self.assertEqual(y.argmax(), self.classes[row])
            self.assertEqual(len(seen), len(set(seen)))
            self.assertEqual(len(seen), SENTENCES // BATCH * BATCH if drop_last else SENTENCES)

    def test_an_epoch_is_the_same_resumed_and_on_two_ranks(self):
        whole = self.epoch(epoch=1)
        self.check_same(self.epoch(epoch=1, start=11), whole[11:])
        for start in 0, 11:
            shares = [self.epoch(epoch=1, start=start, rank=rank, world=2) for rank in range(2)]
            self.check_same([tuple(map(np.concatenate, zip(*parts))) for parts in zip(*shares)], whole[start:])
        plain = self.epoch(epoch=1, method="none", prob=1)
        mixed = [(a != b).any() for (these, *_), (those, *_) in zip(whole, plain) for a, b in zip(these, those)]
        self.assertTrue(SENTENCES / 5 < sum(mixed) < SENTENCES / 2)

    def test_a_mixed_row_is_as_long_as_the_longer_of_both(self):
        longer = 0
        for batch in self.epoch(parts="mixed,lengths,pairing", pad_value=-1, prob=1):
            x, lengths, partners = (batch[part] for part in ("mixed", "lengths", "pairing"))
            most = np.maximum(lengths, lengths[partners])
            for row, own, end in zip(x, lengths, most):
                self.assertTrue((row[end:] == -1).all())
                longer += (row[own:end] != -1).any()
        self.assertGreater(longer, 0)

    @unittest.skipUnless(torch, "there is no python3-torch here")
    def test_a_classifier_is_the_same_resumed_and_on_two_ranks(self):
        unbroken = Bag()
        for epoch in range(4):
            train(unbroken, ([batch] for batch in self.loader(epoch=epoch)))
        right = sum(int((unbroken(x).argmax(1) == y.argmax(1)).sum())
                    for x, y, _ in self.loader(method="none", prob=1))
        self.assertGreater(right / SENTENCES, 0.9)

        before = Bag()
        for epoch in range(3):
            train(before, ([batch] for batch in self.loader(epoch=epoch)))
        train(before, ([batch] for batch, _ in zip(self.loader(epoch=3), range(11))))
        resumed, shared = Bag(), Bag()
        for model in resumed, shared:
            model.load_state_dict(before.state_dict())
        train(resumed, ([batch] for batch in self.loader(epoch=3, start=11)))
        train(shared, zip(*(self.loader(epoch=3, start=11, rank=rank, world=2) for rank in range(2))))
        for wanted, a, b in zip(unbroken.parameters(), resumed.parameters(), shared.parameters()):
            self.assertTrue(torch.equal(a, wanted))
            torch.testing.assert_close(b, wanted, rtol=1e-4, atol=1e-5)

    @unittest.skipUnless(torch, "there is no python3-torch here")
    def test_lengths_are_what_packing_and_attention_masks_take(self):
        torch.manual_seed(3)
        words, layer = torch.nn.Embedding(WORDS, 4), torch.nn.GRU(4, 5, batch_first=True)
        x, _, lengths = next(iter(self.loader(method="none", prob=1, pad_value=59)))
        packed = pack_padded_sequence(words(x), lengths, batch_first=True, enforce_sorted=False)
        states, again = pad_packed_sequence(layer(packed)[0], batch_first=True)
        self.assertEqual(again.tolist(), lengths.tolist())
        there = torch.arange(x.shape[1]) < lengths[:, None]
        self.assertTrue((x[~there] == 59).all())
        for row, length, state in zip(x, lengths, states):
            torch.testing.assert_close(state[:length], layer(words(row[None, :length]))[0][0])


if __name__ == "__main__":
    unittest.main()
