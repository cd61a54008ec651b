"""Mixer.like_timm: the request that README's table says for it, and what timm makes of the same draws."""

import unittest

import numpy as np

from python_client import MixingTest  # it knows where the following are
import coming_from
import fmixd
import locally

ROUNDED = 1e-6  # of a sum in float32 of two numbers below 1


class LikeTimm(MixingTest):
    """Every call that the table has."""

    def setUp(self):
        self.x, self.y = self.batch((8, 3, 8, 9))

    def called(self, case):
        """A Mixer by the arguments of timm's Mixup, whose default of label_smoothing the table leaves out."""
        arguments = vars(case.made())
        mix = fmixd.Mixer.like_timm(self.url, **{"label_smoothing": 0, **arguments}, seed=5, steps=2)
        self.addCleanup(mix.close)
        return mix

    def test_batches_are_those_of_the_request_and_of_timm(self):
        cases = coming_from.cases("timm")
        self.assertGreater(len(cases), 50)
        seen = set()
        for case in cases:
            mix, peer = self.called(case), case.made()
            request = self.mixer(seed=5, classes=coming_from.CLASSES, **case.plan(),
                                 smoothing=float(case.query.get("smoothing", 0)),
                                 correct=case.query.get("correct") != "0")
            for step in range(2):
                with self.subTest(str(case), step=step):
                    plan = mix.plan((8, 9), 8, mix.number(step, 0))
                    mixed, labels = mix(self.x, self.y, step, epoch=0)
                    asked = request(self.x, self.y, step, epoch=0)
                    self.assertEqual((mixed.tobytes(), labels.tobytes()), (asked[0].tobytes(), asked[1].tobytes()))
                    draws = coming_from.drawn({"method": plan.methods, "lambda": plan.lam, "pairing": plan.pairing,
                                               "masks": plan.masks()})
                    wanted = peer.mix(self.x, self.y, draws)
                    np.testing.assert_allclose(mixed, wanted[0], atol=ROUNDED)
                    np.testing.assert_allclose(labels, wanted[1], atol=ROUNDED)
                    seen.update(draws.method)
        self.assertEqual(seen, {"mixup", "cutmix", "none"})

    def test_defaults_are_timm_s(self):
        with fmixd.Mixer.like_timm(self.url) as mix:
            self.assertEqual((mix.classes, mix.smoothing, mix.correct), (1000, 0.1, True))
            plan = mix.plan((8, 9), 8, 0)
            self.assertEqual((plan.method, plan.pairing.tolist()), ("mixup", [7, 6, 5, 4, 3, 2, 1, 0]))
            self.assertEqual(len(set(plan.lam)), 1)

    def test_a_switch_that_always_falls_one_way_leaves_one_method(self):
        for probability, method in (0, "mixup"), (1, "cutmix"), (1.0, "cutmix"):
            with fmixd.Mixer.like_timm(self.url, mixup_alpha=0.8, cutmix_alpha=1, switch_prob=probability) as mix:
                self.assertEqual({mix.plan((8, 9), 8, step).method for step in range(4)}, {method})
        with fmixd.Mixer.like_timm(self.url, prob=0) as mix:
            self.assertEqual(mix.plan((8, 9), 8, 0).method, "none")

    def test_what_has_no_request_is_refused_by_name(self):
        for arguments, said in (({"cutmix_minmax": (0.2, 0.8)}, r"cutmix_minmax is \(0.2, 0.8\)"),
                                ({"mode": "half"}, "mode is 'half', for which fmixd has no request"),
                                ({"mode": "row"}, "mode is 'row', which timm does not have; .*batch, pair, elem"),
                                ({"mixup_alpha": 0}, "mixup_alpha and cutmix_alpha are 0"),
                                ({"prob": 2}, "prob is 2"), ({"switch_prob": -1}, "switch_prob is -1"),
                                ({"num_classes": 0}, "classes is 0"), ({"label_smoothing": 2}, "smoothing is 2")):
            with self.subTest(said), self.assertRaisesRegex(ValueError, said):
                fmixd.Mixer.like_timm(self.url, **arguments)

    def test_without_a_daemon_batches_are_the_same(self):
        locally.require()
        law = {"mixup_alpha": 0.8, "cutmix_alpha": 1, "switch_prob": 0.3, "num_classes": 5, "seed": 3}
        with fmixd.Mixer.like_timm(self.url, **law) as there, fmixd.Mixer.like_timm(None, **law) as here:
            for step in range(6):
                batch = {"x": self.x, "y": self.y}
                own, other = here.batch(batch, step, epoch=1), there.batch(batch, step, epoch=1)
                self.assertEqual({name: array.tobytes() for name, array in own.items()},
                                 {name: array.tobytes() for name, array in other.items()})
            here.load_state_dict(there.state_dict())

    def test_other_options_are_a_mixer_s(self):
        ranks = [fmixd.Mixer.like_timm(self.url, num_classes=5, seed=3, rank=rank, world=2) for rank in range(2)]
        first, second = (mix(self.x, self.y, 0, epoch=0)[0].tobytes() for mix in ranks)
        self.assertNotEqual(first, second)
        for mix in ranks:
            mix.close()


if __name__ == "__main__":
    unittest.main()
