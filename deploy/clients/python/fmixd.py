"""Batches mixed by fmixd, for trainers in Python. One file; needs the standard library and NumPy.

A batch that you have, on the device where it is:

    mix = fmixd.Mixer("http://localhost:8080", seed=7, method="fmix,mixup", classes=10)
    for epoch in range(90):
        for x, y in mix.epoch(loader, epoch):
            ...

Only masks travel, bit-packed, fetched ahead in the background. x and y are NumPy's or PyTorch's, or any
library's whose arrays have an array namespace.

Batches of a data set that fmixd hosts:

    for x, y in fmixd.epoch("http://localhost:8080", "garments", epoch=3, batch=64, shuffle=True):
        ...

Either can begin at any step, on any rank of any world: the same arguments give the same bits.
"""

import collections
import http.client
import itertools
import json
import os
import random
import selectors
import socket
import struct
import sys
import threading
import time
import warnings
from urllib.parse import urlencode, urlsplit

import numpy as np

AHEAD = 4         # requests that are fetched before they are asked for
PATIENCE = 300.0  # seconds over which a request is tried again
SILENCE = 2.0     # seconds without an answer after which a warning says so
MOMENT = 0.1      # seconds between two tries, at least
TIMEOUT = 60.0    # seconds without a byte
TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
         "U8": "u1", "BOOL": "?", "BF16": "<u2"}
METHODS = ("fmix", "cutmix", "mixup", "bc", "bcplus", "samplepairing", "none")
CHOOSE = np.isin(METHODS, ("fmix", "cutmix"))  # by a mask, between a row's own elements and its partner's
SUM = np.isin(METHODS, ("mixup", "bc", "bcplus", "samplepairing"))  # both, by weights


class Refused(Exception):
    """fmixd will not answer this, however often it is asked; says why."""


# --- HTTP -------------------------------------------------------------------


def _checked(url):
    """The parts of a URL that can be asked."""
    try:
        parts = urlsplit(url)
        good = (parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
                and parts.username is None and not set(url) & set(" \t\r\n"))
    except ValueError:  # of a port or an address that is none
        good = False
    if not good:
        raise ValueError(f"url is {url!r}; it must be http:// or https://, a host and perhaps a port, as "
                         "http://localhost:8080")
    return parts


def _bearer(token):
    """The header of a token, which no message shows."""
    if token is None:
        return {}
    token = token.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise ValueError("the token must be one word of ASCII letters, digits and signs")
    return {"Authorization": f"Bearer {token}"}


def _text(value):
    """A parameter as the daemon reads it: truths as 1 and 0, lists with commas."""
    if isinstance(value, (bool, np.bool_)):
        return str(int(value))
    if isinstance(value, (list, tuple, np.ndarray)):
        return ",".join(map(_text, value))
    return str(value)


def _query(options):
    """Options by the names of the API: lambda, which Python has for itself, is `lam`."""
    return {"lambda" if name == "lam" else name: value for name, value in options.items()}


