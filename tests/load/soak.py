"""A great many mixed requests, good and bad, of which every answer is checked; and the daemon after
them is what it was before: memory, descriptors, nothing in flight.

soak.py [--requests N] [--shapes N]. Load is on 127.0.0.0/8, from a few connections, and ends by itself.
"""

import argparse
import concurrent.futures
import hashlib
import itertools
import os
import pathlib
import random
import sys
import time
from collections import Counter

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / "http")]

import client  # noqa: E402
import deck  # noqa: E402
import harness  # noqa: E402
from process import descriptors, resident  # noqa: E402

CONNECTIONS = 8
WARM_CONNECTIONS = 16   # more, so that what memory a crowd takes has been taken before it is measured
BATCH = 16              # requests on their way at once over one connection
BATCH_BYTES = 32 << 10  # so that sending never waits for what is not read
RUDE = 0.1              # of turns, each a batch otherwise: is refused and closed, or vanishes
WRONG = 20              # wrong answers told in full
WARM = 200_000          # requests before memory is measured
DRIFT = 0.05            # that memory may grow by, from then on
SHORT_DRIFT = 0.25      # where there are too few requests for that
STAGES = 10

_deck = None


class Quiet(harness.Server):
    """Logs each request, to nowhere."""

    def _open_log(self):
        return open(os.devnull, "w+b")


def metric(server, name):
    """A number of /metrics, asked for over a connection of its own."""
    text = server.get("/metrics", fresh=True).body.decode()
    line = next(line for line in text.splitlines() if line.startswith(f"fmixd_{name} "))
    return float(line.split()[1])


# --- One player -------------------------------------------------------------


class Player:
    """A client that plays cards at random and keeps count."""

    def __init__(self, address, number, seed):
        self.address, self.source = address, f"127.0.0.{2 + number}"
        self.random = random.Random(seed)
        self.counts, self.wrong, self.tags = Counter(), [], {}
        self.again = []
        self.kept = None

    def connect(self):
        """A connection from this player's own address."""
        return client.Connection(self.address, self.source)

    def play(self, count):
        """So many requests."""
        picks = iter(())
        while count > 0:
            if self.random.random() < RUDE:
                self.be_rude()
                count -= 1
                continue
            batch, size = [], 0
            while len(batch) < min(count, BATCH) and size < BATCH_BYTES:
                card = self.again.pop() if self.again else next(picks, None)
                if card is None:
                    picks = iter(self.random.choices(_deck.kept, _deck.weights, k=256))
                    continue
                batch.append(card)
                size += len(card.request)
                if self.random.random() < 0.1:
                    break  # some go alone
            self.exchange(batch)
            count -= len(batch)
        if self.kept:
            self.kept.close()
        return self.counts, self.wrong

    def bytes_of(self, card):
        """Its request, the tag filled in where it is known; else any."""
        if not card.etag:
            return card.request
        known = self.tags.get(card.target)
        return card.request.replace(b"{tag}", b'"x", ' + known if known else b"*")

    def exchange(self, batch):
        """Sends all, then reads and checks all."""
        try:
            self.kept = self.kept or self.connect()
            self.kept.send(b"".join(map(self.bytes_of, batch)))
            for card in batch:
                reply = self.kept.read(card.head)
                self.check(card, reply)
                if reply.closes:
                    self.fail(card, f"{reply.status} closes the connection")
                    raise ConnectionError("closed")
        except OSError as lost:
            if "closed" not in str(lost):
                self.fail(batch[0], f"connection lost: {lost!r}")
            self.kept.close()
            self.kept = None

    def fail(self, card, why):
        """One wrong answer."""
        self.counts["wrong"] += 1
        if len(self.wrong) < WRONG:
            self.wrong.append(f"{card.kind}: {card.request[:300]!r}: {why}")

    def check(self, card, reply):
        """Status, length, digest; refused for now is asked again."""
        self.counts[reply.status] += 1
        if reply.status in (429, 503):
            if not client.RETRY.search(reply.head):
                self.fail(card, f"{reply.status} without Retry-After")
            self.counts["again"] += 1
            self.again.append(card)
            return
        if reply.status != card.status:
            self.fail(card, f"{reply.status} instead of {card.status}: {reply.body[:300]!r}")
        elif card.length is not None and reply.length != card.length:
            self.fail(card, f"{reply.length} bytes instead of {card.length}")
        elif card.blake2b and hashlib.blake2b(reply.body, digest_size=32).hexdigest() != card.blake2b:
            self.fail(card, "another digest")
        elif card.target and card.status == 200:
            tag = client.ETAG.search(reply.head)[1]
            if self.tags.setdefault(card.target, tag) != tag:
                self.fail(card, f"its tag was {self.tags[card.target]} and is {tag}")

    def be_rude(self):
        """Over a connection of its own: is refused and closed, or goes before its answer."""
        connection = self.connect()
        if self.random.random() < 0.5:
            self.be_refused(connection, self.random.choice(_deck.closing))
            connection.close()
            return
        self.counts["vanished"] += 1
        try:
            connection.send(self.random.choice(_deck.vanishing))
        except OSError:
            pass  # refused before all was sent
        if self.random.random() < 0.5:
            connection.reset()
        else:
            connection.close()

    def be_refused(self, connection, card):
        self.counts["closed"] += 1
        try:
            connection.send(card.request)
            reply = connection.read(card.head)
            self.check(card, reply)
            if not reply.closes or not connection.ended():
                self.fail(card, "the connection goes on")
        except OSError as lost:
            self.fail(card, f"connection lost: {lost!r}")


def play(address, number, seed, count):
    """What a player process does; the deck it has from its parent."""
    return Player(address, number, seed).play(count)


