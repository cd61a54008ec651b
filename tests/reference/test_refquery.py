"""Recipes survive the way through a query and back."""

import random
import unittest

import fmixref as ref

VALUES = {
    "seed": (0, 7, 2**64 - 1), "method": ("fmix", "mixup,cutmix", "bc,none"),
    "alpha": (1.0, 0.05, (0.2, 3.0)),
    "lam": (None, 0.0, 0.3, 1.0), "reformulate": (False, True), "delta": (3.0, 0.1),
    "frequency": ("pixel", "extent"), "scope": ("sample", "batch", "pair"), "soft": (0.0, 0.125),
    "spectrum": ("paper", "official"), "box": ("clipped", "inside"), "correct": (True, False),
    "pairing": ("permutation", "flip", "other_class", "neighbour"), "policy": ("alternate", "random"),
    "weights": (None, (1, 0)), "prob": (1.0, 0.0, 0.5), "switch": ("batch", "sample"),
}


def some_recipe(source):
    """Any that is one, or None."""
    fields = {name: source.choice(values) for name, values in VALUES.items()}
    if fields["policy"] != "random" and fields["switch"] != "sample":
        fields["weights"] = None  # which nothing would read
    if fields["lam"] is not None:
        fields["alpha"] = 1.0
    try:
        return ref.Recipe(**fields)
    except ValueError:
        return None


class Queries(unittest.TestCase):
    def test_every_recipe_comes_back_from_its_query(self):
        source, came = random.Random(6), 0
        for recipe in (some_recipe(source) for _ in range(4000)):
            if recipe:
                query = ref.query_of(recipe)
                self.assertEqual(ref.recipe_of(query), recipe)
                texts = {name: str(value) for name, value in query.items()}
                self.assertEqual(ref.recipe_of(texts), recipe)
                came += 1
        self.assertGreater(came, 500)

    def test_defaults_are_left_out(self):
        self.assertEqual(ref.query_of(ref.Recipe()), {})
        self.assertEqual(ref.recipe_of({}), ref.Recipe())

    def test_lists_are_joined_by_commas(self):
        query = {"method": "mixup,bc", "alpha": "0.2,1.0", "switch": "sample", "weights": "2,1"}
        self.assertEqual(ref.query_of(ref.recipe_of(query)), query)


if __name__ == "__main__":
    unittest.main()
