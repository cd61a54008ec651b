"""Batches of hosted data: they are those of the daemon, from any step, on any rank."""

import threading
import unittest
import unittest.mock
import urllib.parse

import numpy as np

from python_client import HostedTest, read_safetensors  # it knows where the following are
import fmixd


class Epochs(HostedTest):
    """fmixd.epoch."""

    def test_batches_are_those_of_the_daemon(self):
        batches = list(fmixd.epoch(self.url, "colour", epoch=2, batch=7, seed=3, shuffle=1))
        self.assertEqual([len(x) for x, _ in batches], [7, 7, 7, 2])
        for step, (x, y) in enumerate(batches):
            made = read_safetensors(self.get(
                f"/v1/datasets/colour/batches/{step}.safetensors?epoch=2&n=7&seed=3&shuffle=1").body)[0]
            self.assertEqual(x.tobytes(), made["mixed"].tobytes())
            self.assertEqual(y.tobytes(), made["labels"].tobytes())

    def test_a_data_set_is_described(self):
        facts, samples = fmixd.describe(self.url, "colour"), self.sets["colour"].x
        self.assertEqual((facts["count"], facts["shape"]), (len(samples), list(samples.shape[1:])))
        with self.assertRaisesRegex(fmixd.Refused, "there is no data set"):
            fmixd.describe(self.url, "nobody")

    def test_steps_are_counted_as_they_come(self):
        for options, steps in (({}, 5), ({"drop_last": 1}, 4), ({"rank": 2, "world": 3}, 5),
                               ({"rank": 2, "world": 4}, 4), ({"drop_last": True, "rank": 0, "world": 3}, 4)):
            told = fmixd.steps_of(23, 5, *(int(options.get(name, otherwise)) for name, otherwise in (
                ("drop_last", 0), ("world", 1))))
            self.assertEqual((told, len(self.all(batch=5, **options))), (steps, steps))
        self.assertEqual([fmixd.steps_of(count, 5) for count in (0, 1, 5, 6)], [0, 1, 1, 2])

    def test_a_set_can_be_pinned_by_its_digest(self):
        digest = fmixd.describe(self.url, "colour")["digest"]
        self.assertEqual(self.all(batch=5, digest=digest), self.all(batch=5))
        with self.assertRaisesRegex(fmixd.Refused, "another version of the set"):
            self.all(batch=5, digest=digest[::-1])

    def test_rows_are_told_by_batch_and_not_by_n(self):
        with self.assertRaisesRegex(ValueError, "n is not for an epoch: the rows of a batch are `batch`"):
            self.all(n=5)

    def test_a_look_ahead_of_nothing_is_refused(self):
        for wrong in 0, -1, 1.5, "2":
            with self.subTest(wrong), self.assertRaisesRegex(ValueError, "ahead is .*whole number from 1 on"):
                self.all(ahead=wrong)
        self.assertEqual(self.all(batch=5, ahead=1), self.all(batch=5))

    def test_a_set_may_have_any_name(self):
        for name in "my set", "größe", "a/b", "a?b#c%41":
            with self.subTest(name):
                for ask in fmixd.describe, lambda *told: next(fmixd.epoch(*told)):
                    with self.assertRaisesRegex(fmixd.Refused, "/v1/datasets/" + urllib.parse.quote(name, safe="")
                                                + ": 404"):
                        ask(self.url, name)

    def test_what_is_no_answer_of_a_daemon_is_said(self):
        with unittest.mock.patch.object(fmixd.Connection, "get", return_value=b"<html>"):
            with self.assertRaisesRegex(fmixd.Refused, "not fmixd's answer, which begins with b'<html>'"):
                fmixd.describe(self.url, "colour")

    def test_what_is_none_is_not_asked_for(self):
        self.assertEqual(self.all(batch=5, size=None, mean=None), self.all(batch=5))

    def test_an_epoch_can_be_taken_up_at_any_step(self):
        whole = self.all(epoch=1, batch=5, seed=9, shuffle=1, flip=1)
        self.assertEqual(self.all(epoch=1, batch=5, seed=9, shuffle=1, flip=1, start=3), whole[3:])
        self.assertEqual(self.all(epoch=1, batch=5, seed=9, start=50), [])

    def test_ranks_share_each_batch(self):
        whole = self.all(batch=6, seed=2)
        shares = [self.all(batch=6, seed=2, rank=rank, world=2) for rank in range(2)]
        self.assertEqual([tuple(a + b for a, b in zip(*parts)) for parts in zip(*shares)], whole)

    def test_labels_of_several_heads_are_told_by_name(self):
        x, y = next(fmixd.epoch(self.url, "heads", batch=4))
        self.assertEqual((len(x), set(y)), (4, {"a", "b"}))
        x, y = next(fmixd.epoch(self.url, "voxels", batch=4))
        self.assertIsNone(y)

    def test_parts_are_told_by_name(self):
        for name, parts in {"colour": "mixed,labels,rows,lambda", "heads": ["labels", "rows"], "voxels": "mixed",
                            "texts": "mixed,lengths,rows", "streets": "mixed,labels,dense,pairing"}.items():
            asked = parts if isinstance(parts, str) else ",".join(parts)
            query = f"n=5&seed=2&prob=0.5&parts={asked}"
            for step, made in enumerate(fmixd.epoch(self.url, name, batch=5, parts=parts, seed=2, prob=0.5)):
                plain = read_safetensors(self.get(
                    f"/v1/datasets/{name}/batches/{step}.safetensors?{query}").body)[0]
                self.assertEqual(set(made), set(asked.split(",")))
                for part, found in made.items():
                    for head, array in found.items() if isinstance(found, dict) else [("", found)]:
                        np.testing.assert_array_equal(array, plain[f"{part}.{head}".rstrip(".")])
            self.assertEqual(isinstance(made.get("labels"), dict), name == "heads")
        self.assertEqual({kind: array.dtype for kind, array in made["dense"].items()}, {"": "u1", "depth": "f4"})

    def test_neighbours_can_be_partners_and_values_labels(self):
        speech = self.sets["speech"]
        for made in fmixd.epoch(self.url, "speech", batch=4, method="mixup", pairing="neighbour", shuffle=True,
                                parts="rows,pairing,lambda,labels"):
            self.assertTrue((made["pairing"] == speech.neighbours[made["rows"]].T).any(0).all())
            own, partners = (speech.labels["y"][made[part]] for part in ("rows", "pairing"))
            np.testing.assert_allclose(made["labels"], made["lambda"] * own + (1 - made["lambda"]) * partners,
                                       atol=1e-6)

    def test_sequences_come_with_their_lengths(self):
        for x, y, lengths in fmixd.epoch(self.url, "texts", batch=4):
            self.assertEqual((len(x), x.shape[1]), (len(y), lengths.max()))

    def test_recipes_are_options_as_mixers_have_them(self):
        self.assertEqual(self.all(batch=5, lam=0.5), self.all(batch=5, **{"lambda": 0.5}))
        law = {"method": ["fmix", "mixup"], "alpha": [1, 0.2], "prob": 0.5, "switch": "sample", "out_dtype": "f32"}
        mixed = next(fmixd.epoch(self.url, "colour", batch=23, **law))[0]
        plain = next(fmixd.epoch(self.url, "colour", batch=23, method="none", out_dtype="f32"))[0]
        with fmixd.Mixer(self.url, **{key: law[key] for key in law if key != "out_dtype"}) as mix:
            np.testing.assert_allclose(mixed, mix(plain, None, 0)[0], atol=1e-6)
        self.assertTrue(0 < (mixed == plain).all((1, 2, 3)).sum() < 23)

    def test_what_is_not_there_is_told(self):
        with self.assertRaisesRegex(fmixd.Refused, "there is no data set"):
            next(fmixd.epoch(self.url, "nobody"))

    def test_leaving_early_stops_the_thread(self):
        before = threading.active_count()
        batches = fmixd.epoch(self.url, "colour", batch=1)
        next(batches)
        batches.close()
        self.assertEqual(threading.active_count(), before)

    def test_truths_and_lists_are_options_as_python_writes_them(self):
        self.assertEqual(self.all(batch=5, shuffle=True, mean=[0.1, 0.2, 0.3], std=(1, 2, 3), method=["fmix", "mixup"],
                                  drop_last=True),
                         self.all(batch=5, shuffle=1, mean="0.1,0.2,0.3", std="1,2,3", method="fmix,mixup",
                                  drop_last=1))


if __name__ == "__main__":
    unittest.main()
