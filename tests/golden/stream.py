"""The vectors of the contract, section by section (lib/STREAM.md), by tests/reference alone.

Numbers that may pass 2^53 are strings. Masks are hexadecimal: bits in flat order, the first in the highest
of a byte; arrays are their little-endian bytes.
"""

import hashlib

import numpy as np

import fmixref as ref

LAST = 2**64 - 1


def words():
    """Words 0 to 7 of a stream, and its key."""
    for seed, domain, index in ((0, 1, 0), (LAST, 2, LAST), (7, 4, 2**40), (1, 7, 3)):
        yield {"seed": str(seed), "domain": domain, "index": str(index),
               "key": [int(k) for k in ref.stream_key(seed, domain)],
               "words": ref.words(seed, domain, index, 8).tolist()}


def drawn():
    """L of a draw, and of the reformulated one."""
    for i, alpha in enumerate((0.01, 0.2, 0.5, 1.0, 1.0, 2.5, 64.0, 1000.0)):
        for index in (0, 1, 60000 + i, LAST - i):
            yield {"seed": str(i), "index": str(index), "alpha": alpha,
                   "L": str(ref.draw_lambda(i, index, alpha)),
                   "reformulated": str(ref.draw_lambda(i, index, alpha, True))}


def given():
    """L of a caller's lambda; ties go to even."""
    for value in (0.0, 1.0, 0.5, 0.3, 1 / 3, 2**-33, 3 * 2**-33, 5 * 2**-33, 1 - 2**-33, 1e-300):
        yield {"lambda": value, "L": str(ref.round_lambda(value))}


FMIX = (
    # shape, seed, index, delta, lambda, and what differs from the defaults
    ((3, 5), 0, 0, 3.0, 0.5, {}), ((2, 3, 4), 0, 0, 3.0, 0.5, {"frequency": "extent"}),
    ((1,), 1, 2, 3.0, 0.7, {}), ((2,), 0, 1166203367, 3.0, 0.5, {}),
    ((31,), 5, LAST, 0.0, 0.4, {}), ((32, 32), 7, 0, 3.0, 0.3, {}),
    ((16, 64), 0, 1, 10.0, 0.3, {}), ((9, 1, 7), 2, 100, 7.25, 0.6, {}),
    ((12, 20), 3, 4, 1.5, 0.25, {"frequency": "extent"}), ((4, 6, 5), 3, 4, 2.0, 0.8, {}),
    ((24, 18), 11, 0, 3.0, 0.5, {"spectrum": "official"}), ((7,), 11, 0, 3.0, 0.5,
                                                            {"spectrum": "official"}),
    ((5, 4, 6), 11, 9, 1.5, 0.35, {"spectrum": "official"}), ((3, 2), 12, 9, 4.0, 0.5,
                                                              {"spectrum": "official"}),
    ((16, 16), 4, 0, 3.0, 0.5, {"soft": 0.2}), ((37,), 4, 1, 1.0, 0.3, {"soft": 0.5}),
    ((6, 7, 8), 4, 2, 2.0, 0.6, {"soft": 0.05}), ((4, 32), 4, 3, 10.0, 0.4, {"soft": 0.25}),
    ((20, 12), 4, 3, 3.0, 0.4, {"soft": 0.1, "spectrum": "official"}),
)


def fmix():
    """Masks: bits, or of soft ones a whole number for each element, over `steps`."""
    for shape, seed, index, delta, value, more in FMIX:
        law = {"frequency": "pixel", "spectrum": "paper", "soft": 0.0} | more
        lam = ref.round_lambda(value)
        mask = ref.fmix_mask(seed, index, shape, lam, delta, **law)
        entry = {"shape": list(shape), "seed": str(seed), "index": str(index), "delta": delta,
                 "lambda": value, **law}
        if mask.base == 1:
            yield entry | {"mask": ref.pack(mask.bits[np.newaxis])[0].tobytes().hex()}
        else:
            yield entry | {"weights": mask.bits.ravel().tolist(), "steps": mask.base}


def grey():
    """Levels 0 to 255."""
    for shape, seed, index, delta, spectrum in (
            ((5, 6), 0, 0, 3.0, "paper"), ((40,), 1, 7, 1.0, "paper"), ((3, 4, 5), 2, 9, 2.0, "paper"),
            ((1,), 2, 9, 2.0, "paper"), ((4,), 0, 1166203367, 3.0, "official"),
            ((8, 6), 5, 1, 3.0, "official")):
        levels = ref.fmix_grey(seed, index, shape, delta, "pixel", spectrum).levels
        yield {"shape": list(shape), "seed": str(seed), "index": str(index), "delta": delta,
               "spectrum": spectrum, "levels": levels.ravel().tolist()}


def cutmix():
    """Boxes of zeros."""
    for shape, seed, index, value in (((5, 6), 0, 0, 0.5), ((101,), 3, 7, 0.3), ((9, 10, 11), 4, 0, 0.6),
                                      ((7, 7), 5, LAST, 0.999), ((8, 3), 6, 1, 0.0)):
        for box in ("clipped", "inside"):
            mask = ref.cutmix_mask(seed, index, shape, ref.round_lambda(value), box)
            yield {"shape": list(shape), "seed": str(seed), "index": str(index), "lambda": value,
                   "box": box, "mask": ref.pack(mask.bits[np.newaxis])[0].tobytes().hex()}


def pairing():
    """Partners of a batch."""
    for kind in ("permutation", "derangement", "flip", "roll", "none"):
        for seed, batch, count in ((1, 0, 8), (9, LAST, 33), (2, 5, 1), (2, 6, 2)):
            yield {"kind": kind, "seed": str(seed), "batch": str(batch), "n": count,
                   "partners": ref.pair(kind, seed, batch, count)}


