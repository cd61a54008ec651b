"""The batches of a data set that a daemon hosts."""

import json

from .ahead import AHEAD, Ahead
from .connection import Connection, api_names
from .safetensors import tensors


def describe(url, name, token=None):
    """What there is of a data set: count, shape, dtype, heads, digest, …"""
    connection = Connection(url, token)
    try:
        return json.loads(connection.get(f"/v1/datasets/{name}"))
    finally:
        connection.close()


def steps_of(count, batch, drop_last=0):
    """How many batches an epoch has."""
    return count // batch + (0 if drop_last else count % batch > 0)


def epoch(url, name, *, epoch=0, batch=64, start=0, token=None, ahead=AHEAD, stride=1, parts=None, **options):
    """Batches of an epoch, from step `start` on, as pairs (x, y): the mixed rows, and their labels
    (of several heads a dictionary of them, of none None). Options are those of the resource: seed,
    method, lambda (as `lam`), prob, switch, pairing, shuffle, crop, flip, mean, std, out_dtype, rank,
    world, drop_last, … (without method batches are mixed by fmix; validate by method="none"); stride:
    takes every so many steps only.

    A set of sequences, each with a length of its own, gives (x, y, lengths): x is padded behind to the
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
    facts = describe(url, name, token)
    end = steps_of(facts["count"], batch, int(options.get("drop_last", 0)))
    wanted = ["mixed", *["labels"] * bool(facts["heads"]), *["lengths"] * ("lengths" in facts)]
    connection = Connection(url, token)

    def fetch(number):
        return _named(tensors(connection.get(
            f"/v1/datasets/{name}/batches/{start + number * stride}.safetensors", **api_names(options),
            epoch=epoch, n=batch, digest=facts["digest"], parts=parts or wanted)))

    batches = Ahead(fetch, 0, max(0, -(-(end - start) // stride)), ahead)
    try:
        while True:
            try:
                _, made = batches.take()
            except StopIteration:
                return
            yield made if parts else (made["mixed"], made.get("labels"), *(
                [made["lengths"]] if "lengths" in made else []))
    finally:
        connection.abandon()
        batches.close()
        connection.close()


def _named(arrays):
    """Arrays by part: `labels`, or a dictionary of `labels.a` and `labels.b`."""
    parts = {}
    for key, array in arrays.items():
        part, _, name = key.partition(".")
        parts.setdefault(part, {})[name] = array
    return {part: found[""] if set(found) == {""} else found for part, found in parts.items()}
