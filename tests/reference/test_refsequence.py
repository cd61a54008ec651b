"""Sequences, dense targets and neighbours, by a second reading of the contract and by facts."""

import itertools
import random
import types
import unittest

import numpy as np

import fmixref as ref


def second_reading(seed, epoch, lengths, size, bucket, shuffle):
    """All the places of an epoch in the order of the text's sentences."""
    count = len(lengths)
    holds = [ref.shuffled_sample(seed, epoch, count, p) if shuffle else p
             for p in range(count)]
    windows = [list(group) for _, group in itertools.groupby(
        range(count), lambda place: place // (bucket * size))]
    for m, places in enumerate(windows):
        by_length = []
        for length in sorted({lengths[holds[p]] for p in places}):
            by_length += [p for p in places if lengths[holds[p]] == length]
        batches = [by_length[at:at + size]
                   for at in range(0, len(by_length), size)]
        short = [batch for batch in batches if len(batch) < size]
        whole = batches[:len(batches) - len(short)]
        words = ref.word_stream(seed, 11, epoch * len(windows) + m)
        for i in range(len(whole) - 1, 0, -1):
            word = next(w for w in words if w < 2**32 - 2**32 % (i + 1))
            j = word % (i + 1)
            whole[i], whole[j] = whole[j], whole[i]
        for batch in whole + short:
            yield [(holds[p], epoch * count + p) for p in batch]


def some_epochs(count):
    source = random.Random(12)
    for _ in range(count):
        samples = source.randint(1, 60)
        yield {"seed": source.getrandbits(64), "epoch": source.randrange(2**34),
               "lengths": [source.randint(0, 9) for _ in range(samples)],
               "size": source.randint(1, 20), "bucket": source.choice((1, 2, 3, 50)),
               "shuffle": source.random() < 0.5}


def served(epoch):
    """All the batches of an epoch."""
    count = len(epoch["lengths"])
    steps = -(-count // min(epoch["size"], count))
    return [ref.bucket_batch(step=step, **epoch) for step in range(steps)]


class Buckets(unittest.TestCase):
    def test_the_printed_epoch_comes_out(self):
        made = served({"seed": 0, "epoch": 1, "size": 2, "bucket": 3, "shuffle": True,
                       "lengths": [5, 3, 8, 1, 9, 2, 7, 4, 6, 3, 5]})
        self.assertEqual(" | ".join(
            " ".join(f"{s}:{t}" for s, t in zip(samples, indices))
            for samples, indices, _ in made),
            "2:15 4:14 | 7:12 6:11 | 3:16 5:13 | 10:17 0:19 | 1:20 9:21 | 8:18")
        self.assertEqual([number for *_, number in made], list(range(6, 12)))

    def test_epochs_are_those_of_a_second_reading(self):
        for epoch in some_epochs(30):
            size = min(epoch["size"], len(epoch["lengths"]))
            wanted = second_reading(**{**epoch, "size": size})
            self.assertEqual([list(zip(samples, indices)) for
                              samples, indices, _ in served(epoch)], list(wanted))

    def test_every_sample_comes_once_an_epoch(self):
        for epoch in some_epochs(30):
            rows = [s for samples, *_ in served(epoch) for s in samples]
            self.assertEqual(sorted(rows), list(range(len(epoch["lengths"]))))

    def test_rows_keep_the_t_of_their_shuffled_place(self):
        for epoch in some_epochs(15):
            count = len(epoch["lengths"])
            for samples, indices, _ in served(epoch):
                for sample, t in zip(samples, indices):
                    place = t - epoch["epoch"] * count
                    self.assertEqual(sample, ref.shuffled_sample(
                        epoch["seed"], epoch["epoch"], count, place)
                        if epoch["shuffle"] else place)

    def test_a_bucket_of_one_orders_within_the_batches_of_an_epoch(self):
        for epoch in some_epochs(15):
            epoch["bucket"], count = 1, len(epoch["lengths"])
            for step, (samples, indices, number) in enumerate(served(epoch)):
                _, wanted, same = ref.epoch_batch(
                    count, min(epoch["size"], count), epoch["epoch"], step)
                self.assertEqual((sorted(indices), number), (wanted, same))
                lengths = [epoch["lengths"][s] for s in samples]
                self.assertEqual(lengths, sorted(lengths))

    def test_padding_is_less_than_without_buckets(self):
        source = random.Random(1)
        lengths = [source.randint(1, 500) for _ in range(640)]
        wasted = []
        for bucket in (1, 10):
            batches = [[lengths[s] for s in ref.bucket_batch(
                0, 0, lengths, 32, step, bucket, True)[0]] for step in range(20)]
            wasted.append(sum(max(b) * len(b) - sum(b) for b in batches))
        self.assertLess(4 * wasted[1], wasted[0])


def sequences(rows, **more):
    """A set of them."""
    return types.SimpleNamespace(**{
        "x": rows, "layout": "none", "labels": {}, "classes": {}, **more})


class Padding(unittest.TestCase):
    def rows(self, kind="<i4", sides=()):
        source = np.random.default_rng(3)
        return [source.integers(1, 99, (length, *sides)).astype(kind)
                for length in (3, 7, 1, 5, 5, 2, 4)]

    def test_rows_are_padded_to_the_longest_and_lengths_are_their_own(self):
        rows = self.rows()
        recipe = ref.Recipe(method="none")
        for step in range(3):
            made = ref.hosted_batch(sequences(rows), recipe, 3, step,
                                    shuffle=True, pad_value=7)
            self.assertEqual(made["mixed"].dtype, np.int32)
            longest = max(made["lengths"])
            self.assertEqual(made["masks"].shape, made["mixed"].shape)
            self.assertEqual(made["mixed"].shape[1], longest)
            for mixed, sample, length in zip(made["mixed"], made["rows"],
                                             made["lengths"]):
                self.assertEqual(mixed.tolist(), rows[sample].tolist()
                                 + [7] * (longest - length))

    def test_padding_comes_after_normalisation(self):
        rows = self.rows("u1", (2,))
        made = ref.hosted_batch(sequences(rows, layout="channels_last"),
                                ref.Recipe(method="none"), 7, 0, mean=0.5, std=0.1,
                                out_dtype="f32", pad_value=-1.5)
        for mixed, sample, length in zip(made["mixed"], made["rows"], made["lengths"]):
            self.assertTrue((mixed[length:] == -1.5).all())
            self.assertTrue(np.allclose(mixed[:length],
                                        (rows[sample] / 255 - 0.5) / 0.1))

    def test_a_pad_value_is_rounded_to_the_rows_type(self):
        for kind, value, expected in (("<i4", 2.5, 2), ("u1", 300.0, 255), ("?", 5.0, True),
                                      ("<f4", 0.1, np.float32(0.1))):
            self.assertEqual(ref.padded([np.zeros(1, kind), np.zeros(2, kind)],
                                        2, value)[0, 1], expected)

    def test_a_neighbours_length_counts_but_is_not_told(self):
        rows = self.rows()
        data = sequences(rows, neighbours=np.array([[1]] * 7))
        recipe = ref.Recipe(pairing="neighbour", method="cutmix", prob=0.0)
        made = ref.hosted_batch(data, recipe, 1, 0, bucket=1)
        self.assertEqual(made["mixed"].shape, (1, 7))
        self.assertEqual(made["lengths"].tolist(), [3])
        self.assertEqual(made["pairing"].tolist(), [1])

    def test_a_shared_draw_is_that_of_the_shortest_row(self):
        made = ref.hosted_batch(
            sequences(self.rows()), ref.Recipe(method="cutmix", scope="batch"), 7, 0,
            epoch=2, shuffle=True)
        _, indices, _ = ref.bucket_batch(0, 2, [3, 7, 1, 5, 5, 2, 4], 7, 0, 50, True)
        self.assertNotEqual(indices, sorted(indices))
        self.assertEqual(set(made["lambda"] * 2**32),
                         {ref.draw_lambda(0, indices[0], 1.0)})


class Neighbours(unittest.TestCase):
    def data(self, **more):
        source = np.random.default_rng(9)
        x = source.normal(size=(20, 6, 5)).astype("<f4")
        flat = x.reshape(20, -1)
        apart = ((flat[:, None] - flat[None]) ** 2).sum(-1)
        near = np.argsort(apart + np.eye(20) * 1e9, axis=1)[:, :4]
        return types.SimpleNamespace(**{
            "x": x, "layout": "none", "labels": {"y": np.arange(20)},
            "classes": {"y": 20}, "neighbours": near, "dense": None, **more})

    def test_smote_lies_between_a_sample_and_one_of_its_neighbours(self):
        data = self.data()
        recipe = ref.Recipe(method="mixup", pairing="neighbour")
        made = ref.hosted_batch(data, recipe, 8, 1)
        for i, (sample, partner) in enumerate(zip(made["rows"], made["pairing"])):
            self.assertIn(partner, data.neighbours[sample])
            lam = made["lambda"][i]
            self.assertTrue(np.allclose(made["mixed"][i], lam * data.x[sample]
                                        + (1 - lam) * data.x[partner], atol=1e-6))
            self.assertAlmostEqual(made["labels"][i][sample], lam, 6)
            self.assertAlmostEqual(made["labels"][i][partner], 1 - lam, 6)

    def test_a_neighbour_has_a_window_of_its_own(self):
        data, recipe = self.data(), ref.Recipe(lam=0.0, pairing="neighbour")
        made = ref.hosted_batch(data, recipe, 20, 0, crop=2, flip=True)
        flips = set()
        for t, (mixed, partner) in enumerate(zip(made["mixed"], made["pairing"])):
            words = [int(w) for w in ref.words(0, 6, t, 19)[16:]]
            row = np.pad(data.x[partner], 2)
            top, left = (w * 5 // 2**32 for w in words[:2])
            row = row[top:top + 6, left:left + 5]
            flips.add(words[2] < 2**31)
            self.assertEqual(mixed.tolist(),
                             (row[:, ::-1] if words[2] < 2**31 else row).tolist())
        self.assertEqual(flips, {True, False})

    def test_a_set_without_neighbours_has_no_such_pairing(self):
        with self.assertRaises(ValueError):
            ref.hosted_batch(self.data(neighbours=None),
                             ref.Recipe(pairing="neighbour"), 4, 0)


class DenseTargets(unittest.TestCase):
    def data(self, kind, channels=()):
        source = np.random.default_rng(4)
        target = source.integers(0, 200, (9, *channels, 6, 5)).astype(kind)
        x = np.repeat(target[:, None] if not channels else target[:, :1], 3, 1)
        return types.SimpleNamespace(
            x=x.astype("<f4"), layout="channels_first", labels={}, classes={},
            dense={"dense.map": target})

    def test_a_target_goes_the_way_of_its_row(self):
        for kind in ("u1", "<i8", "<f4", "?"):
            for how in ({"crop": 2}, {"crop": 3, "pad": "reflect", "flip": True}):
                for method in ("fmix", "cutmix", "none"):
                    made = ref.hosted_batch(
                        self.data(kind), ref.Recipe(method=method, prob=0.8), 5, 0,
                        epoch=1, shuffle=True, **how)
                    self.assertEqual(made["dense.map"].dtype, np.dtype(kind))
                    self.assertEqual(made["mixed"][:, 0].tolist(),
                                     made["dense.map"].tolist())

    def test_a_target_has_its_own_channels(self):
        made = ref.hosted_batch(self.data("<f8", (2,)), ref.Recipe(method="mixup"), 5, 0,
                                flip=True, layout="channels_last")
        self.assertEqual(made["dense.map"].shape, (5, 6, 5, 2))
        self.assertTrue(np.allclose(made["dense.map"][..., 0], made["mixed"][..., 0],
                                    atol=1e-4))

    def test_a_target_is_neither_scaled_nor_converted(self):
        data = self.data("u1")
        made = ref.hosted_batch(data, ref.Recipe(method="none"), 5, 0, mean=3.0, std=2.0,
                                out_dtype="f16")
        self.assertEqual(made["dense.map"].tolist(), data.dense["dense.map"][:5].tolist())

    def test_labels_of_every_place_are_never_blended(self):
        for kind in ("u1", "<i4", "<i8", "?"):
            for recipe in ({"method": "mixup"}, {"method": "bc"}, {"method": "bcplus"},
                           {"method": "samplepairing"}, {"soft": 0.2}, {"method": "cutmix,mixup"},
                           {"method": "mixup", "lam": 0.5}, {"method": "mixup", "lam": 1e-12},
                           {"method": "samplepairing", "lam": 1.0},
                           {"method": "bcplus", "lam": 0.0}):
                with self.assertRaises(ValueError):
                    ref.hosted_batch(self.data(kind), ref.Recipe(**recipe), 5, 0)

    def test_a_lambda_of_0_or_1_copies_bytes(self):
        large = np.array([2**62 + 1, -2**62 - 1])[:, None] * np.ones((2, 4), "<i8")
        x = np.ones((2, 4), "<f4")
        for lam in (0.0, 1.0):
            for recipe in ({"method": "mixup"}, {"method": "bc"}, {"soft": 0.3},
                           {"method": "mixup,bc,fmix", "soft": 0.1, "switch": "sample"}):
                made = ref.mix(ref.Recipe(lam=lam, pairing="flip", **recipe), x, 0,
                               dense={"dense": large})
                self.assertEqual(made.dense["dense"].tolist(),
                                 (large if lam else large[::-1]).tolist())

    def test_other_sides_than_those_of_x_are_refused(self):
        x = np.zeros((2, 3, 6, 5))
        for shape in ((2, 5, 6), (2, 6, 5, 1), (2, 6), (2, 1, 1, 6, 5)):
            with self.assertRaises(ValueError):
                ref.mix(ref.Recipe(), x, 0, "channels_first",
                        dense={"dense": np.zeros(shape, "u1")})


class Values(unittest.TestCase):
    def test_floats_without_classes_are_values_that_smoothing_leaves(self):
        x, y = np.zeros((5, 4), "<f4"), np.array([0.5, -2, 1e6, 3, 7])
        heads = {"y": y, "y.class": np.arange(5)}
        made = ref.mix(ref.Recipe(method="mixup", seed=1), x, 0, y=heads,
                       classes={"y.class": 5}, smoothing=0.1)
        for i, partner in enumerate(made.pairing):
            w = made.lam_eff[i]
            self.assertEqual(made.labels["y"][i], np.float32(w * y[i] + (1 - w) * y[partner]))
        self.assertEqual(made.labels["y"].shape, (5,))
        self.assertTrue((made.labels["y.class"] > 0).all())

    def test_narrow_floats_are_mixed_in_float64(self):
        y = np.array([1.5, 2.5], "<f2")
        self.assertEqual(ref.mix_values(y, y[::-1], [0.25, 1.0]).tolist(), [2.25, 2.5])


if __name__ == "__main__":
    unittest.main()
