"""Wav files of 16-bit PCM with one channel, as Speech Commands has them."""

import struct

import numpy as np

RATE = 16000  # samples a second; files of another rate are refused
PCM = 1
HEAD = struct.Struct("<4sI4s")
CHUNK = struct.Struct("<4sI")
FORMAT = struct.Struct("<HHIIHH")


class NotSound(Exception):
    """A file that is not what was expected; says why."""


def read(path):
    """The samples of a file: int16, as many as it has."""
    with open(path, "rb") as file:
        data = file.read()
    if len(data) < HEAD.size or HEAD.unpack_from(data)[::2] != (b"RIFF", b"WAVE"):
        raise NotSound("it does not begin as a wav file does")
    chunks = dict(_chunks(data))
    if len(chunks.get(b"fmt ", (0, b""))[1]) < FORMAT.size:
        raise NotSound("it has no format")
    _check(chunks[b"fmt "][1])
    if b"data" not in chunks:
        raise NotSound("it has no samples")
    size, samples = chunks[b"data"]
    if len(samples) < size or size % 2:
        raise NotSound(f"it ends early: {len(samples) // 2} of {(size + 1) // 2} samples are there")
    if not size:
        raise NotSound("it has no samples")
    return np.frombuffer(samples, "<i2")


def _chunks(data):
    """The chunks after the head, as (name, (size that it tells, bytes)), until the samples."""
    at = HEAD.size
    while at + CHUNK.size <= len(data):
        name, size = CHUNK.unpack_from(data, at)
        at += CHUNK.size
        yield name, (size, data[at:at + size])
        if name == b"data":
            return
        at += size + size % 2


def _check(text):
    """Refuses another format."""
    kind, channels, rate, _, _, bits = FORMAT.unpack_from(text)
    for name, found, wanted in (("format", kind, PCM), ("channels", channels, 1), ("bits a sample", bits, 16),
                                ("samples a second", rate, RATE)):
        if found != wanted:
            raise NotSound(f"{name}: it has {found}; must be {wanted}")
