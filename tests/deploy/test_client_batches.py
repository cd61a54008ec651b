"""Batches of any form: x and its labels are found and mixed, and what else there is stays or is refused."""

import collections
import unittest

import numpy as np

from python_client import MixingTest

Sample = collections.namedtuple("Sample", "label image")


class Batches(MixingTest):
    """Mixer.batch, which Mixer.epoch takes."""

    def setUp(self):
        self.x, self.y = self.batch()
        self.mixed, self.labels = self.made(self.x, self.y)

    def made(self, x, y, **options):
        """What a Mixer makes of them."""
        return self.mixer(seed=7, **{"classes": 5, **options})(x, y, 3)

    def of(self, batch, **options):
        """What a Mixer makes of a batch."""
        return self.mixer(seed=7, **{"classes": 5, **options}).batch(batch, 3)

    def check(self, x, y=None):
        """Those are the mix."""
        self.assertEqual(x.tobytes(), self.mixed.tobytes())
        if y is not None:
            self.assertEqual(y.tobytes(), self.labels.tobytes())

    def test_a_pair_is_mixed_as_x_and_y(self):
        for kind in tuple, list:
            made = self.of(kind((self.x, self.y)))
            self.assertIsInstance(made, tuple)
            self.check(*made)
        made, = self.mixer(seed=7, classes=5).epoch([(self.x, self.y)], 0, start=3)
        self.check(*made)

    def test_entries_are_told_by_name_or_place(self):
        names = {"image": self.x, "label": self.y}
        made = self.of(names, inputs="image", labels_getter="label")
        self.check(made["image"], made["label"])
        self.assertIs(names["image"], self.x)
        made = self.of({"x": self.x, "y": self.y})
        self.check(made["x"], made["y"])
        made = self.of((self.y, self.x), inputs=1, labels_getter=0)
        self.check(made[1], made[0])
        made = self.of(Sample(self.y, self.x), inputs=1, labels_getter=lambda sample: sample.label)
        self.assertIsInstance(made, Sample)
        self.check(made.image, made.label)

    def test_a_function_finds_labels_however_deep(self):
        batch = {"x": self.x, "target": {"boxes": ["a", "b"], "classes": [self.y, 3]}}
        made = self.of(batch, labels_getter=lambda batch: batch["target"]["classes"][0])
        self.check(made["x"], made["target"]["classes"][0])
        self.assertIs(made["target"]["boxes"], batch["target"]["boxes"])
        self.assertEqual(made["target"]["classes"][1], 3)

    def test_without_labels_the_others_stay(self):
        for batch in (self.x, self.y), (self.x,):
            made = self.of(batch, labels_getter=None)
            self.check(made[0])
            self.assertEqual([entry is own for entry, own in zip(made[1:], batch[1:])], [True] * (len(batch) - 1))

    def test_several_heads_are_a_list_of_names_or_a_dictionary(self):
        values = np.arange(6, dtype="f4")
        labels = self.made(self.x, {"a": self.y, "b": values}, classes={"a": 5})[1]
        for batch, getter in (({"x": self.x, "a": self.y, "b": values}, ["a", "b"]),
                              ({"x": self.x, "y": {"a": self.y, "b": values}}, "default")):
            made = self.of(batch, classes={"a": 5}, labels_getter=getter)
            heads = made.get("y", made)
            self.check(made["x"])
            for head, wanted in labels.items():
                self.assertEqual(heads[head].tobytes(), wanted.tobytes())
        places = self.of((self.x, self.y, values), classes={1: 5}, labels_getter=[1, 2])
        self.assertEqual(places[1].tobytes(), labels["a"].tobytes())

    def test_other_entries_are_each_row_s_own_and_pass(self):
        others = {"id": [f"a{i}" for i in range(6)], "weight": np.arange(6.0), "size": np.zeros((6, 2)), "none": None,
                  "number": 3, "of another batch": np.zeros((5, 8, 9))}
        made = self.of({"x": self.x, "y": self.y, **others})
        self.check(made["x"], made["y"])
        for name, value in others.items():
            self.assertIs(made[name], value)

    def test_an_entry_that_would_need_mixing_is_refused(self):
        for shape in (6, 8, 9), (6, 1, 8, 9), (6, 8, 9, 2):
            with self.assertRaisesRegex(ValueError, r"batch\['map'\] has the shape .*Mixer.apply"):
                self.of({"x": self.x, "y": self.y, "map": np.zeros(shape)})
        with self.assertRaisesRegex(ValueError, r"batch\[2\]\['map'\]"):
            self.of((self.x, self.y, {"map": np.zeros((6, 8, 9))}))

    def test_maps_of_each_element_are_mixed_by_apply(self):
        maps = np.random.default_rng(4).integers(0, 9, (6, 8, 9), dtype="u1")
        mix = self.mixer(seed=7, method="fmix,cutmix")
        for step in range(2):
            plan = mix.plan((8, 9), 6, mix.number(step, 0))
            wanted = np.where(plan.masks(), maps, maps[plan.pairing])
            np.testing.assert_array_equal(mix.apply(plan, maps, "none"), wanted)
            self.assertEqual(mix.apply(plan, self.x).tobytes(), mix(self.x, None, step, epoch=0)[0].tobytes())

    def test_what_is_not_there_is_told_with_what_is(self):
        pair = self.x, self.y
        for batch, options, said in (
                ({"image": self.x, "label": self.y}, {}, "'image', 'label', without 'x': tell Mixer.*inputs="),
                ({"x": self.x, "label": self.y}, {}, "without 'y': tell Mixer the entry by labels_getter="),
                ((self.x,), {}, "without number 1.*labels_getter=, which is None if there are no labels"),
                (pair, {"inputs": "image"}, "without number 'image'"),
                (pair, {"labels_getter": lambda batch: batch[1].copy()}, "labels that are no entry of the batch")):
            with self.subTest(said), self.assertRaisesRegex(ValueError, said):
                self.of(batch, **options)
        with self.assertRaisesRegex(TypeError, "the batch is a ndarray; it must be a tuple"):
            self.of(self.x)


