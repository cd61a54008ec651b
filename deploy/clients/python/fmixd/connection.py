"""One kept HTTP connection to a daemon, that asks again where that helps."""

from __future__ import annotations

import http.client
import itertools
import json
import random
import re
import selectors
import socket
import threading
import time
import warnings
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit

import numpy as np

from .integers import integer

PATIENCE = 300.0  # seconds over which a request is tried again
SILENCE = 2.0     # seconds without an answer after which a warning says so
MOMENT = 0.1      # seconds between two tries, at least
PAUSE = 5.0       # seconds between two tries, at most, where the daemon does not say how long
SPREAD = 0.3      # of a wait, added at random, so that clients do not come again together
TIMEOUT = 60.0    # seconds without a byte

# Its own: random.uniform would change the numbers of whoever called random.seed. And of the system: what a fork
# inherits of another generator would have all children of a process ask again at the same moments.
_JITTER = random.SystemRandom()


class Refused(Exception):
    """fmixd will not answer this, however often it is asked; says why."""


def checked(url: str) -> SplitResult:
    """The parts of a URL that can be asked."""
    try:
        parts = urlsplit(str(url))
        good = bool(isinstance(url, str) and parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
                and parts.username is None and not set(url) & set(" \t\r\n"))
    except ValueError:  # of a port or an address that is none
        good = False
    if not good:
        raise ValueError(f"url is {url!r}; it must be http:// or https://, a host and perhaps a port, as "
                         "http://localhost:8080")
    return parts


def bearer(token: str | None) -> dict[str, str]:
    """The header of a token, which no message shows."""
    if token is None:
        return {}
    token = token.strip() if isinstance(token, str) else ""
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise ValueError("the token must be one word of ASCII letters, digits and signs")
    return {"Authorization": f"Bearer {token}"}


SHAPES = ("shape", "size", "x_shape")


def text(value: Any, name: str) -> str:
    """A parameter as the daemon reads it: truths as 1 and 0, lists with commas, the sides of shapes with x."""
    if isinstance(value, (bool, np.bool_)):
        return str(int(value))
    if isinstance(value, (list, tuple, np.ndarray)):
        return ("x" if name in SHAPES else ",").join(text(item, name) for item in value)
    return str(value)


def api_names(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options by the names of the API: lambda, which Python has for itself, is `lam`."""
    return {"lambda" if name == "lam" else name: value for name, value in options.items()}


class Connection:
    """One kept connection, opened again whenever it breaks. For one thread at a time.

    url: of a daemon, as http://localhost:8080; token: of the daemon, if it asks for one; patience: seconds
    over which a request is tried again; tries: how often at most.
    """

    def __init__(self, url: str, token: str | None = None, patience: float = PATIENCE,
                 tries: int | None = None) -> None:
        parts = checked(url)
        self._kind = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}[parts.scheme]
        self._url, self._host, self._path = url, parts.netloc, parts.path.rstrip("/")
        self._origin, self._headers = f"{parts.scheme}://{parts.netloc}", bearer(token)
        if not isinstance(patience, (int, float, np.number)) or not patience >= 0:
            raise ValueError(f"patience is {patience!r}; it must be a number of seconds from 0 on")
        self._patience, self._tries = patience, None if tries is None else integer("tries", tries, 1)
        self._connection: http.client.HTTPConnection | None = None
        self._abandoned = threading.Event()

    def get(self, path: str, **query: Any) -> bytes:
        """The body; tries again for as long as it is worth it, as Retry-After says. Raises Refused for what
        the daemon will never answer, ConnectionError when patience ends."""
        return self._ask("GET", path, query)

    def post(self, path: str, data: bytes, **query: Any) -> bytes:
        """The same of what is uploaded: asking twice changes nothing."""
        return self._ask("POST", path, query, data)

    def _ask(self, method: str, path: str, query: dict[str, Any], data: bytes | None = None) -> bytes:
        texts = {name: text(value, name) for name, value in query.items() if value is not None}
        target = f"{self._path}{path}?{urlencode(texts)}" if texts else self._path + path
        begun, pause, silent = time.monotonic(), MOMENT, False
        for tried in itertools.count(1):
            status, headers, body = self._try(method, target, data)
            if status == 200:
                assert isinstance(body, bytes)
                return body
            if status and status not in (429, 502, 503, 504):
                raise Refused(f"{self._origin}{target}: {status} {_reason(body)}")
            self.close()  # another replica may have room; a balancer of connections sends a new one there
            wait = _seconds(headers.get("Retry-After"), pause) * _JITTER.uniform(1, 1 + SPREAD)
            waited = time.monotonic() - begun
            why = _reason(body) if status else body
            if waited + wait > self._patience or tried == self._tries:
                raise ConnectionError(f"{self._origin}{target}: no answer, asked {tried} times: {why}")
            if waited + wait > SILENCE and not silent:
                silent = True
                warnings.warn(f"{self._url}: no answer yet ({why}); it is asked again in {wait:.1f} s, and until "
                              f"{self._patience:.0f} s are over", stacklevel=3)
            if self._abandoned.wait(wait):
                raise ConnectionError(f"{target}: nobody waits for the answer any more")
            pause = min(2 * pause, PAUSE)
        raise AssertionError("itertools.count does not end")

    def _try(self, method: str, target: str, data: bytes | None) -> tuple[int | None, Any, Any]:
        if self._abandoned.is_set():
            return None, {}, "nobody waits for the answer any more"
        try:
            connection = self._connection = self._connection or self._kind(self._host, timeout=TIMEOUT)
            connection.request(method, target, data, self._headers)
            self._warn_of_silence(connection)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        except http.client.InvalidURL as wrong:  # which no other try would mend
            raise ValueError(f"the path is {target!r}: {wrong}") from None
        except (OSError, http.client.HTTPException) as broken:
            self.close()
            return None, {}, str(broken) or type(broken).__name__

    def _warn_of_silence(self, connection: http.client.HTTPConnection) -> None:
        """Warns if the first byte of an answer takes long."""
        with selectors.DefaultSelector() as waiting:
            waiting.register(connection.sock, selectors.EVENT_READ)
            silent = not waiting.select(SILENCE)
        if silent:  # with the time, for Python shows equal warnings once
            warnings.warn(f"{self._url}: not answered for {SILENCE:.0f} s at {time.strftime('%H:%M:%S')}; this goes "
                          "on waiting", stacklevel=6)

    def close(self) -> None:
        """Closes the connection; it is opened again when it is used again."""
        if self._connection:
            self._connection.close()
        self._connection = None

    def abandon(self) -> None:
        """From another thread: whoever waits for an answer stops waiting."""
        self._abandoned.set()
        waiting = getattr(self._connection, "sock", None)
        if waiting:
            try:
                waiting.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it was closed meanwhile


def _seconds(told: str | None, otherwise: float) -> float:
    """What Retry-After says, where it is a number of them and no date; a moment at least."""
    # int() raises for some of the digits that isdigit() knows, and for thousands of them.
    return max(int(told), MOMENT) if told and re.fullmatch("[0-9]{1,9}", told) else otherwise


def _reason(body: bytes) -> str:
    try:
        return str(json.loads(body)["detail"])
    except (ValueError, KeyError, TypeError):
        return body[:200].decode(errors="replace")
