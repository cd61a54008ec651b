"""fmixd.Mixer against a daemon: what it makes is what the daemon makes."""

import json
import unittest
import warnings

import numpy as np

from python_client import MixingTest  # it knows where the following are
import fmixd


class Mixing(MixingTest):
    """A batch of one's own."""

    def test_masks_choose_the_very_bytes_that_the_daemon_chooses(self):
        x, y = self.batch()
        for method in ("fmix", "cutmix", "none"):
            mix = self.mixer(seed=7, method=method, classes=5)
            for step in range(7):
                made = self.of_daemon(x, y, step, layout="channels_first", seed=7, method=method)
                mixed, labels = mix(x, y, step)
                self.assertEqual(mixed.tobytes(), made["mixed"].tobytes())
                np.testing.assert_allclose(labels, made["labels"], atol=1e-6)

    def test_interpolations_are_the_daemon_s_but_for_rounding(self):
        x, y = self.batch()
        for method in ("mixup", "bc", "samplepairing", "fmix,mixup"):
            mix = self.mixer(seed=2**63 + 1, method=method, classes=5, alpha=0.4)
            for step in (5, 6, 7, 8, 2):
                made = self.of_daemon(x, y, step, layout="channels_first", seed=2**63 + 1,
                                      method=method, alpha=0.4)
                mixed, labels = mix(x, y, step, epoch=0)
                np.testing.assert_allclose(mixed, made["mixed"], atol=1e-6)
                np.testing.assert_allclose(labels, made["labels"], atol=1e-6)

    def test_a_plan_of_other_rows_or_sides_than_those_of_x_is_refused(self):
        for shape in (8, 3, 8, 9), (8, 3, 96, 120):  # mixed all at once, and a row at a time
            x, _ = self.batch(shape)
            for method in "fmix", "mixup", "none":
                mix = self.mixer(seed=7, method=method)
                plan = mix.plan(shape[2:], 8, mix.number(0, 0))
                self.assertEqual(mix.apply(plan, x).tobytes(), mix(x, None, 0, epoch=0)[0].tobytes())
                for rows in 4, 7:
                    few = mix.plan(shape[2:], rows, mix.number(0, 0))
                    with self.assertRaisesRegex(ValueError, f"x has the shape .8, 3.*must have {rows} rows"):
                        mix.apply(few, x)
                if method == "fmix":
                    for wrong in x[:, :, :1], x[..., :1], x.swapaxes(2, 3):
                        with self.assertRaisesRegex(ValueError, "whose sides are .*; they must be .*the plan's masks"):
                            mix.apply(plan, wrong)
            # A weighted sum knows of no sides: targets of each row may be of any.
            mix = self.mixer(seed=7, method="mixup")
            plan, boxes = mix.plan(shape[2:], 8, 0), np.arange(32, dtype="f4").reshape(8, 4)
            own = plan.lam[:, None]
            np.testing.assert_allclose(mix.apply(plan, boxes), own * boxes + (1 - own) * boxes[plan.pairing], 1e-6)

    def test_layouts_and_ranks_of_x(self):
        for shape, layout in (((5, 7), "none"), ((5, 4, 6, 2), "channels_last"), ((5, 2, 9), "channels_first"),
                              ((4, 3, 4, 5), "none")):
            x, y = self.batch(shape)
            mixed, _ = self.mixer(seed=1, layout=layout, classes=5)(x, y, 3)
            made = self.of_daemon(x, y, 3, layout=layout, seed=1)
            self.assertEqual(mixed.tobytes(), made["mixed"].tobytes())

    def test_a_last_batch_of_fewer_rows_has_a_plan_of_its_own(self):
        mix = self.mixer(seed=1, classes=5)
        x, y = self.batch()
        for step, rows in ((0, 6), (1, 6), (2, 4), (3, 6)):
            mixed, _ = mix(x[:rows], y[:rows], step)
            made = self.of_daemon(x[:rows], y[:rows], step, layout="channels_first", seed=1)
            self.assertEqual(mixed.tobytes(), made["mixed"].tobytes())

    def test_what_cannot_be_is_told(self):
        x, y = self.batch()
        with self.assertRaisesRegex(fmixd.Refused, "delta"):
            self.mixer(delta=11, classes=5)(x, y, 0)
        with self.assertRaisesRegex(ValueError, "classes"):
            self.mixer()(x, y, 0)
        with self.assertRaisesRegex(ValueError, "soft"):
            self.mixer(soft=0.1)
        for hard in 0, "0", "0.0", None:  # as the other languages take it
            self.mixer(soft=hard, method="none", classes=5)(x, y, 0)
        with self.assertRaisesRegex(TypeError, "namespace"):
            fmixd.arrays.library_of([1, 2])
        for wrong, said in (([1, 2], "x is a list"), (None, "x is a NoneType"), (x[:0], r"\(0, .*has a row"),
                            (x[:, :, :0], "a row an element")):
            with self.assertRaisesRegex((TypeError, ValueError), said):
                self.mixer()(wrong, None, 0)

    def test_whole_numbers_may_be_of_any_library_and_nothing_else_is_taken_for_one(self):
        x, y = self.batch()
        for made in np.int64, np.uint8, np.array:
            mix = fmixd.Mixer(self.url, seed=7, classes=made(5), rank=made(1), world=made(2), steps=made(4))
            self.addCleanup(mix.close)
            mixed, labels = mix(x, y, made(3), epoch=made(2))
            wanted, wanted_labels = self.mixer(seed=7, classes=5, rank=1, world=2)(x, y, 3, epoch=2)
            self.assertEqual((mixed.tobytes(), labels.tobytes()), (wanted.tobytes(), wanted_labels.tobytes()))
            state = json.loads(json.dumps(mix.state_dict()))
            self.assertEqual((state["epoch"], state["step"]), (2, 4))
        for name in "classes", "rank", "world", "steps":
            for wrong in "1", 1.0, True, np.array([1, 2]):
                with self.subTest(name, wrong=wrong), self.assertRaisesRegex(ValueError, f"{name} is .*whole number"):
                    fmixd.Mixer(self.url, **{name: wrong})
        with self.assertRaisesRegex(ValueError, r"rank is '1'; .* it is text: give int\(…\) of it"):
            self.mixer(rank="1", world=2)  # as os.environ has it
        mix = self.mixer(classes=5)
        for wrong in "1", 1.0, None, True, -1:
            with self.subTest(step=wrong), self.assertRaisesRegex(ValueError, "step is .*whole number from 0 to"):
                mix(x, y, wrong)
        for wrong in "1", 1.0, True:
            with self.subTest(epoch=wrong), self.assertRaisesRegex(ValueError, "epoch is .*from 0 to 65535"):
                mix(x, y, 0, epoch=wrong)

    def test_what_can_be_known_before_the_first_batch_is_told_at_once(self):
        for options, said in (
                ({"layout": "nchw"}, "channels_first, channels_last or none"), ({"index": 0}, "index"),
                ({"n": 4}, "n follows"), ({"epoch": 1}, "epoch"), ({"rank": 2, "world": 2}, "rank is 2"),
                ({"smoothing": 2}, "smoothing"), ({"steps": 0}, "steps"),
                ({"pairing": "other_class"}, "classes of the samples.*POST x and y to /v1/mix"),
                ({"pairing": "same_class"}, "same_class.*fmixd.epoch"),
                ({"pairing": "neighbour"}, "hosted data set: take its batches by fmixd.epoch")):
            with self.subTest(**options), self.assertRaisesRegex(ValueError, said):
                fmixd.Mixer(self.url, **options)
        for correct in "0", "no", None, 2:  # of which a text would be true
            with self.assertRaisesRegex(ValueError, "correct is .*True or False"):
                self.mixer(correct=correct)
        for smoothing in "0.1", None, float("nan"):
            with self.assertRaisesRegex(ValueError, "smoothing is .*from 0 to 1"):
                self.mixer(smoothing=smoothing)
        for options in {"classes": -1}, {"classes": "10"}, {"rank": .5, "world": 2}, {"classes": {"a": 0}}:
            with self.subTest(**options), self.assertRaises(ValueError):
                fmixd.Mixer(self.url, **options)
        for token in "a b", "\u2026", "", "a\nb", 7, b"a":
            for make in fmixd.Connection, lambda url, token: fmixd.Mixer(url, token=token):
                with self.assertRaisesRegex(ValueError, "one word of ASCII") as refused:
                    make(self.url, token)
                self.assertNotIn("\u2026", str(refused.exception))
        self.assertEqual(fmixd.Connection(self.url, "abc\n")._headers, {"Authorization": "Bearer abc"})
        for url in (8080, b"http://localhost", "localhost:8080", "http://", "ftp://x", "", "http://localhost:80a0",
                    "http://u:p@localhost:8080", "http://local host:8080", "http://localhost:99999", "http://[::1"):
            for make in fmixd.Mixer, fmixd.Connection, lambda url: list(fmixd.epoch(url, "colour")):
                with self.subTest(url), self.assertRaisesRegex(ValueError, "http://localhost:8080"):
                    make(url)

    def test_a_token_without_a_url_is_refused_and_not_shown(self):
        for make in fmixd.Mixer, fmixd.Mixer.like_timm:
            with self.assertRaisesRegex(ValueError, "token is given and url is None.*leave the token out") as refused:
                make(None, token="s3cret")
            self.assertNotIn("s3cret", str(refused.exception))

    def test_a_shape_that_can_be_read_two_ways_is_refused_with_both(self):
        y = np.arange(5)
        for shape, readings in (((5, 28, 28), ("none", "channels_first")),
                                ((5, 32, 32, 3), ("channels_last", "channels_first")),
                                ((5, 8, 8, 8, 1), ("channels_last", "channels_first"))):
            with self.assertRaises(ValueError) as refused:
                self.mixer(classes=5)(np.zeros(shape, "f4"), y, 0)
            for reading in readings:
                self.assertIn(f"'{reading}'", str(refused.exception))
        for shape, layout in (((5, 9), None), ((5, 28, 28), "none"), ((5, 2, 28), "channels_first")):
            x, _ = self.batch(shape)
            mixed, _ = self.mixer(layout=layout, classes=5)(x, y, 0)
            made = self.of_daemon(x, y, 0, layout=layout or "none")
            self.assertEqual(mixed.tobytes(), made["mixed"].tobytes())
        with self.assertRaisesRegex(ValueError, "0 spatial dimensions"):
            self.mixer(layout="channels_first")(np.zeros((5, 3), "f4"), None, 0)

    def test_epochs_and_ranks_have_plans_of_their_own_and_resume(self):
        x, y = self.batch()
        loader, seen = [(x, y)] * 5, {}
        for rank in range(2):
            mix = self.mixer(seed=7, classes=5, rank=rank, world=2)
            for epoch in range(3):
                for step, (mixed, _) in enumerate(mix.epoch(loader, epoch)):
                    seen[rank, epoch, step] = mixed.tobytes()
        self.assertEqual(len(set(seen.values())), 2 * 3 * 5)
        again = self.mixer(seed=7, classes=5, rank=1, world=2)
        resumed = [mixed.tobytes() for mixed, _ in again.epoch(loader[3:], 2, start=3)]
        self.assertEqual(resumed, [seen[1, 2, 3], seen[1, 2, 4]])
        alone = self.mixer(seed=7, classes=5)
        self.assertEqual(alone(x, y, 3)[0].tobytes(), alone(x, y, 3, epoch=0)[0].tobytes())
        for wrong in {"epoch": -1}, {"epoch": 2**16}:
            with self.assertRaisesRegex(ValueError, "epoch is"):
                alone(x, y, 0, **wrong)
        with self.assertRaisesRegex(ValueError, "step is"):
            alone(x, y, 2**24, epoch=0)

    def test_steps_that_go_back_without_an_epoch_are_warned_of(self):
        x, y = self.batch()
        mix = self.mixer(seed=7, classes=5)
        mix(x, y, 0), mix(x, y, 1)
        with self.assertWarnsRegex(UserWarning, "epoch"):
            mix(x, y, 0)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            mix(x, y, 0, epoch=1), mix(x, y, 1, epoch=1), mix(x, y, 0, epoch=2)


if __name__ == "__main__":
    unittest.main()
