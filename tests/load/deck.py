"""The soak's requests as bytes: each with what its answer must be."""

import random
from typing import NamedTuple
from urllib.parse import urlsplit

import catalogue
import raw_requests

BODY_LIMIT = 1 << 20  # the daemon's --body
MEDIA = {"npy": "application/x-npy", "npz": "application/x-npz", "json": "application/json",
         "raw": "application/octet-stream", "png": "image/png",
         "safetensors": "application/x-safetensors"}


class Card(NamedTuple):
    """One request. No length: the body may be any (problems, metrics)."""

    kind: str
    request: bytes
    status: int
    length: int = None
    blake2b: str = None
    head: bool = False       # no body follows
    etag: bool = False       # its If-None-Match is filled in once the tag is known
    target: str = ""


def request(method, target, *fields, body=None):
    """The bytes of a request."""
    lines = [f"{method} {target} HTTP/1.1", "Host: soak", *fields]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join((*lines, "", "")).encode() + (body or b"")


def negotiated(target):
    """The same answer asked for by Accept, its parameters in another order."""
    path, query = urlsplit(target)[2:4]
    name, _, suffix = path.rpartition(".")
    pairs = query.split("&")
    return f"{name}?{'&'.join(pairs[::-1])}", f"Accept: {MEDIA[suffix]}, image/x;q=0.1"


def good(entry):
    """Every way to ask for an entry of the catalogue."""
    target, upload, full = entry["target"], entry["upload"], (entry["length"], entry["blake2b"])
    if upload:
        body = catalogue.body_of(upload)
        kind = f"Content-Type: {catalogue.TYPES[upload['format']]}"
        yield Card("mix", request("POST", target, kind, body=body), 200, *full)
        plain, accept = negotiated(target)
        yield Card("mix", request("POST", plain, kind, accept, body=body), 200, *full)
        return
    kind = "plans" if "/plans" in target else "masks"
    yield Card(kind, request("GET", target), 200, *full, target=target)
    plain, accept = negotiated(target)
    yield Card(kind, request("GET", plain, accept, "X-Request-ID: soak-1"), 200, *full)
    if entry["ranges"]:  # laid out, so that a length is known
        yield Card("head", request("HEAD", target), 200, entry["length"], head=True)
    yield Card("tag", request("GET", target, "If-None-Match: {tag}"), 304, etag=True,
               head=True, target=target)
    for first, last, digest in entry["ranges"]:
        yield Card("range", request("GET", target, f"Range: bytes={first}-{last}"), 206,
                   last - first + 1, digest)
    if entry["ranges"]:
        yield Card("range", request("GET", target, f"Range: bytes={entry['length']}-"), 416)


ODD = [(200, "GET", "/livez"), (200, "GET", "/readyz"), (200, "GET", "/version"),
       (200, "GET", "/metrics"), (200, "GET", "/"), (404, "GET", "/v1"), (404, "GET", "/v2/masks"),
       (404, "GET", "/v1/masks.tiff?shape=3"), (404, "GET", "/v1/%2e%2e/etc/passwd"),
       (405, "DELETE", "/v1/masks?shape=3"), (405, "GET", "/v1/mix"),
       (406, "GET", "/v1/masks?shape=3"), (400, "GET", "/v1/masks"),
       (400, "GET", "/v1/masks?shape=0"), (400, "GET", "/v1/masks?shape=3&shape=3"),
       (400, "GET", "/v1/masks?shape=3&n=0"), (400, "GET", "/v1/masks?shape=3&alpha=nan"),
       (400, "GET", "/v1/masks?shape=3&method=mixup"), (400, "GET", "/v1/masks?shap=3"),
       (400, "GET", "/v1/masks?shape=3&soft=0.1&dtype=u8"), (400, "GET", "/v1/masks?shape=%00"),
       (400, "GET", "/v1/masks?shape=3&lambda=0.5&alpha=1"),
       (413, "GET", "/v1/masks?shape=9999x9999"), (413, "GET", "/v1/masks?shape=4097x4096"),
       (400, "GET", "/v1/plans?shape=3&parts=mixed"), (400, "GET", "/v1/plans?shape=3&steps=0"),
       (400, "GET", "/v1/masks?" + "&".join(f"a{i}={i}" for i in range(60)))]


def bodies():
    """Uploads that are refused."""
    source = random.Random("broken")
    npy = catalogue.harness.write_npy(catalogue.np.arange(60, dtype="<f4").reshape(4, 15))
    npz = catalogue.write_npz({"x": catalogue.np.arange(60, dtype="<f4").reshape(4, 15)})
    tensors = catalogue.write_safetensors({"x": catalogue.np.arange(60, dtype="<f4").reshape(4, 15)})
    for name, whole in (("npy", npy), ("npz", npz), ("safetensors", tensors)):
        for _ in range(8):
            yield name, whole[:source.randrange(1, len(whole))]
            yield name, whole + source.randbytes(source.randint(1, 40))
        yield name, b""
        yield name, source.randbytes(500)
    yield "raw", bytes(500)  # says neither shape nor type


def bad():
    """Requests that are refused, or just small, and leave the connection alone."""
    for status, method, target in ODD:
        fields = ["Accept: text/html"] if status == 406 else []
        yield Card("odd" if status == 200 else "bad", request(method, target, *fields), status)
    for name, body in bodies():
        kind = f"Content-Type: {MEDIA[name]}"
        yield Card("bad", request("POST", "/v1/mix.npy", kind, body=body), 400)
    yield Card("bad", request("POST", "/v1/mix.npy", "Content-Type: image/png", body=b"x"), 415)


def closing():
    """Requests after whose answer the connection ends."""
    for entry in catalogue.entries():
        if not entry["upload"] and not entry["ranges"]:  # built whole: no length is known ahead
            yield Card("head", request("HEAD", entry["target"]), 200, head=True)
    for status, text in raw_requests.REFUSED.values():
        yield Card("guard", text, status)
    yield Card("large", request("POST", "/v1/mix.npy", f"Content-Length: {BODY_LIMIT + 1}"), 413)


def vanishing(cards):
    """What clients send who go before they are answered."""
    posts = [card.request for card in cards if card.kind == "mix"][:40]
    gets = [card.request for card in cards if card.kind == "masks"][:40]
    for text in posts + gets:
        yield text
        yield text[:len(text) // 2]
        yield text[:-1]
    yield from (text * 8 for text in gets[:10])
    yield b""


class Deck(NamedTuple):
    """All cards by how they are played."""

    kept: list     # over a kept connection
    weights: list
    closing: list
    vanishing: list


SHARES = {"masks": 34, "plans": 8, "mix": 26, "head": 4, "tag": 9, "range": 7, "bad": 9, "odd": 3}


def deal():
    """The deck: each kind of request has its share, whatever its number of cards."""
    kept = [card for entry in catalogue.entries() for card in good(entry)] + list(bad())
    counts = {}
    for card in kept:
        counts[card.kind] = counts.get(card.kind, 0) + 1
    weights = [SHARES[card.kind] / counts[card.kind] for card in kept]
    return Deck(kept, weights, list(closing()), list(vanishing(kept)))