class Connection:
    """One kept connection, opened again whenever it breaks."""

    def __init__(self, url, token=None, patience=PATIENCE, tries=None):
        parts = _checked(url)
        self._kind = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}[parts.scheme]
        self._url, self._host, self._path = url, parts.netloc, parts.path.rstrip("/")
        self._headers = _bearer(token)
        self._patience, self._tries = patience, tries
        self._connection, self._abandoned = None, threading.Event()

    def get(self, path, **query):
        """The body; tries again for as long as it is worth it, as Retry-After says."""
        return self._ask("GET", path, query)

    def post(self, path, data, **query):
        """The same of what is uploaded: asking twice changes nothing."""
        return self._ask("POST", path, query, data)

    def _ask(self, method, path, query, data=None):
        texts = {name: _text(value) for name, value in query.items()}
        target = f"{self._path}{path}?{urlencode(texts)}" if query else self._path + path
        begun, pause, silent = time.monotonic(), 0.1, False
        for tried in itertools.count(1):
            status, headers, body = self._try(method, target, data)
            if status == 200:
                return body
            if status and status not in (429, 502, 503, 504):
                raise Refused(f"{target}: {status} {_reason(body)}")
            wait = _seconds(headers.get("Retry-After"), pause) * random.uniform(1, 1.3)
            waited = time.monotonic() - begun
            why = _reason(body) if status else body
            if waited + wait > self._patience or tried == self._tries:
                raise ConnectionError(f"{target}: no answer, asked {tried} times: {why}")
            if waited + wait > SILENCE and not silent:
                silent = True
                warnings.warn(f"{self._url}: no answer yet ({why}); it is asked again in {wait:.1f} s, and until "
                              f"{self._patience:.0f} s are over", stacklevel=3)
            if self._abandoned.wait(wait):
                raise ConnectionError(f"{target}: nobody waits for the answer any more")
            pause = min(2 * pause, 5)

    def _try(self, method, target, data):
        if self._abandoned.is_set():
            return None, {}, "nobody waits for the answer any more"
        try:
            self._connection = self._connection or self._kind(self._host, timeout=TIMEOUT)
            self._connection.request(method, target, data, self._headers)
            self._warn_of_silence()
            answer = self._connection.getresponse()
            return answer.status, answer.headers, answer.read()
        except (OSError, http.client.HTTPException) as broken:
            self.close()
            return None, {}, str(broken) or type(broken).__name__

    def _warn_of_silence(self):
        """Where the first byte takes long."""
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._connection.sock, selectors.EVENT_READ)
            silent = not waiting.select(SILENCE)
        if silent:  # with the time, for Python shows equal warnings once
            warnings.warn(f"{self._url}: not answered for {SILENCE:.0f} s at {time.strftime('%H:%M:%S')}; this goes "
                          "on waiting", stacklevel=6)

    def close(self):
        """Until it is used again."""
        if self._connection:
            self._connection.close()
        self._connection = None

    def abandon(self):
        """From another thread: whoever waits for an answer stops waiting."""
        self._abandoned.set()
        waiting = getattr(self._connection, "sock", None)
        if waiting:
            try:
                waiting.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it was closed meanwhile


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
    try:
        length, = struct.unpack("<Q", body[:8])
        header = json.loads(body[8:8 + length])
    except (struct.error, ValueError) as wrong:
        raise Refused(f"this is not fmixd's answer, which begins with {body[:40]!r}") from wrong
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

    def __init__(self, make, first, end=None, ahead=AHEAD, done=lambda: None):
        """done: is called on the thread when it ends."""
        self._changed = threading.Condition()
        self._made, self._room = collections.deque(), ahead
        self._stopped, self._failed = False, None
        self._thread = threading.Thread(target=self._run, args=(make, first, end, done), daemon=True)
        self._thread.start()

    def _run(self, make, number, end, done):
        failed = StopIteration()
        try:
            while number != end and self._has_room():
                made = make(number)
                with self._changed:
                    self._made.append((number, made))
                    self._changed.notify_all()
                number += 1
        except BaseException as wrong:  # pylint: disable=broad-except
            failed = wrong  # whoever takes it raises it
        done()
        with self._changed:
            self._failed = failed
            self._changed.notify_all()

    def _has_room(self):
        """Waits for it. False: nobody takes any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or len(self._made) < self._room)
            return not self._stopped

    def take(self):
        """The next number, and what was made of it."""
        with self._changed:
            self._changed.wait_for(lambda: self._made or self._failed is not None)
            if not self._made:
                raise self._failed  # so does whoever asks again
            self._changed.notify_all()
            return self._made.popleft()

    def stop(self):
        """Nothing more is made; does not wait for what is being made."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def close(self):
        """Stops the thread, and waits for its end."""
        self.stop()
        self._thread.join()


# --- A batch that you have ----------------------------------------------------


def _namespace(x):
    """What has x's `where`: NumPy, PyTorch, or what x says itself."""
    if isinstance(x, np.ndarray):
        return np
    if hasattr(x, "__array_namespace__"):
        return x.__array_namespace__()
    torch = sys.modules.get("torch")
    if torch and isinstance(x, torch.Tensor):
        return torch
    raise TypeError(f"{type(x)} has no array namespace; give a NumPy array or a torch tensor")


def _is_torch(space):
    return getattr(space, "__name__", "") == "torch"


