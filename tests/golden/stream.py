"""The vectors of the contract, section by section (lib/STREAM.md), by tests/reference alone.

Numbers that may pass 2^53 are strings. Masks are hexadecimal: bits in flat order, the first in the highest
of a byte; arrays are their little-endian bytes.
"""

import hashlib

import numpy as np

import fmixref as ref
from stream_views import map_view, pixels, resize, view_center, view_random

LAST = 2**64 - 1


def words():
    """Words 0 to 7 of a stream, and its key."""
    for seed, domain, index in ((0, 1, 0), (LAST, 2, LAST), (7, 4, 2**40), (1, 7, 3),
                                (0, 9, 0), (0, 10, 0), (0, 11, 0), (LAST, 9, LAST), (0, 8, 0)):
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


TYPES = {"u8": "u1", "f16": "<f2", "f32": "<f4", "f64": "<f8", "bf16": ref.TYPES["bf16"],
         "i32": "<i4", "i64": "<i8"}


def values(name, count, what):
    """Bytes of SHAKE-256: any u8 or integers; floats from 0 to 1, of which bf16 keeps what it holds."""
    noise = hashlib.shake_256(what.encode()).digest(8 * count)
    if name == "bool":
        return np.frombuffer(noise[:count], "u1") > 127
    if name not in ref.FLOATING:
        return np.frombuffer(noise, TYPES[name], count)
    noise = noise[:2 * count]
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


def prob():
    """P of a probability, and which of eight rows it mixes (1) from sample `index` on."""
    word = 3222680216 / 2**32  # the first of seed 0 at t = 0
    for value in (0.5, 0.0, 1.0, 0.1, 1 / 3, 2**-33, 3 * 2**-33, 1 - 2**-33, 0.999, word, word + 2**-32):
        for seed, index in ((0, 0), (LAST, LAST - 7), (3, 2**32 - 4)):
            yield {"seed": str(seed), "index": str(index), "prob": value,
                   "P": str(ref.probability_of(value)),
                   "mixed": [int(ref.is_mixed(seed, index + i, value)) for i in range(8)]}


def switch():
    """Which method of a list each of eight rows has."""
    for weights in ([1, 2, 1], [1, 1], [1], [3, 0, 1, 4], [1] * 8):
        for seed, index in ((0, 0), (LAST, LAST - 7), (3, 2**32 - 4)):
            yield {"seed": str(seed), "index": str(index), "weights": weights,
                   "methods": [ref.switched_method(seed, index + i, len(weights), weights)
                               for i in range(8)]}


CHOICES = (
    # what differs from the defaults; alpha has an entry for each method
    {"prob": 0.5}, {"switch": "sample"}, {"prob": 0.7, "switch": "sample"},
    {"prob": 0.7, "switch": "sample", "scope": "pair", "pairing": "flip"},
    {"prob": 0.5, "switch": "sample", "scope": "batch"}, {"prob": 0.5, "scope": "pair", "pairing": "flip"},
    {"scope": "pair", "pairing": "flip"}, {"prob": 0.25, "policy": "random", "weights": (1, 3, 1)},
    {"switch": "sample", "weights": (0, 1, 2)}, {"prob": 0.8, "switch": "sample", "lam": 0.3},
)


def choice():
    """Of each row: the place of its method, -1 if it is not mixed, and L."""
    for more in CHOICES:
        for step, count, index in ((0, 8, None), (1, 7, None), (5, 3, LAST - 2), (2**40, 1, 9)):
            recipe = ref.Recipe(seed=count, method="mixup,bc,none", alpha=(0.2, 1.0, 3.0), **more)
            first = ref.first_index(step, count, index)
            planned = ref.plan_rows(recipe, (1,), step, count, index)
            places = [recipe.place_of(step, t) for t in
                      ref.shared_indices(range(first, first + count), recipe.scope)]
            yield {"seed": str(recipe.seed), "batch": str(step), "n": count, "index": str(first),
                   "alphas": list(recipe.alpha), "prob": recipe.prob, "switch": recipe.switch,
                   "scope": recipe.scope, "policy": recipe.policy,
                   "weights": list(recipe.weights or (1, 1, 1)), "lambda": recipe.lam,
                   "method": [-1 if place is None else place for place in places],
                   "L": [str(round(lam * 2**32)) for lam in planned.lam]}


def partners():
    """Whom each row is mixed with; `t` is each row's own."""
    some = {count: np.frombuffer(hashlib.shake_256(b"classes").digest(count), "u1") % 5
            for count in (1, 2, 40)}
    for kind in ref.CLASS_PAIRINGS:
        for seed, indices, classes in (
                (0, range(8), [0, 0, 1, 1, 2, 0, 1, 2]), (LAST, range(LAST - 3, LAST + 1), [7, 7, 7, 7]),
                (1, range(5, 9), [3, 1, 2, 0]), (2, [90, 3, 2**40, 3, 17, 0], [1, 0, 1, 0, 1, 2]),
                *((3, range(count), own.tolist()) for count, own in some.items())):
            yield {"kind": kind, "seed": str(seed), "t": [str(t) for t in indices], "classes": classes,
                   "partners": ref.class_partners(kind, seed, indices, classes)}


