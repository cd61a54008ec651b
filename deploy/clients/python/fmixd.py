"""Batches mixed by fmixd, for trainers in Python. One file; needs the standard library and NumPy.

A batch that you have, on the device where it is:

    mix = fmixd.Mixer("http://localhost:8080", seed=7, method="fmix,mixup", classes=10)
    for step, (x, y) in enumerate(batches):
        x, y = mix(x, y, step)

Only masks travel, bit-packed, fetched ahead in the background. x and y are NumPy's or PyTorch's, or any
library's whose arrays have an array namespace.

Batches of a data set that fmixd hosts:

    for x, y in fmixd.epoch("http://localhost:8080", "garments", epoch=3, batch=64, shuffle=1):
        ...

Either can begin at any step, on any rank of any world: the same arguments give the same bits.
"""

import http.client
import itertools
import json
import os
import queue
import random
import struct
import threading
import time
from urllib.parse import urlencode, urlsplit

import numpy as np

AHEAD = 4         # requests that are fetched before they are asked for
PATIENCE = 300.0  # seconds over which a request is tried again
MOMENT = 0.1      # seconds between two tries, at least
TIMEOUT = 60.0    # seconds without a byte
TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
         "U8": "u1", "BOOL": "?", "BF16": "<u2"}
METHODS = ("fmix", "cutmix", "mixup", "bc", "bcplus", "samplepairing", "none")


class Refused(Exception):
    """fmixd will not answer this, however often it is asked; says why."""


# --- HTTP -------------------------------------------------------------------


class Connection:
    """One kept connection, opened again whenever it breaks."""

    def __init__(self, url, token=None, patience=PATIENCE, tries=None):
        parts = urlsplit(url)
        kind = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
        self._open = lambda: kind[parts.scheme](parts.netloc, timeout=TIMEOUT)
        self._path = parts.path.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._patience, self._tries = patience, tries
        self._connection = None

    def get(self, path, **query):
        """The body; tries again for as long as it is worth it, as Retry-After says."""
        return self._ask("GET", path, query)

    def post(self, path, data, **query):
        """The same of what is uploaded: asking twice changes nothing."""
        return self._ask("POST", path, query, data)

    def _ask(self, method, path, query, data=None):
        target = f"{self._path}{path}?{urlencode(query)}" if query else self._path + path
        end, pause = time.monotonic() + self._patience, 0.1
        for tried in itertools.count(1):
            status, headers, body = self._try(method, target, data)
            if status == 200:
                return body
            if status and status not in (429, 502, 503, 504):
                raise Refused(f"{target}: {status} {_reason(body)}")
            wait = _seconds(headers.get("Retry-After"), pause) * random.uniform(1, 1.3)
            if time.monotonic() + wait > end or tried == self._tries:
                raise ConnectionError(f"{target}: no answer, asked {tried} times: "
                                      f"{_reason(body) if status else body}")
            time.sleep(wait)
            pause = min(2 * pause, 5)

    def _try(self, method, target, data):
        try:
            self._connection = self._connection or self._open()
            self._connection.request(method, target, data, self._headers)
            answer = self._connection.getresponse()
            return answer.status, answer.headers, answer.read()
        except (OSError, http.client.HTTPException) as broken:
            self.close()
            return None, {}, str(broken)

    def close(self):
        """Until it is used again."""
        if self._connection:
            self._connection.close()
        self._connection = None


def _seconds(text, otherwise):
    """What Retry-After says, where it is a number of them and no date; a moment at least."""
    return max(int(text), MOMENT) if text and text.isdigit() else otherwise


def _reason(body):
    try:
        return json.loads(body)["detail"]
    except (ValueError, KeyError, TypeError):
        return body[:200]


def tensors(body):
    """The arrays of a safetensors file by name; bf16 as float32."""
    length, = struct.unpack("<Q", body[:8])
    header = json.loads(body[8:8 + length])
    header.pop("__metadata__", None)
    arrays = {}
    for name, entry in header.items():
        start, end = (8 + length + offset for offset in entry["data_offsets"])
        array = np.frombuffer(body[start:end], TYPES[entry["dtype"]])
        if entry["dtype"] == "BF16":
            array = (array.astype("<u4") << 16).view("<f4")
        arrays[name] = array.reshape(entry["shape"])
    return arrays