def _like(array, x):
    """A NumPy array where x is."""
    space = _namespace(x)
    if space is np:
        return array
    made = space.from_numpy(array.copy()) if _is_torch(space) else space.asarray(np.array(array))
    return made.to(x.device) if hasattr(made, "to") else made


def _kind(x):
    """Of x's type: f a float, i an integer, b a truth."""
    if isinstance(x, np.ndarray):
        return {"u": "i"}.get(x.dtype.kind, x.dtype.kind)
    name = str(x.dtype).rpartition(".")[2]
    return "f" if "float" in name else "b" if name == "bool" else "i" if "int" in name else "?"


def _bits(x):
    """Of an element."""
    size = getattr(x.dtype, "itemsize", None)
    return 8 * (x.element_size() if size is None else size)


class Plan:
    """One step's: who is mixed with whom, by which method, and by which mask or weight."""

    def __init__(self, parts, row, shape):
        self.pairing = parts["pairing"][row]
        self.lam, self.lam_eff = parts["lambda"][row], parts["lambda_eff"][row]
        self.methods = parts["method"][row]  # of each row, as a place in METHODS
        self.bits, self.shape = parts["masks"][row], shape
        self.chooses, self.sums = CHOOSE[self.methods], SUM[self.methods]  # bool [n]

    @property
    def method(self):
        """The name of the method, if all rows have the same one; else None."""
        first = self.methods[0]
        return METHODS[first] if (self.methods == first).all() else None

    def masks(self):
        """Bool [n, *shape], of rows that choose."""
        size = int(np.prod(self.shape))
        return np.unpackbits(self.bits, axis=1, count=size).reshape(-1, *self.shape).view(bool)

    def weights(self):
        """Float64 [n]: the share of a row itself, of rows that are sums."""
        return np.where(self.methods == METHODS.index("samplepairing"), 0.5, self.lam)

    def partners(self):
        """The pairing, in which a row that is not mixed is its own partner."""
        return np.where(self.chooses | self.sums, self.pairing, np.arange(len(self.pairing)))


class _Stream:
    """Plans of one shape and number of rows, one step after the other. The first is fetched alone, so
    that nobody waits for more than it; blocks grow from there."""

    def __init__(self, url, token, shape, steps, query):
        self._url, self._token, self._shape, self._steps, self._query = url, token, shape, steps, query
        self._ahead, self._far = None, None
        self._near = Connection(url, token)
        self._plans, self._next = {}, None
        self.used = 0

    def plan(self, number, eager):
        """That of a step; eager: what follows is fetched before it is asked for."""
        if number not in self._plans and (number != self._next or not (self._ahead or eager)):
            self._seek(number)
        elif number not in self._plans and not self._ahead:
            self._begin(number)
        if eager and not self._ahead:
            self._begin(self._next)
        while number not in self._plans:
            try:
                self._take(*self._ahead.take()[1])
            except BaseException:
                self.stop()  # whoever asks again asks the server again
                raise
        self.used += 1
        self._next = number + 1
        self._plans = {key: kept for key, kept in self._plans.items() if key >= number}
        return self._plans[number]

    def _take(self, first, parts):
        for row in range(len(parts["pairing"])):
            self._plans[first + row] = Plan(parts, row, self._shape)

    def _fetch(self, connection, first, steps):
        return first, tensors(connection.get("/v1/plans.safetensors", **self._query, step=first, steps=steps))

    def _seek(self, number):
        self.stop()
        self._take(*self._fetch(self._near, number, 1))
        self._next = number + 1

    def _begin(self, number):
        """To fetch ahead from there: 1, 2, 4, … steps at a time, up to `steps`."""
        connection = self._far = Connection(self._url, self._token)
        most, small = self._steps, self._steps.bit_length() - 1

        def block(k):
            if k < small:
                return self._fetch(connection, number + 2**k - 1, 2**k)
            return self._fetch(connection, number + 2**small - 1 + (k - small) * most, most)
        self._ahead = Ahead(block, 0, done=connection.close)

    def stop(self):
        """Forgets what was fetched."""
        if self._ahead:
            self._ahead.stop()
            self._far.abandon()
        self._ahead, self._plans, self._next = None, {}, None

    def drop(self):
        """Ends it; the thread ends by itself."""
        self.stop()
        self._near.close()

    def close(self):
        """Waits for the thread, too."""
        ahead = self._ahead
        self.drop()
        if ahead:
            ahead.close()


