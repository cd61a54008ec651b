"""Batches from the daemon have the properties that choices of rows, partners, sequences and dense targets
are for. Nothing here knows how they are drawn.

Seeds are fixed, so a property that holds today holds in every run.
"""

import itertools
import math
import random
import tempfile
import unittest
from urllib.parse import urlencode

import numpy as np

import harness
import hosting
import tensors
from hosting import Hosted

NONE = 6  # the code of the method of unmixed rows
COUNTS = 1, 2, 3, 10, 37  # samples of the sets of sequences

EVERYTHING = {"method": "fmix,cutmix,mixup,samplepairing", "switch": "sample", "weights": "3,2,2,1",
              "alpha": "1,0.5,2,1", "prob": 0.7, "shuffle": 1, "seed": 5, "epoch": 3}
IMAGES = {"crop": 2, "flip": 1, "pad": "reflect", "smoothing": 0.1, "correct": 0}


def sequences(count):
    """Rows of all lengths from 1 to 20, floats that are never what they are padded with."""
    noise = np.random.default_rng(count)
    rows = [noise.uniform(1, 2, (n, 2)).astype("<f4") for n in noise.integers(1, 21, count)]
    return Hosted(f"sequences-{count}", rows, {"y": noise.integers(0, 4, count)}, {"y": 4}, "channels_last", None,
                  noise.integers(0, count, (count, 3)))


def images():
    """Whose targets are the images themselves."""
    noise = np.random.default_rng(8)
    x = noise.normal(size=(41, 3, 9, 8)).astype("<f4")
    return Hosted("images", x, {"y.class": noise.integers(0, 3, 41), "y.value": noise.normal(size=41).astype("<f4")},
                  {"y.class": 3}, "channels_first", {"dense": x.copy(), "dense.first": x[:, 0].copy()},
                  noise.integers(0, 41, (41, 4)))


