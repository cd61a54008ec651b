"""Parameters of /v1/plans and /v1/masks as requests write them: read and refused as the daemon does, in its words."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from .connection import Refused, text
from .plans import METHODS

MOST = 2**64 - 1             # the largest sample number
MAX_ELEMENTS = 2**24         # in one mask
MAX_BATCH = 2**24            # rows in one pairing
LIST = 8                     # items of a list

# In the order of the library's enumerations.
POLICIES = "alternate", "random"
PAIRINGS = "permutation", "derangement", "flip", "roll", "none", "other_class", "same_class", "neighbour"
SCOPES = "sample", "batch", "pair"
SWITCHES = "batch", "sample"
FREQUENCIES = "pixel", "extent"
SPECTRA = "paper", "official"
BOXES = "clipped", "inside"
DTYPES = "f32", "u8", "bits", "f16", "f64"
PARTS = ("mixed", "pairing", "lambda", "lambda_eff", "masks", "method", "labels", "rows", "lengths", "dense")
PLAN_PARTS = "masks", "pairing", "lambda", "lambda_eff", "method"

_DECIMAL = re.compile(r"-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_DIGITS = re.compile(r"[0-9]+")
# Characters of an item of a shape, of a list, and of a list of reals: a longer one is refused.
_SIDE_ROOM, _LIST_ROOM, _REAL_ROOM = 24, 16, 40


class Kind(NamedTuple):
    """What values a parameter has."""

    parse: Callable[[str], Any]  # the value of a text; None: it is not one
    expected: str                # "a whole number from 0 to 9"


def _number(written: str, least: int, most: int) -> int | None:
    value = int(written) if _DIGITS.fullmatch(written) and len(written) < 4000 else -1
    return value if least <= value <= most else None


def _real(written: str, low: float, high: float) -> float | None:
    value = float(written) if _DECIMAL.fullmatch(written) else None
    return value + 0.0 if value is not None and low <= value <= high else None  # -0 becomes 0


def _items(written: str, separator: str, room: int, most: int, parse: Callable[[str], Any]) -> tuple[Any, ...] | None:
    """The value of each item; None if one of them has none, or if there are too many."""
    items = written.split(separator)
    if len(items) > most or any(len(item) >= room for item in items):
        return None
    values = tuple(map(parse, items))
    return None if None in values else values


def _place(written: str, choices: Sequence[str]) -> int | None:
    return choices.index(written) if written in choices else None


def whole(least: int, most: int) -> Kind:
    """A whole number."""
    return Kind(lambda written: _number(written, least, most), f"a whole number from {least} to {most}")


def real(low: float, high: float) -> Kind:
    """A decimal number."""
    return Kind(lambda written: _real(written, low, high), f"a decimal number from {low:g} to {high:g}")


def reals(low: float, high: float) -> Kind:
    """One decimal number, or several."""
    return Kind(lambda written: _items(written, ",", _REAL_ROOM, LIST, lambda item: _real(item, low, high)),
                f"one to {LIST} decimal numbers from {low:g} to {high:g}, separated by commas")


def sides(most: int) -> Kind:
    """The sides of a shape."""
    return Kind(lambda written: _items(written, "x", _SIDE_ROOM, most, lambda item: _number(item, 1, MOST)),
                f"one to {most} dimensions of at least 1 separated by x, such as 32x32")


def one_of(choices: Sequence[str]) -> Kind:
    """The place of a name among them."""
    return Kind(lambda written: _place(written, choices), f"one of: {', '.join(choices)}")


def some_of(choices: Sequence[str]) -> Kind:
    """Names, each once."""
    def parse(written: str) -> list[str] | None:
        places = _items(written, ",", _LIST_ROOM, len(choices), lambda item: _place(item, choices))
        return None if places is None or len(set(places)) < len(places) else [choices[place] for place in places]
    return Kind(parse, f"some of these, each once, separated by commas: {', '.join(choices)}")


def places(choices: Sequence[str]) -> Kind:
    """Places of names, which may be there more than once."""
    return Kind(lambda written: _items(written, ",", _LIST_ROOM, LIST, lambda item: _place(item, choices)),
                f"one to {LIST} of these, separated by commas: {', '.join(choices)}")


def numbers() -> Kind:
    """Whole numbers of 32 bits."""
    return Kind(lambda written: _items(written, ",", _LIST_ROOM, LIST, lambda item: _number(item, 0, 2**32 - 1)),
                f"one to {LIST} whole numbers from 0 to {2**32 - 1}, separated by commas")


class Parameter(NamedTuple):
    """A row of the table."""

    kind: Kind
    fallback: str | None = None  # the default as text, if there is one


# Those of /v1/plans, in the daemon's order.
TABLE = {
    "seed": Parameter(whole(0, MOST), "0"),
    "index": Parameter(whole(0, MOST), "0"),
    "step": Parameter(whole(0, MOST), "0"),
    "steps": Parameter(whole(1, 2**20), "1"),
    "n": Parameter(whole(1, MAX_BATCH), "1"),
    "shape": Parameter(sides(3)),
    "method": Parameter(places(METHODS), "fmix"),
    "policy": Parameter(one_of(POLICIES), "alternate"),
    "weights": Parameter(numbers()),
    "switch": Parameter(one_of(SWITCHES), "batch"),
    "prob": Parameter(real(0, 1), "1"),
    "alpha": Parameter(reals(0.01, 1000), "1"),
    "delta": Parameter(real(0, 10), "3"),
    "lambda": Parameter(real(0, 1)),
    "reformulate": Parameter(one_of(("0", "1")), "0"),
    "scope": Parameter(one_of(SCOPES), "sample"),
    "soft": Parameter(real(0, 0.5), "0"),
    "frequency": Parameter(one_of(FREQUENCIES), "pixel"),
    "spectrum": Parameter(one_of(SPECTRA), "paper"),
    "box": Parameter(one_of(BOXES), "clipped"),
    "pairing": Parameter(one_of(PAIRINGS), "permutation"),
    "dtype": Parameter(one_of(DTYPES), "f32"),
    "parts": Parameter(some_of(PARTS)),
}
# Those of /v1/masks, but for the ones that png and grey images have.
MASK_TABLE = {name: TABLE[name] for name in (
    "seed", "index", "n", "shape", "method", "alpha", "delta", "lambda", "reformulate", "scope", "soft", "frequency",
    "spectrum", "box", "dtype")}
_DEFAULTS = {name: row.fallback and row.kind.parse(row.fallback) for name, row in TABLE.items()}


def _quoted(written: str) -> str:
    """Text of a request, as an answer repeats it: its first forty bytes, in printable ASCII."""
    return "".join(chr(byte) if 0x20 <= byte <= 0x7e else "?" for byte in str(written).encode()[:40])


def _taken(table: dict[str, Parameter], name: str, written: str) -> Any:
    """The value of one parameter."""
    row = table.get(name)
    if row is None:
        raise Refused(f"unknown parameter '{_quoted(name)}'; the parameters of this resource are: {', '.join(table)}")
    if not written:
        raise Refused(f"{name} is empty; give a value, or leave the parameter out")
    value = row.kind.parse(written)
    if value is None:
        fallback = f"; the default is {row.fallback}" if row.fallback else ""
        raise Refused(f"{name} is '{_quoted(written)}'; it must be {row.kind.expected}{fallback}")
    return value


def plan_values(options: dict[str, Any]) -> dict[str, Any]:
    """The value of every parameter of a plan by name, checked; and under `given` the names of those that are given.

    options: by their names in the API, as Python's values or as text.
    """
    return _checked(options, TABLE, (_check_plan, _check_lambda, _check_choice, _check_shape, _check_masks,
                                     _check_address))


def mask_values(options: dict[str, Any]) -> dict[str, Any]:
    """The same of masks, which are those of a plan's rows."""
    return _checked(options, MASK_TABLE, (_check_mask_method, _check_choice, _check_lambda, _check_shape,
                                          _check_address, _check_masks))


