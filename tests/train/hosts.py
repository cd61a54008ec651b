"""The sets that are trained on and the ones held out, imported by the daemon's own program."""

import collections
import pathlib
import sys
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / name) for name in ("tests/data", "tests/http")]

import brown  # noqa: E402
import fashion  # noqa: E402
import hosting  # noqa: E402

HELD_OUT = 10000       # garments
MOST = 20000           # garments to train on, which come before those held out
PASSAGE = 3            # sentences
FIFTH = 5              # one text in so many is held out
UNKNOWN, FIRST = 1, 2  # token ids; 0 is the padding


def garments(root, counts, held=HELD_OUT):
    """`garments-N`, the first N images, for each count, and `garments-test`; the classes by turns."""
    fashion.fetch()
    x, y = fashion.load(per_class=(MOST + HELD_OUT) // fashion.CLASSES)
    parts = {f"garments-{count}": slice(count) for count in counts}
    for name, part in {**parts, "garments-test": slice(MOST, MOST + held)}.items():
        _import(root, name, "npy", x=x[part], y=y[part])


def passages(root, count):
    """`passages`, so many of each group of texts, and `passages-test`, half as many of other texts,
    as token ids. Returns how many ids there are: of words that are trained on at least twice."""
    brown.fetch()
    chosen = np.random.default_rng(0)
    rows = {"passages": [], "passages-test": []}
    for label, texts in enumerate(brown.load().values()):
        for name, held, most in (("passages", False, count), ("passages-test", True, count // 2)):
            some = [sum(text[at:at + PASSAGE], []) for number, text in enumerate(texts)
                    if (number % FIFTH == 0) == held for at in range(0, len(text) - PASSAGE + 1, PASSAGE)]
            rows[name] += [(some[i], label) for i in chosen.permutation(len(some))[:most]]
    seen = collections.Counter(word for words, _ in rows["passages"] for word in words)
    ids = {word: FIRST + i for i, word in enumerate(sorted(w for w, n in seen.items() if n > 1))}
    for name, pairs in rows.items():
        tokens = [np.array([ids.get(word, UNKNOWN) for word in words], "<i4") for words, _ in pairs]
        _import(root, name, "ragged", x=np.concatenate(tokens),
                offsets=np.cumsum([0, *map(len, tokens)]).astype("<i8"),
                y=np.array([label for _, label in pairs], "<i8"))
    return FIRST + len(ids)


def _import(root, name, kind, **arrays):
    if pathlib.Path(root, name).exists():  # another regime has it, too
        return
    with tempfile.TemporaryDirectory() as folder:
        for key, array in arrays.items():
            np.save(pathlib.Path(folder, f"{key}.npy"), array)
        hosting.importing(pathlib.Path(root, name), "--from", kind, *(f"{folder}/{key}.npy" for key in arrays))
