"""Plans: what a trainer that mixes on its own device fetches, against what /v1/mix does itself."""

import unittest
from urllib.parse import urlencode

import numpy as np

import harness

METHODS = ("fmix", "cutmix", "mixup", "bc", "bcplus", "samplepairing", "none")
X = np.random.default_rng(3).standard_normal((6, 3, 9, 10)).astype(np.float32)


class Plans(harness.ServerTest):
    def plan(self, status=200, suffix="json", **query):
        answer = self.get(f"/v1/plans.{suffix}?{urlencode(query)}", status)
        return answer.json() if suffix == "json" or status != 200 else answer.npy()

    def mix(self, x=X, **query):
        query = {"layout": "channels_first", **query}
        return self.post(f"/v1/mix.npy?{urlencode(query)}", harness.write_npy(x)).npy()

    def test_mixing_by_a_plan_is_what_mix_does(self):
        for method in METHODS:
            if method == "bcplus":
                continue  # blends by more than its weight
            query = {"method": method, "seed": 8, "step": 5, "pairing": "derangement"}
            plan = self.plan(shape="9x10", n=6, **query)
            masks = np.array(plan["masks"])[:, None]
            partner = X[plan["pairing"]].astype(np.float64)
            mixed = (masks * X + (1 - masks) * partner).astype(np.float32)
            with self.subTest(method):
                served = self.mix(**query)
                if method in ("fmix", "cutmix", "samplepairing", "none"):
                    self.assertTrue(np.array_equal(mixed, served))
                else:  # the plan's masks are float32, λ itself has 32 bits
                    self.assertLess(np.abs(mixed - served).max(), 1e-6)

    def test_many_steps_are_the_single_ones_in_a_row(self):
        query = {"shape": "5x7", "n": 4, "seed": 2, "method": "fmix,mixup,cutmix",
                 "pairing": "permutation"}
        many = self.plan(step=10, steps=5, **query)
        for i in range(5):
            one = self.plan(step=10 + i, **query)
            for name in ("pairing", "lambda", "lambda_eff", "masks", "method"):
                with self.subTest(name, step=10 + i):
                    self.assertEqual(many[name][i], one[name])

    def test_steps_and_only_steps_give_a_leading_side(self):
        query = {"shape": "3x4x5", "n": 2, "suffix": "npy"}
        self.assertEqual(self.plan(**query).shape, (2, 3, 4, 5))
        self.assertEqual(self.plan(steps=1, **query).shape, (1, 2, 3, 4, 5))
        self.assertEqual(self.plan(steps=3, dtype="bits", **query).shape, (3, 2, 8))
        self.assertEqual(self.plan(steps=3, parts="pairing", **query).shape, (3, 2))
        self.assertEqual(self.plan(parts="method", **query).dtype, np.uint8)

    def test_a_large_answer_in_many_slices_is_the_small_ones(self):
        query = {"shape": "16x16", "n": 50, "suffix": "npy", "method": "fmix,bc"}
        many = self.plan(steps=40, **query)
        for step in (0, 1, 17, 39):
            self.assertTrue(np.array_equal(many[step], self.plan(step=step, **query)))

    def test_methods_alternate_by_the_batch_number_alone(self):
        for step in (0, 1, 7, 2**63):
            plan = self.plan(shape="4", n=1, step=step, method="fmix,mixup,none")
            expected = METHODS.index(("fmix", "mixup", "none")[step % 3])
            self.assertEqual(plan["method"], [expected])
            self.assertEqual(self.plan(shape="4", n=1, step=step, index=3,
                                       method="fmix,mixup,none")["method"], [expected])

    def test_drawn_methods_follow_their_weights(self):
        drawn = self.plan(shape="1", n=1, steps=4000, method="cutmix,none", policy="random",
                          weights="3,1", parts="method")["method"]
        share = np.mean(np.array(drawn) == METHODS.index("cutmix"))
        self.assertLess(abs(share - 0.75), 0.03)

    def test_lambda_and_lambda_eff_are_those_of_the_method(self):
        for method in METHODS:
            plan = self.plan(shape="8x8", n=5, method=method, seed=4)
            masks = np.array(plan["masks"])
            with self.subTest(method):
                if method in ("fmix", "cutmix"):
                    expected = masks.mean(axis=(1, 2)).tolist()
                elif method in ("samplepairing", "none"):
                    expected = [1.0] * 5
                else:
                    expected = plan["lambda"]
                self.assertEqual(plan["lambda_eff"], expected)

    def test_types_that_cannot_hold_a_weight_are_all_ones(self):
        for dtype in ("u8", "bits"):
            masks = self.plan(shape="13", n=2, method="mixup", dtype=dtype, suffix="npy",
                              parts="masks")
            full = np.ones((2, 13), np.uint8)
            expected = full if dtype == "u8" else np.packbits(full, axis=1)
            self.assertTrue(np.array_equal(masks, expected))

    def test_floating_types_hold_the_weight_rounded_once(self):
        lam = np.array(self.plan(shape="5", n=3, method="mixup", seed=9)["lambda"])
        for dtype, numpy_type in (("f16", "<f2"), ("f32", "<f4"), ("f64", "<f8")):
            masks = self.plan(shape="5", n=3, method="mixup", seed=9, dtype=dtype, suffix="npy",
                              parts="masks")
            expected = np.repeat(lam[:, None], 5, axis=1).astype(numpy_type)
            self.assertEqual(masks.tobytes(), expected.tobytes())

    def test_scope_batch_gives_every_row_the_first_ones_mask_and_lambda(self):
        plan = self.plan(shape="9x9", n=4, steps=2, step=3, scope="batch", seed=6)
        first = self.plan(shape="9x9", n=4, step=3, seed=6)
        for row in range(4):
            self.assertEqual(plan["masks"][0][row], first["masks"][0])
            self.assertEqual(plan["lambda"][0][row], first["lambda"][0])
        self.assertNotEqual(plan["lambda"][0], plan["lambda"][1])

    def test_bad_plans_are_refused_by_name(self):
        for parameter, query in (
                ("shape", {"n": 2}), ("parts", {"shape": "4", "parts": "mixed"}),
                ("steps", {"shape": "4", "step": 2**64 - 1, "steps": 2}),
                ("step", {"shape": "4", "n": 2, "step": 2**63}),
                ("weights", {"shape": "4", "method": "fmix,none", "policy": "random",
                             "weights": "1,2,3"}),
                ("method", {"shape": "4", "method": "fmix,cutout"})):
            with self.subTest(parameter, **query):
                problem = self.plan(400, **query)
                self.assertEqual(problem["errors"][0]["parameter"], parameter)

    def test_plan_is_cached_for_ever_and_never_asked_twice(self):
        target = "/v1/plans.npy?shape=8x8&n=3&steps=2"
        etag = self.get(target).headers["ETag"]
        again = self.get(target, 304, headers={"If-None-Match": etag})
        self.assertEqual(again.body, b"")