def _checked(options: dict[str, Any], table: dict[str, Parameter], checks: Sequence[Callable[[dict[str, Any]],
             None]]) -> dict[str, Any]:
    options = {name: value for name, value in options.items() if value is not None}  # None: as if it were not given
    found = dict(_DEFAULTS)
    found.update({name: _taken(table, name, text(value, name)) for name, value in options.items()})
    found["given"] = set(options)
    for check in (_check_shape_given, *checks):  # in the order in which the daemon has them
        check(found)
    return found


def softens(values: dict[str, Any]) -> bool:
    """True if masks may hold weights between 0 and 1."""
    return values["soft"] > 0 and _has_spectrum(values)


def weighed(values: dict[str, Any]) -> tuple[int, ...] | None:
    """The weights of the methods; None where they have no effect."""
    drawn = POLICIES[values["policy"]] == "random" or SWITCHES[values["switch"]] == "sample"
    return values["weights"] if drawn else None


def _has_spectrum(values: dict[str, Any]) -> bool:
    return METHODS.index("fmix") in values["method"]


def _check_shape_given(values: dict[str, Any]) -> None:
    if values["shape"] is None:
        raise Refused("shape is required: the dimensions of the mask, such as shape=32x32")


def _check_plan(values: dict[str, Any]) -> None:
    if values["parts"] and not set(values["parts"]) <= set(PLAN_PARTS):
        raise Refused("the parts of plans are masks, pairing, lambda, lambda_eff and method")
    pairing = PAIRINGS[values["pairing"]]
    if pairing in ("other_class", "same_class", "neighbour"):
        raise Refused(f"pairing is '{pairing}', but a plan knows neither labels nor a data set; send the batch to "
                      "/v1/mix, host the data set, or use another pairing")