class Ahead:
    """What a function makes of 0, 1, 2, …, some of it before it is asked for, on a thread."""

    def __init__(self, make, first, end=None, ahead=AHEAD):
        self._ready = queue.Queue(ahead)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(make, first, end), daemon=True)
        self._thread.start()

    def _put(self, item):
        while not self._stop.is_set():
            try:
                self._ready.put(item, timeout=0.1)
                return
            except queue.Full:
                pass

    def _run(self, make, number, end):
        try:
            while not self._stop.is_set() and number != end:
                self._put((number, make(number), None))
                number += 1
        except BaseException as failed:  # pylint: disable=broad-except
            self._put((number, None, failed))  # whoever takes it raises it
        else:
            self._put((number, None, StopIteration()))

    def take(self):
        """The next number, and what was made of it."""
        number, made, failed = self._ready.get()
        if failed is not None:
            self._put((number, None, failed))  # so does whoever asks again
            raise failed
        return number, made

    def close(self):
        """Stops the thread."""
        self._stop.set()
        self._thread.join()


# --- A batch that you have ----------------------------------------------------


def _namespace(x):
    """What has x's `where`: NumPy, PyTorch, or what x says itself."""
    if isinstance(x, np.ndarray):
        return np
    if hasattr(x, "__array_namespace__"):
        return x.__array_namespace__()
    if type(x).__module__.split(".")[0] == "torch":
        import torch  # pylint: disable=import-outside-toplevel
        return torch
    raise TypeError(f"{type(x)} has no array namespace; give a NumPy array or a torch tensor")


def _like(array, x):
    """A NumPy array where x is."""
    space = _namespace(x)
    if space is np:
        return array
    made = space.asarray(np.array(array))  # a copy: what came off the wire is read-only
    return made.to(x.device) if hasattr(made, "to") else made


class Plan:
    """One step's: who is mixed with whom, by which mask or weight."""

    def __init__(self, parts, row, shape):
        self.pairing = parts["pairing"][row]
        self.lam, self.lam_eff = parts["lambda"][row], parts["lambda_eff"][row]
        self.method = METHODS[int(parts["method"][row][0])]
        self.bits, self.shape = parts["masks"][row], shape

    def masks(self):
        """Bool [n, *shape], of fmix and cutmix."""
        size = int(np.prod(self.shape))
        return np.unpackbits(self.bits, axis=1, count=size).reshape(-1, *self.shape).astype(bool)


class Mixer:
    """Mixes batches by plans that it fetches ahead. Parameters are those of /v1/plans: seed, method,
    alpha, delta, lambda (as `lam`), policy, weights, pairing, scope, … ; soft masks are not for it.

    layout: where x has its channels: channels_first, channels_last or none. classes: y holds class
    numbers of so many classes; else y is rows of floats.
    """

    def __init__(self, url, *, layout="channels_first", classes=None, steps=16, token=None, **law):
        if law.get("soft"):
            raise ValueError("soft masks do not fit into bits; use /v1/mix for them")
        if "lam" in law:
            law["lambda"] = law.pop("lam")
        self.layout, self.classes, self.steps = layout, classes, steps
        self._connect = lambda: Connection(url, token)
        self._law, self._shape = law, None
        self._begin()

    def _begin(self):
        """With nothing fetched."""
        self._process, self._connection = os.getpid(), self._connect()
        self._ahead, self._plans = None, {}

    def __call__(self, x, y, step):
        """The mixed batch number `step`: x and, unless it is None, its labels."""
        plan = self.plan(self._spatial(x), len(x), step)
        partners = _like(plan.pairing, x)
        return self._mix(plan, x, x[partners]), None if y is None else self._labels(plan, y)

    def plan(self, shape, rows, step):
        """The plan of a step."""
        if self._process != os.getpid():
            self._begin()  # a fork has no threads, and its parent's connection is not its own
        if (shape, rows) != self._shape or step not in self._plans:
            self._seek(shape, rows, step)
        while step not in self._plans:
            try:
                first, parts = self._ahead.take()
            except Exception:
                self.close()  # whoever asks again asks the server again
                raise
            for row in range(len(parts["pairing"])):
                self._plans[first * self.steps + row] = Plan(parts, row, shape)
        plan = self._plans[step]
        self._plans = {number: kept for number, kept in self._plans.items() if number >= step}
        return plan

    def _seek(self, shape, rows, step):
        """Goes on where it is, or begins to fetch from there."""
        block = step // self.steps
        expected = max(self._plans, default=-2) + 1
        if self._ahead and (shape, rows) == self._shape and step == expected:
            return
        self.close()
        self._shape, self._plans = (shape, rows), {}
        query = {**self._law, "shape": "x".join(map(str, shape)), "n": rows, "dtype": "bits",
                 "steps": self.steps}
        self._ahead = Ahead(lambda number: tensors(self._connection.get(
            "/v1/plans.safetensors", **query, step=number * self.steps)), block)

    def _spatial(self, x):
        cut = {"channels_first": slice(2, None), "channels_last": slice(1, -1),
               "none": slice(1, None)}[self.layout]
        return tuple(int(side) for side in x.shape[cut])

    def _mix(self, plan, x, other):
        space, method = _namespace(x), plan.method
        if method in ("fmix", "cutmix"):
            mask = plan.masks()
            mask = {"channels_first": lambda: mask[:, None], "channels_last": lambda: mask[..., None],
                    "none": lambda: mask}[self.layout]()
            return space.where(_like(mask, x), x, other)
        if method in ("mixup", "bc", "samplepairing"):
            weight = np.full(len(x), 0.5) if method == "samplepairing" else plan.lam
            weight = _like(weight.astype("f4").reshape(-1, *[1] * (x.ndim - 1)), x)
            return weight * x + (1 - weight) * other
        if method == "none":
            return x
        raise Refused(f"{method} needs the samples themselves: use /v1/mix for it")

    def _labels(self, plan, y):
        if self.classes:
            y = _like(np.eye(self.classes, dtype="f4"), y)[y]
        elif y.ndim == 1:
            raise ValueError("y holds class numbers: tell Mixer how many `classes` there are")
        weight = _like(plan.lam_eff.astype("f4")[:, None], y)
        return weight * y + (1 - weight) * y[_like(plan.pairing, y)]

    def close(self):
        """Stops fetching."""
        if self._ahead and self._process == os.getpid():
            self._ahead.close()
        self._ahead = None
        self._connection.close()


