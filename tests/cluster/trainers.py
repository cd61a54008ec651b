"""Trainers: each asks for the answer of a step, and for that of its next step when the step is over.

One thread serves them all, so that they cost little of the machine that they measure. Of a body only
the digest is kept.
"""

import hashlib
import heapq
import itertools
import selectors
import socket
import time
from collections.abc import Iterator
from typing import NamedTuple

SECONDS = 600            # within which a whole answer must come
AT_ONCE = 1 << 20        # bytes that are read of one connection before others have their turn
PAUSE = 0.1              # before a step is asked for again whose connection was cut off
ASK_AGAIN = (429, 502, 503, 504)
GLANCE = 0.1             # seconds between two looks at how much the processes have used


class Step(NamedTuple):
    """What is asked for once: the step of a rank's epoch in a job, and its target."""

    kind: str
    job: int
    rank: int
    epoch: int
    step: int
    target: str


class Answer(NamedTuple):
    """What came of a step, after how many refusals and cuts; seconds since it was first asked for."""

    step: Step
    digest: bytes
    size: int
    seconds: float
    refused: int
    cut: int


class WrongReply(Exception):
    """A reply that no daemon of ours should give."""


class Head(NamedTuple):
    """Of a reply."""

    status: int
    fields: dict

    @property
    def length(self):
        """Of the body."""
        return int(self.fields["content-length"])

    @classmethod
    def of(cls, data):
        """What these bytes say."""
        first, *lines = data.decode("latin-1").split("\r\n")
        fields = (line.partition(":") for line in lines)
        return cls(int(first.split(" ")[1]), {name.lower(): value.strip() for name, _, value in fields})


class Trainer:
    """A rank of a job, and its connection. Each step takes `pace` seconds of it, the first begins
    after `delay`. Behind a proxy, answers have the name of their request."""

    _numbers = itertools.count()
    _buffer = memoryview(bytearray(AT_ONCE))

    def __init__(self, address, steps: Iterator, pace=0, delay=0, proxied=True):
        self.address, self.steps, self.proxied = address, steps, proxied
        self.pace, self.delay = pace, delay
        self.answers = []
        self.socket = self.step = None
        self.first_asked = self.refused = self.cut = 0

    def ask(self, more):
        """Asks for the step at hand, or if there may be more for the next. False: there is none."""
        if self.step is None:
            self.step = next(self.steps, None) if more else None
            if self.step is None:
                self.close()
                return False
            self.first_asked, self.refused, self.cut = time.monotonic(), 0, 0
        self.name = f"step-{next(self._numbers)}"
        self.begun, self.head, self.left, self.hash = b"", None, 0, hashlib.sha256()
        request = f"GET {self.step.target} HTTP/1.1\r\nHost: cluster\r\nX-Request-ID: {self.name}\r\n\r\n"
        if self.socket is None:
            self.socket = socket.create_connection(self.address, SECONDS)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.socket.sendall(request.encode())
        except ConnectionError:
            pass  # which reading tells, too
        return True

    def close(self):
        """Ends the connection."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def read(self):
        """Takes what has come; when the trainer asks again, or None while more is to come."""
        try:
            count = self.socket.recv_into(self._buffer)
        except ConnectionError:
            count = 0
        if count == 0:
            self.close()
            self.cut += 1
            return time.monotonic() + PAUSE
        data = self._buffer[:count]
        if self.head is None:
            self.begun += data
            end = self.begun.find(b"\r\n\r\n")
            if end < 0:
                return None
            self.head, data = Head.of(self.begun[:end]), self.begun[end + 4:]
            self.left = self.head.length
        self.hash.update(data)
        self.left -= len(data)
        if self.left < 0:
            raise WrongReply(f"{self.step.target}: the answer is longer than it says")
        return None if self.left else self.finish()

    def finish(self):
        """The reply is whole; when the trainer asks again."""
        head, now = self.head, time.monotonic()
        if self.proxied and head.fields.get("x-request-id") != self.name:
            raise WrongReply(f"{self.step.target}: {self.name} was answered as {head}")
        if head.fields.get("connection") == "close":
            self.close()
        if head.status in ASK_AGAIN:
            self.refused += 1
            return now + float(head.fields.get("retry-after", 1))
        if head.status != 200:
            raise WrongReply(f"{self.step.target}: {head}")
        self.answers.append(Answer(self.step, self.hash.digest(), head.length, now - self.first_asked,
                                   self.refused, self.cut))
        self.step = None
        return max(now, self.first_asked + self.pace)


def train(trainers, go_on=lambda: True, glance=lambda: None):
    """Has them ask while `go_on` says so and there are steps, and until all that was asked for is
    answered. `glance` is called now and then. The seconds that it took."""
    start = time.monotonic()
    turns = [(start + trainer.delay, number) for number, trainer in enumerate(trainers)]
    heapq.heapify(turns)
    next_glance, silent_since, asking = start, start, set()
    with selectors.DefaultSelector() as poll:
        while turns or asking:
            now = time.monotonic()
            if now >= next_glance:
                glance()
                next_glance = now + GLANCE
            if turns and not go_on():
                # Who has a step at hand waits for its turn; the others have theirs now, and end.
                turns = [(due if trainers[n].step else now, n) for due, n in turns]
                heapq.heapify(turns)
            while turns and turns[0][0] <= now:
                number = heapq.heappop(turns)[1]
                if trainers[number].ask(go_on()):
                    asking.add(number)
                    poll.register(trainers[number].socket, selectors.EVENT_READ, number)
            wait = min(GLANCE, max(0, turns[0][0] - now)) if turns else GLANCE
            for key, _ in poll.select(wait):
                silent_since = now
                due = trainers[key.data].read()
                if due is not None:
                    poll.unregister(key.fileobj)
                    asking.remove(key.data)
                    heapq.heappush(turns, (due, key.data))
            if asking and time.monotonic() - silent_since > SECONDS:
                raise TimeoutError(f"nothing came for {SECONDS} s, of {len(asking)} answers")
            if not asking:
                silent_since = time.monotonic()
    return time.monotonic() - start


def answers_of(trainers):
    """All of them."""
    return [answer for trainer in trainers for answer in trainer.answers]
