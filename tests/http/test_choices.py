"""Choices that each row makes: prob, switch, a list of alpha, and pairs; in plans and mixed batches."""

import itertools
import math
import random
import unittest
from urllib.parse import urlencode

import numpy as np

import tensors
from batches import TensorsTest
from hosting import ref

NONE = ref.METHODS.index("none")
X = np.random.default_rng(3).standard_normal((6, 3, 9, 10)).astype(np.float32)
SAFETENSORS = "application/x-safetensors"


def some_recipe(source):
    """Of the new and the old, at random."""
    methods = source.choices(ref.METHODS[:4] + ref.METHODS[5:], k=source.randint(1, 4))
    switch = source.choice(("batch", "sample"))
    pairing = source.choice(("flip", "flip", "permutation", "derangement"))
    drawn = switch == "sample" or source.random() < 0.3
    weights = tuple(source.choice((0, 1, 3)) for _ in methods)
    return ref.Recipe(
        seed=source.randrange(1000), method=",".join(methods), switch=switch, pairing=pairing,
        policy="random" if drawn and switch == "batch" else "alternate",
        weights=weights if drawn and any(weights) else None,
        prob=source.choice((0.0, 0.25, 0.5, 0.9, 1.0, 2**-33, 1 - 2**-40)),
        scope=source.choice(("sample", "batch", "pair") if pairing == "flip" else
                            ("sample", "batch")),
        alpha=source.choice((1.0, 0.2, tuple(source.choice((0.2, 1.0, 5.0)) for _ in methods))),
        soft=source.choice((0.0, 0.0, 0.2)), correct=source.random() < 0.7)


class ChoicesTest(TensorsTest):
    def plan(self, status=200, **query):
        answer = self.get(f"/v1/plans.npz?{urlencode({'shape': '9x10', 'n': 6, **query}, safe=',')}",
                          status)
        return tensors.read_npz(answer.body) if status == 200 else answer.json()["errors"][0]

    def mix(self, arrays, status=200, **query):
        query = {"layout": "channels_first", **query}
        answer = self.post(f"/v1/mix.npz?{urlencode(query, safe=',')}",
                           tensors.write_safetensors(arrays), status, content_type=SAFETENSORS)
        return tensors.read_npz(answer.body) if status == 200 else answer.json()["errors"][0]



class Agreement(ChoicesTest):
    """With the reference, bit for bit."""

    def test_plans_of_random_recipes_are_those_of_the_reference(self):
        source = random.Random(41)
        for _ in range(150):
            recipe, step = some_recipe(source), source.randrange(50)
            query = {**ref.query_of(recipe), "step": step, "steps": 2}
            query.pop("correct", None)  # weighs labels, which plans do not have
            made = ref.make_plans(recipe, (9, 10), step, 2, 6)
            got = self.plan(**query)
            with self.subTest(query):
                for i in range(2):
                    self.same(got["masks"][i], made[i].masks)
                    self.assertEqual(got["method"][i].tolist(), made[i].method)
                    self.assertEqual(got["pairing"][i].tolist(), made[i].pairing)
                    self.assertEqual(got["lambda"][i].tolist(), made[i].lam)
                    self.assertEqual(got["lambda_eff"][i].tolist(), made[i].lam_eff)

    def test_batches_of_random_recipes_are_those_of_the_reference(self):
        source = random.Random(42)
        y = np.arange(6) % 4
        for _ in range(150):
            recipe, step = some_recipe(source), source.randrange(50)
            smoothing = source.choice((0.0, 0.1))
            query = {**ref.query_of(recipe), "step": step, "classes": 4, "smoothing": smoothing}
            made = ref.mix(recipe, X, step, "channels_first", y=y, classes=4, smoothing=smoothing)
            got = self.mix({"x": X, "y": y}, **query)
            with self.subTest(query):
                self.same(got["mixed"], made.mixed)
                self.same(got["labels"], made.labels)
                self.same(got["masks"], made.masks)
                self.assertEqual(got["lambda"].tolist(), made.lam)
                self.assertEqual(got["lambda_eff"].tolist(), made.lam_eff)
                self.assertEqual(got["pairing"].tolist(), made.pairing)
                self.assertEqual("method" in got, recipe.varies)
                if recipe.varies:
                    self.assertEqual(got["method"].tolist(), made.method)


