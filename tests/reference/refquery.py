"""Recipes as requests write them.

Part of the reference; see fmixref.py. Names and values are those of the
query of a request; what has its default is left out.
"""

from refrecipe import Recipe

_TEXTS = ("method", "frequency", "scope", "spectrum", "box", "pairing",
          "policy", "switch")
_REALS = {"lambda": "lam", "delta": "delta", "soft": "soft", "prob": "prob"}
_FLAGS = ("reformulate", "correct")


def recipe_of(query):
    """The recipe of a request's parameters, which are texts or numbers."""
    fields = {name: query[name] for name in _TEXTS if name in query}
    fields |= {field: float(query[name]) for name, field in _REALS.items()
               if name in query}
    fields |= {name: str(query[name]) == "1" for name in _FLAGS
               if name in query}
    if "seed" in query:
        fields["seed"] = int(query["seed"])
    if "alpha" in query:
        alphas = tuple(map(float, str(query["alpha"]).split(",")))
        fields["alpha"] = alphas if len(alphas) > 1 else alphas[0]
    drawn = query.get("policy") == "random" or query.get("switch") == "sample"
    if drawn and "weights" in query:
        fields["weights"] = tuple(map(int, str(query["weights"]).split(",")))
    return Recipe(**fields)


def query_of(recipe):
    """The parameters of a recipe."""
    values = {"seed": recipe.seed,
              **{name: getattr(recipe, name) for name in _TEXTS},
              **{name: getattr(recipe, field)
                 for name, field in _REALS.items()},
              **{name: int(getattr(recipe, name)) for name in _FLAGS}}
    if recipe.lam is None:
        values["alpha"] = _joined(recipe.alpha)
    if recipe.weights:
        values["weights"] = _joined(recipe.weights)
    defaults = {**vars(Recipe()), "lambda": None}
    return {name: value for name, value in values.items()
            if value != defaults.get(name)}


def _joined(values):
    return ",".join(map(str, values)) if isinstance(values, tuple) else values
