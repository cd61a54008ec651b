"""How a Mixer comes by its plans: ahead, in threads and forks, and never a step twice or not at all."""

import gc
import multiprocessing
import pickle
import threading
import unittest
import unittest.mock

import numpy as np

from python_client import MixingTest  # it knows where the following are
import fmixd
import harness


class Plans(MixingTest):
    """Of fmixd.Mixer."""

    def test_a_plan_says_what_happens_to_each_row(self):
        law = {"seed": 5, "method": "fmix,mixup,samplepairing", "switch": "sample", "prob": 0.7}
        plan = self.mixer(**law).plan((8, 9), 64, 1)
        there = fmixd.tensors(self.get("/v1/plans.safetensors?shape=8x9&n=64&step=1&seed=5&prob=0.7&switch=sample"
                                       "&method=fmix,mixup,samplepairing&dtype=u8").body)
        names = [fmixd.METHODS[number] for number in there["method"]]
        self.assertEqual(set(names), {"fmix", "mixup", "samplepairing", "none"})
        np.testing.assert_array_equal(plan.masks(), there["masks"])
        self.assertEqual(plan.chooses.tolist(), [name == "fmix" for name in names])
        self.assertEqual(plan.sums.tolist(), [name in ("mixup", "samplepairing") for name in names])
        self.assertEqual(plan.partners().tolist(), [i if name == "none" else there["pairing"][i]
                                                    for i, name in enumerate(names)])
        sums = np.flatnonzero(plan.sums)
        np.testing.assert_array_equal(plan.weights()[sums], [0.5 if names[i] == "samplepairing" else there["lambda"][i]
                                                             for i in sums])
        self.assertIsNone(plan.method)
        self.assertEqual(self.mixer(seed=5).plan((8, 9), 3, 0).method, "fmix")

    def test_threads_may_share_a_mixer(self):
        x, _ = self.batch()
        mix, alone = self.mixer(seed=7), self.mixer(seed=7)
        expected = [alone(x, None, step, epoch=0)[0].tobytes() for step in range(60)]
        got = [[], [], []]

        def run(mine):
            for step in range(60):
                mine.append(mix(x, None, step, epoch=0)[0].tobytes())
        threads = [threading.Thread(target=run, args=(mine,), daemon=True) for mine in got]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(harness.PATIENCE)
        self.assertEqual(got, [expected] * 3)

    def test_an_interrupt_amid_a_block_loses_no_step(self):
        x, _ = self.batch()
        mix, alone = self.mixer(seed=7), self.mixer(seed=7)
        mix(x, None, 0), mix(x, None, 1)
        take = fmixd.plans.Stream._take
        with unittest.mock.patch.object(fmixd.plans.Stream, "_take", side_effect=KeyboardInterrupt), \
                self.assertRaises(KeyboardInterrupt):
            for step in range(2, 40):
                mix(x, None, step)
        self.assertIs(fmixd.plans.Stream._take, take)
        self.assertEqual(mix(x, None, step)[0].tobytes(), alone(x, None, step)[0].tobytes())

    def test_a_mixer_that_is_dropped_leaves_no_thread(self):
        x, _ = self.batch()
        before = set(threading.enumerate())
        for _ in range(5):
            mix = fmixd.Mixer(self.url, seed=1)
            mix(x, None, 0)
        del mix
        gc.collect()
        harness.until(lambda: before.issuperset(threading.enumerate()))

    def test_a_mixer_can_be_pickled_and_goes_on_elsewhere(self):
        x, y = self.batch()
        mix = self.mixer(seed=7, classes=5, rank=1, world=2)
        expected = [mix(x, y, step)[0].tobytes() for step in range(4)]
        copy = pickle.loads(pickle.dumps(mix))
        self.addCleanup(copy.close)
        self.assertEqual([copy(x, y, step)[0].tobytes() for step in range(4)], expected)

    def test_a_batch_of_another_size_asks_for_its_own_step_alone_and_ends_no_look_ahead(self):
        asked, fetch = [], fmixd.plans.Stream._fetch

        def spy(stream, source, first, steps):
            asked.append((stream._rows, first, steps))
            return fetch(stream, source, first, steps)
        x, y = self.batch()
        mix = self.mixer(seed=7, classes=5)
        with unittest.mock.patch.object(fmixd.plans.Stream, "_fetch", spy):
            for step in range(4):
                mix(x, y, step)
            ahead = mix._streams[(8, 9), 6]._ahead
            mix(x[:4], y[:4], 4)
            self.assertIs(mix._streams[(8, 9), 6]._ahead, ahead)
            mix(x, y, 4)
            mix.close()
        self.assertEqual([each for each in asked if each[0] == 4], [(4, 4, 1)])
        self.assertEqual(sorted(each[1:] for each in asked if each[0] == 6)[:4],
                         [(0, 1), (1, 1), (2, 3), (5, 3)])

    def test_a_fork_goes_on_with_a_look_ahead_of_its_own(self):
        x, y = self.batch()
        mix = self.mixer(seed=7, classes=5)
        mix(x, y, 0)
        fork = multiprocessing.get_context("fork")
        ours, theirs = fork.Pipe()

        def child():
            theirs.send([mix(x, y, step)[0].tobytes() for step in range(1, 40)])
            mix.close()
        process = fork.Process(target=child, daemon=True)
        process.start()
        self.addCleanup(process.join)
        self.addCleanup(process.kill)
        self.assertTrue(ours.poll(harness.PATIENCE), "the fork does not come to its steps")
        self.assertEqual(ours.recv(), [mix(x, y, step)[0].tobytes() for step in range(1, 40)])


if __name__ == "__main__":
    unittest.main()
