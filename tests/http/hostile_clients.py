"""Clients of a front, which is a proxy with a daemon behind: hostile ones send the raw cases of
raw_requests, each with other requests behind it; honest ones ask meanwhile.

Where a front and the daemon do not agree on where a request ends, it shows: the daemon logs a request
that the front has not marked, or a client gets an answer that is not its own.
"""

import http.client
import io
import random
import re

import harness
import raw_requests as cases

MARK = "front"  # the X-Request-ID of all that a front forwards
OURS = {"X-Request-ID": "ours"}
MASK = "/v1/masks.raw?shape=16x16&seed={}"
UNFINISHED = b"GET /unfinished HTTP/1.1\r\nHost: x\r\nX-Unfinished: "
SAME_FOR_ALL = ("/livez", "/")  # what squid makes of some targets, of which it takes the white space
LINE = re.compile(r"\S+Z \S+ (\S+) (\S*) (.*) (\d+) \d+ bytes ")


def raw_cases():
    """Name and bytes of each."""
    for kind in ("REFUSED", "REFUSED_BY_LIBRARY", "MISPRINTED_BY_LIBRARY", "DROPPED_BY_LIBRARY", "SERVED",
                 "CHUNKED"):
        for name, case in getattr(cases, kind).items():
            yield f"{kind}: {name}", case[1] if isinstance(case, tuple) else case


class Stream(io.BytesIO):
    """What came over a connection, as http.client reads it: answer after answer."""

    def makefile(self, _):
        """The stream itself."""
        return self

    def close(self):
        """Not before the last answer."""


def answers(data):
    """Status and body of each answer in what came. What is not an answer, or follows the one that ends
    the connection, has status 0."""
    stream, found, ended = Stream(data), [], False
    while rest := data[stream.tell():]:
        answer = http.client.HTTPResponse(stream)
        try:
            if ended or not rest.startswith(b"HTTP/1."):
                raise http.client.BadStatusLine("")
            answer.begin()
            found.append((answer.status, answer.read()))
        except http.client.HTTPException:
            return found + [(0, rest)]
        ended = answer.will_close
    return found


def get(target, *fields):
    """A request for it."""
    return cases.get(*fields, line=f"GET {target} HTTP/1.1\r\n".encode())


class Crowd:
    """Hostile and honest clients of a front. `connect` makes a connection to it; hostile clients send
    what they have in at most so many pieces, one or two; what is wrong is in `wrong`."""

    def __init__(self, server, connect, pieces=2):
        self.server, self.connect, self.pieces = server, connect, pieces
        self.random = random.Random(0)
        self.seeds, self.logged = 0, 0
        self.name, self.wrong = None, []
        self.kept = None
        self.shared = [server.get(target, OURS).body for target in SAME_FOR_ALL]

    def check(self, right, *what):
        """Notes what is not right."""
        if not right:
            self.wrong.append((self.name, *what))

    def new(self):
        """A target that nobody has asked for, whose answer a front may keep; and the daemon's answer."""
        self.seeds += 1
        target = MASK.format(self.seeds)
        return target, self.server.get(target, OURS).body

    def attack(self, name, case):
        """A case and two requests over one connection; then honest clients who ask for the same, which
        a front may have kept, and for something else."""
        self.name = name
        news = [self.new() for _ in range(3)]
        case = case.replace(b"/livez", news[0][0].encode())
        came = self.send(case + get(news[1][0]) + get(news[2][0], b"Connection: close"))
        self.judge(answers(came), [own for _, own in news], case.startswith(b"POST"))
        self.ask_honestly(news)

    def attack_and_leave(self, name, case):
        """A case and the beginning of a request, which the next on that connection would end."""
        self.name = f"{name}, unfinished"
        news = [self.new()]
        with self.connect() as sock:
            try:
                sock.sendall(case.replace(b"/livez", news[0][0].encode()) + UNFINISHED)
            except ConnectionError:
                pass  # refused before all was sent
        self.ask_honestly(news)

    def ask_honestly(self, news):
        """By clients with connections of their own, and one whose connection is kept."""
        for target, own in news:
            with self.connect() as sock:
                self.ask(sock, target, own)
        self.kept = self.kept or self.connect()
        if self.ask(self.kept, *self.new()):
            self.close()

    def send(self, data):
        """In a piece or two; all that comes back until the front ends the connection."""
        cut = self.random.choice((0, self.random.randrange(len(data)))) if self.pieces > 1 else 0
        came = b""
        with self.connect() as sock:
            try:
                for piece in data[:cut], data[cut:]:
                    sock.sendall(piece)
                while more := sock.recv(1 << 16):
                    came += more
            except ConnectionError:
                pass  # refused before all was sent
        return came

    def judge(self, got, own, posts):
        """Each answer is a refusal, or that of one of the requests, in their order."""
        self.check(len(got) <= len(own), "more answers than requests", got)
        for i, (status, body) in enumerate(got):
            if body in own and status in (0, 200):  # HTTP/0.9 has no status
                own = own[own.index(body) + 1:]
                continue
            mine = i == 0 and (posts and len(body) < len(own[0]) or body in self.shared)
            refused = status >= 400 or status == 0 and i == 0
            self.check(status == 200 and mine or refused and not any(mask in body for mask in own),
                       "not an answer to it", i, status, body[:200])

    def ask(self, sock, target, own):
        """The answer is the daemon's own. Whether the front ends the connection with it, as it may after
        so many requests."""
        answer = http.client.HTTPResponse(sock)
        try:
            sock.sendall(get(target))
            answer.begin()
            got = answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            got = error, b""
        finally:
            answer.close()
        self.check(got == (200, own), "an honest client", target, got[0], got[1][:200])
        return answer.will_close

    def check_log(self):
        """The daemon has answered nothing that no front has sent. How many requests a front has. What
        is refused for its head has no identity yet."""
        last = f"{MASK.format(self.seeds)}&n={2 + self.logged % 1000}"
        self.server.get(last, OURS)
        harness.until(lambda: last.encode() in self.server.log_after(self.logged))
        text = self.server.log_after(self.logged)
        text = text[:text.rindex(b"\n") + 1]
        self.logged += len(text)
        requests = [LINE.match(line).groups() for line in text.decode(errors="replace").splitlines()]
        self.name = "log"
        for identity, method, target, status in requests:
            refused = status >= "400" and status != "404"
            self.check(identity in (MARK, OURS["X-Request-ID"]) or refused, "not sent by the front", method,
                       target, status)
        return sum(identity == MARK for identity, *_ in requests)

    def close(self):
        """Ends the connection that is kept."""
        if self.kept:
            self.kept.close()
            self.kept = None
