"""The batches of a data set that a daemon hosts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from .ahead import AHEAD, Ahead
from .connection import Connection, Refused, api_names, text
from .integers import integer
from .safetensors import tensors


def describe(url: str, name: str, token: str | None = None) -> dict[str, Any]:
    """What there is of a data set: count, shape, dtype, heads, digest, …"""
    connection = Connection(url, token)
    try:
        body = connection.get(_path(name))
    finally:
        connection.close()
    try:
        facts = json.loads(body)
        if not isinstance(facts, dict) or not {"count", "digest", "heads"} <= set(facts):
            raise ValueError
        return facts
    except ValueError as wrong:
        raise Refused(f"{url}: this is not fmixd's answer, which begins with {body[:40]!r}") from wrong


def _path(name: str) -> str:
    """The path of a data set, whose name may be any text."""
    return f"/v1/datasets/{quote(name, safe='')}"


def steps_of(count: int, batch: int, drop_last: int = 0, world: int = 1) -> int:
    """How many batches an epoch of `count` samples has. `world` ranks share each: a last batch of fewer rows than
    ranks, of which some rank would have none, is dropped by all."""
    batch, world = integer("batch", batch, 1), integer("world", world, 1)
    if batch < world:
        raise ValueError(f"batch is {batch} and world {world}: a batch counts the rows of all ranks, and each needs "
                         "one")
    rest = count % batch
    return count // batch + (rest >= world and rest > 0 and not drop_last)


def drops_last(options: dict[str, Any]) -> bool:
    """Whether they say drop_last; of another value than 0 and 1 the daemon says what it must be."""
    return text(options.get("drop_last", 0), "drop_last") == "1"


class HostedEpoch:
    """An epoch of a data set, or some of its steps. Arguments are those of `epoch`."""

    def __init__(self, url: str, name: str, *, epoch: int = 0, batch: int = 64, start: int = 0,
                 token: str | None = None, ahead: int = AHEAD, stride: int = 1,
                 parts: str | Sequence[str] | None = None, digest: str | None = None, **options: Any) -> None:
        if "n" in options:
            raise ValueError("n is not for an epoch: the rows of a batch are `batch`")
        ahead = integer("ahead", ahead, 1)
        start, stride = integer("start", start, 0), integer("stride", stride, 1)
        epoch, batch = integer("epoch", epoch, 0, 2**64 - 1), integer("batch", batch, 1)
        self.facts = describe(url, name, token)
        if digest is not None and digest != self.facts["digest"]:
            raise Refused(f"the data set {name} has the digest {self.facts['digest']}, and {digest} is asked for: it "
                          "is another version of the set")
        self._address, self._path = (url, token), f"{_path(name)}/batches/"
        self.start, self.stride, self._ahead, self._parts = start, stride, ahead, parts
        self.end = steps_of(self.facts["count"], batch, drops_last(options), int(options.get("world", 1)))
        wanted = ["mixed", *["labels"] * bool(self.facts["heads"]), *["lengths"] * ("lengths" in self.facts)]
        self._query = {**api_names(options), "epoch": epoch, "n": batch, "digest": self.facts["digest"],
                       "parts": parts or wanted}

    def __iter__(self) -> Iterator[Any]:
        connection = Connection(*self._address)

        def fetch(number: int) -> dict[str, Any]:
            return _named(tensors(connection.get(
                f"{self._path}{self.start + number * self.stride}.safetensors", **self._query)))

        batches = Ahead(fetch, 0, max(0, -(-(self.end - self.start) // self.stride)), self._ahead)
        try:
            while True:
                try:
                    _, made = batches.take()
                except StopIteration:
                    return
                yield made if self._parts else (made["mixed"], made.get("labels"), *(
                    [made["lengths"]] if "lengths" in made else []))
        finally:
            connection.abandon()
            batches.close()
            connection.close()


def epoch(url: str, name: str, *, epoch: int = 0, batch: int = 64, start: int = 0, token: str | None = None,
          ahead: int = AHEAD, stride: int = 1, parts: str | Sequence[str] | None = None,
          **options: Any) -> Iterator[Any]:
    """Batches of an epoch, from step `start` on, as pairs (x, y): the mixed rows, and their labels
    (of several heads a dictionary of them, of none None). Options are those of the resource: seed,
    method, lambda (as `lam`), prob, switch, pairing, shuffle, crop, flip, mean, std, out_dtype, rank,
    world, drop_last, … (without method batches are mixed by fmix; validate by method="none"); stride:
    takes every so many steps only.

    x: NumPy's, [rows, …] of the set's shape and dtype, or of out_dtype (bf16, which NumPy lacks, as float32);
    labels: float32 [rows, classes], or the values of each row. Of a batch each of `world` ranks has a share of
    batch // world rows, or one more; so all do the same number of steps. A last batch of fewer rows than ranks, of
    which some rank would have none, is dropped by all; drop_last=1 drops every last batch that is not full.

    A set of sequences, each with a length of its own, gives (x, y, lengths): x is padded at the end to the
    longest row of its batch, with `pad_value` (0), and `bucket` (50) says how many batches are sorted
    by length together. In PyTorch the places of a row's own elements are

        torch.arange(x.shape[1]) < lengths[:, None]

    and pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False) leaves them alone,
    for lengths rise. A mixed row has its partner's elements past its own length, where the partner is
    longer. Of token ids, x != pad_value tells them; else, on one rank, ask for the part `pairing` too:
    such a row is as long as np.maximum(lengths, lengths[pairing]) says.

    parts: names of the parts that are wanted, of those of the resource ("mixed,labels,dense,rows");
    then each batch is a dictionary of them instead, in which labels and dense are as y is.
    """
    yield from HostedEpoch(url, name, epoch=epoch, batch=batch, start=start, token=token, ahead=ahead, stride=stride,
                           parts=parts, **options)


def _named(arrays: dict[str, Any]) -> dict[str, Any]:
    """Arrays by part: `labels`, or a dictionary of `labels.a` and `labels.b`."""
    parts: dict[str, dict[str, Any]] = {}
    for key, array in arrays.items():
        part, _, name = key.partition(".")
        parts.setdefault(part, {})[name] = array
    return {part: found[""] if set(found) == {""} else found for part, found in parts.items()}