# Steps of an epoch, and epochs of a rank, that have numbers of their own.
STEPS, EPOCHS = 2**24, 2**16

# Pairings that hang on the samples, of which plans know nothing.
BY_CLASS = ("the classes of the samples, which plans do not have: POST x and y to /v1/mix, or take batches of a "
            "hosted data set by fmixd.epoch")
BY_SAMPLES = {"other_class": BY_CLASS, "same_class": BY_CLASS,
              "neighbour": "the neighbours of a hosted data set: take its batches by fmixd.epoch"}


class Mixer:
    """Mixes batches by plans that it fetches ahead. Parameters are those of /v1/plans: seed, method,
    alpha, delta, lambda (as `lam`), policy, weights, pairing, scope, prob, switch, … ; soft masks are
    not for it. Of several methods each may have an alpha of its own: alpha=[1, 0.2]. With prob below 1,
    or switch="sample", the rows of a batch differ in method; a row that is not mixed stays as it is.

    layout: where x has its channels: channels_first, channels_last or none. It must be told where the
    shape of x leaves it open; x of four or five dimensions has its channels first unless told.
    classes: y holds class numbers of so many classes; else y is rows of floats, or [n] of floats, which
    are values. With several heads y is a dictionary of arrays, and classes may be one with the same keys.
    smoothing, correct: of labels, as /v1/mix has them; values are not smoothed.
    rank, world: each rank mixes its own batches, by plans of its own.
    steps: how many plans one request fetches at most; four such requests are held ahead. token: of
    the daemon, if it asks one. Close a Mixer, or use it by `with`; threads may share one.
    """

    def __init__(self, url, *, layout=None, classes=None, steps=16, token=None, smoothing=0.0, correct=True,
                 rank=0, world=1, **law):
        _checked(url)
        for name in {"index", "step", "n", "shape", "dtype", "parts", "epoch"} & set(law):
            raise ValueError(f"{name} follows from each batch; a Mixer does not take it")
        if law.get("soft"):
            raise ValueError("soft masks do not fit into bits; use /v1/mix for them")
        if law.get("pairing") in BY_SAMPLES:
            raise ValueError(f"pairing={law['pairing']!r} needs {BY_SAMPLES[law['pairing']]}")
        if layout not in (None, "channels_first", "channels_last", "none"):
            raise ValueError(f"layout is {layout!r}; it must be channels_first, channels_last or none")
        if not isinstance(rank, int) or not isinstance(world, int) or not 0 <= rank < world <= 2**16:
            raise ValueError(f"rank is {rank} of world {world}; ranks count from 0, and world is at most 65536")
        if not 0 <= smoothing <= 1:
            raise ValueError(f"smoothing is {smoothing}; it must be from 0 to 1")
        for told in classes.values() if isinstance(classes, dict) else (classes,):
            if told is not None and (not isinstance(told, int) or told < 1):
                raise ValueError(f"classes is {told!r}; it must be a whole number from 1 on")
        if not isinstance(steps, int) or steps < 1:
            raise ValueError(f"steps is {steps!r}; it must be a whole number from 1 on")
        self.url, self.token, self.layout, self.classes, self.steps = url, token, layout, classes, steps
        self.smoothing, self.correct, self.rank, self.world = smoothing, correct, rank, world
        self._law = _query(law)
        self._begin()

    def _begin(self):
        """With nothing fetched."""
        self._process, self._streams, self._last = os.getpid(), {}, None
        self._taking = threading.RLock()  # threads may share a Mixer

    def __getstate__(self):
        return {**self.__dict__, "_streams": {}, "_last": None, "_process": None, "_taking": None}

    def epoch(self, batches, epoch, start=0):
        """Pairs (x, y) of an iterable, mixed as the steps of that epoch from `start` on. To resume amid an
        epoch, give what is left of the batches, and how many went before."""
        for step, (x, y) in enumerate(batches, start):
            yield self(x, y, step, epoch=epoch)

    def __call__(self, x, y, step, *, epoch=None):
        """The mixed batch number `step` (of an epoch, if that is told): x and, unless it is None, its
        labels. x stays as it is."""
        plan = self.plan(self._spatial(x), len(x), self.number(step, epoch))
        return self._mix(plan, x), None if y is None else self._labels(plan, y)

    def number(self, step, epoch=None):
        """Under which the daemon knows a step of an epoch of this rank."""
        if epoch is None:
            self._look_back(step)
        elif not 0 <= epoch < EPOCHS:
            raise ValueError(f"epoch is {epoch}; it must be from 0 to {EPOCHS - 1}")
        if not 0 <= step < (2**64 if epoch is None and self.world == 1 else STEPS):
            raise ValueError(f"step is {step}; of an epoch it must be from 0 to {STEPS - 1}")
        return (self.rank * EPOCHS + (epoch or 0)) * STEPS + step

    def _look_back(self, step):
        """The commonest mistake: steps of each epoch counted from 0, and no epoch told."""
        if self._last is not None and step < self._last:
            warnings.warn(f"step went back from {self._last} to {step} and no epoch is told, so masks, lambdas and "
                          "pairings repeat: call mix(x, y, step, epoch=…), or count steps on", stacklevel=4)
        self._last = step

    def plan(self, shape, rows, number):
        """The plan of a step, by its number."""
        if self._process != os.getpid():
            self._begin()  # a fork has no threads, and its parent's connections are not its own
        with self._taking:
            return self._plan(shape, rows, number)

    def _plan(self, shape, rows, number):
        stream = self._streams.pop((shape, rows), None)
        if stream is None:
            stream = _Stream(self.url, self.token, shape, self.steps, {
                **self._law, "shape": "x".join(map(str, shape)), "n": rows, "dtype": "bits"})
        # An epoch's last batch of fewer rows comes alone: what would follow it is not fetched.
        eager = not any(other.used > 1 for other in self._streams.values()) or stream.used > 1
        self._streams[shape, rows] = stream  # the last used stands last
        while len(self._streams) > 3:
            self._streams.pop(next(iter(self._streams))).stop()
        return stream.plan(number, eager)

    def _spatial(self, x):
        layout = self.layout or self._guessed(x)
        cut = {"channels_first": slice(2, None), "channels_last": slice(1, -1), "none": slice(1, None)}[layout]
        sides = tuple(int(side) for side in x.shape[cut])
        if not 1 <= len(sides) <= 3:
            raise ValueError(f"x has the shape {tuple(x.shape)}, of which layout={layout!r} leaves {len(sides)} "
                             "spatial dimensions; masks have one, two or three")
        return sides

    def _guessed(self, x):
        shape = tuple(x.shape)
        if len(shape) == 2:
            return "none"
        if len(shape) == 3:
            raise ValueError(f"x has the shape {shape}: layout='none' says rows of {shape[1]} x {shape[2]} without "
                             f"channels, 'channels_first' rows of length {shape[2]} with {shape[1]} channels; tell "
                             "Mixer which")
        if len(shape) in (4, 5) and shape[-1] in (1, 3, 4) and shape[1] not in (1, 3, 4):
            raise ValueError(f"x has the shape {shape}, which looks like channels_last, and channels_first is what "
                             "Mixer takes unless told: say layout='channels_last' or layout='channels_first'")
        return "channels_first"

    def _mix(self, plan, x):
        if plan.method == "none":
            return x
        if plan.sums.any():
            self._check_sums(plan, x)
        partners, weights = plan.partners(), plan.weights()
        if plan.sums.all():
            return _interpolate(x, partners, weights)
        mixed = _rows(x, partners)
        if plan.chooses.any():
            mixed = self._choose(plan, x, mixed)
        if plan.sums.any():
            mixed = _interpolate_some(x, partners, weights, np.flatnonzero(plan.sums), mixed)
        return mixed

    @staticmethod
    def _check_sums(plan, x):
        """Refuses weighted sums that are not for here."""
        names = {METHODS[number] for number in plan.methods[plan.sums]}
        if "bcplus" in names:
            raise Refused("bcplus needs the samples themselves: use /v1/mix for it")
        if _kind(x) != "f":
            raise TypeError(f"x is of {x.dtype}, and {min(names)} interpolates: make it a float first")

    def _choose(self, plan, x, partners):
        """By masks, into the copy that holds the partners' rows."""
        space, mask, layout = _namespace(x), plan.masks(), self.layout or self._guessed(x)
        mask = mask[:, None] if layout == "channels_first" else mask[..., None] if layout == "channels_last" else mask
        if space is np:
            np.copyto(partners, x, where=mask)
            return partners
        mask = _like(mask, x)
        if _is_torch(space) and not x.requires_grad:
            return space.where(mask, x, partners, out=partners)
        return space.where(mask, x, partners)

    def _labels(self, plan, y):
        if isinstance(y, dict):
            return {name: self._head(plan, head, self._classes_of(name), name) for name, head in y.items()}
        return self._head(plan, y, self.classes, "y")

    def _classes_of(self, name):
        return self.classes.get(name) if isinstance(self.classes, dict) else self.classes

    def _head(self, plan, y, classes, name):
        """Float rows of one head, mixed."""
        if isinstance(classes, dict):
            raise ValueError("classes is a dictionary, so y must be one, with the same names")
        if not hasattr(y, "shape"):
            raise TypeError(f"{name} is a {type(y).__name__}; give an array or a tensor")
        shape, kind = tuple(y.shape), _kind(y)
        if len(shape) not in (1, 2) or shape[0] != len(plan.pairing):
            raise ValueError(f"{name} has the shape {shape}; it must have {len(plan.pairing)} rows, of class numbers "
                             "or of floats")
        share = plan.lam_eff if self.correct else np.where(plan.chooses, plan.lam, plan.lam_eff)
        single = len(shape) == 1 or (shape[1] == 1 and kind != "b")
        if classes is None:
            if single and kind != "f":
                raise ValueError(f"{name} holds class numbers: tell Mixer how many `classes` there are")
        elif single and kind == "f" and len(shape) == 2 and classes > 1:
            raise ValueError(f"{name} has the shape {shape} and is of {y.dtype}: class numbers, or one value a row? "
                             "Make it integers for the first, and leave out `classes` for the second")
        elif single:
            return _one_hot(y.reshape(-1), plan.pairing, share, classes, self.smoothing, name)
        elif shape[1] != classes:
            raise ValueError(f"{name} has the shape {shape}, but there are {classes} classes")
        return _mixed_rows(y, plan.partners(), share, self._smoothing_of(y, name), name)

    def _smoothing_of(self, y, name):
        """Of a head; values have none."""
        if len(y.shape) == 2:
            return self.smoothing
        if self.smoothing and name == "y":
            raise ValueError("y holds one value a row, and smoothing is for classes: leave it out, or tell Mixer how "
                             "many `classes` there are")
        return 0

    def close(self):
        """Stops fetching."""
        streams, self._streams = self._streams, {}
        for stream in streams.values() if self._process == os.getpid() else ():
            stream.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        streams = self.__dict__.get("_streams", {})
        for stream in streams.values() if self.__dict__.get("_process") == os.getpid() else ():
            stream.drop()


