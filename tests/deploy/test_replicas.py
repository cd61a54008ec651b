"""Three replicas behind nginx, as deploy/nginx/fmixd.conf has them: one that
is killed or ends costs no client an answer."""

import hashlib
import signal
import sys
import tempfile
import threading
import unittest

from replicas import Nginx, harness

TARGETS = ("/v1/masks.npy?shape=32x32&n=8&index={}",
           "/v1/plans.npz?shape=32x32&n=16&step={}",
           "/v1/masks.npy?shape=128x128&n=100&index={}")


class Client(threading.Thread):
    """Asks for one thing after the other, and again for what was cut off."""

    def __init__(self, nginx, number, stopped):
        super().__init__()
        self.nginx, self.number, self.stopped = nginx, number, stopped
        self.failed, self.seen, self.cut = [], {}, 0

    def run(self):
        sock = self.nginx.connect()
        turn = 0
        while not self.stopped.is_set():
            target = TARGETS[turn % len(TARGETS)].format(
                self.number * 100000 + turn)
            turn += 1
            for _ in range(3):
                head, body = self.nginx.get(target, sock=sock)
                if not head.startswith(b"HTTP/1.1 200 ") \
                        or len(body) == harness.length_of(head):
                    break
                self.cut += 1
                sock.close()
                sock = self.nginx.connect()
            if not head.startswith(b"HTTP/1.1 200 ") \
                    or len(body) != harness.length_of(head):
                self.failed.append((target, head, len(body)))
                break
            self.seen[target] = hashlib.sha256(body).digest()
        sock.close()


class Replicas(unittest.TestCase):
    """Three of them, of which one goes."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.replicas = []
        for _ in range(3):
            replica = harness.Server("--log", "off", "--threads", "1",
                                     "--drain", "1")
            replica.start()
            self.addCleanup(replica.stop)
            self.replicas.append(replica)
        self.nginx = Nginx(folder.name, self.replicas)
        self.addCleanup(self.nginx.stop)
        self.addCleanup(self.tell_all)

    def tell_all(self):
        """Lets them drain at the same time."""
        for replica in self.replicas:
            replica.process.send_signal(signal.SIGTERM)

    def until_each_asked(self, clients, more):
        """And was answered so many times more than now, or failed."""
        before = [len(client.seen) for client in clients]
        harness.until(lambda: all(client.failed or len(client.seen) >= n + more
                                  for client, n in zip(clients, before)))

    def lose(self, number):
        """Answers asked again, while a replica is sent this signal."""
        stopped = threading.Event()
        clients = [Client(self.nginx, i, stopped) for i in range(6)]
        for client in clients:
            client.start()
        try:
            self.until_each_asked(clients, 4)
            self.replicas[0].process.send_signal(number)
            self.replicas[0].process.wait(harness.PATIENCE)
            self.until_each_asked(clients, 20)
        finally:
            stopped.set()
            for client in clients:
                client.join()
        self.assertEqual([client.failed for client in clients
                          if client.failed], [], self.nginx.errors())
        for client in clients:
            for target, digest in list(client.seen.items())[-20:]:
                body = self.replicas[1].get(target).body
                self.assertEqual(hashlib.sha256(body).digest(), digest)
        cut = sum(client.cut for client in clients)
        print(sum(len(client.seen) for client in clients), "answers,", cut,
              "cut off and asked again", file=sys.stderr)
        return cut

    def test_a_replica_that_is_killed_costs_no_client_an_answer(self):
        cut = self.lose(signal.SIGKILL)
        self.assertLessEqual(cut, 6)  # what it was sending just then

    def test_a_replica_that_ends_does_not_even_cut_one_off(self):
        self.assertEqual(self.lose(signal.SIGTERM), 0)

    def test_answers_are_kept_and_outlive_every_replica(self):
        target = TARGETS[0].format(7)
        first = self.nginx.get(target)
        self.assertIn(b"X-Cache-Status: MISS", first[0])
        part = self.nginx.get(target, "Range: bytes=100-199\r\n")
        text = self.nginx.get(target.replace(".npy", ""),
                              "Accept: application/json\r\n")
        for replica in self.replicas:
            replica.process.kill()
            replica.process.wait()
        again = self.nginx.get(target)
        self.assertIn(b"X-Cache-Status: HIT", again[0])
        self.assertEqual(again[1], first[1])
        self.assertTrue(part[0].startswith(b"HTTP/1.1 206 "))
        self.assertEqual(part[1], first[1][100:200])
        self.assertIn(b"application/json", text[0])
        self.assertEqual(self.nginx.get(
            target.replace(".npy", ""),
            "Accept: application/json\r\n")[1], text[1])
        self.assertTrue(self.nginx.get("/livez")[0]
                        .startswith(b"HTTP/1.1 502 "))

    def test_an_upload_is_refused_before_its_body_is_sent(self):
        with self.nginx.connect() as sock:
            sock.sendall(b"POST /v1/mix.npy HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\nsome")
            head, body = harness.read_reply(sock)
        self.assertTrue(head.startswith(b"HTTP/1.1 413 "), head)
        self.assertIn(b"application/problem+json", head)
        self.assertIn(b"the body has 99999999999 bytes", body)


if __name__ == "__main__":
    unittest.main()
