"""A rolling restart: each of three replicas behind nginx is ended and replaced in turn, under load,
and no client sees any of it."""

import os
import random
import re
import signal
import sys
import tempfile
import threading
import time
import unittest

from replicas import Nginx, harness, own_address

until = harness.until

CLIENTS = 4
PAUSE = 0.002    # between a client's requests: the machine is shared
STEADY = 25      # answers of each client before and after each replacement
MASKS = 20000
MASK_BYTES = 32 * 32 // 8
ROWS = "/v1/masks.raw?shape=32x32&dtype=bits&index={}&n={}"
FIXED = ("/v1/masks.npy?shape=64x64&n=8&seed={}", "/v1/masks.png?shape=32x32&n=9&seed={}",
         "/v1/plans.npz?shape=32x32&n=16&seed={}", "/v1/plans.json?shape=4x4&n=5&seed={}")
ANSWERED = re.compile(r'^fmixd_requests_total\{[^}]*route="/v1/[^}]*\} (\d+)', re.M)


class Reference:
    """What answers are to be, as one replica gave them beforehand. Any rows of one long answer are
    an answer themselves, so there are targets enough that no cache has."""

    def __init__(self, replica):
        self.masks = self._ask(replica, ROWS.format(0, MASKS))
        self.fixed = {target: self._ask(replica, target)
                      for form in FIXED for target in map(form.format, range(5))}

    @staticmethod
    def _ask(replica, target):
        answer = replica.get(target)
        assert answer.status == 200, answer
        return answer.body

    def draw(self, source):
        """A target and its answer: often a new one, else one that was there before."""
        if source.random() < 0.3:
            return source.choice(list(self.fixed.items()))
        first, count = source.randrange(MASKS - 500), source.choice((1, 3, 8, 20, 100, 500))
        return (ROWS.format(first, count),
                self.masks[first * MASK_BYTES:(first + count) * MASK_BYTES])


class Load(threading.Thread):
    """A client that asks each thing once, whatever becomes of it."""

    def __init__(self, nginx, reference, number, stopped):
        super().__init__()
        self.nginx, self.reference, self.stopped = nginx, reference, stopped
        self.source = random.Random(number)
        self.answers, self.hits, self.failed = 0, 0, []

    def run(self):
        sock = self.nginx.connect()
        while not self.stopped.is_set():
            target, expected = self.reference.draw(self.source)
            try:
                head, body = self.nginx.get(target, sock=sock)
            except OSError as error:
                head, body = str(error).encode(), b""
            good = head.startswith(b"HTTP/1.1 200 ") and body == expected
            if good:
                self.answers += 1
                self.hits += b"X-Cache-Status: HIT" in head
            else:
                self.failed.append((target, head, len(body), len(expected)))
            # nginx ends a connection at its thousandth request.
            if not good or b"\r\nConnection: close" in head:
                sock.close()
                sock = self.nginx.connect()
            time.sleep(PAUSE)
        sock.close()


class Rolling(unittest.TestCase):
    """Three replicas and who asks them."""

    def setUp(self):
        self.replicas = []

    def start(self, changed=None):
        """Replicas, what they answer, and nginx before them."""
        self.replicas = [self.replica(own_address()) for _ in range(3)]
        reference = Reference(self.replicas[0])
        nginx = Nginx(self.enterContext(tempfile.TemporaryDirectory()), self.replicas, changed)
        self.addCleanup(nginx.stop)
        self.stopped = threading.Event()
        self.clients = [Load(nginx, reference, i, self.stopped) for i in range(CLIENTS)]
        for client in self.clients:
            client.start()
            self.addCleanup(client.join)
            self.addCleanup(self.stopped.set)

    def replica(self, address):
        """A new one, there."""
        replica = harness.Server("--log", "off", "--threads", "1", "--drain", "1",
                                 "--listen", address)
        replica.start()
        self.addCleanup(replica.stop)
        self.addCleanup(self.end_all)
        return replica

    def end_all(self):
        """At the same time, and without a delay."""
        for replica in self.replicas:
            for _ in range(2):
                replica.process.send_signal(signal.SIGTERM)

    def failed(self):
        return any(client.failed for client in self.clients)

    def until_steady(self):
        """Until each client was answered some times more, or one failed."""
        before = [client.answers for client in self.clients]
        until(lambda: self.failed() or all(
            client.answers >= n + STEADY for client, n in zip(self.clients, before)))

    def end_load(self):
        """What clients saw."""
        self.stopped.set()
        for client in self.clients:
            client.join()
        answers = sum(client.answers for client in self.clients)
        hits = sum(client.hits for client in self.clients)
        failed = [failure for client in self.clients for failure in client.failed]
        print(f"{answers} answers, {hits} of the cache, {len(failed)} failed", file=sys.stderr)
        return answers, hits, failed

    def test_every_replica_is_replaced_and_no_request_fails_or_differs(self):
        self.start()
        before = [replica.process.pid for replica in self.replicas]
        for i, old in enumerate(self.replicas):
            self.until_steady()
            self.assertEqual(old.stop(), 0)
            self.replicas[i] = self.replica("{}:{}".format(*old.address))
            self.assertEqual(self.replicas[i].address, old.address)
        self.until_steady()
        for replica in self.replicas:
            until(lambda: self.answered_by(replica) > 10 or self.failed())
        until(lambda: sum(client.hits for client in self.clients) or self.failed())
        answers, hits, failed = self.end_load()
        self.assertEqual(failed[:5], [])
        self.assertGreater(answers - hits, 100)
        for pid, replica in zip(before, self.replicas):
            self.assertNotEqual(replica.process.pid, pid)
            self.assertFalse(os.path.exists(f"/proc/{pid}"))

    def answered_by(self, replica):
        """How many requests of the load."""
        counts = ANSWERED.findall(replica.get("/metrics").body.decode())
        return sum(map(int, counts))

    def test_the_load_does_notice_a_replica_that_nobody_asks_another_for(self):
        self.start({"proxy_next_upstream error timeout http_429 http_502 http_503;":
                    "proxy_next_upstream off;"})
        self.until_steady()
        self.replicas[0].process.kill()
        until(self.failed)
        self.assertTrue(self.end_load()[2])


if __name__ == "__main__":
    unittest.main()
