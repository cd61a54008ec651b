"""The vectors of STREAM 9, views of images, by tests/reference alone. Part of stream.py."""

import hashlib

import numpy as np

import fmixref as ref

LAST = 2**64 - 1
USUAL = (0.08, 1.0), (3 / 4, 4 / 3)

WINDOWS = (
    # seeds and indices, sides of the picture, area, ratio
    (((0, 0), (0, 1), (LAST, LAST), (7, 2**40), *((3, t) for t in range(12))), (480, 640), *USUAL),
    (((0, 0), (5, 1), (5, 2)), (400, 20), *USUAL), (((0, 0), (5, 1)), (20, 400), *USUAL),
    (((1, 0), (1, 1), (1, 2)), (1, 1), *USUAL), (((1, 0), (1, 1), (1, 2)), (3, 2), *USUAL),
    (((2, 0), (2, 1)), (2**20, 2**20), (1e-9, 1.0), (0.001, 1000.0)),
    (((2, 0), (2, 1)), (2**20, 1), (1e-9, 1.0), (0.001, 1000.0)),
    (((2, 2), (2, 3)), (375, 500), (0.35, 1.0), (1.0, 1.0)),
    (((2, 2), (2, 3)), (375, 500), (0.25, 0.25), (0.25, 4.0)),
    (((0, 0),), (15, 100), (1.0, 1.0), (0.5, 1.1)), (((0, 0),), (100, 15), (1.0, 1.0), (0.5, 1.1)),
    # no window: sides half way between integers, too small, too large
    (((0, 0),), (2, 5), (1.0, 1.0), (0.8, 1.25)), (((0, 0),), (6, 35), (1.0, 1.0), (1.25, 1.25)),
    (((0, 0),), (9, 5), (1.0, 1.0), (2.0, 2.0)), (((0, 0),), (11, 7), (1.0, 1.0), (2.0, 2.0)),
    (((0, 0),), (1, 9), (1.0, 1.0), (0.001, 0.4)), (((0, 0),), (50, 60), (1e-9, 1e-9), (0.5, 2.0)),
    # roots half way between integers: 2.5, 3.5, 4.5, and 1.5 by 6
    *((((0, 0), (4, 9)), sides, (0.25, 0.25), (1.0, 1.0)) for sides in ((5, 5), (7, 7), (9, 9))),
    (((0, 0), (4, 9)), (9, 16), (0.0625, 0.0625), (0.25, 0.25)),
    (((0, 0), (4, 9)), (16, 9), (0.0625, 0.0625), (4.0, 4.0)),
)


def view_random():
    """The window (top, left, height, width) of a row or of its neighbour, and whether it is flipped."""
    for draws, sides, area, ratio in WINDOWS:
        view = ref.View((1, 1), area=area, ratio=ratio)
        for seed, index in draws:
            for neighbour in (False, True):
                yield {"seed": str(seed), "index": str(index), "neighbour": neighbour,
                       "sides": list(sides), "area": list(area), "ratio": list(ratio),
                       "window": list(ref.random_window(seed, index, sides, view, neighbour)),
                       "flip": ref.is_flipped(seed, index, neighbour)}


def view_center():
    """The sides of the resized picture, the zeros before it, and where the view begins behind those."""
    for sides, size, short in (
            ((375, 500), (224, 224), None), ((500, 375), (224, 224), None), ((30, 50), (40, 31), 20),
            ((224, 224), (224, 224), 224), ((2**20, 3), (7, 5), None), ((3, 2**20), (5, 7), 1),
            ((10, 10), (1, 1), None), ((9, 7), (3, 4), None), ((33, 20), (21, 50), 7),
            ((20, 31), (17, 26), 17), ((20, 31), (18, 25), 17), ((1, 1), (8, 9), 3)):
        resized = ref.center_sides(sides, size, short)
        places = [ref.center_place(side, wanted) for side, wanted in zip(resized, size)]
        yield {"sides": list(sides), "size": list(size), "short": short, "resized": list(resized),
               "before": [before for before, _, _ in places], "begin": [start for _, _, start in places]}


