"""Wav files of 16-bit PCM with one channel, as Speech Commands has them."""

import wave

import numpy as np

RATE = 16000  # samples a second; files of another rate are refused


class NotSound(Exception):
    """A file that is not what was expected; says why."""


def read(path):
    """The samples of a file of 16-bit PCM with one channel: int16, as many as it has."""
    try:
        with wave.open(str(path), "rb") as file:
            kind, frames = file.getparams(), file.getnframes()
            data = file.readframes(frames)
    except (wave.Error, EOFError) as error:
        raise NotSound(f"not a whole wav file of PCM samples ({error or 'it ends early'})") from None
    for name, found, wanted in (("channels", kind.nchannels, 1), ("bits a sample", 8 * kind.sampwidth, 16),
                                ("samples a second", kind.framerate, RATE)):
        if found != wanted:
            raise NotSound(f"it has {found} {name}; must be {wanted}")
    if len(data) != 2 * frames:
        raise NotSound(f"it ends early: {len(data) // 2} of {frames} samples are there")
    if not frames:
        raise NotSound("it has no samples")
    return np.frombuffer(data, "<i2")
