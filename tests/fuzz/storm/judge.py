"""Whether an answer is one that the request may get. What is wrong with it is raised as Wrong."""

import email.utils
import json
import math
import struct
import zlib

import numpy as np

import reckon
import tensors
from drawing import drawn
from picture import read_png
from shard_files import members

MEDIA = {"npy": "application/x-npy", "raw": "application/octet-stream", "json": "application/json",
         "png": "image/png", "npz": "application/x-npz", "safetensors": "application/x-safetensors",
         "tar": "application/x-tar"}
FORMS = {media: form for form, media in MEDIA.items()}
ALL = ("json", "npz", "safetensors")
PARTED = ("npy", "raw", "safetensors", "tar")
STILL = ("/v1/datasets", "/v1/datasets/{name}", "/version", "/openapi.json", "/", "/preview.css",
         "/preview.js", "/livez", "/startupz", "/v1/datasets/{name}/shards")
SAME = ("content-type", "etag", "cache-control", "vary", "accept-ranges", "x-fmix-shape", "x-fmix-dtype",
        "x-fmix-stream")
# Beside those that the document lists for the operation: of requests that are none for it.
ALWAYS = {400, 404, 405, 406, 411, 413, 414, 415, 417, 431, 501}
LATER = (429, 503)


class Wrong(Exception):
    """An answer that no request gets."""


def need(condition, *what):
    """Or it is wrong."""
    if not condition:
        raise Wrong(" ".join(map(str, what)))


def statuses(operation):
    """What the document has."""
    return {int(status) for status in operation["responses"] if status.isdigit()}


def check_head(reply):
    """What every answer has."""
    need(email.utils.parsedate(reply.headers.get("date", "")), "no date", reply.headers)
    if reply.status == 204:
        need(reply.length in (None, 0), "204 with a length", reply.headers)
    if reply.status in LATER:
        need(reply.headers.get("retry-after", "").isdigit(), reply.status, "without Retry-After")
    if reply.status == 405:
        need(reply.headers.get("allow"), "405 without Allow")


def check_problem(reply, body=True):
    """A refusal says why."""
    need(reply.headers.get("content-type") == "application/problem+json", reply.status, reply.headers)
    need("etag" not in reply.headers or reply.status == 412, reply.status, "with an ETag")
    if not body:
        return
    try:
        told = json.loads(reply.body)
    except ValueError as error:
        raise Wrong(f"{reply.status} is no JSON: {error} {reply.body[:300]!r}") from error
    need(told["status"] == reply.status and told["type"] == "about:blank", told)
    need(isinstance(told["title"], str) and told["title"] and told["detail"], told)
    need(1 <= len(told["errors"]) <= 8, told)
    for error in told["errors"]:
        need(set(error) <= {"detail", "parameter"} and len(error["detail"]) > 8, told)
    return told


def check_status(case, operation, reply):
    """One of those that the document has."""
    allowed = statuses(operation) | ALWAYS | ({204} if case.method == "OPTIONS" else set())
    need(reply.status in allowed and reply.status != 500, reply.status, "is not documented:", reply.body[:300])


def check(case, operation, reply):
    """The answer to the request itself."""
    check_head(reply)
    check_status(case, operation, reply)
    if case.method == "OPTIONS" and reply.status == 204:
        need("GET" in reply.headers.get("allow", "") or "POST" in reply.headers.get("allow", ""), "no Allow")
        return
    if reply.status >= 400:
        told = check_problem(reply, case.method != "HEAD")
        if case.sound and reply.status == 400:
            need(told["errors"][0].get("parameter"), "400 names no parameter:", told["errors"])
        return
    need(reply.status == 200, reply.status, "to a plain request")
    if case.method != "HEAD":
        check_answer(case, operation, reply)


