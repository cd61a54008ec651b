"""Views of image sets: what makes sense together, and as the reference takes it."""

from hosting import ref

NAMES = ("size", "view", "area", "ratio", "short", "filter")


def _ordered(rng, *values):
    """Two of these, the lower one first."""
    return ",".join(sorted((rng.choice(values) for _ in range(2)), key=float))


def tame(query, rng):
    """A size, and of the rest what its kind of view has."""
    query["size"] = rng.choice(("8", "16", "9x14", "1", "1x7", "21x2", "12x13", f"{rng.randint(1, 40)}"))
    kind = rng.choice(("random", "random", "center", "stretch"))
    query["view"] = kind
    strange = {"random": ("short", *["view"] * rng.randrange(2)), "center": ("area", "ratio"),
               "stretch": ("area", "ratio", "short")}[kind]
    for name in strange:
        query.pop(name, None)
    if "area" in query:
        query["area"] = _ordered(rng, "0.01", "0.08", "0.5", "1.0")
    if "ratio" in query:
        query["ratio"] = _ordered(rng, "0.01", "0.75", "1", "2.5", "900")
    if "short" in query and rng.random() < 0.9:
        query["short"] = str(rng.randint(1, 70))


def asked(query):
    """The view that is asked for."""
    size = tuple(map(int, query["size"].split("x")))
    more = {name: tuple(map(float, query[name].split(","))) for name in ("area", "ratio") if name in query}
    more |= {"short": int(query["short"])} if "short" in query else {}
    return ref.View(size if len(size) == 2 else size * 2, query.get("view", "random"),
                    filter=query.get("filter", "bilinear"), flip=query.get("flip") == "1", **more)