class Methods(harness.ServerTest):
    def mix(self, x, **query):
        answer = self.post(f"/v1/mix.npy?{urlencode(query)}", harness.write_npy(x))
        return answer.npy()

    def test_none_is_the_batch_itself_nan_and_all(self):
        x = np.random.default_rng(1).integers(0, 2**32, (5, 40), np.uint32).view(np.float32)
        self.assertEqual(self.mix(x, method="none").tobytes(), x.tobytes())

    def test_samplepairing_is_the_half_of_both(self):
        x = np.arange(40, dtype=np.float32).reshape(4, 10)
        mixed = self.mix(x, method="samplepairing", pairing="roll")
        self.assertTrue(np.array_equal(mixed, (x + np.roll(x, 1, axis=0)) / 2))

    def test_bcplus_of_equal_deviations_is_bc_over_its_norm(self):
        x = np.tile(np.array([-1, 1], np.float32), (4, 8))
        r, mixed = 0.25, self.mix(x, method="bcplus", **{"lambda": 0.25})
        self.assertTrue(np.allclose(mixed, x / np.hypot(r, 1 - r), rtol=1e-7))

    def test_bcplus_takes_the_mean_away_and_survives_constants(self):
        x = np.full((3, 16), 7, np.float32)
        self.assertTrue(np.array_equal(self.mix(x, method="bcplus"), np.zeros_like(x)))

    def test_bcplus_of_integers_is_400_with_the_reason(self):
        answer = self.post("/v1/mix.npy?method=bcplus",
                           harness.write_npy(np.zeros((2, 4), np.uint8)), 400)
        self.assertIn("float", answer.json()["detail"])

    def test_roll_flip_and_none_pair_as_they_say(self):
        body = harness.write_npy(np.zeros((5, 4), np.uint8))
        for kind, expected in (("flip", [4, 3, 2, 1, 0]), ("roll", [4, 0, 1, 2, 3]),
                               ("none", [0, 1, 2, 3, 4])):
            answer = self.post(f"/v1/mix.json?pairing={kind}&parts=pairing", body)
            self.assertEqual(answer.json()["pairing"], expected)

    def test_box_inside_is_never_clipped(self):
        query = "shape=32x32&n=500&method=cutmix&lambda=0.75&dtype=u8"
        inside = self.get(f"/v1/masks.npy?{query}&box=inside").npy()
        clipped = self.get(f"/v1/masks.npy?{query}").npy()
        self.assertEqual(set((1 - inside.astype(int)).sum(axis=(1, 2))), {256})
        self.assertLess((1 - clipped.astype(int)).sum(axis=(1, 2)).min(), 256)


if __name__ == "__main__":
    unittest.main()
