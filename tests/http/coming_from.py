"""The table "Coming from timm, torchvision or kornia" of README.md, as calls and requests; and what a plan
drew for each row."""

import itertools
import re
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

import numpy as np

import harness
import peers

METHODS = ("fmix", "cutmix", "mixup", "bc", "bcplus", "samplepairing", "none")
OF_LABELS = ("classes", "smoothing", "correct")  # what plans do not take
CLASSES = 10


class Case(NamedTuple):
    """A call of another library and the request that says the same."""

    call: str
    query: dict

    def __str__(self):
        return f"{self.call}  {urlencode(self.query, safe=',')}"

    def made(self, module=peers):
        """The call, of classes of a module."""
        return eval(self.call, {"__builtins__": {}}, Names(module))

    def plan(self):
        """Its request without what is said of labels."""
        return {name: value for name, value in self.query.items() if name not in OF_LABELS}


class Names(dict):
    """A module's classes. Those that have classes get CLASSES of them, unless the call says."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def __missing__(self, name):
        made = getattr(self.module, name)
        if name in ("RandomChoice", "RandomApply"):
            return made
        return lambda **arguments: made(**{"num_classes": CLASSES, **arguments})


def table():
    """Of each library: what it says, and what a request says for it, line by line."""
    page = (harness.ROOT / "README.md").read_text(encoding="utf-8")
    section = page.split("\n## Coming from ")[1].split("\n## ")[0]
    libraries = {}
    for left, right in re.findall(r"^\| (.*?) \| (.*?) \|$", section, re.M):
        begins = re.match(r"\*\*(\w+)\*\*", left)
        if begins:
            libraries[begins[1]] = lines = []
        if "`" in left:
            lines += said(left, right)
    return libraries


def said(left, right):
    """Pairs of what stands as code on the left and on the right of a line."""
    theirs, ours = (re.findall(r"`([^`]+)`", cell) for cell in (left, right))
    if len(theirs) != len(ours):
        raise ValueError(f"{theirs} are not as many as {ours}")
    return zip(theirs, ours)


def joined(*parts):
    """Parts of a request, as a request. Nothing is said twice."""
    pairs = [pair for part in parts for pair in parse_qsl(part, strict_parsing=True)]
    query = dict(pairs)
    if len(query) != len(pairs):
        raise ValueError(f"{parts} say something twice")
    return query


def timm(lines):
    """Every combination of its lines. Every call says its mode and alphas, and may say the rest, but
    switch_prob only where there are two methods."""
    (name, always), *rest = lines
    groups = {}
    for line in rest:
        groups.setdefault(re.match("mode|mixup|switch|prob|correct|num", line[0])[0], []).append(line)
    must = [groups.pop("mode"), groups.pop("mixup")]
    for chosen in itertools.product(*must, *([None, *group] for group in groups.values())):
        lines = [line for line in chosen if line]
        query = joined(always, *(ours for _, ours in lines))
        if "switch" in query or "weights" not in query:
            yield Case(f"{name}({', '.join(theirs for theirs, _ in lines)})", query)


def torchvision(lines):
    """Its transforms."""
    (_, always), *rest = lines
    for theirs, ours in rest:
        yield Case(theirs, joined(always, ours))


def kornia(lines):
    """Its transforms, each with and without the arguments that have lines of their own."""
    calls = [line for line in lines if line[0].endswith(")")]
    for theirs, ours in calls:
        yield Case(theirs, joined(ours))
        for argument, part in lines[len(calls):]:
            comma = "" if theirs.endswith("()") else ", "
            yield Case(f"{theirs[:-1]}{comma}{argument})", joined(ours, part))


def cases(*libraries):
    """What the table says of some libraries, or of all."""
    lines = table()
    return [case for library in (timm, torchvision, kornia)
            if not libraries or library.__name__ in libraries
            for case in library(lines[library.__name__])]


def drawn(plan):
    """What a plan of one batch drew for each of its rows."""
    methods = [METHODS[i] for i in plan["method"]]
    boxes = [hole(mask) if method == "cutmix" else None
             for mask, method in zip(plan["masks"], methods)]
    return peers.Draws(plan["lambda"], methods, plan["pairing"], boxes)


def hole(mask):
    """Top, bottom, left and right of the zeros of a mask, which must be a box."""
    rows, columns = (np.nonzero(mask.min(axis) == 0)[0] for axis in (1, 0))
    if not len(rows):
        return 0, 0, 0, 0
    box = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    ones = np.ones_like(mask)
    if not np.array_equal(mask, peers.cut(ones, ones * 0, box)):
        raise AssertionError(f"these zeros are no box:\n{mask}")
    return box