def neighbour():
    """The place in a row of k neighbours, and the window of what stands there."""
    for k, seed, indices in ((5, 0, range(8)), (1, 1, (0, LAST)), (2**31 + 1, 2, range(4))):
        for index in indices:
            offsets, flip = ref.light_augmentation(seed, index, 2, 4, ref.NEIGHBOUR)
            yield {"seed": str(seed), "index": str(index), "k": k,
                   "j": ref.draw_partner(seed, index, k), "sides": 2, "crop": 4,
                   "offsets": offsets, "flip": flip}


def bucket():
    """Every batch of an epoch, in the order in which they are served."""
    printed = [5, 3, 8, 1, 9, 2, 7, 4, 6, 3, 5]
    drawn = [1 + n % 9 for n in hashlib.shake_256(b"lengths").digest(50)]
    for seed, epoch, size, windows, shuffled, lengths in (
            (0, 1, 2, 3, True, printed), (0, 1, 2, 3, False, printed), (0, 1, 2, 1, True, printed),
            (3, 2**33, 4, 50, True, drawn), (3, 7, 7, 2, True, drawn), (LAST, 0, 60, 2, True, drawn),
            (5, 4, 1, 6, False, drawn[:20]), (5, 4, 3, 5, True, [4] * 31), (1, 1, 1, 1, True, [3])):
        batches = []
        for step in range(-(-len(lengths) // min(size, len(lengths)))):
            samples, indices, number = ref.bucket_batch(seed, epoch, lengths, size, step, windows, shuffled)
            batches.append({"batch": str(number), "samples": samples, "t": [str(t) for t in indices]})
        yield {"seed": str(seed), "epoch": str(epoch), "size": size, "bucket": windows,
               "shuffle": shuffled, "lengths": lengths, "batches": batches}


def padding():
    """A row as it is mixed: by mean and std, or v/255, and then padded behind to a length."""
    for kind, out, pad_value, more in (
            ("u8", "u8", 7.5, {}), ("u8", "f32", 0.1, {}), ("u8", "f16", -1.25, {"mean": 0.5, "std": 0.25}),
            ("f32", "f32", 0.1, {}), ("f32", "bf16", 0.1, {"mean": 0.1, "std": 2.0}),
            ("f16", "f64", 0.1, {}), ("i32", "i32", 2.5, {}), ("i32", "f32", -1e10, {})):
        row = values(kind, 3, f"padding {kind} {out}")
        ready = ref.padded([ref.prepare(row, out, **more)], 5, pad_value)[0]
        yield {"dtype": kind, "out_dtype": out, "x": row.tobytes().hex(), "longest": 5,
               "pad_value": pad_value, **more, "dtype_padded": ref.type_name(ready),
               "padded": ready.tobytes().hex()}


def dense():
    """Whether a target is refused, else a row of it and its partner's, mixed; weights as in `mixing`."""
    hard, ones = [1, 0, 0, 1, 1], [1] * 5
    for kind in ("u8", "bool", "i32", "i64", "f32"):
        for method, value, soft, weight in (
                ("fmix", 0.5, 0.0, hard), ("fmix", 0.5, 0.25, [1.0, 0.75, 0.5, 0.25, 0.0]),
                ("fmix", 1.0, 0.25, ones), ("fmix", 0.0, 0.25, [0] * 5), ("cutmix", 0.5, 0.25, hard),
                ("none", 0.5, 0.0, 1.0), ("mixup", 0.3125, 0.0, 0.3125), ("mixup", None, 0.0, 0.75),
                ("mixup", 1.0, 0.0, 1.0), ("mixup", 0.0, 0.0, 0.0), ("bc", 0.0, 0.0, 0.0),
                ("bcplus", 1.0, 0.0, 1.0), ("samplepairing", 1.0, 0.0, 0.5)):
            recipe = ref.Recipe(method=method, lam=value, soft=soft)
            entry = {"dtype": kind, "method": method, "lambda": value, "soft": soft}
            try:
                ref.check_dense(recipe, kind)
            except ValueError:
                yield entry | {"refused": True}
                continue
            x1, x2 = (values(kind, 5, f"dense {which}") for which in "ab")
            yield entry | {"refused": False, "weight": weight, "x1": x1.tobytes().hex(),
                           "x2": x2.tobytes().hex(),
                           "mixed": dense_row(method, weight, x1, x2, kind).tobytes().hex()}


def dense_row(method, weight, x1, x2, kind):
    """As the reference mixes it."""
    if not isinstance(weight, list):
        return ref.blend_dense(method, weight, x1, x2, "none", kind)
    if all(isinstance(m, int) for m in weight):
        return ref.choose(np.array(weight, bool), x1, x2)
    return ref.blend_soft(x1, x2, np.array(weight), kind)


def value_labels():
    """Labels that are values: one number, weighed."""
    for kind, weight in (("f32", 0.3125), ("f64", 0.40625), ("f16", 1.0)):
        y1, y2 = (values(kind, 1, f"values {which} {kind}") for which in "ab")
        yield {"dtype": kind, "y1": y1.tobytes().hex(), "y2": y2.tobytes().hex(), "weight": weight,
               "labels": ref.mix_values(y1, y2, [weight]).tobytes().hex()}


SECTIONS = (words, drawn, given, fmix, grey, cutmix, pairing, addressing, shuffle, light, policy, mixing,
            labels, normalising, prob, switch, choice, partners, neighbour, bucket, padding, dense,
            value_labels, view_random, view_center, resize, pixels, map_view)


def sections():
    """All of them by name."""
    return {make.__name__: list(make()) for make in SECTIONS}