def addressing():
    """Of a batch of an epoch: its places, t of the first, its number; what ranks get of it."""
    for samples, size, epoch, step, world in ((10, 4, 0, 2, 3), (60000, 256, 7, 234, 8),
                                              (5, 9, 2**40, 0, 4), (100, 10, 3, 0, 1)):
        places, indices, number = ref.epoch_batch(samples, size, epoch, step)
        ranks = [ref.rank_rows(len(places), rank, world) for rank in range(world)]
        yield {"samples": samples, "size": size, "epoch": str(epoch), "step": step,
               "first": places[0], "rows": len(places), "t": str(indices[0]), "batch": str(number),
               "world": world, "ranks": [[rows.start, rows.stop] for rows in ranks]}


def shuffle():
    """Samples at the first places."""
    for seed, epoch, samples in ((0, 0, 10), (3, 7, 60000), (LAST, 2**33, 1281167), (1, 1, 1),
                                 (5, 0, 257)):
        yield {"seed": str(seed), "epoch": str(epoch), "samples": samples,
               "order": [ref.shuffled_sample(seed, epoch, samples, place)
                         for place in range(min(samples, 20))]}


def light():
    """Offsets of the window, and whether it is flipped."""
    for seed, index, dimensions, crop in ((0, 0, 2, 4), (1, 9, 1, 0), (7, LAST, 3, 16),
                                          *((3, index, 2, 2) for index in range(30))):
        offsets, flip = ref.light_augmentation(seed, index, dimensions, crop)
        yield {"seed": str(seed), "index": str(index), "sides": dimensions, "crop": crop,
               "offsets": offsets, "flip": flip}


def policy():
    """Which method of a list a batch has."""
    for kind, weights in (("alternate", [1, 1, 1]), ("random", [1, 1]), ("random", [3, 0, 1, 4])):
        for batch in (0, 1, 2, 3, 2**50):
            yield {"policy": kind, "seed": "5", "batch": str(batch), "weights": weights,
                   "choice": ref.method_index(kind, 5, batch, len(weights), weights)}


TYPES = {"u8": "u1", "f16": "<f2", "f32": "<f4", "f64": "<f8", "bf16": ref.TYPES["bf16"]}


def values(name, count, what):
    """Bytes of SHAKE-256: any u8; floats from 0 to 1, of which bf16 keeps what it holds."""
    noise = hashlib.shake_256(what.encode()).digest(2 * count)
    if name == "u8":
        return np.frombuffer(noise[:count], "u1")
    return ref.round_to(np.frombuffer(noise, "<u2") / 65536, name)


def mixing():
    """One row and its partner; `weight` is lambda, `mask` a hard one, `weights` a soft one's."""
    hard, soft = [1, 0, 0, 1, 1], [1.0, 0.75, 0.5, 0.25, 0.0]
    table = [("none", None, "f32", "f32"), ("samplepairing", None, "u8", "u8"),
             ("samplepairing", None, "f32", "f16")]
    for first, out in (("u8", "u8"), ("u8", "f32"), ("f32", "f32"), ("f16", "f16"), ("bf16", "bf16"),
                       ("f64", "f64"), ("f32", "bf16"), ("f32", "u8")):
        table += [("mixup", 0.3125, first, out), ("fmix", hard, first, out), ("fmix", soft, first, out)]
    for first, out in (("f32", "f32"), ("f64", "f64"), ("f32", "f16")):
        table += [("bcplus", 0.3125, first, out), ("bcplus", 0.75, first, out)]
    for method, weight, first, out in table:
        count = 20 if method == "bcplus" else 5
        x1, x2 = (values(first, count, f"{which} {method} {first} {out}") for which in "ab")
        yield {"method": method, "weight": weight, "dtype": first, "out_dtype": out,
               "x1": x1.tobytes().hex(), "x2": x2.tobytes().hex(),
               "mixed": blended(method, weight, x1, x2, out).tobytes().hex()}


def blended(method, weight, x1, x2, out):
    """As the reference mixes rows; a u8 that is to float is v/255 first."""
    x1, x2 = ref.prepare(x1, out), ref.prepare(x2, out)
    if method == "fmix" and all(isinstance(m, int) for m in weight):
        return ref.convert(ref.choose(np.array(weight, bool), x1, x2), out)
    if method == "fmix":
        return ref.blend_soft(x1, x2, np.array(weight), out)
    return ref.blend_row(method, weight, x1, x2, "none", out)


def labels():
    """Two classes' rows, weighed."""
    for y1, y2, weight, smoothing in ((0, 3, 0.3125, 0.0), (2, 2, 0.90625, 0.1), (4, 0, 1.0, 0.05)):
        mixed = ref.mix_labels(np.array([y1]), np.array([y2]), [weight], 5, smoothing)
        yield {"y1": y1, "y2": y2, "weight": weight, "smoothing": smoothing, "classes": 5,
               "labels": mixed.tobytes().hex()}


def normalising():
    """u8 by mean and std, to f32."""
    for mean, std in ((0.5, 0.25), (0.2860, 0.3530)):
        x = values("u8", 6, f"normal {mean}")
        yield {"x": x.tobytes().hex(), "mean": mean, "std": std,
               "prepared": ref.prepare(x, "f32", mean, std).tobytes().hex()}


SECTIONS = (words, drawn, given, fmix, grey, cutmix, pairing, addressing, shuffle, light, policy, mixing,
            labels, normalising)


def sections():
    """All of them by name."""
    return {make.__name__: list(make()) for make in SECTIONS}
