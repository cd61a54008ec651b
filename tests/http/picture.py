"""Reads pictures by the rules of the PNG specification, slowly."""

import struct
import zlib
from typing import NamedTuple

import numpy as np


class Picture(NamedTuple):
    """What a png holds."""

    pixels: np.ndarray
    text: dict


def chunks(png):
    """Kind and data of each chunk, its checksum checked."""
    if png[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError("no png")
    at = 8
    while at < len(png):
        length, = struct.unpack(">I", png[at:at + 4])
        kind, data = png[at + 4:at + 8], png[at + 8:at + 8 + length]
        checksum, = struct.unpack(">I", png[at + 8 + length:at + 12 + length])
        if checksum != zlib.crc32(kind + data):
            raise ValueError(f"checksum of {kind}")
        yield kind, data
        at += 12 + length


def paeth(left, up, corner):
    """The neighbour that is nearest to left + up - corner."""
    guess = left + up - corner
    return min((left, up, corner), key=lambda value: abs(guess - value))


PREDICTORS = (lambda left, up, corner: 0,
              lambda left, up, corner: left,
              lambda left, up, corner: up,
              lambda left, up, corner: (left + up) // 2,
              paeth)


def unfilter(lines, width, depth):
    """Lines of width bytes, each after the number of its filter; a pixel has
    depth bytes."""
    above, out = bytes(width), []
    for start in range(0, len(lines), width + 1):
        predict, line = PREDICTORS[lines[start]], [0] * depth
        corners = bytes(depth) + bytes(above)
        for i, value in enumerate(lines[start + 1:start + 1 + width]):
            line.append((value + predict(line[i], above[i], corners[i])) & 255)
        above = line[depth:]
        out.append(above)
    return np.array(out, np.uint8)


def read_png(png):
    """A png of 8 bits a channel without interlacing."""
    found = list(chunks(png))
    width, height, *kind = struct.unpack(">IIBBBBB", found[0][1])
    depth = {0: 1, 2: 3, 6: 4}[kind[1]]
    if [kind[0], *kind[2:]] != [8, 0, 0, 0] or found[-1][0] != b"IEND":
        raise ValueError(f"unexpected png: {found[0]}")
    lines = zlib.decompress(b"".join(data for name, data in found
                                     if name == b"IDAT"))
    text = dict(data.decode("latin-1").split("\0", 1)
                for name, data in found if name == b"tEXt")
    pixels = unfilter(lines, width * depth, depth)
    if pixels.shape != (height, width * depth):
        raise ValueError(f"{pixels.shape} is not {height} x {width}")
    if depth > 1:
        pixels = pixels.reshape(height, width, depth)
    return Picture(pixels, text)