def _rows(x, numbers):
    """A copy of the rows of those numbers."""
    space = _namespace(x)
    if space is np:
        return x[numbers]
    numbers = _like(numbers, x)
    return x.index_select(0, numbers) if _is_torch(space) else x[numbers]


def _interpolate(x, partners, weights):
    """weight * x + (1 - weight) * partner, in x's own type: rounded to it once where it has 16 bits."""
    if _namespace(x) is np:
        return _interpolate_by_numpy(x, partners, weights, range(len(x)), np.empty_like(x))
    return _weighted_sum(x, _rows(x, partners), weights)


def _interpolate_some(x, partners, weights, rows, mixed):
    """The same of some rows; the others are those of `mixed`, which may be written to."""
    space = _namespace(x)
    if space is np:
        return _interpolate_by_numpy(x, partners, weights, rows, mixed)
    if _is_torch(space):
        summed = _weighted_sum(_rows(x, rows), _rows(x, partners[rows]), weights[rows])
        return mixed.index_copy_(0, _like(rows, x), summed)
    those = np.isin(np.arange(len(weights)), rows).reshape(-1, *[1] * (x.ndim - 1))
    return space.where(_like(those, x), _interpolate(x, partners, weights), mixed)


def _weighted_sum(x, partners, weights):
    """weight * x + (1 - weight) * partners; PyTorch may write it over `partners`."""
    space = _namespace(x)
    weights = weights.astype("f8" if _bits(x) > 32 else "f4").reshape(-1, *[1] * (x.ndim - 1))
    weight = _like(weights, x)
    if not _is_torch(space):
        mixed = weight * x + (1 - weight) * partners
        return mixed.astype(x.dtype) if hasattr(mixed, "astype") else mixed
    if _bits(x) < 32:
        return partners.float().lerp_(x.float(), weight).to(x.dtype)
    return space.lerp(partners, x, weight) if x.requires_grad else partners.lerp_(x, weight)