class Properties(ChoicesTest):
    """What the choices are for, without the reference."""

    def test_rows_are_mixed_as_often_as_prob_says(self):
        for prob in 0.1, 0.5, 0.8:
            n = 20000
            method = self.plan(n=n, shape="1", prob=prob, method="mixup", parts="method",
                               seed=8)["method"]
            error = math.sqrt(prob * (1 - prob) / n)
            self.assertLess(abs(np.mean(method != NONE) - prob), 4 * error)

    def test_prob_0_mixes_no_row_and_prob_1_is_as_without(self):
        got = self.mix({"x": X}, prob=0, method="mixup")
        self.same(got["mixed"], X)
        self.assertTrue((got["lambda_eff"] == 1).all() and (got["masks"] == 1).all())
        with_it, without = self.mix({"x": X}, prob=1), self.mix({"x": X})
        self.assertEqual(with_it.keys(), without.keys())
        for name, tensor in without.items():
            self.same(with_it[name], tensor, name)

    def test_unmixed_rows_are_the_uploaded_ones_and_mixed_ones_those_of_prob_1(self):
        for method in "fmix", "bcplus", "mixup", "fmix,mixup":
            every = self.mix({"x": X}, method=method, step=3, pairing="roll")
            some = self.mix({"x": X}, method=method, step=3, pairing="roll", prob=0.5)
            mixed = some["method"] != NONE
            self.assertTrue(0 < mixed.sum() < 6)
            self.same(some["mixed"], np.where(mixed[:, None, None, None], every["mixed"], X))
            self.same(some["pairing"], every["pairing"])

    def test_methods_of_rows_follow_their_weights(self):
        n = 20000
        method = self.plan(n=n, shape="1", method="mixup,cutmix,none", switch="sample",
                           weights="3,1,0", parts="method")["method"]
        self.assertLess(abs(np.mean(method == ref.METHODS.index("mixup")) - 0.75),
                        4 * math.sqrt(0.75 * 0.25 / n))
        self.assertFalse((method == NONE).any())

    def test_each_method_of_a_list_draws_with_its_own_alpha(self):
        """Beta(100, 100) lies within 0.2 of a half; Beta(0.01, 0.01) at 0 and 1."""
        got = self.plan(n=2000, shape="1", method="mixup,bc", switch="sample", alpha="100,0.01")
        near = np.abs(got["lambda"] - 0.5) < 0.2
        is_mixup = got["method"] == ref.METHODS.index("mixup")
        self.assertGreater(near[is_mixup].mean(), 0.999)
        self.assertLess(near[~is_mixup].mean(), 0.05)
        lists = self.plan(method="mixup,bc", steps=2, alpha="0.5,2")
        for step, alpha in enumerate(("0.5", "2")):
            one = self.plan(method=("mixup", "bc")[step], step=step, alpha=alpha)
            self.same(lists["lambda"][step], one["lambda"])

    def test_two_rows_of_a_pair_share_lambda_and_mask_and_swap_what_they_take(self):
        """timm's mode `pair`."""
        for method in "cutmix", "fmix", "mixup":
            got = self.mix({"x": X}, method=method, scope="pair", pairing="flip", seed=5)
            self.assertEqual(got["pairing"].tolist(), [5, 4, 3, 2, 1, 0])
            self.same(got["lambda"], got["lambda"][::-1])
            self.same(got["masks"], got["masks"][::-1])
            self.assertEqual(len(set(got["lambda"])), 3)
            both = got["mixed"].astype("f8") + got["mixed"][::-1]
            np.testing.assert_allclose(both, X.astype("f8") + X[::-1], atol=1e-6)

    def test_with_scope_batch_all_rows_are_mixed_or_none(self):
        seen = set()
        for step in range(40):
            method = self.plan(prob=0.5, scope="batch", step=step, method="fmix,mixup",
                               switch="sample")["method"]
            self.assertEqual(len(set(method)), 1)
            seen.add(int(method[0]))
        self.assertEqual(seen, {0, 2, NONE})

    def test_mixing_by_a_plan_is_what_mix_does(self):
        """In plain NumPy: m x1 + (1 - m) x2, whatever method a row has."""
        query = {"method": "fmix,cutmix,samplepairing", "switch": "sample", "prob": 0.7, "seed": 8,
                 "step": 2}
        plan = self.plan(n=6, **query)
        m = plan["masks"][:, None].astype("f8")
        mixed = (m * X + (1 - m) * X[plan["pairing"]]).astype("f4")
        self.same(self.mix({"x": X}, **query)["mixed"], mixed)

    def test_x2_is_mixed_row_by_row_with_the_same_choices(self):
        query = {"method": "cutmix,mixup", "switch": "sample", "prob": 0.6, "seed": 2}
        got = self.mix({"x": X, "x2": -X}, **query)
        m = self.plan(n=6, dtype="f64", **query)["masks"][:, None]
        np.testing.assert_allclose(got["mixed"], m * X + (1 - m) * -X, atol=1e-6)

    def test_masks_of_rows_without_a_mask_are_ones_in_u8_and_bits(self):
        query = {"method": "cutmix,mixup", "switch": "sample", "prob": 0.6, "n": 40}
        whole, bits = (self.plan(dtype=dtype, **query) for dtype in ("u8", "bits"))
        self.assertTrue(whole["masks"][whole["method"] != 1].all())
        self.same(np.packbits(whole["masks"].reshape(40, -1), axis=1), bits["masks"])


