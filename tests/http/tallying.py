"""What random recipes drew: each thing often enough that a fault in it would show."""

import os
from collections import Counter

from hosting import ref

# How many recipes of masks test_agreement compares. Other suites scale theirs by it.
AGREEMENT = int(os.environ.get("FMIX_AGREEMENT", "2000"))


def scaled(count):
    """What a suite compares that is to compare so many beside 3,000 recipes of masks."""
    return round(count * AGREEMENT / 3000)


# What recipes of rows have, pairings apart.
RECIPES = (*(f"method={name}" for name in ref.METHODS), "lists of methods", "switch=sample", "policy=random",
           "weights", "prob", "prob=0", "lists of alpha", "lambda", "reformulate", "scope=batch", "scope=pair",
           "soft", "spectrum=official", "frequency=extent", "box=inside")
LABELS = "class numbers", "rows of labels", "values", "several heads", "smoothing", "correct=0"


class Tally(Counter):
    """Of what was compared."""

    def recipe(self, recipe):
        """What a recipe has."""
        given = recipe.weights is not None and (recipe.policy == "random" or recipe.switch == "sample")
        several = len(recipe.methods) > 1
        self.update([f"method={name}" for name in set(recipe.methods)])
        self.update(f"{name}={getattr(recipe, name)}" for name in ("pairing", "scope", "spectrum", "frequency", "box"))
        for name, has in (("lists of methods", several), ("switch=sample", several and recipe.switch == "sample"),
                          ("policy=random", several and recipe.policy == "random"), ("weights", several and given),
                          ("prob", 0 < recipe.prob < 1), ("prob=0", recipe.prob == 0), ("soft", recipe.softens),
                          ("lists of alpha", isinstance(recipe.alpha, tuple)), ("lambda", recipe.lam is not None),
                          ("reformulate", recipe.reformulate), ("correct=0", not recipe.correct)):
            self[name] += has

    def labels(self, heads, classes, smoothing):
        """Of which kinds the heads are."""
        for name, y in heads.items():
            kind = "rows of labels" if y.ndim == 2 else "class numbers" if classes.get(name) else "values"
            self[kind] += 1
        self["several heads"] += len(heads) > 1
        self["smoothing"] += bool(smoothing and heads)

    def dense(self, targets, layout, rank):
        """Types and layouts of targets beside rows of so many dimensions."""
        for array in targets.values():
            self[f"dense {ref.type_name(array)}"] += 1
            self[f"dense {'bare' if array.ndim < rank or layout == 'none' else layout}"] += 1

    def require(self, test, names, least):
        """Each of them so often at least."""
        rare = {name: self[name] for name in names if self[name] < least}
        test.assertFalse(rare, f"drawn less than {least} times")