def _interpolate_by_numpy(x, partners, weights, rows, mixed):
    """Into those rows of `mixed`, one at a time, which stays in the caches."""
    kind = x.dtype.newbyteorder("=") if x.dtype.itemsize > 2 else np.dtype("f4")
    for i in rows:
        row = np.multiply(x[i], kind.type(weights[i]), dtype=kind)
        row += np.multiply(x[partners[i]], kind.type(1 - weights[i]), dtype=kind)
        mixed[i] = row
    return mixed


def _one_hot(y, pairing, share, classes, smoothing, name):
    """Float32 [n, classes] of class numbers, mixed and smoothed, where y is."""
    space = _namespace(y)
    if _is_torch(space) and _kind(y) == "f":
        y = y.double()  # in which every type can be rounded
    if _kind(y) == "f" and bool((y != y.round()).any()):
        raise ValueError(f"{name} holds floats that are not whole numbers, so they are not class numbers: give rows "
                         "of floats, or leave out `classes`")
    low, high = (int(y.min()), int(y.max())) if len(y) else (0, 0)
    if low < 0 or high >= classes:
        raise ValueError(f"{name} holds {low if low < 0 else high}; class numbers go from 0 to {classes - 1}")
    share = (share * (1 - smoothing)).astype("f4"), ((1 - share) * (1 - smoothing)).astype("f4")
    if _is_torch(space):
        own = y.long()[:, None]
        mixed = space.full((len(y), classes), smoothing / classes, device=y.device)
        mixed.scatter_add_(1, own, _like(share[0], y)[:, None])
        return mixed.scatter_add_(1, own[_like(pairing, y)], _like(share[1], y)[:, None])
    own = np.asarray(y).astype("i8")
    mixed, rows = np.full((len(own), classes), smoothing / classes, "f4"), np.arange(len(own))
    mixed[rows, own] += share[0]
    mixed[rows, own[pairing]] += share[1]
    return mixed if space is np else _like(mixed, y)


