"""Plays cases against a daemon, several over one connection at once, and has each answer judged."""

import random
import time
from collections import Counter

import draw
import judge
import reckon
import wire
from wire import request_bytes

BATCH_BYTES = 24 << 10
PATIENCE = 6  # times that a request is asked again which is refused for now


class Ask:
    """One request of a case."""

    def __init__(self, case, data, kind, head=False, more=()):
        self.case, self.data, self.kind, self.head, self.more = case, data, kind, head, more
        self.reply = None


def tag_of(kind, tag):
    """A list of tags, and whether ours is in it by strong and by weak comparison."""
    return {"same": (tag, True, True), "other": ('"0123"', False, False), "any": ("*", True, True),
            "weak": (f"W/{tag}", False, True), "list": (f'"a", "b,c" ,{tag}', True, True),
            "junk": ("x", False, False)}[kind]


class Player:
    """A client."""

    def __init__(self, address, drawer):
        self.address, self.drawer = address, drawer
        self.connection = None
        self.counts, self.wrong = Counter(), []

    # --- what is sent ---

    def first_wave(self, case):
        """The request itself, and what needs not know its answer."""
        data = case.body.data if case.body else None
        asked = request_bytes(case.method, case.target, case.headers, data, case.chunked, case.rng)
        yield Ask(case, asked, "first", case.method == "HEAD")
        for kind, *more in case.beside:
            if kind == "again":
                yield Ask(case, asked, kind, case.method == "HEAD")
            elif kind == "head":
                yield Ask(case, request_bytes("HEAD", case.target, case.headers), kind, True)
            elif kind == "options":
                yield Ask(case, request_bytes("OPTIONS", case.target), kind)
            elif kind == "range" and more[1] is None:
                headers = [*case.headers, ("Range", more[0])]
                yield Ask(case, request_bytes("GET", case.target, headers), kind, more=(more[0], True))

    def second_wave(self, case, first):
        """What needs its tag."""
        tag = first.headers.get("etag", '"none"')
        for kind, *more in case.beside:
            if kind == "range" and more[1] is not None:
                text, strong, _ = tag_of(more[1], tag)
                headers = [*case.headers, ("Range", more[0]), ("If-Range", text)]
                yield Ask(case, request_bytes("GET", case.target, headers), kind, more=(more[0], strong))
            elif kind in ("none-match", "match"):
                text, strong, weak = tag_of(more[0], tag)
                name = "If-None-Match" if kind == "none-match" else "If-Match"
                strong &= "etag" in first.headers or more[0] == "any"
                unmet, status = (weak, 304) if kind == "none-match" else (not strong, 412)
                data = request_bytes(more[1], case.target, [*case.headers, (name, text)])
                yield Ask(case, data, kind, more[1] == "HEAD", (unmet, status))

    # --- how it is sent ---

    def connect(self):
        """The kept connection."""
        self.connection = self.connection or wire.Connection(self.address)
        return self.connection

    def leave(self, reset=False):
        """It ends here."""
        if self.connection:
            self.connection.close(reset)
        self.connection = None

    def exchange(self, asks):
        """Sends all at once and reads each answer; where the connection ends by an answer, on another."""
        pending = list(asks)
        while pending:
            connection = self.connect()
            connection.send(b"".join(ask.data for ask in pending))
            while pending:
                ask = pending.pop(0)
                ask.reply = connection.read(ask.head)
                self.counts["requests"] += 1
                self.counts[ask.reply.status] += 1
                if ask.reply.cut:
                    self.counts["left"] += 1
                if ask.reply.closes or ask.reply.cut:
                    self.leave(ask.reply.cut)
                    break

    def ask(self, asks):
        """The same for any number, those refused for now again."""
        batch, size = [], 0
        for ask in asks:
            if batch and size + len(ask.data) > BATCH_BYTES:
                self.exchange(batch)
                batch, size = [], 0
            batch.append(ask)
            size += len(ask.data)
        if batch:
            self.exchange(batch)
        for _ in range(PATIENCE):
            later = [ask for ask in asks if ask.reply.status in judge.LATER]
            for ask in later:
                self.counts["again"] += 1
                time.sleep(0.05)
                self.exchange([ask])

    # --- what is played ---

    def play(self, numbers):
        """These cases, all at once."""
        cases = [self.drawer.case(number) for number in numbers]
        plain = []
        for case in cases:
            operation = self.drawer.operations[case.route]
            case.asked = operation[0]
            if case.manner == "vanish":
                self.vanish(case)
            elif case.manner == "bend":
                self.bend(case)
            else:
                plain.append(case)
        asks = [ask for case in plain for ask in self.first_wave(case)]
        self.ask(asks)
        firsts = {ask.case.number: ask.reply for ask in asks if ask.kind == "first"}
        more = [ask for case in plain for ask in self.second_wave(case, firsts[case.number])]
        self.ask(more)
        failed = set()
        for ask in asks + more:
            if ask.case.number not in failed and not self.judge(ask, firsts[ask.case.number]):
                failed.add(ask.case.number)

    def judge(self, ask, first):
        """One answer."""
        case = ask.case
        operation = self.drawer.operations[case.route][1]
        try:
            if ask.reply.status in judge.LATER:
                judge.check_head(ask.reply)
                judge.check_problem(ask.reply, not ask.head)
                self.counts["refused for now"] += 1
                return True
            if first.status in judge.LATER:
                return True
            if ask.kind == "first":
                case.compared = False
                judge.check(case, operation, ask.reply)
                if case.compared:
                    self.counts.update(["compared", *(f"compared with {what}" for what in reckon.rich(case))])
                self.counts[f"{case.route} {ask.reply.status // 100}xx"] += 1
            else:
                judge.check_head(ask.reply)
                self.beside(ask, first)
            return True
        except judge.Wrong as wrong:
            self.fail(case, f"{ask.kind}: {wrong}")
        except (KeyError, TypeError, ValueError, IndexError) as error:
            self.fail(case, f"{ask.kind}: cannot be judged: {error!r}")
        return False

    def beside(self, ask, first):
        """One of those that go with it."""
        case, reply = ask.case, ask.reply
        if ask.kind == "again":
            judge.check_again(case, first, reply)
        elif ask.kind == "head":
            judge.check_of_head(case, first, reply)
        elif ask.kind == "options":
            judge.check_options(reply)
        elif ask.kind == "range":
            judge.check_range(case, first, reply, *ask.more)
        else:
            judge.check_conditional(first, reply, *ask.more)

    def fail(self, case, why):
        """One wrong answer."""
        self.counts["wrong"] += 1
        self.wrong.append((case.number, f"{why}\n    {case.told()}"))

    # --- bad manners ---

    def whole(self, case):
        """Its bytes."""
        return request_bytes(case.method, case.target, case.headers, case.body.data if case.body else None,
                             case.chunked, case.rng)

    def vanish(self, case):
        """Sends some of it and goes."""
        connection, data = wire.Connection(self.address), self.whole(case)
        connection.send(data[:case.rng.choice((len(data), case.rng.randrange(len(data))))])
        connection.close(case.rng.random() < 0.5)
        self.counts["vanished"] += 1

    def bend(self, case):
        """Sends other bytes than it is made of; what comes is answers, and an end."""
        data = bytearray(self.whole(case))
        head = data.index(b"\r\n\r\n") + 4
        for _ in range(case.rng.randint(1, 4)):
            at = case.rng.randrange(head)
            turn = case.rng.randrange(3)
            if turn == 0:
                data[at] = case.rng.randrange(256)
            elif turn == 1:
                del data[at:at + case.rng.randint(1, 4)]
            else:
                data[at:at] = case.rng.choice((b"\r\n", b" ", b"\0", b":", b"\r\nContent-Length: 4", b"\t",
                                               b"\r\nTransfer-Encoding: chunked", b"\n", b"%00", b"\xff"))
            head = max(1, min(head, len(data)))
        connection = wire.Connection(self.address)
        connection.send(bytes(data))
        got = connection.rest(4)
        self.counts["bent" if got is not None else "bent and silent"] += 1
        self.check_bent(case, bytes(data), got)
        connection.close()

    def check_bent(self, case, data, got):
        """Answers one after the other, whole, up to the end."""
        if got is None or data[:4] == b"HEAD" or b"HEAD" in data or len(got) >= wire.MOST:
            return
        at = 0
        try:
            while at < len(got):
                end = got.find(b"\r\n\r\n", at)
                if end < 0:
                    raise wire.Malformed(f"no head: {got[at:at + 200]!r}")
                reply = wire.Reply(got[at:end])
                at = end + 4 + (reply.length or 0 if reply.status not in (204, 304) else 0)
                if reply.status >= 200:
                    self.counts[reply.status] += 1
                    self.counts["requests"] += 1
        except wire.Malformed as wrong:
            self.fail(case, f"bent: {wrong}\n    {data[:600]!r}")


def batches(seed, first, end):
    """Cases by number, as they are sent together."""
    rng = random.Random(f"{seed} from {first}")
    while first < end:
        size = rng.choice((1, 1, 2, 3, 5, 8))
        yield range(first, min(end, first + size))
        first += size


__all__ = ["draw", "Player", "batches"]