class RowsTest(harness.ServerTest):
    """A daemon that hosts them."""

    @classmethod
    def setUpClass(cls):
        root = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.sets = {data.name: data for data in (images(), *map(sequences, COUNTS))}
        for data in cls.sets.values():
            hosting.write(root, data)
        cls.arguments = ("--data", root, "--drain", "0")
        super().setUpClass()

    def batch(self, name, step, **options):
        """The tensors of one."""
        target = f"/v1/datasets/{name}/batches/{step}.safetensors?{urlencode(options)}"
        return tensors.read_safetensors(self.get(target).body)

    def epoch(self, name, size, **options):
        """All its batches."""
        steps = -(-len(self.sets[name].x) // size)
        return [self.batch(name, step, n=size, **options) for step in range(steps)]


class Choices(RowsTest):
    """prob, and partners."""

    def share(self, prob, **options):
        """Of rows that are mixed, over many epochs, and how many draws there were."""
        methods = [self.batch("images", 0, n=41, epoch=epoch, parts="method", prob=prob, seed=2, **options)["method"]
                   for epoch in range(150)]
        return np.mean(np.concatenate(methods) != NONE)

    def test_hosted_rows_are_mixed_as_often_as_prob_says(self):
        for prob in 0.05, 0.5, 0.9:
            for options, draws in (({}, 150 * 41),
                                   ({"method": "fmix,mixup", "switch": "sample", "shuffle": 1}, 150 * 41),
                                   ({"scope": "pair", "pairing": "flip"}, 150 * 21), ({"scope": "batch"}, 150)):
                error = math.sqrt(prob * (1 - prob) / draws)
                self.assertLess(abs(self.share(prob, **options) - prob), 4 * error, (prob, options))

    def test_uploaded_rows_are_mixed_as_often_as_prob_says(self):
        x = np.zeros((4000, 1), "<f4")
        for prob in 0.05, 0.5, 0.9:
            answer = self.post(f"/v1/mix.npy?prob={prob}&parts=method&method=mixup,bc&switch=sample",
                               harness.write_npy(x), content_type="application/x-npy")
            error = math.sqrt(prob * (1 - prob) / len(x))
            self.assertLess(abs(np.mean(answer.npy() != NONE) - prob), 4 * error, prob)

    def test_nobody_meets_the_wrong_class_unless_alone(self):
        met = 0
        for name in self.sets:
            data = self.sets[name]
            classes = np.asarray(data.labels.get("y", data.labels.get("y.class")))
            for kind, size in (("other_class", 2), ("other_class", 7), ("same_class", 3), ("same_class", 16)):
                for batch in self.epoch(name, size, pairing=kind, shuffle=1, parts="pairing,rows"):
                    own = classes[batch["rows"]]
                    for i, partner in enumerate(batch["pairing"]):
                        fit = [j for j in range(len(own)) if j != i and (own[j] == own[i]) == (kind == "same_class")]
                        self.assertIn(partner, fit or [i])
                        met += bool(fit)
        self.assertGreater(met, 300)


class Sequences(RowsTest):
    """Which rows a batch has, and how long they are."""

    def test_every_sample_comes_once_an_epoch_for_any_size_bucket_and_count(self):
        source = random.Random(3)
        for count, size, bucket, shuffle in itertools.product(COUNTS, (1, 2, 5, 16), (1, 2, 3, 50), (0, 1)):
            epoch = source.choice((0, 5, 2**40))
            batches = self.epoch(f"sequences-{count}", size, bucket=bucket, shuffle=shuffle, epoch=epoch,
                                 seed=source.randrange(99), parts="rows")
            told = count, size, bucket, shuffle, epoch
            self.assertEqual(sorted(np.concatenate([one["rows"] for one in batches])), [*range(count)], told)
            self.assertTrue(all(len(one["rows"]) == min(size, count) for one in batches[:-1]), told)
            if not shuffle:  # a window is then a range of samples
                windows = [batches[at:at + bucket] for at in range(0, len(batches), bucket)]
                for place, window in enumerate(windows):
                    rows = sorted(np.concatenate([one["rows"] for one in window]))
                    first = place * bucket * min(size, count)
                    self.assertEqual(rows, [*range(first, first + len(rows))], told)

    def test_lengths_are_those_of_the_samples_whatever_is_added(self):
        data = self.sets["sequences-37"]
        for options in ({}, {"pairing": "neighbour"}, {"crop": 2, "flip": 1}, {"pad_value": 9, "bucket": 1}):
            for batch in self.epoch(data.name, 5, **options):
                own = [len(data.x[row]) for row in batch["rows"]]
                self.assertEqual(batch["lengths"].tolist(), own)
                with_partners = own + [len(data.x[row]) for row in batch["pairing"] if "pairing" in options]
                self.assertEqual(batch["mixed"].shape[1], max(with_partners))

    def test_what_rows_are_padded_with_is_nowhere_but_behind_them(self):
        """A pad_value changes mixed behind the shorter of two rows, and nothing else."""
        data, changed = self.sets["sequences-37"], 0
        for pairing in "neighbour", "roll":
            for step in range(8):
                same = {"n": 5, "bucket": 1, "pairing": pairing, **EVERYTHING}
                one, other = (self.batch(data.name, step, pad_value=value, **same) for value in (0, -64))
                for name in set(one) - {"mixed"}:
                    self.assertEqual(one[name].tobytes(), other[name].tobytes(), name)
                for i, (mixed, too) in enumerate(zip(one["mixed"], other["mixed"])):
                    partner = one["pairing"][i] if pairing == "neighbour" else one["rows"][one["pairing"][i]]
                    both = min(len(data.x[one["rows"][i]]), len(data.x[partner]))
                    self.assertEqual(mixed[:both].tobytes(), too[:both].tobytes())
                    self.assertTrue((mixed[:both] >= 1).all(), "a value of the rows' own")
                    changed += mixed.tobytes() != too.tobytes()
        self.assertGreater(changed, 40)


class Whole(RowsTest):
    """With everything switched on."""

    def test_a_union_of_ranks_is_the_batch(self):
        for name, more in (("images", IMAGES), ("sequences-37", {"bucket": 2, "pad_value": 7, "smoothing": 0.2}),
                           ("sequences-3", {"crop": 1, "flip": 1})):
            for pairing in ("neighbour", "other_class", "derangement"):
                options = {"n": 8, "pairing": pairing, **EVERYTHING, **more}
                whole = self.batch(name, 0, **options)
                for world in 1, 3, 11:
                    shares = [self.batch(name, 0, rank=rank, world=world, **options) for rank in range(world)]
                    for part, tensor in whole.items():
                        self.assertEqual(np.concatenate([share[part] for share in shares]).tobytes(), tensor.tobytes(),
                                         (name, pairing, world, part))
                        self.assertTrue(all(share[part].shape[1:] == tensor.shape[1:] for share in shares))

    def test_a_target_that_is_the_image_becomes_what_the_image_becomes(self):
        """Window, flip, partner, mask and weight are the same, bit for bit."""
        for pairing in "neighbour", "same_class", "permutation":
            for layout in "channels_first", "channels_last":
                got = self.batch("images", 1, n=16, pairing=pairing, layout=layout, **EVERYTHING, **IMAGES)
                self.assertGreater(len(set(got["method"])), 3)
                self.assertEqual(got["dense"].tobytes(), got["mixed"].tobytes())
                first = got["mixed"][:, 0] if layout == "channels_first" else got["mixed"][..., 0]
                self.assertEqual(got["dense.first"].tobytes(), np.ascontiguousarray(first).tobytes())

    def test_unmixed_rows_are_the_samples_and_their_labels(self):
        data, seen = self.sets["images"], 0
        for batch in self.epoch("images", 9, pairing="neighbour", **EVERYTHING):
            unmixed = batch["method"] == NONE
            rows = batch["rows"][unmixed]
            self.assertEqual(batch["mixed"][unmixed].tobytes(), data.x[rows].tobytes())
            self.assertEqual(batch["labels.value"][unmixed].tobytes(), data.labels["y.value"][rows].tobytes())
            self.assertEqual(batch["labels.class"][unmixed].argmax(1).tolist(), data.labels["y.class"][rows].tolist())
            self.assertTrue((batch["lambda_eff"][unmixed] == 1).all() and (batch["masks"][unmixed] == 1).all())
            seen += unmixed.sum()
        self.assertGreater(seen, 5)


if __name__ == "__main__":
    unittest.main()
