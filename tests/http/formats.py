"""What the tests of formats share: where answers are, and sheets of masks made anew."""

import itertools
import re
import struct
from urllib.parse import urlencode

import numpy as np

from harness import NPY, ServerTest

RAW = "application/octet-stream"
JSON = "application/json"
PNG = "image/png"
TYPES = {"npy": NPY, "raw": RAW, "json": JSON, "png": PNG}
FOR_EVER = "public, max-age=31536000, immutable"
LAST = 2**64 - 1

GAP, GROUND, STRIP = 4, 128, 16
SHAPES = ((13,), (1,), (8,), (5, 7), (1, 1), (1, 9), (9, 1), (32, 32),
          (2, 3, 4), (1, 5, 1), (3, 1, 7), (1, 1, 1))
DTYPES = {"f32": "<f4", "u8": "|u1", "bits": "|u1"}
RECIPES = ({"seed": 7, "n": 3}, {"seed": 2**53 + 1, "index": LAST - 2, "n": 3},
           {"method": "cutmix", "n": 5, "alpha": 0.3},
           {"lambda": 0.25, "delta": 1.5})
BROWSER = ("text/html,application/xhtml+xml,application/xml;q=0.9,"
           "image/avif,image/webp,*/*;q=0.8")


def sides(shape):
    """A shape as the parameter has it."""
    return "x".join(map(str, shape))


def masks_target(suffix, shape=(5, 7), **query):
    """Where masks are."""
    dot = "." if suffix else ""
    return f"/v1/masks{dot}{suffix}?" + urlencode({"shape": sides(shape),
                                                   **query})


def mix_target(suffix, **query):
    """Where mixed batches are."""
    return f"/v1/mix.{suffix}?" + urlencode(query, safe=",")


def header_of_npy(body):
    """The text of an npy header, and where the data begins."""
    length = struct.unpack("<H", body[8:10])[0]
    return body[10:10 + length].decode(), 10 + length


def montage(tiles, columns, gap):
    """Tiles left to right and down, with a gap around each."""
    rows = -(-len(tiles) // columns)
    height, width = tiles[0].shape
    sheet = np.full((rows * (height + gap) + gap,
                     columns * (width + gap) + gap), GROUND, np.uint8)
    for i, tile in enumerate(tiles):
        top = gap + i // columns * (height + gap)
        left = gap + i % columns * (width + gap)
        sheet[top:top + height, left:left + width] = tile
    return sheet


def enlarged(tile, scale):
    """Each pixel as a square."""
    return tile.repeat(scale, 0).repeat(scale, 1)


def near_square(count):
    """The columns of the smallest square with so many places."""
    return next(i for i in itertools.count(1) if i * i >= count)


class FormatsTest(ServerTest):
    """With a daemon that stops at once."""

    arguments = "--drain", "0"

    def ask(self, method, target, status=200, **headers):
        """A request with these headers, `_` for `-`."""
        named = {name.replace("_", "-"): value
                 for name, value in headers.items()}
        return self.expect(status, f"{method} {target} {named}",
                           self.server.request(method, target, None, named))

    def masks(self, suffix="npy", status=200, **query):
        return self.get(masks_target(suffix, **query), status)

    def mask_count(self):
        """How many masks the daemon has computed."""
        text = self.get("/metrics").body.decode()
        return int(re.search(r"^fmixd_masks_total (\d+)$", text, re.M)[1])