def pixels_of(what, *shape):
    """Bytes of SHAKE-256; every fourth is 0 or 255, at which cubic weights pass the limits."""
    noise = np.frombuffer(hashlib.shake_256(what.encode()).digest(int(np.prod(shape))), "u1").copy()
    noise[::4] = np.where(noise[::4] < 128, 0, 255)
    return noise.reshape(shape)


RESIZED = (
    # sides, channels, size
    ((1, 7), 1, (1, 3)), ((1, 7), 1, (1, 10)), ((7, 1), 1, (3, 1)), ((1, 1), 3, (2, 3)),
    ((5, 4), 3, (5, 4)), ((5, 4), 3, (5, 7)), ((5, 4), 3, (2, 4)), ((9, 11), 1, (4, 6)),
    ((6, 5), 3, (7, 8)), ((12, 9), 1, (1, 1)), ((2, 600), 1, (3, 7)), ((300, 2), 1, (11, 2)),
    ((3, 3), 1, (20, 19)), ((16, 16), 3, (5, 13)),
    ((20, 23), 1, (11, 13)),  # tells how a negative weight is rounded
)


def resize():
    """Pixels in flat order: rows, columns, channels."""
    printed = np.array([0, 255, 10, 200, 30, 128, 64], np.uint8).reshape(1, 7, 1)
    for name in ("bilinear", "bicubic", "nearest"):
        for number, (sides, channels, size) in enumerate(RESIZED):
            x = printed if number < 2 else pixels_of(f"resize {number}", *sides, channels)
            yield {"filter": name, "sides": list(sides), "channels": channels, "size": list(size),
                   "pixels": x.tobytes().hex(), "resized": ref.resized(x, size, name).tobytes().hex()}


def map_view():
    """The view of a label map, row by row, where flipping is asked for."""
    number = 0
    for kind, sides, size, short in (
            ("random", (12, 17), (5, 7), None), ("random", (3, 40), (4, 4), None), ("random", (1, 1), (2, 3), None),
            ("center", (12, 17), (9, 6), None), ("center", (9, 12), (14, 11), 7), ("center", (20, 4), (5, 8), 3),
            ("stretch", (7, 9), (3, 4), None), ("stretch", (5, 4), (9, 13), None)):
        view = ref.View(size, kind, short=short, filter="nearest", flip=True)
        for neighbour in (False, True):
            for index in (number, LAST):
                x, seed = pixels_of(f"map {number}", *sides), 3 * number
                made = ref.viewed(x, view, seed, index, neighbour)
                yield {"seed": str(seed), "index": str(index), "neighbour": neighbour, "kind": kind,
                       "sides": list(sides), "size": list(size), "short": short, "area": list(view.area),
                       "ratio": list(view.ratio), "numbers": x.tobytes().hex(), "viewed": made.tobytes().hex()}
        number += 1


def pixels():
    """What samples of files become: one a byte, of 16 bits two, the high one first."""
    rgb, inks = pixels_of("rgb", 40, 3), pixels_of("inks", 40, 4)
    yield {"from": "rgb", "samples": rgb.tobytes().hex(), "grey": ref.grey_of(rgb).tobytes().hex()}
    grey = pixels_of("grey", 8)
    yield {"from": "grey", "samples": grey.tobytes().hex(), "rgb": ref.rgb_of(grey).tobytes().hex()}
    made = ref.rgb_of_inks(inks)
    yield {"from": "cmyk", "samples": inks.tobytes().hex(), "rgb": made.tobytes().hex()}
    places, palette = np.array([0, 3, 1, 2, 4, 255, 3], "u1"), pixels_of("palette", 4, 3)
    made = ref.looked_up(places, palette)
    yield {"from": "palette", "palette": palette.tobytes().hex(), "samples": places.tobytes().hex(),
           "rgb": made.tobytes().hex()}
    for depth, levels in ((1, [0, 1]), (2, range(4)), (4, range(16)), (16, [0, 255, 256, 33023, 65535])):
        samples = np.array(levels, ">u2" if depth == 16 else "u1")
        yield {"from": "grey", "depth": depth, "samples": samples.tobytes().hex(),
               "grey": ref.grey_of_bits(samples, depth).tobytes().hex()}
