#!/usr/bin/python3
"""Draw readme.png: garments mixed by fmixd.

    readme_picture.py           start the daemon that FMIXD names, else build/fmixd
    readme_picture.py URL       ask the one that runs there

A garment has one of five inks, on a ground in a pale tint of it, and partners
differ in theirs, so each pixel of a mixture shows whose it is. Nothing is
mixed here, only tinted and shown.
"""

import json
import struct
import sys
import urllib.parse
import urllib.request
import zlib
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "http"))
from harness import NPY, Server, read_npy, write_npy  # noqa: E402
from small_pictures import chunk  # noqa: E402

SEED = 49
STEP = 0
ROWS = [51, 59, 26, 7, 45, 60, 46, 18]  # of the batch, by rising λ

INKS = np.array([(186, 60, 20), (16, 78, 140), (24, 118, 84), (128, 44, 112),
                 (200, 126, 0)])
PALENESS = .86          # of a ground, from its ink towards white

PAGE = 255, 255, 255
TEXT = 45, 50, 60
MUTED = 120, 126, 138
FRAME = 214, 218, 224

# Pixels of a page that a README shows at half its size.
SCALE = 6
TILE = 28 * SCALE
GAP = 16                # between tiles
GROUP = 28              # more of it, between sources, mask and mixtures
MARGIN = 28
LABELS = 156            # width of the column of the bands' names
HEADER = 56             # height of the line of lambdas

# Capitals are 7 units high, x is 5. A glyph is its width and its strokes; two
# numbers in a stroke are a point, six are an arc: centre, radii, degrees.
FONT = {
    " ": (1, []),
    ".": (.2, [[(.1, .1), (.1, .1)]]),
    "=": (4, [[(0, 2.5), (4, 2.5)], [(0, 4.5), (4, 4.5)]]),
    "0": (4, [[(2, 3.5, 2, 3.5, 0, 360)]]),
    "1": (4, [[(.7, 5.6), (2.3, 7), (2.3, 0)]]),
    "2": (4, [[(2, 5, 2, 2, 165, -35), (0, 0), (4.1, 0)]]),
    "3": (4, [[(1.9, 5.3, 1.7, 1.7, 145, -90),
               (1.9, 1.8, 2.1, 1.8, 90, -150)]]),
    "4": (4, [[(3.1, 0), (3.1, 7), (0, 2), (4.2, 2)]]),
    "5": (4, [[(3.7, 7), (.6, 7), (1.8, 2.3, 2.2, 2.3, 130, -150)]]),
    "6": (4, [[(2, 2.2, 2, 2.2, 0, 360)], [(3.2, 2.4, 3.2, 4.6, 180, 90)]]),
    "7": (4, [[(0, 7), (4, 7), (1.3, 0)]]),
    "8": (4, [[(2, 5.3, 1.7, 1.7, 0, 360)], [(2, 1.8, 2.1, 1.8, 0, 360)]]),
    "9": (4, [[(2, 4.8, 2, 2.2, 0, 360)], [(.8, 4.6, 3.2, 4.6, 0, -90)]]),
    "C": (5.6, [[(3.4, 3.5, 3.4, 3.5, 48, 312)]]),
    "F": (4, [[(4, 7), (0, 7), (0, 0)], [(0, 3.6), (3.4, 3.6)]]),
    "M": (6, [[(0, 0), (0, 7), (3, 2.2), (6, 7), (6, 0)]]),
    "U": (5, [[(0, 7), (2.5, 2.5, 2.5, 2.5, 180, 360), (5, 7)]]),
    "a": (4.2, [[(2.1, 2.5, 2.1, 2.5, 0, 360)], [(4.2, 5), (4.2, 0)]]),
    "e": (4.2, [[(.1, 2.6), (2.1, 2.5, 2.1, 2.5, 0, 318)]]),
    "g": (4.2, [[(2.1, 2.5, 2.1, 2.5, 0, 360)],
                [(4.2, 5), (2.1, 0, 2.1, 2, 0, -150)]]),
    "i": (.2, [[(.1, 0), (.1, 5)], [(.1, 7), (.1, 7)]]),
    "k": (3.6, [[(0, 0), (0, 7)], [(3.3, 5), (0, 1.8)], [(1.2, 3), (3.6, 0)]]),
    "m": (6.4, [[(0, 0), (0, 5)], [(1.6, 3.4, 1.6, 1.6, 180, 0), (3.2, 0)],
                [(4.8, 3.4, 1.6, 1.6, 180, 0), (6.4, 0)]]),
    "n": (3.8, [[(0, 0), (0, 5)], [(1.9, 3.1, 1.9, 1.9, 180, 0), (3.8, 0)]]),
    "p": (4.2, [[(0, 5), (0, -2)], [(2.1, 2.5, 2.1, 2.5, 0, 360)]]),
    "r": (2.4, [[(0, 0), (0, 5)], [(2, 2.7, 2, 2.3, 180, 78)]]),
    "s": (3.4, [[(1.7, 3.75, 1.5, 1.25, 35, 270),
                 (1.7, 1.25, 1.7, 1.25, 90, -145)]]),
    "t": (3, [[(1, 6.8), (2.4, 1.4, 1.4, 1.4, 180, 270), (3, 0)],
              [(0, 5), (2.8, 5)]]),
    "u": (3.8, [[(0, 5), (1.9, 1.9, 1.9, 1.9, 180, 360)],
                [(3.8, 5), (3.8, 0)]]),
    "x": (3.8, [[(0, 0), (3.8, 5)], [(0, 5), (3.8, 0)]]),
    "λ": (4, [[(0, 7), (.8, 7), (4, 0)], [(2, 4.3), (0, 0)]]),
}
SPACING = 1.7
STROKE = .95