class States(MixingTest):
    """Where a Mixer is."""

    law = {"seed": 7, "method": "fmix,mixup", "alpha": [1, 0.2], "classes": 5}

    def epochs(self, mix, loader, epochs):
        """All mixed batches, as bytes; and the state after each, as a loop's body sees it."""
        for epoch in epochs:
            for x, y in mix.epoch(loader, epoch):
                yield x.tobytes() + y.tobytes(), mix.state_dict()

    def test_a_job_goes_on_from_its_state_with_the_batches_that_are_left(self):
        loader = [self.batch()] * 4
        whole = list(self.epochs(self.mixer(**self.law), loader, range(3)))
        for done, (_, state) in enumerate(whole, 1):
            mix = self.mixer(**self.law)
            mix.load_state_dict(state)
            self.assertEqual(mix.state_dict(), state)
            epoch, step = state["epoch"], state["step"]
            self.assertEqual((epoch, step), ((done - 1) // 4, (done - 1) % 4 + 1))
            rest = [made for made, _ in self.epochs(mix, loader[step:], [epoch])]
            rest += [made for made, _ in self.epochs(mix, loader, range(epoch + 1, 3))]
            self.assertEqual(rest, [made for made, _ in whole[done:]])

    def test_a_loop_by_plan_and_apply_has_a_state_too(self):
        x, y = self.batch()
        mix = self.mixer(**self.law)
        for step in range(3):
            plan = mix.plan(x.shape[2:], len(x), mix.number(step, 4))
            mix.apply(plan, x)
            self.assertEqual([mix.state_dict()[name] for name in ("epoch", "step")], [4, step + 1])
        other = self.mixer(**self.law)
        other.load_state_dict(mix.state_dict())
        mixed, _ = next(iter(other.epoch([(x, y)], 4)))
        self.assertEqual(mixed.tobytes(), mix.apply(mix.plan(x.shape[2:], len(x), mix.number(3, 4)), x).tobytes())

    def test_a_batch_that_was_not_mixed_does_not_count(self):
        x, y = self.batch()
        mix = self.mixer(**self.law)
        mix(x, y, 0, epoch=2)
        with self.assertRaisesRegex(ValueError, "class numbers go from"):
            mix(x, y + 99, 1, epoch=2)
        self.assertEqual([mix.state_dict()[name] for name in ("epoch", "step")], [2, 1])

    def test_after_an_epoch_comes_the_next(self):
        mix = self.mixer(**self.law)
        for _ in mix.epoch([self.batch()] * 2, 4):
            pass
        self.assertEqual([mix.state_dict()[name] for name in ("epoch", "step")], [5, 0])

    def test_a_state_counts_once_and_for_its_epoch(self):
        x, y = self.batch()
        mix, alone = self.mixer(**self.law), self.mixer(**self.law)
        state = {**mix.state_dict(), "epoch": 2, "step": 3}

        def first(epoch, **start):
            return next(iter(mix.epoch([(x, y)], epoch, **start)))[0].tobytes()

        def wanted(epoch, step):
            return alone(x, y, step, epoch=epoch)[0].tobytes()
        mix.load_state_dict(state)
        self.assertEqual([first(2), first(2)], [wanted(2, 3), wanted(2, 0)])
        mix.load_state_dict(state)
        self.assertEqual([first(3), first(2)], [wanted(3, 0), wanted(2, 0)])
        mix.load_state_dict(state)
        self.assertEqual(first(2, start=1), wanted(2, 1))

    def test_a_state_of_another_recipe_is_refused(self):
        state = self.mixer(**self.law).state_dict()
        for wrong, said in ({"seed": 8}, "seed=7, and this of seed=8"), ({"alpha": 1}, "alpha=1,0.2"), (
                {"prob": 0.5}, "prob=the default"), ({"correct": False}, "correct=1, and this of correct=0"):
            with self.assertRaisesRegex(ValueError, said):
                self.mixer(**{**self.law, **wrong}).load_state_dict(state)
            with self.assertRaisesRegex(ValueError, "the state is of"):
                self.mixer(**self.law).load_state_dict(self.mixer(**{**self.law, **wrong}).state_dict())
        self.mixer(**{**self.law, "alpha": [1.0, 0.2]}, rank=1, world=2).load_state_dict(state)
        for wrong in {}, None, {"epoch": 0, "step": 1}:
            with self.assertRaisesRegex(ValueError, "it must be what state_dict gave"):
                self.mixer(**self.law).load_state_dict(wrong)
        with self.assertRaisesRegex(ValueError, "epoch of the state is '1'"):
            self.mixer(**self.law).load_state_dict({**state, "epoch": "1"})


if __name__ == "__main__":
    unittest.main()