def _mixed_rows(y, pairing, share, smoothing, name):
    """Rows of values, mixed in their own floating type; integers and truths as float32."""
    space = _namespace(y)
    if _kind(y) == "i" and len(y) and not (0 <= int(y.min()) and int(y.max()) <= 1):
        raise ValueError(f"{name} holds integers from {int(y.min())} to {int(y.max())} in {y.shape[1]} columns: rows "
                         "of 0 and 1, or a column for each of several heads? Give other weights as floats, and heads "
                         "as a dictionary")
    if _kind(y) != "f":
        y = y.float() if _is_torch(space) else y.astype("f4" if space is np else space.float32)
    if smoothing:
        y = (1 - smoothing) * y + smoothing / y.shape[1]
    return _interpolate(y, pairing, share)


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


def epoch(url, name, *, epoch=0, batch=64, start=0, token=None, ahead=AHEAD, stride=1, parts=None, **options):
    """Batches of an epoch, from step `start` on, as pairs (x, y): the mixed rows, and their labels
    (of several heads a dictionary of them, of none None). Options are those of the resource: seed,
    method, lambda (as `lam`), prob, switch, pairing, shuffle, crop, flip, mean, std, out_dtype, rank,
    world, drop_last, … (without method batches are mixed by fmix; validate by method="none"); stride:
    takes every so many steps only.

    A set of sequences, each with a length of its own, gives (x, y, lengths): x is padded behind to the
    longest row of its batch, with `pad_value` (0), and `bucket` (50) says how many batches are sorted
    by length together. In PyTorch the places of a row's own elements are

        torch.arange(x.shape[1]) < lengths[:, None]

    and pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False) leaves them alone,
    for lengths rise. A mixed row has its partner's elements past its own length, where the partner is
    longer. Of token ids, x != pad_value tells them; else, on one rank, ask for the part `pairing` too:
    such a row is as long as np.maximum(lengths, lengths[pairing]) says.

    parts: names of the parts that are wanted, of those of the resource ("mixed,labels,dense,rows");
    then each batch is a dictionary of them instead, in which labels and dense are as y is.
    """
    facts = describe(url, name, token)
    end = steps_of(facts["count"], batch, int(options.get("drop_last", 0)))
    wanted = ["mixed", *["labels"] * bool(facts["heads"]), *["lengths"] * ("lengths" in facts)]
    connection = Connection(url, token)

    def fetch(number):
        return _named(tensors(connection.get(
            f"/v1/datasets/{name}/batches/{start + number * stride}.safetensors", **_query(options),
            epoch=epoch, n=batch, digest=facts["digest"], parts=parts or wanted)))

    batches = Ahead(fetch, 0, max(0, -(-(end - start) // stride)), ahead)
    try:
        while True:
            try:
                _, made = batches.take()
            except StopIteration:
                return
            yield made if parts else (made["mixed"], made.get("labels"), *(
                [made["lengths"]] if "lengths" in made else []))
    finally:
        connection.abandon()
        batches.close()
        connection.close()


def _named(arrays):
    """Arrays by part: `labels`, or a dictionary of `labels.a` and `labels.b`."""
    parts = {}
    for key, array in arrays.items():
        part, _, name = key.partition(".")
        parts.setdefault(part, {})[name] = array
    return {part: found[""] if set(found) == {""} else found for part, found in parts.items()}


# --- PyTorch, if it is there ----------------------------------------------------

try:
    import torch as _torch
    from torch.utils import data as _data
except ImportError:
    _torch = None

if _torch:
    class Epochs(_data.IterableDataset):
        """`epoch` as a data set of batches: give it to a DataLoader with batch_size=None. Its workers
        share the steps; set_epoch chooses the next epoch, in workers that stay alive too. `start` is of
        the epoch that it was made with; later ones begin at 0."""

        def __init__(self, url, name, *, epoch=0, start=0, **options):
            super().__init__()
            _checked(url)
            self.url, self.name, self.options = url, name, options
            self._first, self._start, self._steps = epoch, start, None
            self._epoch = _torch.tensor([epoch]).share_memory_()  # workers see what is set later

        def set_epoch(self, number):
            """What the next iteration goes through."""
            self._epoch[0] = number

        def _begin(self):
            """The epoch, and the step it begins at."""
            number = int(self._epoch[0])
            return number, self._start if number == self._first else 0

        def __len__(self):
            if self._steps is None:
                facts = describe(self.url, self.name, self.options.get("token"))
                self._steps = steps_of(facts["count"], self.options.get("batch", 64),
                                       int(self.options.get("drop_last", 0)))
            return max(0, self._steps - self._begin()[1])

        def __iter__(self):
            worker = _data.get_worker_info()
            first, stride = (worker.id, worker.num_workers) if worker else (0, 1)
            number, start = self._begin()
            yield from map(_tensors_of, epoch(self.url, self.name, **self.options, epoch=number,
                                              start=start + first, stride=stride))

    def _tensors_of(made):
        """The same, of tensors."""
        if isinstance(made, tuple):
            return tuple(map(_tensors_of, made))
        if isinstance(made, dict):
            return {key: _tensors_of(value) for key, value in made.items()}
        return None if made is None else _torch.from_numpy(made.copy())

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