class Texts(ChoicesTest):
    """Of recipes, and ETags."""

    # As they were before requests could say prob, switch, or several alphas.
    RELEASED = {
        "/v1/plans.npy?shape=4x4": '"de8c47187d52143aef424968a45f9b6d"',
        "/v1/plans.npz?shape=32x32&n=128&seed=7&step=12&method=fmix,mixup&alpha=0.2":
            '"4ee815628e070571fabbe957618ead74"',
        "/v1/masks.png?shape=8x9&n=4&seed=3&alpha=0.2&delta=2": '"e4baf2a28d6240220dff8f63d114c3ac"',
        "/v1/plans.json?shape=9&lambda=0.5&scope=batch&policy=random&method=mixup,none&weights=1,2&pairing=flip":
            '"2f9532edd0da829ee076327c4373a00c"',
    }

    def test_etags_of_what_could_be_asked_before_stay(self):
        for target, etag in self.RELEASED.items():
            self.assertEqual(self.get(target).headers["ETag"], etag, target)

    def recipe(self, **query):
        answer = self.get(f"/v1/plans.safetensors?shape=4x4&{urlencode(query, safe=',')}")
        return answer.headers["ETag"]

    def test_defaults_that_are_given_keep_the_bytes_and_others_change_the_etag(self):
        plain = self.recipe()
        others = {"prob": 0.5, "switch": "sample", "alpha": 2}
        etags = {plain, *(self.recipe(**{name: value}) for name, value in others.items())}
        self.assertEqual(len(etags), 4)
        self.assertEqual(self.recipe(alpha=1), plain)  # which always was in the text
        for given in {"prob": 1}, {"switch": "batch"}:
            self.assertEqual(self.get(f"/v1/plans.npy?shape=4x4&{urlencode(given)}").body,
                             self.get("/v1/plans.npy?shape=4x4").body)


class Refusals(ChoicesTest):
    """Each names its parameter and what would do."""

    BAD = (
        ({"scope": "pair"}, "scope", ("pairing=flip", "scope=batch")),
        ({"scope": "pair", "pairing": "roll"}, "scope", ("pairing=flip",)),
        ({"alpha": "1,2"}, "alpha", ("2 values", "1 method", "one for each")),
        ({"alpha": "1,2", "method": "fmix,mixup,none"}, "alpha", ("3 methods",)),
        ({"alpha": "1,0"}, "alpha", ("0.01", "1000")),
        ({"alpha": "1,2", "method": "fmix,mixup", "lambda": 0.5}, "lambda", ("alpha",)),
        ({"switch": "sample", "policy": "random"}, "policy", ("leave policy out",)),
        ({"switch": "sample", "policy": "alternate"}, "policy", ("switch=batch",)),
        ({"switch": "sample", "weights": "1,2"}, "weights", ("2 weights for 1 method;", "one weight for each")),
        ({"switch": "sample", "method": "fmix,none", "weights": "1"}, "weights",
         ("is 1 weight for 2 methods;",)),
        ({"switch": "sample", "weights": "0"}, "weights", ("sum",)),
        ({"switch": "rows"}, "switch", ("batch, sample",)),
        ({"prob": 1.5}, "prob", ("0 to 1",)),
        ({"prob": "nan"}, "prob", ("0 to 1",)),
        ({"prob": "0.5,0.5"}, "prob", ("0 to 1",)),
    )

    def refused(self, error, parameter, words):
        self.assertEqual(error.get("parameter"), parameter, error)
        for word in words:
            self.assertIn(word, error["detail"])

    def test_combinations_without_meaning_are_400_and_say_what_would_do(self):
        for query, parameter, words in self.BAD:
            with self.subTest(query):
                self.refused(self.plan(400, **query), parameter, words)
                self.refused(self.mix({"x": X}, 400, **query), parameter, words)

    def test_masks_have_neither_pairs_nor_choices(self):
        for query, parameter, words in (
                ("scope=pair", "scope", ("no partners", "/v1/plans")),
                ("alpha=1,2", "alpha", ("2 values",)),
                ("prob=0.5", "prob", ("not a parameter",)),
                ("switch=sample", "switch", ("not a parameter",)),
                ("pairing=other_class", "pairing", ("not a parameter",))):
            errors = self.get(f"/v1/masks?shape=4x4&{query}", 400).json()["errors"]
            self.assertEqual(len(errors), 1, errors)
            self.refused(errors[0], parameter, words)

    def test_parts_that_are_for_others_are_named(self):
        for part in "lengths", "dense", "mixed", "labels", "rows":
            self.refused(self.plan(400, parts=part), "parts", ("masks", "pairing", "method"))
        self.refused(self.mix({"x": X}, 400, parts="lengths"), "parts", ("sequences",))
        self.refused(self.mix({"x": X}, 400, parts="rows"), "parts", ("data set",))

    def test_buckets_are_for_data_sets(self):
        for name, value in itertools.product(("bucket", "pad_value"), ("1", "50")):
            self.refused(self.plan(400, **{name: value}), name, ("not a parameter",))
            self.refused(self.mix({"x": X}, 400, **{name: value}), name, ("not a parameter",))


if __name__ == "__main__":
    unittest.main()
