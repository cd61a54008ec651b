"""What a case's answer holds: names, types and shapes by the README, and values by the reference."""

import math

import numpy as np

import bodies
import hosting
import sets
import views
from hosting import ref

MASKS = {"u8": "u1", "bits": "u1", "f16": "<f2", "f32": "<f4", "f64": "<f8"}
HARD = 6000  # elements that the reference is asked for at most


def integer(query, name, default):
    """A parameter's value."""
    return int(query.get(name, default))


def sides(text):
    """Of 3x4."""
    return tuple(map(int, text.split("x")))


def mask_shape(shape, dtype):
    """Of one, as an answer has it."""
    return (-(-math.prod(shape) // 8),) if dtype == "bits" else shape


def _masks(case):
    query = case.query
    dtype, n = query.get("dtype", "f32"), integer(query, "n", 1)
    picture = case.form == "png"
    shape = sides(query["shape"])
    shape = shape if picture else mask_shape(shape, dtype)
    return {"masks": ("u1" if picture else MASKS[dtype], (n, *shape)), "lambda": ("<f8", (n,)),
            "lambda_eff": ("<f8", (n,)), "ones": ("<i8", (n,))}


def _plans(case):
    query = case.query
    dtype, n = query.get("dtype", "f32"), integer(query, "n", 1)
    lead = (int(query["steps"]), n) if "steps" in query else (n,)
    return {"masks": (MASKS[dtype], (*lead, *mask_shape(sides(query["shape"]), dtype))),
            "pairing": ("<i8", lead), "lambda": ("<f8", lead), "lambda_eff": ("<f8", lead),
            "method": ("u1", lead)}


def is_values(y):
    """Whether a head is one number a sample, as of regression."""
    return y.ndim == 1 and ref.type_name(y) in ref.FLOATING


def _method(case, rows):
    """The part that is there where it is asked for, or where rows can differ in it."""
    asked = "method" in case.query.get("parts", "").split(",")
    return {"method": ("u1", (rows,))} if asked or ref.recipe_of(case.query).varies else {}


def _labels(arrays, rows, classes):
    """Of each head; classes: those asked for, or None where the set says it."""
    found, turn = {}, 0
    for name, y in arrays.items():
        if is_values(y):
            found["labels" + name[1:]] = ("<f4", (rows,))
            turn += 1
            continue
        if y.ndim == 1:
            count = classes[name] if isinstance(classes, dict) else classes[0 if len(classes) == 1 else turn]
            turn += 1
        else:
            count = y.shape[1]
        found["labels" + name[1:]] = ("<f4", (rows, count))
    return found


def targets(case, stem="dense"):
    """Dense targets by the names that answers give them, where `parts` wants any. Without parts, a batch of
    one tensor is `mixed` alone."""
    if "parts" in case.query and "dense" not in case.query["parts"].split(","):
        return {}
    if case.data and "parts" not in case.query and case.form in ("npy", "raw", "png"):
        return {}
    if case.data:
        return case.data.dense or {}
    return {"dense" + name.removeprefix(stem): array for name, array in case.body.arrays.items()
            if name.partition(".")[0] == stem}


def _dense(case, rows):
    if sets.is_images(case.data):
        return {name: ("|u1", (rows, *views.asked(case.query).size)) for name in targets(case)}
    return {name: (array.dtype.str, (rows, *array.shape[1:])) for name, array in targets(case).items()}


def upload_layout(case):
    """Where rows of an upload have their channels."""
    return case.query.get("layout", "channels_last" if case.body and case.body.pictures else "none")


def _mix(case):
    query, arrays = case.query, case.body.arrays
    x = arrays["x"]
    if case.body.pictures:
        x = np.broadcast_to(x, (len(x), *views.asked(query).size, 3))
    out = ref.TYPES[query["out_dtype"]] if "out_dtype" in query else x.dtype.str
    layout = upload_layout(case)
    heads = {n: y for n, y in arrays.items() if n == "y" or n.startswith("y.")}
    classes = [int(c) for c in query.get("classes", "0").split(",")]
    return {"mixed": (out, x.shape), **_labels(heads, len(x), classes),
            "pairing": ("<i8", (len(x),)), "lambda": ("<f8", (len(x),)), "lambda_eff": ("<f8", (len(x),)),
            "masks": ("<f4", (len(x), *x.shape[sets.SPATIAL[layout]])), **_method(case, len(x)),
            **_dense(case, len(x))}


def share(case):
    """Rows of the batch, and which of them the rank has."""
    query, data = case.query, case.data
    n = integer(query, "n", 64)
    rows = min(n, len(data.x) - case.step * n)
    return rows, ref.rank_rows(rows, integer(query, "rank", 0), integer(query, "world", 1))


def asked(case):
    """The data set with the numbers of classes, and of its dense targets those, that are asked for."""
    data, classes = case.data, dict(case.data.classes)
    if "classes" in case.query:
        counts = [int(c) for c in case.query["classes"].split(",")]
        heads = [name for name, y in data.labels.items() if y.ndim == 1]
        classes = {name: counts[0 if len(counts) == 1 else i] for i, name in enumerate(heads) if name in classes}
    return data._replace(classes=classes, dense=targets(case))


def _batch(case):
    query, data = case.query, asked(case)
    if sets.is_sequences(data):  # how long they are hangs on which rows these are
        held = {name: (tensor.dtype.str, tensor.shape) for name, tensor in _batch_values(case).items()}
        return {**held, **_method(case, len(share(case)[1]))}
    mine = len(share(case)[1])
    dtype = "<f4" if "mean" in query or "std" in query else (data.x[0] if sets.is_images(data) else data.x).dtype.str
    dtype = ref.TYPES[query["out_dtype"]] if "out_dtype" in query else dtype
    layout = query.get("layout", data.layout)
    if sets.is_images(data):
        view = views.asked(query)
        row, spatial = view.size + data.x[0].shape[2:], view.size
    else:
        row, spatial = data.x.shape[1:], data.x.shape[sets.SPATIAL[layout]]
    return {"mixed": (dtype, (mine, *row)), **_labels(data.labels, mine, data.classes),
            "pairing": ("<i8", (mine,)), "lambda": ("<f8", (mine,)), "lambda_eff": ("<f8", (mine,)),
            "masks": ("<f4", (mine, *spatial)), **_method(case, mine),
            "rows": ("<i8", (mine,)), **_dense(case, mine)}


SHAPES = {"/v1/masks": _masks, "/v1/plans": _plans, "/v1/mix": _mix,
          "/v1/datasets/{name}/batches/{step}": _batch}


def pick(case, held):
    """Of all that is held what `parts` wants."""
    if "parts" not in case.query:
        return held
    parts = case.query["parts"].split(",")
    return {name: what for name, what in held.items() if name in parts or name.partition(".")[0] in parts}


def shapes(case):
    """Type and shape of each tensor of an answer of 200, in order; None: nothing is known of it."""
    if case.route not in SHAPES or (case.body and not case.body.plain):
        return None
    if case.data and case.query.get("layout", case.data.layout) != case.data.layout:
        return None  # means what it says of the answer, which the set's own shape is not
    return pick(case, SHAPES[case.route](case))


def rich(case):
    """What a case has that few have."""
    query, arrays = case.query, case.body.arrays if case.body else {}
    heads = case.data.labels if case.data else {n: y for n, y in arrays.items() if n.partition(".")[0] == "y"}
    uploads = case.route == "/v1/mix"
    for what, has in (("dense", targets(case) if uploads or case.data else ()), ("x2", "x2" in arrays),
                      ("values", any(is_values(y) for y in heads.values())),
                      ("sequences", sets.is_sequences(case.data)), ("views", sets.is_images(case.data)),
                      ("maps", sets.is_images(case.data) and targets(case)),
                      ("pictures", case.body and case.body.pictures),
                      ("partners", query.get("pairing") in (*ref.CLASS_PAIRINGS, "neighbour")),
                      ("choices", set(query) & {"prob", "switch"} or "," in query.get("alpha", ""))):
        if has:
            yield what


# --- Values -----------------------------------------------------------------


def is_light(held):
    """Whether the reference can be asked."""
    return sum(math.prod(shape) for _, shape in held.values()) <= HARD


def _facts(made):
    return {"lambda": np.array(made.lam), "lambda_eff": np.array(made.lam_eff)}


def _mask_values(case):
    query = case.query
    dtype = query.get("dtype", "f32")
    if case.form == "png":
        dtype = "u8" if query.get("output") == "grey" else "f64"
    make = ref.make_greys if query.get("output") == "grey" else ref.make_masks
    made = make(ref.recipe_of(query), sides(query["shape"]), integer(query, "index", 0),
                integer(query, "n", 1), dtype)
    return {"masks": made.masks, **_facts(made), "ones": np.array(made.ones, "<i8")}


def _plan_values(case):
    query = case.query
    index = int(query["index"]) if "index" in query else None
    made = ref.make_plans(ref.recipe_of(query), sides(query["shape"]), integer(query, "step", 0),
                          integer(query, "steps", 1), integer(query, "n", 1), index,
                          query.get("dtype", "f32"))
    parts = [{"masks": plan.masks, "pairing": np.array(plan.pairing, "<i8"), **_facts(plan),
              "method": np.array(plan.method, "u1")} for plan in made]
    if "steps" not in query:
        return parts[0]
    return {name: np.stack([part[name] for part in parts]) for name in parts[0]}


def _mix_values(case):
    query, arrays = case.query, case.body.arrays
    heads = {n: y for n, y in arrays.items() if n == "y" or n.startswith("y.")}
    asked = [int(c) for c in query.get("classes", "0").split(",")]
    numbered = [n for n, y in heads.items() if y.ndim == 1]
    labels = {}
    if heads:
        labels = {"y": heads, "smoothing": float(query.get("smoothing", 0)),
                  "y2": {n: arrays[n.replace("y", "y2", 1)] for n in heads} if "x2" in arrays else None,
                  "classes": {n: asked[0 if len(asked) == 1 else i] for i, n in enumerate(numbered)}}
    index = int(query["index"]) if "index" in query else None
    x = arrays["x"]
    if case.body.pictures:
        t = ref.row_indices(ref.first_index(integer(query, "step", 0), len(x), index), len(x))
        x = np.stack([ref.viewed(picture, views.asked(query), integer(query, "seed", 0), int(i))
                      for picture, i in zip(case.body.pictures, t)])
    made = ref.mix(ref.recipe_of(query), x, integer(query, "step", 0), upload_layout(case),
                   index, x2=arrays.get("x2"), out_dtype=query.get("out_dtype"), dense=targets(case),
                   dense2=targets(case, "dense2") if "x2" in arrays else None, **labels)
    return {"mixed": made.mixed, **{"labels" + n[1:]: t for n, t in (made.labels or {}).items()},
            "pairing": np.array(made.pairing, "<i8"), **_facts(made), "masks": made.masks,
            "method": np.array(made.method, "u1"), **made.dense}


def _reals(text):
    values = [float(item) for item in text.split(",")]
    return values[0] if len(values) == 1 else values


def _batch_values(case):
    query = case.query
    whole = hosting.batch(
        asked(case), ref.recipe_of(query), integer(query, "n", 64), case.step, integer(query, "epoch", 0),
        shuffle=query.get("shuffle") == "1", crop=integer(query, "crop", 0), pad=query.get("pad", "zero"),
        flip=query.get("flip") == "1", smoothing=float(query.get("smoothing", 0)),
        mean=_reals(query["mean"]) if "mean" in query else None,
        std=_reals(query["std"]) if "std" in query else None, out_dtype=query.get("out_dtype"),
        view=views.asked(query) if sets.is_images(case.data) else None,
        bucket=integer(query, "bucket", 50), pad_value=float(query.get("pad_value", 0)))
    _, mine = share(case)
    return {name: tensor[mine.start:mine.stop] for name, tensor in whole.items()}


VALUES = {"/v1/masks": _mask_values, "/v1/plans": _plan_values, "/v1/mix": _mix_values,
          "/v1/datasets/{name}/batches/{step}": _batch_values}


def values(case):
    """Each tensor by the reference; ValueError: it refuses too."""
    return pick(case, VALUES[case.route](case))


def layout(case):
    """Where the picture that a case asks for has its channels."""
    if case.route == "/v1/masks" or case.query.get("parts") == "masks":
        return "none"
    return case.query.get("layout", case.data.layout) if case.data else upload_layout(case)


__all__ = ["bodies", "shapes", "values", "is_light", "layout"]