# --- A data set that fmixd hosts ----------------------------------------------


def describe(url, name, token=None):
    """What there is of a data set: count, shape, dtype, heads, digest, …"""
    connection = Connection(url, token)
    try:
        return json.loads(connection.get(f"/v1/datasets/{name}"))
    finally:
        connection.close()


def steps_of(count, batch, drop_last=0):
    """How many batches an epoch has."""
    return count // batch + (0 if drop_last else count % batch > 0)


def epoch(url, name, *, epoch=0, batch=64, start=0, token=None, ahead=AHEAD, stride=1, **options):
    """Batches of an epoch, from step `start` on, as pairs of arrays: the mixed rows, and their
    labels (of several heads a dictionary of them, of none None). Options are those of the resource:
    seed, method, shuffle, crop, flip, mean, std, out_dtype, rank, world, drop_last, … ; stride: takes
    every so many steps only.
    """
    facts = describe(url, name, token)
    end = steps_of(facts["count"], batch, options.get("drop_last", 0))
    connection = Connection(url, token)

    def fetch(number):
        return tensors(connection.get(
            f"/v1/datasets/{name}/batches/{start + number * stride}.safetensors", **options,
            epoch=epoch, n=batch, digest=facts["digest"], parts="mixed,labels" if facts["heads"] else
            "mixed"))

    batches = Ahead(fetch, 0, max(0, -(-(end - start) // stride)), ahead)
    try:
        while True:
            try:
                _, parts = batches.take()
            except StopIteration:
                return
            labels = {key.partition(".")[2]: y for key, y in parts.items() if key != "mixed"}
            yield parts["mixed"], labels.get("") if set(labels) <= {""} else labels
    finally:
        batches.close()
        connection.close()


# --- PyTorch, if it is there ----------------------------------------------------

try:
    import torch as _torch
    from torch.utils import data as _data
except ImportError:
    _torch = None

if _torch:
    class Epochs(_data.IterableDataset):
        """`epoch` as a data set of batches: give it to a DataLoader with batch_size=None. Its
        workers share the steps; set_epoch chooses the next epoch."""

        def __init__(self, url, name, **options):
            super().__init__()
            self.url, self.name, self.options = url, name, options

        def set_epoch(self, number):
            """What the next iteration goes through."""
            self.options["epoch"] = number

        def __iter__(self):
            worker = _data.get_worker_info()
            first, stride = (worker.id, worker.num_workers) if worker else (0, 1)
            options = {**self.options, "start": self.options.get("start", 0) + first}
            for x, y in epoch(self.url, self.name, **options, stride=stride):
                labels = ({key: _torch.from_numpy(head.copy()) for key, head in y.items()}
                          if isinstance(y, dict) else None if y is None
                          else _torch.from_numpy(y.copy()))
                yield _torch.from_numpy(x.copy()), labels

    class Collate:
        """A collate_fn that mixes: batches of (x, y) are counted from `start` on, over all epochs. So
        the loader has num_workers=0: each epoch a worker would count from `start` again."""

        def __init__(self, mixer, start=0):
            self.mixer, self.step = mixer, start

        def __call__(self, samples):
            if _data.get_worker_info() is not None:
                raise RuntimeError("fmixd.Collate counts batches over all epochs, which no worker "
                                   "does: give the DataLoader num_workers=0, or mix what it yields")
            x, y = _data.default_collate(samples)
            self.step += 1
            return self.mixer(x, y, self.step - 1)
