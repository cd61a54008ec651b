"""Plans that libfmix.so draws in the client's process, against the daemon's: the same bytes, or refused by
both in the same words.

Random recipes, the same in every run: sound ones, ones at random from what the parameters may be, and ones with
values that nothing may be. FMIX_AGREEMENT scales their number.
"""

import random
import sys
import unittest
from urllib.parse import urlencode

import recipes
import tallying
import tensors
import test_agreement as agreement
from hosting import ref
from test_recipes_agree import FLOATS, RecipesAgree

import locally
from locally import fmixd, local

SOUND, WILD = map(tallying.scaled, (1500, 3000))

WILD_VALUES = {
    "seed": ("0", "7", "18446744073709551615"), "index": ("0", "5", "18446744073709551615", "18446744073709551600"),
    "step": ("0", "3", "9223372036854775808", "18446744073709551615"), "steps": ("1", "2", "3", "1048576"),
    "n": ("1", "2", "5", "8"), "shape": ("7", "6x5", "1x6", "3x4x5", "4097x4097", "1x1x1", "2"),
    "method": ("fmix", "cutmix", "mixup", "bc", "bcplus", "samplepairing", "none", "fmix,mixup", "none,cutmix,fmix",
               "mixup,mixup,bc,bcplus,none,none,fmix,cutmix"),
    "policy": ("alternate", "random"), "weights": ("1", "3,1", "0,0", "0,1", "4294967295,1", "1,2,3"),
    "switch": ("batch", "sample"), "prob": ("0", "1", "0.5", "1e-3", ".25", "2.5E-1", "-0"),
    "alpha": ("1", "0.2,1", "0.01", "1000", "1,2,3", "00.5"), "delta": ("3", "0", "10", "2.5"),
    "lambda": ("0", "1", "0.5", "0.3", "1e-12"), "reformulate": ("0", "1"), "scope": ("sample", "batch", "pair"),
    "soft": ("0", "0.1", "0.5"), "frequency": ("pixel", "extent"), "spectrum": ("paper", "official"),
    "box": ("clipped", "inside"),
    "pairing": ("permutation", "derangement", "flip", "roll", "none", "other_class", "same_class", "neighbour"),
    "dtype": ("f32", "u8", "bits", "f16", "f64"),
    "parts": ("masks", "pairing,lambda", "lambda_eff,method", "mixed", "method,masks,lambda,pairing,lambda_eff")}
STRANGE = ("-", "a b", "é", "1e999", "nan", "inf", "0x1", "+1", "-1", "1 ", " 1", "1,", ",", "1,,2", "1x", "x", "0x0",
           "18446744073709551616", "9" * 40, "0" * 30 + "1", "1." + "0" * 40, "0.5.5", "1e", ".", "a" * 300, "1;2", "٣",
           "1_0", "True", "fmix,", "fmix,FMIX", "masks,masks", "0,1,2,3,4,5,6,7,8", "2x3x4x5", "3x0", "\t", "1\n", "½")


