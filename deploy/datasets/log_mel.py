"""Log-mel spectrograms of one second of sound, as the authors of FMix take them of Speech Commands.

Their numbers are the defaults of librosa 0.6 to 0.9, with 32 bands; here they are computed in NumPy, in float64.
"""

import numpy as np

from wav import RATE

LENGTH = 16000      # samples: one second
N_FFT = 2048        # samples of a window, a periodic Hann window
HOP = 512           # samples from one window to the next; the first is centred on sample 0
FRAMES = 1 + LENGTH // HOP
MELS = 32           # bands
F_MIN, F_MAX = 0.0, 8000.0  # Hz, of the lowest band's lower end and the highest band's upper end
FLOOR = 1e-10       # power below this counts as this
RANGE = 80.0        # decibels below the loudest element; what is below counts as this


def second(samples):
    """One second: zeros are appended to fewer samples, and more are cut off."""
    return np.pad(samples[:LENGTH], (0, max(0, LENGTH - len(samples))))


def _hertz(mel):
    """Frequencies on Slaney's scale: 200/3 Hz a mel up to 1 kHz, and 27 mels for a factor of 6.4 above."""
    return np.where(mel < 15, mel * 200 / 3, 1000 * 6.4 ** ((mel - 15) / 27))


def _mel(hertz):
    return hertz * 3 / 200 if hertz < 1000 else 15 + 27 * np.log(hertz / 1000) / np.log(6.4)


def bands(rate, n_fft, mels, f_min, f_max):
    """What each frequency of the transform adds to each band, [mels, 1 + n_fft / 2]: triangles of area 1."""
    at = np.arange(1 + n_fft // 2) * rate / n_fft
    ends = _hertz(np.linspace(_mel(f_min), _mel(f_max), mels + 2))[:, None]
    low, middle, high = ends[:-2], ends[1:-1], ends[2:]
    rise, fall = (at - low) / (middle - low), (high - at) / (high - middle)
    return np.maximum(0, np.minimum(rise, fall)) * 2 / (high - low)


BANDS = bands(RATE, N_FFT, MELS, F_MIN, F_MAX)
WINDOW = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT)


def log_mel(samples):
    """float32 [MELS, FRAMES] from -0.5, RANGE decibels below the loudest element, to 0.5, the loudest."""
    sound = np.pad(second(samples) / 32768, N_FFT // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(sound, N_FFT)[::HOP]
    power = BANDS @ (np.abs(np.fft.rfft(frames * WINDOW)) ** 2).T
    decibels = 10 * np.log10(np.maximum(power, FLOOR))
    decibels = np.maximum(decibels - decibels.max(), -RANGE)
    return ((decibels + RANGE / 2) / RANGE).astype("<f4")