def check_answer(case, operation, reply):
    """An answer of 200: its type, its container, and what it holds."""
    kind = reply.headers.get("content-type")
    need(kind in operation["responses"]["200"]["content"], "content-type", kind)
    need(reply.headers.get("x-fmix-stream") == "1", "no stream")
    form = FORMS.get(kind)
    if case.form:
        need(form == case.form, form, "instead of", case.form)
    case.form = form
    if not case.route.startswith("/v1/") or case.method != case.asked:
        return
    if form is None or case.route in STILL:
        json.loads(reply.body)
        return
    if case.method == "GET":
        need(reply.headers.get("etag", "").startswith('"'), "no strong ETag", reply.headers)
    if not reply.cut:
        check_container(case, form, reply)


def check_container(case, form, reply):
    """By readers that are not the daemon's."""
    if form == "tar":
        members(reply.body)
        return
    try:
        held = reckon.shapes(case) if case.sound else None
    except ValueError as error:
        raise Wrong(f"the reference refuses it: {error}") from error
    if form == "png":
        check_picture(case, reply.body, held)
        return
    found = read(form, reply)
    if not held:
        return
    first = next(iter(held))
    wanted = held if form in ALL else {first: held[first]}
    if form == "json":
        for name, (_, shape) in wanted.items():
            need(nested(found.get(name), len(shape)) == [*shape][:len(shape)] or math.prod(shape) == 0,
                 "shape of", name, nested(found.get(name), len(shape)), shape)
    else:
        if form in ("npy", "raw"):
            found = {first: found}
        need(found.keys() == wanted.keys(), "tensors", list(found), list(wanted))
        for name, (dtype, shape) in wanted.items():
            need((found[name].dtype, found[name].shape) == (np.dtype(dtype), tuple(shape)), name,
                 found[name].dtype, found[name].shape, "instead of", dtype, shape)
    if case.compare and reckon.is_light(held):
        check_values(case, form, found)


def read(form, reply):
    """The tensors, or the one."""
    try:
        if form == "npy":
            return tensors.harness.read_npy(reply.body)
        if form == "raw":
            return tensors.read_raw({"X-Fmix-Shape": reply.headers["x-fmix-shape"],
                                     "X-Fmix-Dtype": reply.headers["x-fmix-dtype"]}, reply.body)
        return getattr(tensors, f"read_{form}")(reply.body)
    except (ValueError, KeyError, OSError) as error:
        raise Wrong(f"no {form}: {error!r} {reply.body[:100]!r}") from error


def nested(value, depth):
    """The sides of nested lists."""
    found = []
    while depth and isinstance(value, list):
        found.append(len(value))
        value, depth = value[0] if value else None, depth - 1
    return found


def check_values(case, form, found):
    """Bit for bit with the reference."""
    try:
        wanted = reckon.values(case)
    except ValueError as error:
        raise Wrong(f"the reference refuses it: {error}") from error
    for name, tensor in wanted.items():
        if name not in found:
            continue
        if form == "json":
            need(found[name] == tensors.listed(tensor), name, "differs from the reference")
        else:
            need(found[name].tobytes() == np.ascontiguousarray(tensor).tobytes(), name,
                 "differs from the reference", found[name].dtype, tensor.dtype)
    case.compared = True


def check_picture(case, png, held):
    """Chunks, checksums and size; of a sample the pixels."""
    need(png[:8] == b"\x89PNG\r\n\x1a\n", "no png")
    at, kinds, packed = 8, [], b""
    while at < len(png):
        length, = struct.unpack(">I", png[at:at + 4])
        kind, data = png[at + 4:at + 8], png[at + 8:at + 8 + length]
        need(struct.unpack(">I", png[at + 8 + length:at + 12 + length])[0] == zlib.crc32(kind + data), "crc of", kind)
        kinds.append(kind)
        packed += data if kind == b"IDAT" else b""
        at += 12 + length
    need(kinds[0] == b"IHDR" and kinds[-1] == b"IEND", kinds)
    width, height, _, colours = struct.unpack(">IIBB", png[16:26])
    depth = {0: 1, 2: 3, 6: 4}[colours]
    if width * height < 4 << 20:
        need(len(zlib.decompress(packed)) == height * (1 + width * depth), "lines of", width, height, depth)
    if case.compare and held and reckon.is_light(held) and width * height < 40_000:
        wanted = next(iter(reckon.values(case).values()))
        pixels = drawn(wanted, reckon.layout(case), int(case.query.get("columns", 0)),
                       int(case.query.get("scale", 1)))
        shown = read_png(png).pixels
        need(shown.shape == pixels.shape and (shown == pixels).all(), "not the picture of", wanted.shape,
             shown.shape, pixels.shape)
        case.compared = True