# --- The soak ---------------------------------------------------------------


class Soak:
    """Plays stages against a daemon; what is wrong is in `errors`."""

    def __init__(self, server, pool):
        self.server, self.pool = server, pool
        self.counts, self.errors = Counter(), []
        self.stage = 0

    def run(self, count, players=CONNECTIONS):
        """So many requests, over so many connections at a time."""
        self.stage += 1
        shares = [count // players + (i < count % players) for i in range(players)]
        playing = [self.pool.submit(play, self.server.address, i, f"{self.stage} {i}", share)
                   for i, share in enumerate(shares)]
        for done in playing:
            counts, wrong = done.result()
            self.counts += counts
            self.errors += wrong

    def settled(self, before=None):
        """Nobody is connected: resident bytes, descriptors, requests in flight, their memory. The daemon
        may take its time to be what it was before; what it is when that is over."""
        deadline, seen = time.monotonic() + harness.PATIENCE, None
        while time.monotonic() < deadline:
            last, seen = seen, (descriptors(self.server.process),
                                *self.server.metric("fmixd_requests_in_flight",
                                                    "fmixd_memory_bytes"))
            alone = self.server.metric("fmixd_connections") == 1
            if alone and seen[1:] == (1, 0) and seen == (before[1:] if before else last):
                break
            time.sleep(0.1)
        return (resident(self.server.process), *seen)

    def check(self, before, after, drift):
        """The daemon is what it was. No drift: its memory may be anything."""
        names = "descriptors", "requests_in_flight (this one)", "memory_bytes"
        for name, was, now in zip(names, before[1:], after[1:]):
            if was != now:
                self.errors.append(f"{name}: {was} before, {now} after")
        if drift is not None and after[0] > before[0] * (1 + drift):
            self.errors.append(f"resident memory: {before[0]} before, {after[0]} after")


def soak(requests, warm, drift, say=lambda text: None):
    """Errors and counts of so many requests, the warm ones among them."""
    global _deck  # processes that begin from here on inherit it
    _deck = _deck or deck.deal()
    with Quiet("--body", str(deck.BODY_LIMIT)) as server, \
            concurrent.futures.ProcessPoolExecutor(WARM_CONNECTIONS) as pool:
        all_of_it = Soak(server, pool)
        start = time.monotonic()
        all_of_it.run(warm, WARM_CONNECTIONS)
        before = all_of_it.settled()
        say(f"{warm} requests to warm up: {before[0] >> 10} KiB, {before[1]} descriptors")
        for stage in range(STAGES):
            left = requests - warm
            all_of_it.run(left * (stage + 1) // STAGES - left * stage // STAGES)
            after = all_of_it.settled(before)
            say(f"{(stage + 1) * 100 // STAGES} %: {after[0] >> 10} KiB, {after[1]} descriptors, "
                f"{all_of_it.counts['wrong']} wrong, {time.monotonic() - start:.0f} s")
            if all_of_it.errors:
                break
        all_of_it.check(before, after, drift)
        seconds = time.monotonic() - start
    say(f"{requests} requests in {seconds:.0f} s, {requests / seconds:.0f} a second; memory "
        f"{100 * (after[0] / before[0] - 1):+.1f} %; answers: "
        + ", ".join(f"{n} {what}" for what, n in sorted(all_of_it.counts.items(), key=str)))
    return all_of_it.errors, all_of_it.counts


# --- Shapes -----------------------------------------------------------------


def shapes(count):
    """As many different shapes, smooth and prime, of one to three sides; none of more than 5000 elements."""
    source, seen = random.Random("shapes"), set()
    limits = ((5000,), (70, 70), (17, 17, 17))
    for limit in itertools.cycle(limits):
        if len(seen) == count:
            return
        shape = tuple(source.randint(1, side) for side in limit)
        if shape not in seen:
            seen.add(shape)
            yield shape


def many_shapes(count, cache, drift, say=lambda text: None):
    """Errors after so many shapes: the cache keeps its bound, and memory follows it."""
    errors, at_half = [], None
    with Quiet("--cache", str(cache)) as server:
        for i, shape in enumerate(shapes(count)):
            text = "x".join(map(str, shape))
            answer = server.get(f"/v1/masks.raw?shape={text}&dtype=bits&seed={i}&delta=2")
            if answer.status != 200:
                errors.append(f"{text}: {answer.status}")
            if i % 100 == 99 and metric(server, "cache_bytes") > cache:
                errors.append(f"after {i + 1} shapes the cache has {metric(server, 'cache_bytes')}")
            if i + 1 == count // 2:
                at_half = resident(server.process)
        held, at_end = metric(server, "cache_bytes"), resident(server.process)
    say(f"{count} shapes: cache {held:.0f} of {cache}; memory {at_half >> 10} KiB after half, "
        f"{at_end >> 10} KiB after all")
    if held < cache / 2:
        errors.append(f"the cache was never near its bound: {held}")
    if drift is not None and at_end > at_half * (1 + drift):
        errors.append(f"resident memory: {at_half} after half of the shapes, {at_end} after all")
    return errors


def main():
    """Exit status 1 if anything was wrong."""
    parse = argparse.ArgumentParser()
    parse.add_argument("--requests", type=int, default=1_000_000)
    parse.add_argument("--shapes", type=int, default=10_000)
    options = parse.parse_args()
    def say(text):
        print(text, flush=True)
    errors = many_shapes(options.shapes, 16 << 20, DRIFT, say)
    long = options.requests >= 5 * WARM
    more, _ = soak(options.requests, WARM if long else options.requests // 2,
                   DRIFT if long else SHORT_DRIFT, say)
    errors += more
    for error in errors:
        print("WRONG", error)
    print(f"soak: {len(errors)} errors")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