def _check_mask_method(values: dict[str, Any]) -> None:
    methods = [METHODS[place] for place in values["method"]]
    if len(methods) > 1 or methods[0] not in ("fmix", "cutmix"):
        raise Refused(f"method is '{','.join(methods)}'; masks need one method that has masks: fmix or cutmix")
    if SCOPES[values["scope"]] == "pair":
        raise Refused("scope is 'pair', but masks have no partners; use scope=sample or scope=batch, or ask for "
                      "/v1/plans with pairing=flip")


def _check_lambda(values: dict[str, Any]) -> None:
    if {"lambda", "alpha"} <= values["given"]:
        raise Refused("lambda and alpha exclude each other: lambda is either fixed or drawn")
    if {"lambda", "reformulate"} <= values["given"]:
        raise Refused("lambda and reformulate exclude each other: reformulate changes how lambda is drawn")


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' if count > 1 else ''}"


def _check_choice(values: dict[str, Any]) -> None:
    methods, alphas, weights = len(values["method"]), len(values["alpha"]), weighed(values)
    if alphas > 1 and alphas != methods:
        raise Refused(f"there are {alphas} values of alpha for {_counted(methods, 'method')}; give one alpha for all "
                      "methods, or one for each")
    if SCOPES[values["scope"]] == "pair" and PAIRINGS[values["pairing"]] != "flip":
        raise Refused("scope is 'pair', which needs pairing=flip, where two rows are each other's partners; add "
                      "pairing=flip, or use scope=sample or scope=batch")
    if SWITCHES[values["switch"]] == "sample" and "policy" in values["given"]:
        raise Refused("policy chooses the method of a batch, but with switch=sample each row has a method of its own; "
                      "leave policy out, or use switch=batch")
    if weights and len(weights) != methods:
        raise Refused(f"there {'are' if len(weights) > 1 else 'is'} {_counted(len(weights), 'weight')} for "
                      f"{_counted(methods, 'method')}; give one weight for each method")
    if weights and not 0 < sum(weights) < 2**32:
        raise Refused("the sum of the weights must be from 1 to 2^32-1")


def _check_shape(values: dict[str, Any]) -> None:
    elements = 1
    for side in values["shape"]:
        elements *= side
    if elements > MAX_ELEMENTS:
        raise Refused(f"with this shape a mask would have more than the limit of {MAX_ELEMENTS} elements")
    if SPECTRA[values["spectrum"]] == "official" and _has_spectrum(values):
        if FREQUENCIES[values["frequency"]] == "extent":
            raise Refused("frequency is 'extent', which FMix's released code does not have; use frequency=pixel with "
                          "spectrum=official")
        if values["shape"][0] == 1:
            raise Refused("spectrum is 'official', but FMix's released code fails where the first dimension is 1; use "
                          "spectrum=paper")


def _check_masks(values: dict[str, Any]) -> None:
    dtype = DTYPES[values["dtype"]]
    if softens(values) and dtype in ("u8", "bits"):
        raise Refused(f"dtype is '{dtype}'; soft masks are f16, f32 or f64")


def _check_address(values: dict[str, Any]) -> None:
    """Sets `index`, where it is not given."""
    step, steps, rows = values["step"], values["steps"], values["n"]
    if step > MOST - (steps - 1):
        raise Refused("the number of the last batch, step + steps - 1, exceeds 2^64-1")
    if "index" not in values["given"] and "step" in values["given"]:
        if step * rows > MOST:
            raise Refused(f"step is {step}; step*n exceeds the largest sample number, 2^64-1")
        values["index"] = step * rows
    if values["index"] > MOST - (rows * steps - 1):
        raise Refused(f"index is {values['index']} and there are {rows * steps} rows; the number of the last row "
                      "exceeds 2^64-1")