class LocalAgrees(RecipesAgree):
    @classmethod
    def setUpClass(cls):
        locally.require()
        super().setUpClass()

    def compare(self, query):
        """Asks both; True if they drew."""
        target = f"/v1/plans.safetensors?{urlencode(query)}"
        made = self.made_here(target, local.plans, query)
        if made is not None:
            self.check_tensors(target, self.get(target).body, made)
        return made is not None

    def made_here(self, target, draw, query):
        """What is drawn here; None where the daemon refuses it for the same reason."""
        try:
            return draw(**query)
        except fmixd.Refused as refused:
            answer = self.server.get(target)
            self.assertIn(answer.status, (400, 413), f"{target}\nrefused here alone: {refused}")
            self.assertEqual(str(refused), answer.json()["detail"], target)
            return None

    def check_tensors(self, what, body, expected):
        got = tensors.read_safetensors(body)
        self.assertEqual(got.keys(), expected.keys(), what)
        for name, array in expected.items():
            self.check_same(f"{name} of {what}", array, got[name])

    def test_sound_plans_agree(self):
        source = random.Random("plans in process")
        for _ in range(SOUND):
            shape = source.choice(recipes.SHAPES)
            recipe = recipes.some_recipe(source, shape, sorted(ref.PAIRINGS))
            types = FLOATS if recipe.softens else ("bits", "u8", *FLOATS)
            query = {**ref.query_of(recipe), "shape": "x".join(map(str, shape)), "n": source.choice((1, 2, 5, 8)),
                     "step": source.choice((0, 1, source.randrange(2**40))), "steps": source.choice((1, 1, 3)),
                     "dtype": source.choice(types)}
            query.pop("correct", None)
            self.assertTrue(self.compare(query), query)
            self.drawn.recipe(recipe)
        self.drawn.require(self, [name for name in tallying.RECIPES if name != "correct=0"], SOUND / 50)

    def test_wild_plans_agree_or_are_refused_in_the_same_words(self):
        source, drawn = random.Random("wild plans in process"), 0
        for _ in range(WILD):
            names = source.sample(sorted(WILD_VALUES), source.choice((1, 2, 3, 5, 8)))
            query = {name: source.choice(WILD_VALUES[name]) for name in {"shape": 0, "n": 0, **dict.fromkeys(names)}}
            if source.random() < 0.1:
                query[source.choice((*WILD_VALUES, "nothing"))] = source.choice(STRANGE)
            if query.get("steps") == "1048576":
                query["step"] = "18446744073709551615"  # refused, for drawing them would take minutes
            drawn += self.compare(query)
        self.assertGreater(drawn, WILD / 5)
        self.assertGreater(WILD - drawn, WILD / 5)
        print(f"\nlocal plans: {SOUND} sound, {drawn} of {WILD} wild ones drawn", file=sys.stderr)

    def test_each_parameter_refuses_each_strange_value_in_the_same_words(self):
        for name in WILD_VALUES:
            for value in STRANGE:
                with self.subTest(name, value=value):
                    self.compare({"shape": "5", "n": "2", name: value})

    def compare_masks(self, query):
        """The same of masks."""
        target = f"/v1/masks.npy?{urlencode(query)}"
        made = self.made_here(target, local.masks, query)
        if made is not None:
            self.check_same(target, made, self.get(target).npy())
        return made is not None

    def test_masks_agree(self):
        for stratum in ("line", "plane", "volume", "tied", "ends", "close"):
            for case in agreement.cases(stratum):
                if stratum != "close" or case.count == 1:  # which take long
                    query = {**ref.query_of(case.recipe), "shape": "x".join(map(str, case.shape)), "n": case.count,
                             "index": case.index, "dtype": case.dtype}
                    self.assertTrue(self.compare_masks(query), query)

    def test_wild_masks_agree_or_are_refused_in_the_same_words(self):
        source, drawn = random.Random("wild masks in process"), 0
        known = sorted(set(WILD_VALUES) - {"step", "steps", "policy", "weights", "switch", "prob", "pairing", "parts"})
        for _ in range(WILD // 3):
            query = {name: source.choice(WILD_VALUES[name]) for name in source.sample(known, source.choice((2, 3, 6)))}
            drawn += self.compare_masks({"shape": "6x5", "method": "cutmix", **query})
        self.assertGreater(drawn, WILD / 15)
        self.assertLess(drawn, WILD / 4)

    def test_a_parameter_that_there_is_not_is_refused_with_the_list_of_those_that_there_are(self):
        self.assertFalse(self.compare({"shape": "5", "nothing": "1"}))

    def test_values_of_python_are_what_the_client_sends(self):
        made = local.plans(shape=(5,), n=3, method=["fmix", "mixup"], alpha=[0.2, 1], reformulate=True, steps=2,
                           seed=2**64 - 1)
        target = "shape=5&n=3&method=fmix,mixup&alpha=0.2,1&reformulate=1&steps=2&seed=18446744073709551615"
        self.check_tensors(target, self.get(f"/v1/plans.safetensors?{target}").body, made)


if __name__ == "__main__":
    unittest.main()