def main(arguments):
    match arguments:
        case []:
            with Server() as server:
                draw("http://{}:{}".format(*server.address))
        case [url] if url.startswith("http"):
            draw(url.rstrip("/"))
        case _:
            sys.exit(__doc__)


def draw(url):
    garments = np.load(HERE / "garments.npy")
    x = tinted(garments)
    plan = json.loads(mix(url, "json", x, parts="lambda,pairing"))
    masks = fmix_masks(url, garments.shape)
    fmix, cutmix, mixup = [read_npy(mix(url, "npy", x, method=method))
                           for method in ("fmix", "cutmix", "mixup")]
    bands = [("garment", x, 0), ("partner", x[plan["pairing"]], 0),
             ("mask", 255 * masks[..., None], GROUP),
             ("FMix", fmix, GROUP), ("CutMix", cutmix, 0), ("MixUp", mixup, 0)]
    page = figure(bands, plan["lambda"])
    (HERE / "readme.png").write_bytes(png(page))


def tinted(garments):
    """Each from its ground, where it is 0, to its ink, where it is 255."""
    inks = INKS[np.arange(len(garments)) % len(INKS)][:, None, None]
    grounds = inks + PALENESS * (255 - inks)
    weights = garments[..., None] / 255
    return np.rint(grounds + weights * (inks - grounds)).astype(np.uint8)


def mix(url, suffix, x, **query):
    """The bytes of the server's answer for the batch."""
    query = {"seed": SEED, "step": STEP, "layout": "channels_last", **query}
    return ask(url, f"mix.{suffix}", query, write_npy(x))


def fmix_masks(url, shape):
    """The masks of the same batch, 0 and 1."""
    count, height, width = shape
    return read_npy(ask(url, "masks.npy", {
        "seed": SEED, "index": STEP * count, "n": count,
        "shape": f"{height}x{width}", "dtype": "u8"}))


def ask(url, resource, query, body=None):
    """GET, or POST if there is a body."""
    query = urllib.parse.urlencode(query, safe=",")
    request = urllib.request.Request(
        f"{url}/v1/{resource}?{query}", body, {"Content-Type": NPY})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read()


def figure(bands, lambdas):
    width = 2 * MARGIN + LABELS + len(ROWS) * (TILE + GAP) - GAP
    height = (2 * MARGIN + HEADER + sum(before for _, _, before in bands)
              + len(bands) * (TILE + GAP) - GAP)
    page = np.full((height, width, 3), PAGE, np.uint8)
    lefts = [MARGIN + LABELS + c * (TILE + GAP) for c in range(len(ROWS))]
    for left, row in zip(lefts, ROWS):
        centred(page, left + TILE / 2, MARGIN + 26, f"λ = {lambdas[row]:.2f}")
    top = MARGIN + HEADER
    for name, images, before in bands:
        top += before
        write(page, MARGIN, top + TILE / 2 + 11, name, 3, TEXT)
        for left, row in zip(lefts, ROWS):
            paste(page, top, left, images[row])
        top += TILE + GAP
    return page


def paste(page, top, left, image):
    """The image, upscaled, in a hairline frame."""
    page[top - 2:top + TILE + 2, left - 2:left + TILE + 2] = FRAME
    page[top:top + TILE, left:left + TILE] = image.repeat(
        SCALE, axis=0).repeat(SCALE, axis=1)


def centred(page, middle, baseline, text):
    unit = 2.9
    write(page, middle - unit * extent(text) / 2, baseline, text, unit, MUTED)


def extent(text):
    return sum(FONT[letter][0] + SPACING for letter in text) - SPACING


def write(page, left, baseline, text, unit, ink):
    """Text in strokes of an even width, antialiased by distance."""
    distance = np.full(page.shape[:2], np.inf)
    for letter in text:
        width, strokes = FONT[letter]
        for stroke in strokes:
            trail = points(stroke) * (unit, -unit) + (left, baseline)
            for start, end in zip(trail, trail[1:]):
                approach(distance, start, end)
        left += unit * (width + SPACING)
    cover = np.clip(.5 + unit * STROKE / 2 - distance, 0, 1)[..., None]
    page[:] = np.rint(page + cover * np.subtract(ink, page, dtype=float))


def points(stroke):
    """The stroke's corners, its arcs cut into short chords."""
    corners = []
    for part in stroke:
        if len(part) == 2:
            corners.append(part)
        else:
            x, y, rx, ry, start, stop = part
            angles = np.radians(np.linspace(start, stop, 33))
            corners += zip(x + rx * np.cos(angles), y + ry * np.sin(angles))
    return np.array(corners)


def approach(distance, start, end):
    """Lower each pixel's distance to what it has from the segment."""
    (x0, y0), (x1, y1) = np.floor(np.minimum(start, end)).astype(int) - 3, \
        np.ceil(np.maximum(start, end)).astype(int) + 3
    y, x = np.mgrid[y0:y1, x0:x1] + .5
    (dx, dy), (px, py) = end - start, (x - start[0], y - start[1])
    length = dx * dx + dy * dy
    along = np.clip((px * dx + py * dy) / length, 0, 1) if length else 0
    part = distance[y0:y1, x0:x1]
    np.minimum(part, np.hypot(px - along * dx, py - along * dy), out=part)


def png(pixels):
    height, width, _ = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    lines = b"".join(b"\0" + line.tobytes() for line in pixels)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
            + chunk(b"IDAT", zlib.compress(lines, 9)) + chunk(b"IEND", b""))


if __name__ == "__main__":
    main(sys.argv[1:])
