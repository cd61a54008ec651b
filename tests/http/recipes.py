"""Random recipes and rows, the same in every run: what the daemon, the clients and the reference are compared by."""

import dataclasses
import math

import numpy as np

from hosting import ref

LAST = 2**64 - 1
SHAPES = ((1,), (7,), (20,), (1, 6), (6, 5), (9, 8), (3, 4, 5))


def some_number(source):
    """An unsigned 64-bit number, the notable ones often."""
    return source.choice((0, 1, 2**32 - 1, 2**32, 2**63, LAST,
                          source.randrange(1000), source.getrandbits(32),
                          source.getrandbits(64), source.getrandbits(64)))


def some_delta(source):
    return source.choice((0.0, 10.0, 3.0, 1.0, 2.0, 0.5,
                          round(source.uniform(0, 10), 3),
                          source.uniform(0, 10)))


def some_alpha(source):
    ends = math.log(0.05), math.log(20)
    return source.choice((0.05, 0.2, 0.5, 1.0, 2.0, 20.0,
                          math.exp(source.uniform(*ends))))


def some_lambda(source, size):
    halfway = (source.randrange(size) + 0.5) / size
    between = (2 * source.getrandbits(32) + 1) * 2.0**-33
    return source.choice((0.0, 1.0, 0.5, 0.25, 0.75, 1e-12, halfway, between,
                          round(source.random(), 2), source.random()))


def some_law(source, size):
    """Where lambda comes from."""
    if source.random() < 0.4:
        return {"lam": some_lambda(source, size)}
    return {"alpha": some_alpha(source),
            "reformulate": source.random() < 0.2}


def some_soft(source):
    return source.choice((0.0,) * 5 + (0.01, 0.1, 0.5, source.random() / 2))


def some_spectrum(source, shape):
    """Which law, and how it counts frequencies."""
    if shape[0] > 1 and source.random() < 0.2:
        return {"spectrum": "official"}
    return {"frequency": source.choice(("pixel",) * 3 + ("extent",))}


def recipe_by(source, shape, method, **fixed):
    """Any recipe of a method, or of a list, for rows of a shape; `fixed` is not drawn."""
    size = math.prod(shape)
    return ref.Recipe(**{
        "seed": some_number(source), "method": method,
        "delta": some_delta(source), "soft": some_soft(source),
        **some_spectrum(source, shape),
        "scope": source.choice(("sample",) * 7 + ("batch",)),
        "box": source.choice(("clipped", "clipped", "inside")),
        **some_law(source, size), **fixed})


def some_rows(source, shape):
    """Random bytes of any type, with every kind of NaN and infinity."""
    name = source.choice(("u8", "u8", "f32", "f32", *ref.TYPES))
    if name == "bool":
        data = bytes(source.randrange(2) for _ in range(math.prod(shape)))
    else:
        data = source.randbytes(math.prod(shape)
                                * np.dtype(ref.TYPES[name]).itemsize)
    return np.frombuffer(data, ref.TYPES[name]).reshape(shape)


def some_methods(source):
    """One or a list, and how each row or batch gets its own."""
    names = [source.choice(ref.METHODS) for _ in range(source.choice((1, 1, 2, 3, 4)))]
    switch = source.choice(("batch", "sample"))
    policy = "alternate" if switch == "sample" else source.choice(("alternate", "random"))
    drawn = len(names) > 1 and (switch == "sample" or policy == "random")
    weights = tuple(source.choice((0, 1, 3, 2**20)) for _ in names)
    return {"method": ",".join(names), "switch": switch, "policy": policy,
            "weights": weights if drawn and any(weights) and source.random() < 0.6 else None}


def some_recipe(source, shape, pairings):
    """Any recipe at all for rows of a shape."""
    more = some_methods(source)
    count = len(more["method"].split(","))
    scope = source.choice(("sample", "sample", "sample", "batch", "pair"))
    pairing = "flip" if scope == "pair" else source.choice(pairings)
    made = recipe_by(source, shape, more.pop("method"), scope=scope, pairing=pairing,
                                 correct=source.random() < 0.7, **more)
    soft = source.choice((0.0, 0.0, 0.0, made.soft))
    prob = source.choice((1.0, 1.0, 0.5, 0.0, source.random(), source.random()))
    alpha = made.alpha
    if made.lam is None and count > 1 and source.random() < 0.5:
        alpha = tuple(some_alpha(source) for _ in range(count))
    return dataclasses.replace(made, prob=prob, alpha=alpha, soft=soft)


def copying(source, recipe):
    """The same by methods that label maps can be mixed with."""
    names = [source.choice(("fmix", "cutmix", "none")) for _ in recipe.methods]
    return dataclasses.replace(recipe, method=",".join(names), soft=0.0)