# --- Beside -----------------------------------------------------------------


def check_again(case, first, reply):
    """The same request gives the same bytes."""
    need(reply.status == first.status, "again:", reply.status, "after", first.status)
    if first.status == 200 and (case.route.startswith("/v1/") or case.route in STILL):
        need(reply.body == first.body, "again: other bytes")
        check_same(first, reply, "again")


def check_same(first, reply, what):
    """Headers that do not hang on when it is asked."""
    for name in SAME:
        need(first.headers.get(name) == reply.headers.get(name), what, name, first.headers.get(name),
             reply.headers.get(name))


def check_of_head(case, first, reply):
    """HEAD is GET without its body."""
    need(reply.status == first.status, "HEAD:", reply.status, "GET:", first.status)
    check_same(first, reply, "HEAD")
    if case.route != "/metrics" and first.status == 200 and reply.length is not None and first.length is not None:
        need(reply.length == first.length, "HEAD: length", reply.length, "GET:", first.length)


def span(sent, size):
    """First and end of the bytes that a single range names; None: it is none; False: past the end."""
    text = sent.partition("=")[2].strip(", \t")
    first, dash, last = text.partition("-")
    plain = all(part == "" or part.isdigit() for part in (first, last)) and dash
    if not sent.startswith("bytes=") or not plain or not first + last:
        return None
    if not first:
        return (max(0, size - int(last)), size) if int(last) and size else False
    if last and int(last) < int(first):
        return None
    return (int(first), min(size, int(last) + 1 if last else size)) if int(first) < size else False


def check_range(case, first, reply, sent, holds):
    """The slice of the whole, the whole, or that there is none."""
    if first.status != 200:
        need(reply.status == first.status, "range:", reply.status, "after", first.status)
        return
    where = span(sent, first.length) if case.form in PARTED and holds and "etag" in first.headers else None
    if where is None:
        moving = case.route not in STILL and "etag" not in first.headers  # as metrics do
        need(reply.status == 200 and (first.cut or moving or reply.body == first.body),
             "range: not the whole", reply.status)
    elif where is False:
        need(reply.status == 416, "range past the end:", reply.status)
        need(reply.headers.get("content-range") == f"bytes */{first.length}", reply.headers)
        check_problem(reply)
    else:
        start, end = where
        need(reply.status == 206, "range:", reply.status, reply.body[:200])
        need(reply.headers.get("content-range") == f"bytes {start}-{end - 1}/{first.length}", reply.headers)
        need(reply.length == end - start, "range: length", reply.length)
        known = first.body[start:end]
        need(reply.body[:len(known)] == known[:len(reply.body)], "range: not the slice")
        need(reply.headers.get("etag") == first.headers.get("etag"), "range: another ETag")


def check_conditional(first, reply, unmet, status):
    """304 or 412 where the condition is not met, else the answer."""
    if first.status != 200 or ("etag" not in first.headers and status == 304):
        need(reply.status in (first.status, 304), "conditional:", reply.status, "after", first.status)
        return
    if not unmet:
        need(reply.status == 200, "conditional:", reply.status)
        return
    need(reply.status == status, "conditional:", reply.status, "instead of", status)
    if status == 304:
        need(reply.headers.get("etag") == first.headers["etag"], "304 without the ETag", reply.headers)
        need(reply.length in (None, first.length), "304 with the length", reply.length, "of", first.length)
    need(not reply.body or status == 412, "a body of", status)


def check_options(reply):
    """What may be asked of it."""
    need(reply.status in (204, 400, 404), "OPTIONS:", reply.status)
    if reply.status == 204:
        need(reply.headers.get("allow"), "OPTIONS without Allow")
